"""The printed rule of a design: run it, change it, or hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.experiments import design_text
from analysis_lib.experiments.effects import FEWEST_UNITS
from analysis_lib.metrics.explanation_text import inside
from analysis_lib.results import Decision, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.experiments.design_result import Design

RULE = (
    "Run if the wanted effect is found with the planned chance within the longest length that the"
    " history shows, every arm gets enough units, every guardrail's margin can be shown by then, and no other test of"
    " the same units runs on the planned days. Hold if another one does. Change the design otherwise."
)


def decide(one: Design) -> Decision:
    """The verdict."""
    if one.mde > one.asked.wanted * (1 + 1e-9):
        return _too_small(one)
    smallest = one.n_units * min(one.asked.shares)
    if smallest < FEWEST_UNITS:
        reason = f"The smallest arm would get {format_count(smallest)} {one.asked.unit}s; {FEWEST_UNITS} are needed."
        return _made(one, "Change", reason, "Give the smallest arm a larger share.")
    hidden = [guard for guard in one.guards if not guard.can_be_shown]
    if hidden:
        return _unguarded(one, hidden)
    if one.overlaps:
        names = ", ".join(trial.experiment_id for trial in one.overlaps)
        reason = f"{_enough(one)} But {names} would run on the same {one.asked.unit}s."
        step = "Start after it, or make sure that the two are drawn independently and do not touch the same thing."
        return _made(one, "Hold", reason, step)
    step = f"Write the plan down, start on {design_text.day(one.start)}, read it on {design_text.day(one.read_on)}."
    return _made(one, "Run", _enough(one), step)


def _enough(one: Design) -> str:
    """How many units come, and what they are enough for."""
    return (
        f"{format_count(one.n_units)} {design_text.counted_units(one)} in {one.planned_days} days are enough to find"
        f" changes from {format_percent(one.mde)} on; {format_percent(one.asked.wanted)} is wanted."
    )


def _too_small(one: Design) -> Decision:
    more = one.units_needed / one.n_units
    reason = (
        f"{format_count(one.n_units)} {design_text.counted_units(one)} in {one.planned_days} days are enough for"
        f" changes from {format_percent(one.mde)} on. For {format_percent(one.asked.wanted)} there would have to be"
        f" {more:,.1f} times as many."
    )
    longer = f"run {one.days_needed} days" if one.days_needed else "look for a larger effect"
    step = f"Either {longer}, or take more traffic, or a metric that varies less."
    return _made(one, "Change", reason, step)


def _unguarded(one: Design, hidden: list) -> Decision:
    told = ", ".join(
        f"{inside(guard.metric.title)} (margin {format_percent(guard.margin)}, from"
        f" {format_percent(guard.smallest)} on can be shown)"
        for guard in hidden
    )
    reason = f"{_enough(one)} But not every guardrail's margin can be shown by then: {told}."
    needed = [guard.days_needed for guard in hidden]
    if all(needed):
        step = f"Run {max(needed)} days, or accept a wider margin in writing."
    else:
        step = "Accept a wider margin in writing, or guard by a metric that varies less."
    return _made(one, "Change", reason, step)


def _made(one: Design, action: str, reason: str, step: str) -> Decision:
    return Decision(action, RULE, reason, None, one.metric.owner, step)
