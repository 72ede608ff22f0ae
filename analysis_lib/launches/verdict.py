"""The printed rule for a launch: go on, keep, change, hold, roll back, or cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.launches.effect import LaunchEffect
from analysis_lib.launches.words import cut, listed, signed
from analysis_lib.results import Decision, Estimate, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.launches.result import LaunchReview

OWNER = "Product team of the launch"

#: Chance, under no difference, below which the weeks before the launch speak against the comparison.
APART = 0.01

RULE = (
    "Cannot tell, if too few markets or waves can be compared, or if the weeks before anything could be different"
    " already"
    f" were (a chance below {format_percent(APART, 0)}). Roll back, if the interval of the effect lies on the bad side"
    " of"
    " zero, or if it holds zero and a metric beside it got worse for sure. Change, if the effect is good for sure and a"
    " metric beside it got worse for sure. If the effect is good for sure and nothing got worse: ship to the markets"
    " left"
    " whose chance of a gain is large enough, and keep it where it is; hold, if no market left has such a chance; leave"
    " alone, if it is live everywhere. Else nobody can tell yet."
)


def decide(one: LaunchReview) -> Decision:
    """The verdict."""
    if one.effect is None:
        return Decision("Cannot tell", RULE, f"{one.refusal[:1].upper()}{one.refusal[1:]}.", None, OWNER, _to_tell(one))
    pvalue = one.effect.found.lead_pvalue
    if pvalue is not None and pvalue < APART:
        reason = (
            "Before anything could be different, the markets it went to already moved apart from the others:"
            f" the effect {signed(one.effect.mean)} may be that."
        )
        return Decision(
            "Cannot tell", RULE, reason, None, OWNER, "Find out what set these markets apart before the start."
        )
    good, bad = _sides(one.effect.mean, one.setting.sign)
    worse = got_worse(one)
    if bad or (worse and not good):
        return _rolled_back(one, worse, bad)
    if good and worse:
        return _changed(one, worse)
    return _gone_on(one) if good else _open(one)


def _sides(estimate: Estimate, sign: int) -> tuple[bool, bool]:
    """Whether an effect is good, and whether it is bad, for sure."""
    low, high = sorted((sign * estimate.ci_lower, sign * estimate.ci_upper))
    return low > 0, high < 0


def got_worse(one: LaunchReview) -> list[str]:
    """Metrics beside it that got worse for sure."""
    return [
        name for name, found in one.beside.items()
        if isinstance(found, LaunchEffect) and found.metric.better != "neither"
        and _sides(found.mean, -1 if found.metric.better == "down" else 1)[1]
    ]  # fmt: skip


def _told(one: LaunchReview) -> str:
    return f"{one.setting.metric.title} {signed(one.effect.mean)} where it is live"


def _worse(one: LaunchReview, names: list[str]) -> str:
    return listed([f"{one.beside[name].metric.title} {signed(one.beside[name].mean)}" for name in names])


def _rolled_back(one: LaunchReview, worse: list[str], bad: bool) -> Decision:
    money = one.worth.live if one.worth is not None else None
    saved = money.scaled(-1.0) if money is not None and bad else None
    reason = f"{_told(one)}: worse for sure." if bad else f"{_told(one)}: not better for sure."
    if worse:
        reason += f" Beside it got worse: {_worse(one, worse)}."
    step = f"Take it back in {cut(one.launch.live)}, the largest market first, and stop the waves still planned."
    return Decision("Roll back", RULE, reason, saved, OWNER, step)


def _changed(one: LaunchReview, worse: list[str]) -> Decision:
    reason = f"{_told(one)}: better for sure. But beside it got worse: {_worse(one, worse)}."
    step = "Weigh what was gained against what got worse, and change it before it goes to another market."
    if one.proposal is None:
        step = "Weigh what was gained against what got worse, and change what makes it worse."
    return Decision("Change", RULE, reason, one.worth.live if one.worth is not None else None, OWNER, step)


def _gone_on(one: LaunchReview) -> Decision:
    reason = f"{_told(one)}: better for sure."
    if one.proposal is None:
        money = one.worth.live if one.worth is not None else None
        reason += " It is live in all markets."
        return Decision(
            "Leave alone", RULE, reason, money, OWNER, "Keep it in all markets; nothing is left to roll out."
        )
    names = one.proposal.proposed
    if not names:
        reason += f" No market left has a chance of a gain of {format_percent(one.setting.sure, 0)} or more."
        step = "Keep it where it is; wait until more weeks tell which markets gain."
        return Decision("Hold", RULE, reason, None, OWNER, step)
    money = one.worth.total(names) if one.worth is not None else None
    step = f"Go live next in {listed(names)}, in this order."
    if one.proposal.kept_back:
        step += f" Keep {one.proposal.kept_back} back until {one.proposal.kept_until:%-d %b %Y} to compare with."
    return Decision("Ship", RULE, reason, money, OWNER, step)


def _open(one: LaunchReview) -> Decision:
    reason = f"{_told(one)}: the interval holds zero."
    needed = _times_more(one.effect.mean)
    if needed:
        reason += f" An effect of this size would take about {needed} as much data."
    step = (
        "Go to no further market until it is known." if one.launch.left else "Nobody is left to compare with: leave it."
    )
    return Decision("Cannot tell", RULE, reason, None, OWNER, step)


def _times_more(estimate: Estimate) -> str:
    """How many times as much would leave out zero, if the effect is as estimated."""
    half = (estimate.ci_upper - estimate.ci_lower) / 2
    if estimate.value == 0:
        return ""
    times = (half / abs(estimate.value)) ** 2
    return f"{format_count(round(times))} times" if 1.5 <= times <= 50 else "twice" if times < 1.5 else ""


def _to_tell(one: LaunchReview) -> str:
    """What would be needed where nothing can be told."""
    if not one.launch.live:
        return "Read it again when it has been live in three markets and two waves for some weeks."
    if not one.launch.left:
        return "It is live everywhere: next time keep a market back until the first waves are read."
    weeks = one.setting.learning_weeks + 2
    return (
        f"Read it again when three markets of two waves have had it for {format_count(weeks, 'weeks')} or more, while"
        " two"
        " others have not."
    )
