"""From moments to a readout: every effect, every doubt, and nothing read from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.belief import Belief, Prior, believe
from analysis_lib.experiments.correcting import benjamini_hochberg, holm
from analysis_lib.experiments.effects import Effect, direction, effect_of, post_stratified, quantile_effect
from analysis_lib.experiments.evidence import Evidence
from analysis_lib.experiments.looking import evaluate
from analysis_lib.experiments.readout import Readout
from analysis_lib.experiments.readout_exhibits import segment_row
from analysis_lib.experiments.segments import Segments, compare_segments
from analysis_lib.experiments.wearing import Wearing, compare_early_and_late
from analysis_lib.experiments.worth import Worth, worth_of

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[str, str]
Arm = TypeVar("Arm")

#: By dimension, metric and arm: effects by segment, and the segments that are too small for one.
Cells = dict[tuple[str, str, str], tuple[dict[str, Effect], tuple[str, ...]]]


def judge(evidence: Evidence, *, level: float, prior: Prior, is_planned: bool) -> Readout:
    """A readout from what was measured.

    Parameters
    ----------
    level : float
        Of all intervals.
    prior : Prior
        Relative effects of tests before this one, in the direction that is better.
    is_planned : bool
        Whether the plan was written before the start.
    """
    effects, refused = _effects(evidence, level)
    cells = _all_cells(evidence, level)
    return Readout(
        evidence=evidence, is_planned=is_planned, level=level, effects=effects, plain=_plain(evidence, level),
        capped=_of_arms(evidence, evidence.capped, level), stratified=_stratified(evidence, level),
        pvalues=_corrected(evidence, effects), refused=refused, segments=_segments(evidence, cells, level),
        by_segment=_by_segment(evidence, cells),
        looks=evaluate(evidence.looks, evidence.plan, evidence.metrics, growth=_growth(evidence)),
        wearing=_wearing(evidence, level), worth=_worth(evidence, level), prior=prior,
        beliefs=_beliefs(evidence, effects, prior),
    )  # fmt: skip


def _effects(evidence: Evidence, level: float) -> tuple[dict[Key, Effect], dict[str, str]]:
    """Effects of every metric and arm, and why some have none."""
    found, refused = {}, {}
    plan = evidence.plan
    for name, metric in evidence.metrics.items():
        for variant in plan.treatments:
            try:
                if name in evidence.quantiles:
                    found[name, variant] = _quantile(evidence, name, variant, level)
                else:
                    pair = _pair(evidence.arms[name], plan.control, variant)
                    found[name, variant] = effect_of(*pair, level=level, unit=_unit(metric.unit))
            except NotEnoughData as error:
                refused[name] = str(error)
    return found, refused


def _unit(unit: str) -> str:
    """Unit of a difference: of shares, points."""
    return "pp" if unit == "share" else unit


def _pair(arms: Mapping[str, Arm], control: str, variant: str) -> tuple[Arm, Arm]:
    missing = [name for name in (control, variant) if name not in arms]
    if missing:
        raise NotEnoughData(f"nobody was exposed to {', '.join(missing)}")
    return arms[control], arms[variant]


def _quantile(evidence: Evidence, name: str, variant: str, level: float) -> Effect:
    control, treatment = _pair(evidence.quantiles[name], evidence.plan.control, variant)
    both = {"control": control, "treatment": treatment}
    return quantile_effect(both, level=level, unit=evidence.metrics[name].unit)


def _of_arms(evidence: Evidence, arms: dict[str, dict[str, ArmMoments]], level: float) -> dict[Key, Effect]:
    """Effects of arms that were measured in another way; those without one are left out."""
    found = {}
    for name, own in arms.items():
        for variant in evidence.plan.treatments:
            try:
                pair = _pair(own, evidence.plan.control, variant)
                found[name, variant] = effect_of(*pair, level=level, unit=_unit(evidence.metrics[name].unit))
            except NotEnoughData:
                continue
    return found


def _plain(evidence: Evidence, level: float) -> dict[Key, Effect]:
    adjusted = {
        name: {variant: arm.plain() for variant, arm in own.items()}
        for name, own in evidence.arms.items()
        if any(arm.has_covariate for arm in own.values())
    }
    return _of_arms(evidence, adjusted, level)


def _stratified(evidence: Evidence, level: float) -> dict[Key, Effect]:
    """Effects with both arms weighted to the same markets."""
    found = {}
    for name, cells in evidence.by_segment.get("country", {}).items():
        for variant in evidence.plan.treatments:
            strata = {
                key[1]: (cells.get((evidence.plan.control, key[1])), cells.get((variant, key[1]))) for key in cells
            }
            if len(strata) < 2 or any(None in pair for pair in strata.values()):
                continue
            try:
                found[name, variant] = post_stratified(strata, level=level, unit=_unit(evidence.metrics[name].unit))
            except NotEnoughData:
                continue
    return found


def _corrected(evidence: Evidence, effects: dict[Key, Effect]) -> dict[Key, float]:
    """P-values corrected: success metrics by Holm for the decision, guardrails as they are, others for exploration."""
    plan = evidence.plan
    success = [key for key in effects if key[0] in plan.success]
    explored = [key for key in effects if key[0] not in plan.metrics]
    found = {key: effects[key].pvalue for key in effects}
    for keys, correct in ((success, holm), (explored, benjamini_hochberg)):
        found |= dict(zip(keys, correct([effects[key].pvalue for key in keys]), strict=True))
    return found


def _cells(evidence: Evidence, dimension: str, name: str, variant: str, level: float) -> tuple[dict, tuple[str, ...]]:
    """Effects by segment, and the segments that are too small for one."""
    cells, control = evidence.by_segment[dimension][name], evidence.plan.control
    found, left_out = {}, []
    for value in sorted({key[1] for key in cells}, key=str):
        pair = cells.get((control, value)), cells.get((variant, value))
        try:
            if None in pair:
                raise NotEnoughData("an arm is empty")
            found[str(value)] = effect_of(*pair, level=level, unit=_unit(evidence.metrics[name].unit))  # type: ignore[arg-type]
        except NotEnoughData:
            left_out.append(str(value))
    return found, tuple(left_out)


def _all_cells(evidence: Evidence, level: float) -> Cells:
    return {
        (dimension, name, variant): _cells(evidence, dimension, name, variant, level)
        for dimension, own in evidence.by_segment.items()
        for name in own
        for variant in evidence.plan.treatments
    }


def _segments(evidence: Evidence, cells: Cells, level: float) -> tuple[Segments, ...]:
    """Whether the first success metric's effect differs, by arm and dimension; p-values corrected together."""
    name, found = evidence.plan.success[0], []
    for dimension in evidence.by_segment:
        for variant in evidence.plan.treatments:
            effects, left_out = cells.get((dimension, name, variant), ({}, ()))
            try:
                found.append(
                    compare_segments(
                        effects, metric=name, variant=variant, dimension=dimension, level=level, left_out=left_out
                    )
                )
            except NotEnoughData:
                continue
    adjusted = holm([one.pvalue for one in found])
    return tuple(replace(one, pvalue=pvalue) for one, pvalue in zip(found, adjusted, strict=True))


