"""What the comparison of comparisons says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis_lib.causal import e_value
from analysis_lib.results import Answer, Decision, format_count, format_percent, format_value, listed

if TYPE_CHECKING:
    from analysis_lib.campaigns.without_lot import WithoutLot

#: How each way is called within a sentence.
CALLED = {
    "plain": "the plain difference", "growth": "growth from the year before", "history": "weights to the same history",
    "learnt": "double machine learning",
}  # fmt: skip

#: Of a standard deviation, to the logarithm of a ratio of risks (VanderWeele and Ding 2017).
TO_RISK = 0.91

RULE = (
    "Run: the interval of at least one comparison does not hold what the lot shows, so the next campaign leaves some"
    " users out by lot. Leave alone: all of them hold it."
)


def headline(one: WithoutLot) -> str:
    """How far the ways lie from the lot."""
    others = [way for way in one.effects if way != "lot"]
    held, missed = one.holding, one.missing
    worst = max(others, key=lambda way: abs(one.off(way)))
    tail = "; all hold it" if not missed else f"; {listed([CALLED[way] for way in held]) or 'none'} held it"
    side = "low" if one.off(worst) < 0 else "high"
    return (
        f"The lot shows {one.effects['lot'].short} a person. Without it, {CALLED[worst]} would have been"
        f" {format_value(abs(one.off(worst)), 'usd')} too {side}{tail}."
    )


def why(one: WithoutLot) -> str:
    """Why the missing ways miss."""
    rows = one.balance.set_index("quantity")
    earned, others = (format_value(float(value), "usd") for value in rows.loc["earnings in 1975"].iloc[:2])
    return (
        f"Those in the programme had earned {earned} in 1975, the others {others}: as they are, they cannot be"
        " compared. Growth fails too. People come to such a programme after a bad year, and after a bad year earnings"
        " rise by themselves; the others had no bad year behind them. It is the same with users who are picked because"
        " they have just stopped buying."
    )


def learnt(one: WithoutLot) -> str:
    """The machine's way with whom it could compare."""
    n = one.n
    return (
        f"Of {format_count(n['others'])} others, {format_count(n['alike'])} had a chance of at least 2 in 100 to be in"
        f" the programme, and {format_count(n['compared'])} of its {format_count(n['programme'])} people are compared"
        f" with them: {one.learnt.estimate.short} a person. Weighted, the others count as"
        f" {format_count(round(one.learnt.overlap.effective_untreated))}."
    )


def hidden(one: WithoutLot) -> str:
    """How strong something unseen would have to be, on the scale of risks."""
    found = one.learnt.estimate
    strength = e_value(math.exp(TO_RISK * abs(found.value) / one.spread)).value
    return (
        "Nothing in the data shows what the history does not tell. Something unseen that makes both being in the"
        f" programme and high earnings {strength:.1f} times as likely would explain the machine's number away"
        " (an E-value, by the rule for means)."
    )


def refused(one: WithoutLot) -> str:
    """The question that is not answered."""
    if not one.refusal:
        return ""
    return (
        f"What the programme would do for everybody is not answered: {format_percent(one.overlap.share_outside, 0)} of"
        " all people have a chance of being in it so low that nobody in it is like them."
    )


def small(one: WithoutLot) -> str:
    """What this does not show."""
    return (
        f"One programme, {format_count(one.n['programme'])} people, one lot that left {format_count(one.n['lot'])} out:"
        " which way comes near is partly chance. That a way held the answer here does not say that it will with"
        " another picking; that one missed it says that it can."
    )


def decision(one: WithoutLot) -> Decision:
    """What follows for campaigns."""
    missed = one.missing
    if not missed:
        return Decision("Leave alone", RULE, "All ways hold what the lot shows.", None, "campaign managers", "Nothing.")
    wide = one.effects["lot"].ci_upper - one.effects["lot"].ci_lower
    worst = max(abs(one.off(way)) for way in missed)
    reason = (
        f"{format_count(len(missed))} of {format_count(len(one.effects) - 1)} comparisons miss the lot's answer, the"
        f" worst by {format_value(worst, 'usd')}, {worst / wide:.1f} times the width of its interval."
    )
    step = "Leave one in ten users out by lot in the next campaign whose users are picked."
    return Decision("Run", RULE, reason, None, "campaign managers", step)


def answer(one: WithoutLot) -> Answer:
    """The first screen."""
    return Answer(
        title="Would a comparison without a lot have found it?", headline=headline(one), number=one.effects["learnt"],
        number_of="the best comparison without a lot that is sure of overlap, per person", decision=decision(one),
        source="Dehejia and Wahba (1999), as causaldata ships them",
        window="earnings in 1978, history of 1974 and 1975", as_of="1978", counted=(
            f"{format_count(one.n['programme'])} people in the programme, {format_count(one.n['lot'])} left out by lot,"
            f" {format_count(one.n['others'])} of a survey; US dollars a year."
        ),
        grade=f"By lot, in print: 1,794; here {format_value(one.effects['lot'].value, 'usd')}"
        f" ({format_percent(one.level, 0)} intervals, errors robust by person).",
    )  # fmt: skip


SENTENCES: dict[str, Callable[[WithoutLot], str]] = {
    "headline": headline, "why": why, "learnt": learnt, "hidden": hidden, "refused": refused, "small": small,
    "decision": lambda one: f"{one.decision.text} {one.decision.next_step}", "rule": lambda _: RULE,
}  # fmt: skip
