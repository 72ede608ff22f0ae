"""A readout in words."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.experiments.arm_views import deciding, effect_text, late_decides, sign_of, signed, title
from analysis_lib.experiments.verdict import decide
from analysis_lib.metrics.explanation_text import inside
from analysis_lib.results import Answer, Estimate, format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.experiments.readout import Readout


def whole(one: Readout) -> str:
    """Health, effects and verdict."""
    parts = (effect, guardrails, health, plan, decision)
    return " ".join(text for text in (part(one) for part in parts) if text)


def best(one: Readout) -> str:
    """The arm that the page is about: the one with the best effect on the metric that decides."""
    sign = sign_of(one, one.primary)
    known = [variant for variant in one.plan.treatments if (one.primary, variant) in one.effects]
    return max(known, key=lambda variant: sign * deciding(one, one.primary, variant).value) if known else ""


def effect(one: Readout) -> str:
    """What the best arm did to the metric that decides, and what the others did."""
    variant = best(one)
    if not variant:
        return f"There is no effect on {inside(title(one, one.primary))}: {one.refused.get(one.primary, 'no value')}."
    said = f"{title(one, one.primary)} {_moved(one, one.primary, variant)} with {variant} against {one.plan.control}"
    others = [
        f"{other}: {effect_text(one, one.primary, other)}"
        for other in one.plan.treatments
        if other != variant and (one.primary, other) in one.effects
    ]
    return said + (f" ({'; '.join(others)})" if others else "") + "."


def _moved(one: Readout, metric: str, variant: str) -> str:
    """The effect as a change: what stands out of chance with its interval, the rest as what chance allows."""
    found = one.effects[metric, variant]
    share = found.rel_effect if found.rel_effect.se > 0 else found.effect
    if share.excludes_zero:
        return f"{'rose' if share.value > 0 else 'fell'} by {_size(share)}"
    return f"did not change by more than chance allows ({signed(share)})"


def _size(share: Estimate) -> str:
    return share.short if share.value > 0 else share.scaled(-1.0).short


def guardrails(one: Readout) -> str:
    """How every guardrail fared with the best arm."""
    variant, said = best(one), []
    for name, margin in one.plan.guardrails.items():
        if (name, variant) not in one.effects:
            said.append(f"{title(one, name)} could not be told ({one.refused.get(name, 'no value')})")
            continue
        said.append(f"{title(one, name)} {effect_text(one, name, variant)}, margin {format_percent(margin)}")
    return f"Guardrails: {'; '.join(said)}." if said else "There are no guardrails."


def health(one: Readout) -> str:
    """Whether the test can be believed."""
    return one.health.text


def basis(one: Readout) -> str:
    """Who was counted, over which days, and how."""
    counted = " and ".join(f"{format_count(n)} in {arm}" for arm, n in one.health.n_units.items())
    adjusted = any(arm.has_covariate for arms in one.evidence.arms.values() for arm in arms.values())
    how = (
        f"Values are adjusted for what the same {one.trial.unit}s did in the {one.plan.covariate_days} days before"
        if adjusted
        else "Values are not adjusted for anything"
    )
    return (
        f"Counted are {one.trial.unit}s from their first exposure to the end, {period(one.evidence.start)} to"
        f" {period(one.evidence.end)}, also those who did nothing: {counted}. {how}."
    )


def plan(one: Readout) -> str:
    """Whether a plan binds the verdict."""
    names = ", ".join(inside(title(one, name)) for name in one.plan.success)
    smallest = format_percent(one.plan.smallest)
    if not one.is_planned:
        return f"No plan was written before the start: {names} decides, and {smallest} counts as worth shipping for."
    written = f"written on {period(one.plan.written_on)}" if one.plan.written_on else "written beforehand"
    return f"The plan, {written}, decides by {names}; {smallest} is the smallest effect worth shipping for."


def looks(one: Readout) -> str:
    """What earlier looks would have shown."""
    words = {
        "fixed": "The plan allows no early stop.",
        "hybrid": "The plan allows an early stop for harm only, so that the interval at the end is an ordinary one.",
        "group_sequential": "The plan allows a stop at every look, with bounds that spend the error over them.",
        "confidence_sequence": "The plan allows a stop at any time, with intervals that hold at all times together.",
    }
    return f"{one.looks.text} {words[one.plan.looks]}"


def wearing(one: Readout) -> str:
    """Whether the effect wears off."""
    if not one.wearing:
        return "The test is too short, or too small, to compare early days with late ones."
    return " ".join(f"{variant}: {found.text}" if len(one.wearing) > 1 else found.text
                    for variant, found in one.wearing.items())  # fmt: skip


def segments(one: Readout) -> str:
    """Whether the effect differs between segments."""
    shown = [found for found in one.segments if found.variant == best(one)]
    if not shown:
        return "There are no segments that are large enough to be compared."
    return " ".join(found.text for found in shown)


def worth(one: Readout) -> str:
    """Money per month."""
    variant = best(one)
    if variant not in one.worth:
        return "What it is worth in money cannot be told."
    fading = variant in one.wearing and one.wearing[variant].wears_off
    return one.worth[variant].text + (" The effect wears off: later months bring less." if fading else "")


def belief(one: Readout) -> str:
    """What to believe given past tests."""
    variant = best(one)
    if variant not in one.beliefs:
        return "There is no relative effect to hold against past tests."
    return f"{one.prior.text} {one.beliefs[variant].text}"


def notes(one: Readout) -> str:
    """What was left out, or is not final."""
    said = [*one.evidence.notes, *(f"{title(one, name)}: {reason}." for name, reason in one.refused.items())]
    for name, share in one.evidence.immature.items():
        said.append(
            f"{title(one, name)} is read to {period(one.evidence.ends[name])} only, later days are not final:"
            f" {format_percent(share)} of units were exposed after that."
        )
    return " ".join(said) if said else "Nothing was left out."


def decision(one: Readout) -> str:
    """The verdict, and the rule behind it."""
    made = decide(one)
    return f"{made.text} {made.next_step} The rule: {made.rule}"


def answer(one: Readout, source: str, grade: str) -> Answer:
    """The first screen of the page."""
    variant, made = best(one), decide(one)
    known = one.health.passed and variant
    number = deciding(one, one.primary, variant) if known else None
    level = format_percent(one.level, 0)
    late = f" from day {one.wearing[variant].late_days[0] + 1} on" if known and late_decides(one, variant) else ""
    what = (
        f"{title(one, one.primary)} with {variant} against {one.plan.control}{late}, {level} interval" if known else ""
    )
    return Answer(
        title=f"{one.trial.name}: should it be shipped?",
        headline=effect(one) if known else one.health.text,
        number=number,
        number_of=what,
        decision=made,
        source=source,
        window=f"{period(one.evidence.start)} to {period(one.evidence.end)}",
        as_of=str(one.evidence.data_end),
        counted=basis(one),
        grade=grade,
    )


def period(day: date | None) -> str:
    """A day in words."""
    return "an unknown day" if day is None else f"{day:%-d %b %Y}"


def value_in(one: Readout, metric: str, arm_value: float) -> str:
    """A value of a metric, as money or as a share where it is one; of counts per unit the number alone."""
    unit = one.evidence.metrics[metric].unit
    if unit.startswith("usd"):
        return format_value(arm_value, "usd")
    return format_value(arm_value, unit) if unit in ("share", "pp", "ms") else f"{arm_value:,.3g}"


SENTENCES = {
    "effect": effect, "guardrails": guardrails, "health": health, "basis": basis, "plan": plan, "looks": looks,
    "wearing": wearing, "segments": segments, "worth": worth, "belief": belief, "notes": notes, "decision": decision,
}  # fmt: skip