def _by_segment(evidence: Evidence, cells: Cells) -> pd.DataFrame:
    import pandas as pd

    rows = [
        segment_row(evidence, name, variant, f"{dimension}={value}", effect)
        for (dimension, name, variant), (effects, _) in cells.items()
        for value, effect in effects.items()
    ]
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["pvalue_adjusted"] = benjamini_hochberg(frame["pvalue"])
    return frame


def _growth(evidence: Evidence) -> float:
    """Information at the planned end over that of now: it comes about evenly over days."""
    left = evidence.plan.days - evidence.days
    is_over = evidence.trial.ends_at is not None and evidence.trial.ends_at.date() <= evidence.data_end
    return 1.0 if is_over and left <= 1 else 1.0 + max(0, left) / evidence.days


def _wearing(evidence: Evidence, level: float) -> dict[str, Wearing]:
    name, found = evidence.plan.success[0], {}
    arms = evidence.early_late.get(name, {})
    for variant in evidence.plan.treatments:
        try:
            pair = _pair(arms, evidence.plan.control, variant)
            found[variant] = compare_early_and_late(
                *pair, metric=name, variant=variant, spans=evidence.spans, level=level
            )
        except NotEnoughData:
            continue
    return found


def _worth(evidence: Evidence, level: float) -> dict[str, Worth]:
    cells, found = evidence.markets, {}
    for variant in evidence.plan.treatments:
        try:
            if cells:
                found[variant] = worth_of(
                    cells, control=evidence.plan.control, variant=variant, days=evidence.days, sales=evidence.sales,
                    level=level,
                )  # fmt: skip
        except NotEnoughData:
            continue
    return found


def _beliefs(evidence: Evidence, effects: dict[Key, Effect], prior: Prior) -> dict[str, Belief]:
    """What to believe of each arm's effect on the first success metric, in the direction that is better."""
    name = evidence.plan.success[0]
    metric = evidence.metrics.get(name)
    shares = {v: effects[name, v].rel_effect for v in evidence.plan.treatments if (name, v) in effects}
    shares = {variant: one for variant, one in shares.items() if one.se > 0}
    if not shares or metric is None:
        return {}
    sign = direction(metric)
    return believe({v: one.scaled(sign) for v, one in shares.items()}, prior, shared=_shared(evidence, name))


def _shared(evidence: Evidence, name: str) -> float:
    """Variance that relative effects share because all are against the same control."""
    arms = evidence.arms.get(name, {})
    control = arms.get(evidence.plan.control)
    if control is None or not control.value:
        return 0.0
    return float(control.variance / control.n / control.value**2)
