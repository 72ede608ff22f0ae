"""Every arm in the eyes of the rule, and its effects in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.experiments.correcting import holm
from analysis_lib.experiments.effects import direction
from analysis_lib.experiments.segments import Segments
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from analysis_lib.experiments.readout import Readout


@dataclass(frozen=True, slots=True)
class ArmView:
    """One arm in the eyes of the rule.

    Attributes
    ----------
    variant : str
        Which.
    better, worse : list of str
        Success metrics that got better, and metrics that got worse.
    open : list of str
        Guardrails whose interval reaches beyond their margin.
    uneven : Segments | None
        Where segments differ, and not all of them are better off.
    low, high : float
        Bounds of the relative effect on the first success metric, in the direction that is better.
    """

    variant: str
    better: list[str]
    worse: list[str]
    open: list[str]
    uneven: Segments | None
    low: float
    high: float


def views(one: Readout) -> list[ArmView]:
    """Every arm in the eyes of the rule."""
    return [_view(one, variant) for variant in one.plan.treatments if (one.primary, variant) in one.effects]


def winner_of(seen: list[ArmView]) -> ArmView | None:
    """The arm that is better for sure by most, among those with which nothing got worse."""
    return max((view for view in seen if view.better and not view.worse), key=lambda view: view.low, default=None)


def losers_of(seen: list[ArmView]) -> list[ArmView]:
    """Arms with which something got worse."""
    return [view for view in seen if view.worse]


def sign_of(one: Readout, metric: str) -> float:
    """1 where more is better, −1 where less is."""
    return direction(one.evidence.metrics[metric])


def in_the_good_direction(estimate: Estimate, sign: float) -> tuple[float, float]:
    """Bounds with the better side up."""
    return (estimate.ci_lower, estimate.ci_upper) if sign > 0 else (-estimate.ci_upper, -estimate.ci_lower)


def deciding(one: Readout, metric: str, variant: str) -> Estimate:
    """The relative effect that decides: of the late days where they decide; of all days else."""
    if metric == one.primary and late_decides(one, variant):
        return one.wearing[variant].late
    found = one.effects[metric, variant]
    return found.rel_effect if found.rel_effect.se > 0 else found.effect


def late_decides(one: Readout, variant: str) -> bool:
    """Whether the late days decide: where the effect changes, or where the plan says so."""
    wearing = one.wearing.get(variant)
    return wearing is not None and (wearing.changes or one.plan.late_days_decide)


def _view(one: Readout, variant: str) -> ArmView:
    better = [name for name in one.plan.success if _is_better(one, name, variant)]
    low, high = in_the_good_direction(deciding(one, one.primary, variant), sign_of(one, one.primary))
    return ArmView(
        variant=variant, better=better, worse=_worse(one, variant),
        open=[name for name, margin in one.plan.guardrails.items() if not _holds(one, name, variant, margin)],
        uneven=_uneven(one, variant), low=low, high=high,
    )  # fmt: skip


def _is_better(one: Readout, metric: str, variant: str) -> bool:
    if (metric, variant) not in one.effects:
        return False
    estimate, sign = deciding(one, metric, variant), sign_of(one, metric)
    if not sign * estimate.value > 0:
        return False
    if metric == one.primary and late_decides(one, variant):
        return estimate.excludes_zero
    return one.pvalues[metric, variant] < one.plan.alpha


def _worse(one: Readout, variant: str) -> list[str]:
    """Success metrics and guardrails that got worse: one-sided tests, all of an arm judged together (Holm)."""
    names = [name for name in one.plan.metrics if (name, variant) in one.effects]
    names = [name for name in names if one.evidence.metrics[name].better != "neither"]
    adjusted = holm([_pvalue_of_worse(one, name, variant) for name in names])
    return [name for name, pvalue in zip(names, adjusted, strict=True) if pvalue < one.plan.alpha]


def _pvalue_of_worse(one: Readout, metric: str, variant: str) -> float:
    found = one.effects[metric, variant]
    half = found.pvalue / 2
    return half if sign_of(one, metric) * found.effect.value < 0 else 1 - half


def _holds(one: Readout, metric: str, variant: str, margin: float) -> bool:
    """Whether a guardrail is shown to get worse by less than its margin."""
    found = one.effects.get((metric, variant))
    if found is None or not found.rel_effect.se > 0:
        return False
    return in_the_good_direction(found.rel_effect, sign_of(one, metric))[0] > -margin


def _uneven(one: Readout, variant: str) -> Segments | None:
    """Segments that differ, unless the arm is better in every one of them."""
    for segments in one.segments:
        if segments.variant == variant and segments.differ:
            better, _ = sides(one, segments)
            if len(better) < len(segments.frame):
                return segments
    return None


def sides(one: Readout, segments: Segments) -> tuple[list[str], list[str]]:
    """Segments in which the arm is better, and those in which it is worse, each drawn to the common effect."""
    frame, sign = segments.frame, sign_of(one, segments.metric)
    better = frame["shrunken_ci_lower"] > 0 if sign > 0 else frame["shrunken_ci_upper"] < 0
    worse = frame["shrunken_ci_upper"] < 0 if sign > 0 else frame["shrunken_ci_lower"] > 0
    return [str(name) for name in frame.loc[better, "segment"]], [str(name) for name in frame.loc[worse, "segment"]]


def title(one: Readout, metric: str) -> str:
    """Name of a metric for people."""
    return one.evidence.metrics[metric].title if metric in one.evidence.metrics else metric


def told(one: Readout, metric: str, variant: str) -> str:
    """The effect that decides, with a sign."""
    return signed(deciding(one, metric, variant))


def effect_text(one: Readout, metric: str, variant: str) -> str:
    """The effect over all days, with a sign."""
    found = one.effects[metric, variant]
    return signed(found.rel_effect if found.rel_effect.se > 0 else found.effect)


def signed(estimate: Estimate) -> str:
    """An estimate with its sign, so that a rise is seen to be one."""
    return f"{'+' if estimate.value > 0 else ''}{estimate.short}"
