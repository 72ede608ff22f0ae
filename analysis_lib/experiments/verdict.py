"""The printed rule: ship, hold, roll back, keep running, or cannot tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.stats import norm

from analysis_lib.experiments.arm_views import (
    ArmView,
    deciding,
    effect_text,
    late_decides,
    losers_of,
    sides,
    title,
    told,
    views,
    winner_of,
)
from analysis_lib.experiments.effects import format_pvalue
from analysis_lib.metrics.explanation_text import inside
from analysis_lib.results import Decision, Estimate, format_count, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.readout import Readout
    from analysis_lib.experiments.segments import Segments

RULE = (
    "No verdict if a check of the test's health fails. Ship the arm that makes a success metric better (all success"
    " metrics and arms judged together, by Holm's correction), if every guardrail's interval stays on the right side of"
    " its margin and no success metric or guardrail got worse (one-sided tests, an arm's metrics judged together). Roll"
    " back if one got worse. Where the effect changes with the days since the exposure, or the plan says so, the late"
    " days decide. Where segments differ, hold, unless the arm is better in each of them. While the test runs: keep"
    " running, unless a bound that accounts for every look is crossed; early success counts only where the plan allows"
    " it. Otherwise hold if the interval leaves no room for an effect worth shipping, and say that nobody can tell if"
    " it does."
)

#: Longer than this is no answer to "how many more days".
_LONGEST = 365


def decide(one: Readout) -> Decision:
    """The verdict."""
    if not one.health.passed:
        step = "Find where units are lost between assignment and exposure, mend it, and run the test again."
        return _made(one, "Cannot tell", one.health.text, None, step)
    if not any(metric == one.primary for metric, _ in one.effects):
        reason = one.refused.get(one.primary, "the metric that decides has no value in this test")
        return _made(one, "Cannot tell", f"There is no effect to judge: {reason}.", None, "Name a metric that has one.")
    harm, proof = one.looks.first("harmed"), one.looks.first("proven")
    if one.is_early and harm is not None:
        return _harmed_early(one, harm)
    if one.is_early and proof is None:
        return _too_early(one)
    return _at_the_end(one)


def _at_the_end(one: Readout) -> Decision:
    seen = views(one)
    winner = winner_of(seen)
    if winner is not None:
        return _won(one, winner)
    losers = losers_of(seen)
    if losers:
        return _lost(one, losers)
    split = [(view, view.uneven) for view in seen if view.uneven is not None]
    if split:
        return _split(one, *split[0])
    return _undecided(one, seen)


def _won(one: Readout, view: ArmView) -> Decision:
    name = view.better[0]
    said = f"{title(one, name)} with {view.variant} is {told(one, name, view.variant)} against {one.plan.control}"
    if view.uneven is not None:
        return _split(one, view, view.uneven)
    if view.open:
        margins = ", ".join(
            f"{title(one, guardrail)} (margin {format_percent(one.plan.guardrails[guardrail])},"
            f" {effect_text(one, guardrail, view.variant)})"
            for guardrail in view.open
        )
        reason = f"{said}, but it is not shown that no guardrail suffers: {margins}."
        guarded = inside(title(one, view.open[0]))
        step = f"Test again with more units until {guarded} is known, or accept the risk in writing."
        return _made(one, "Hold", reason, _money(one, view.variant), step)
    guarded = "; every guardrail holds" if one.plan.guardrails else ""
    wears = f". {one.wearing[view.variant].text}" if late_decides(one, view.variant) else "."
    step = f"Give {view.variant} to everybody, and keep 5 % on control for a month to see that it lasts."
    return _made(one, "Ship", f"{said}{guarded}{wears}", _money(one, view.variant), step)


def _lost(one: Readout, losers: list[ArmView]) -> Decision:
    worst = losers[0]
    name = worst.worse[0]
    reason = f"{title(one, name)} got worse with {worst.variant}: {effect_text(one, name, worst.variant)}."
    others = [view.variant for view in losers[1:]]
    if others:
        reason += f" So it did with {', '.join(others)}."
    money = _money(one, worst.variant)
    step = f"Take {', '.join(view.variant for view in losers)} back, and find out what went wrong."
    return _made(one, "Roll back", reason, None if money is None else money.scaled(-1.0), step)


def _split(one: Readout, view: ArmView, segments: Segments) -> Decision:
    good, bad = sides(one, segments)
    known = " and ".join(f"{word} in {', '.join(names)}" for word, names in (("better", good), ("worse", bad)) if names)
    known = known or f"known well enough in no {segments.dimension} by itself"
    reason = (
        f"Not the same for everybody: {inside(title(one, one.primary))} with {view.variant} is {known}"
        f" (p {format_pvalue(segments.pvalue)} that all are alike)."
    )
    step = f"Give {view.variant} to {', '.join(good)} only." if good else "Test it again, each large enough by itself."
    return _made(one, "Hold", reason, None, step)


def _undecided(one: Readout, seen: list[ArmView]) -> Decision:
    smallest, best = one.plan.smallest, max(seen, key=lambda view: view.high)
    name, late = title(one, one.primary), late_decides(one, best.variant)
    wearing = one.wearing.get(best.variant)
    if wearing is not None and wearing.wears_off:
        reason = f"{wearing.text} What is left is not enough to ship for."
        return _made(one, "Hold", reason, None, "Leave it, or find what would make it last.")
    shown = f"{told(one, one.primary, best.variant)}{' on the late days, which decide' if late else ''}"
    if best.high < smallest:
        reason = (
            f"No arm changes {inside(name)} by as much as the {format_percent(smallest)} that would be worth shipping"
            f" for: {shown}."
        )
        return _made(one, "Hold", reason, None, "Leave it as it is, and test something larger.")
    reason = (
        f"{name} with {best.variant} is {shown}: nothing and {format_percent(smallest)} are both possible."
        f" {more_days(one, best.variant)}"
    )
    return _made(one, "Cannot tell", reason, None, "Run it longer, on more markets, or on those it touches only.")


def _harmed_early(one: Readout, harm: pd.Series) -> Decision:
    metric, variant = harm["metric"], harm["variant"]
    reason = (
        f"{title(one, metric)} with {variant} crossed the bound for harm on {harm['day']:%-d %b %Y}:"
        f" {effect_text(one, metric, variant)} by now."
    )
    money = _money(one, variant)
    step = f"Take {variant} back today."
    return _made(one, "Roll back", reason, None if money is None else money.scaled(-1.0), step)


def _too_early(one: Readout) -> Decision:
    variant = max(views(one), key=lambda view: view.high).variant
    now = f"{title(one, one.primary)} with {variant} stands at {effect_text(one, one.primary, variant)}"
    if one.days_left:
        left = format_count(one.days_left, "days" if one.days_left > 1 else "day")
        reason = f"{left} of {one.plan.days} are left, and no bound is crossed. {now}."
        return _made(
            one, "Keep running", reason, None, f"Read it again in {min(one.days_left, one.plan.look_days)} days."
        )
    reason = (
        f"It ended after {one.evidence.days} of {one.plan.days} planned days with no bound crossed: an interval of the"
        f" planned end would promise too much. {now}."
    )
    return _made(one, "Cannot tell", reason, None, "Run it again, to its end.")


def more_days(one: Readout, variant: str) -> str:
    """How many more days would tell an effect worth shipping from nothing."""
    se = deciding(one, one.primary, variant).se
    needed = one.plan.smallest / (norm.isf(one.plan.alpha / 2) + norm.ppf(one.plan.power))
    days = math.ceil(one.evidence.days * ((se / needed) ** 2 - 1))
    if days <= 0:
        return "As many days again would settle it."
    if days > _LONGEST:
        return "More than a year of such traffic would be needed to tell."
    return f"About {format_count(days, 'more days')} of such traffic would settle it."


def _money(one: Readout, variant: str) -> Estimate | None:
    return one.worth[variant].per_month if variant in one.worth else None


def _made(one: Readout, action: str, reason: str, money: Estimate | None, step: str) -> Decision:
    known = one.evidence.metrics.get(one.primary)
    owner = one.plan.owner or (known.owner if known else "")
    return Decision(action, RULE, reason, money, owner, step)
