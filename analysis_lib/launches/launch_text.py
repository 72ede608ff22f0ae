"""A launch review in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from analysis_lib.launches import verdict
from analysis_lib.launches.effect import LaunchEffect
from analysis_lib.launches.words import likely, listed, signed
from analysis_lib.results import Answer, format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.launches.result import LaunchReview

#: Weeks that are named before the rest is counted.
MOST_WEEKS = 4

Say = Callable[["LaunchReview"], str]


def _told(say: Say) -> Say:
    """Nothing, where the effect cannot be told."""

    @wraps(say)
    def guarded(one: LaunchReview) -> str:
        return refused(one) if one.effect is None else say(one)

    return guarded


def refused(one: LaunchReview) -> str:
    """Why nothing can be told."""
    return f"What {one.launch.name} does cannot be told: {one.refusal}."


def whole(one: LaunchReview) -> str:
    """What it does, where, and the verdict."""
    parts = (where, headline, spread, worth, decision) if one.effect is not None else (where, refused, decision)
    return " ".join(part(one) for part in parts)


def where(one: LaunchReview) -> str:
    """Where it is live."""
    launch = one.launch
    if not launch.live:
        return f"{launch.name} is live nowhere by {launch.until:%-d %b %Y}."
    live = f"{launch.name} is live in {len(launch.live)} of {len(launch.markets)} markets ({listed(launch.live)})"
    if not launch.left:
        live = f"{launch.name} is live in all {len(launch.markets)} markets"
    waves = format_count(launch.n_waves, "waves" if launch.n_waves > 1 else "wave")
    return f"{live}, in {waves} since {launch.first:%-d %b %Y}."


@_told
def headline(one: LaunchReview) -> str:
    """The finding."""
    mean, title = one.effect.mean, one.setting.metric.title
    n = format_count(len(one.effect.told), "markets")
    after = f"from week {one.setting.learning_weeks + 1} on" if one.setting.learning_weeks else "since it is live"
    if not mean.excludes_zero:
        return f"Whether {one.launch.name} moves {title.lower()} cannot be told: {signed(mean)} in {n}, {after}."
    rises = "raises" if mean.value > 0 else "lowers"
    return f"{one.launch.name} {rises} {title.lower()} by {_size(one)} in {n}, {after}."


def _size(one: LaunchReview) -> str:
    mean = one.effect.mean
    return mean.short if mean.value > 0 else mean.scaled(-1.0).short


@_told
def growth(one: LaunchReview) -> str:
    """How the effect grew, and what came before."""
    events = one.effect.events
    first = events[(events["event_time"] >= 0) & (events["event_time"] < 2)]["value"].mean()
    said = f"In the first two weeks it was {format_percent(float(first))} on average"
    mean = one.effect.mean.value
    said += f", later {format_percent(mean)}." if one.setting.learning_weeks >= 2 else "."
    return f"{said} {waiting(one)}".strip()


@_told
def waiting(one: LaunchReview) -> str:
    """What the announcement did."""
    found = one.effect.waiting
    if found is None:
        return "It was not announced to users beforehand." if not one.launch.is_announced else ""
    known = "" if found.excludes_zero else ", which may be chance"
    return (
        f"Between the announcement and the launch {one.setting.metric.title.lower()} changed by {signed(found)}{known};"
        " these weeks count neither as before nor as after."
    )


@_told
def spread(one: LaunchReview) -> str:
    """How much markets differ."""
    rows = one.effect.markets
    rows = rows[rows["value"].notna()]
    most, least = rows.loc[rows["shrunk"].idxmax()], rows.loc[rows["shrunk"].idxmin()]
    size = format_percent(one.effect.found.spread.size)
    said = (
        f"Drawn towards each other as far as chance explains their differences, it is largest in {most['country']}"
        f" ({format_percent(most['shrunk'])}) and smallest in {least['country']} ({format_percent(least['shrunk'])})"
    )
    if one.setting.depends_on:
        return f"{said}. {depends(one)}"
    return f"{said}; beyond chance, markets differ by about {size} (one standard deviation)."


@_told
def depends(one: LaunchReview) -> str:
    """What a country factor says about the effect."""
    slope = one.effect.found.slope
    if slope is None:
        return "It was not looked for what the effect depends on."
    name = one.setting.depends_on.replace("_", " ")
    known = "" if slope.excludes_zero else ", which may be chance"
    return (
        f"It was chosen beforehand to ask whether the effect goes with {name}: a market one standard deviation higher"
        " has"
        f" an effect of {signed(slope.scaled(1.0, 'pp'))} more{known}. The spread of markets around that is about"
        f" {format_percent(one.effect.found.spread.size)}."
    )


@_told
def worth(one: LaunchReview) -> str:
    """What it adds up to."""
    if one.worth is None:
        return f"Sales do not move in proportion to {one.setting.metric.title.lower()}: it is not told in money."
    live = one.worth.live
    said = f"Where it is live it brings {live.short} of sales in 30 days" if live is not None else ""
    left = one.worth.total(one.launch.left)
    if left is not None:
        said += f"; in the markets left it would bring {left.short} more" if said else f"It would bring {left.short}"
    return (
        f"{said}. That takes sales to move in proportion to {one.setting.metric.title.lower()}, and is before returns,"
        " margins and costs."
    )


@_told
def proposal(one: LaunchReview) -> str:
    """Where to go on."""
    found = one.proposal
    if found is None:
        return "It is live in all markets: nothing is left to propose."
    first = found.markets.iloc[0]
    chance = likely(float(first["chance"]))
    money = "" if one.worth is None else f", {format_value(float(first['value']), 'usd')} of sales in 30 days"
    said = (
        f"Of {format_count(len(found.markets), 'markets' if len(found.markets) > 1 else 'market')} left,"
        f" {first['country']} comes first{money}, with a chance of {chance} that it gains at all."
    )
    now = "" if goes_on(one) else "By the verdict it goes to no further market now. "
    return f"{now}{said} {_kept(one)}".strip()


def goes_on(one: LaunchReview) -> bool:
    """Whether the verdict lets it go to further markets."""
    return verdict.decide(one).action == "Ship"


def _kept(one: LaunchReview) -> str:
    found = one.proposal
    if not found.kept_back:
        return "With it no market is left to compare with: what comes after cannot be learned."
    return (
        f"The last, {found.kept_back}, should wait until {found.kept_until:%-d %b %Y}: as long as one market does not"
        " have"
        " it, the next waves can be read. Two would be better."
    )


@_told
def beside(one: LaunchReview) -> str:
    """What became of the other metrics."""
    if not one.beside:
        return "No other metric was looked at."
    said = [
        f"{found.metric.title} {signed(found.mean)}" if isinstance(found, LaunchEffect)
        else f"{name.replace('_', ' ')} cannot be told ({found})"
        for name, found in one.beside.items()
    ]  # fmt: skip
    worse = verdict.got_worse(one)
    end = f" Worse for sure: {listed([one.beside[name].metric.title for name in worse])}." if worse else ""
    return f"Beside it: {'; '.join(said)}.{end}"


@_told
def compared(one: LaunchReview) -> str:
    """What is compared with what."""
    weeks = one.effect.weeks
    said = (
        f"Each week that a market has had it is held against what its own past lets expect, and what happened in the"
        f" markets that did not have it yet: {weeks.n_markets} markets, {weeks.first:%-d %b %Y} to"
        f" {weeks.last:%-d %b %Y}, by market-local week."
    )
    return f"{said} {_left_out(one)}".strip()


def _left_out(one: LaunchReview) -> str:
    said, weeks, found = [], one.effect.weeks, one.effect.found
    since = one.effect.dropped_from
    if since is not None:
        said.append(
            f"From {since:%-d %b %Y} on fewer than two markets were not yet live: those weeks are left out, and markets"
            " that went live last have no effect of their own"
        )
    if weeks.n_campaign_days:
        said.append(f"{format_count(weeks.n_campaign_days, 'market-days')} with a campaign of the market are left out")
    if weeks.odd:
        names = [f"{country} {week:%-d %b %Y}" for country, week in weeks.odd]
        shown = ", ".join(names[:MOST_WEEKS]) + (", …" if len(names) > MOST_WEEKS else "")
        count = "One market-week" if len(names) == 1 else format_count(len(names), "market-weeks")
        said.append(
            f"{count} in which something happened to one market alone {'is' if len(names) == 1 else 'are'} left out,"
            f" before and after alike ({shown})"
        )
    said += [f"{name} is left out: it {why}" for name, why in weeks.left_out.items()]
    said += [f"{name} is left out: too few weeks before it went live" for name in found.left_out]
    return "".join(f"{part}. " for part in said).strip()


@_told
def checks(one: LaunchReview) -> str:
    """What the weeks before say."""
    pvalue = one.effect.found.lead_pvalue
    if pvalue is None:
        return "The weeks before the start are too few to test."
    if pvalue < verdict.APART:
        return (
            "In the weeks before anything could be different the markets already moved apart from the others"
            f" (p {pvalue:.3f}): the effect may be that."
        )
    return (
        f"In the weeks before anything could be different the same method finds nothing that chance does not explain"
        f" (p {pvalue:.2f}). A market's own event in the very weeks of its launch cannot be told from the launch."
    )


@_told
def noise(one: LaunchReview) -> str:
    """What markets do of their own."""
    found = one.effect.found.noise
    lasting, level = found.lasting**0.5, format_percent(one.setting.level, 0)
    if lasting < 0.0005:
        return f"Of its own, a market shows no noise that lasts; {level} intervals allow for what a dozen markets can"
        " hide."
    kept = f", of which a share of {found.carried:.2f} is left a week later"
    return (
        f"Of its own, a market wanders by about {format_percent(lasting)} of {one.setting.metric.title.lower()}{kept};"
        " intervals allow for that, and for how little a dozen markets say about it."
    )


def decision(one: LaunchReview) -> str:
    """The verdict and the next step."""
    found = verdict.decide(one)
    return f"{found.text} {found.next_step}"


def rule(one: LaunchReview) -> str:
    """The printed rule."""
    return verdict.RULE


def answer(one: LaunchReview, source: str, grade: str) -> Answer:
    """The first screen of the page."""
    launch, title = one.launch, one.setting.metric.title
    asks = "keep it, change it, or take it back" if not launch.left else "go on, wait, or take it back"
    window = f"{launch.first:%-d %b %Y} to {launch.until:%-d %b %Y}"
    counted = f"{len(launch.markets)} markets by market-local week"
    if one.effect is not None:
        weeks = one.effect.weeks
        window = f"{weeks.first:%-d %b %Y} to {weeks.last:%-d %b %Y}"
        counted = f"{weeks.n_markets} markets by market-local week; money in USD of sales in the 28 days to the end"
    return Answer(
        title=f"{launch.name}: {asks}?",
        headline=headline(one), number=one.estimate,
        number_of=f"{title}, relative change where it is live, {format_percent(one.setting.level, 0)} interval",
        decision=verdict.decide(one), source=source, window=window, as_of=str(launch.until),
        counted=counted, grade=grade,
    )  # fmt: skip


SENTENCES = {
    "where": where, "headline": headline, "growth": growth, "waiting": waiting, "spread": spread, "depends": depends,
    "worth": worth, "proposal": proposal, "beside": beside, "compared": compared, "checks": checks, "noise": noise,
    "decision": decision, "rule": rule,
}  # fmt: skip
