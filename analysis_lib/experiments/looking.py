"""What each earlier look would have shown, and whether it may stop the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.causal.sequential import fractions_of, group_bounds, harm_bounds, sequence_reach
from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.balancing import balanced
from analysis_lib.experiments.effects import FEWEST_UNITS, Effect, direction, effect_of
from analysis_lib.experiments.plan import Plan
from analysis_lib.metrics.explanation_text import inside
from analysis_lib.results import Result, format_count

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Metric
    from analysis_lib.metrics.look_moments import LookMoments

#: Columns of a table of looks.
COLUMNS = (
    "metric", "variant", "day", "n_units", "rel_effect", "z", "reach_fixed", "reach_sequence", "reach_group",
    "bound_harm", "harmed", "proven",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Looks(Result):
    """Every look at every metric that decides.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``COLUMNS`` and ``effect``, ``se``: the effect as it stood, its z-value, half widths of intervals in standard
        errors (fixed; confidence sequence; group-sequential), the bound for harm, and what crossed.
    titles : dict of str to str
        Names of the metrics for people.
    """

    frame: pd.DataFrame
    titles: dict[str, str]

    def first(self, crossed: str) -> pd.Series | None:
        """The first look at which ``harmed`` or ``proven``; None if there is none."""
        rows = self.frame[self.frame[crossed]] if len(self.frame) else self.frame
        return None if rows.empty else rows.sort_values("day").iloc[0]

    @property
    def text(self) -> str:
        """When it could have been stopped."""
        if self.frame.empty:
            return "The test was not looked at early."
        n = self.frame["day"].nunique()
        said = f"With {format_count(n, 'looks')}, the last at the end,"
        harm, proof = self.first("harmed"), self.first("proven")
        if harm is not None:
            name = inside(self.titles[harm["metric"]])
            return f"{said} harm to {name} with {harm['variant']} was proven on {harm['day']:%-d %b %Y}."
        if proof is not None:
            return f"{said} the success of {proof['variant']} was proven on {proof['day']:%-d %b %Y}."
        return f"{said} no bound was crossed."

    def to_frame(self) -> pd.DataFrame:
        """One row per metric, arm and look."""
        return self.frame.copy()


def evaluate(moments: Mapping[str, LookMoments], plan: Plan, metrics: Mapping[str, Metric], *, growth: float) -> Looks:
    """Every look at success metrics and guardrails.

    The error is split evenly over the arms, and over the metrics of a kind: all looks at all of them together are wrong
    as often as the plan allows.

    Parameters
    ----------
    growth : float
        Information at the planned end over that of the last look: 1 once the test has ended.
    """
    import pandas as pd

    rows = []
    for name, one in moments.items():
        kind = plan.success if name in plan.success else list(plan.guardrails)
        alpha = plan.alpha / max(len(kind) * len(plan.treatments), 1)
        for variant in plan.treatments:
            rows += _rows(one, variant, plan, metrics[name], alpha, growth, is_success=name in plan.success)
    return Looks(
        pd.DataFrame(rows, columns=[*COLUMNS, "effect", "se"]), {name: metrics[name].title for name in moments}
    )


def arms_at(one: LookMoments, look: int, arms: list[str]) -> dict[str, ArmMoments]:
    """The arms as they stood at a look; made comparable where they are cut by phase."""
    cells = {
        tuple(key): ArmMoments(float(one.n[look, place]), one.mean[look, place], one.cov[look, place], one.is_ratio,
                               one.has_covariate)
        for place, key in enumerate(one.cells.itertuples(index=False))
    }  # fmt: skip
    if list(one.cells) == ["variant", "phase"]:
        cells = balanced({key: arm for key, arm in cells.items() if arm.n >= FEWEST_UNITS}, arms)
    return {str(key[0]): arm for key, arm in cells.items()}


def _rows(
    one: LookMoments, variant: str, plan: Plan, metric: Metric, alpha: float, growth: float, *, is_success: bool
) -> list[tuple]:
    found = _effects(one, variant, plan, metric)
    if not found:
        return []
    days, effects = [day for day, _ in found], [effect for _, effect in found]
    information = np.array([1 / effect.information_scale**2 for effect in effects])
    t = fractions_of(information, information[-1] * growth)
    fixed = group_bounds([1.0], alpha)[0]
    sequence = np.array([sequence_reach(share, 1.0, 1 - alpha) for share in t])
    group, harm = group_bounds(t, alpha), harm_bounds(t, 1 - alpha)
    reach = {"group_sequential": group, "confidence_sequence": sequence}.get(plan.looks)
    sign = direction(metric)
    rows = []
    for place, effect in enumerate(effects):
        z = effect.effect.value / effect.effect.se
        harmed = metric.better != "neither" and sign * z < -harm[place]
        proven = bool(is_success and reach is not None and metric.better != "neither" and sign * z > reach[place])
        rows.append(
            (metric.name, variant, days[place], effect.n_control + effect.n_treatment, effect.rel_effect.value, z,
             fixed, sequence[place], group[place], harm[place], bool(harmed), proven, effect.effect.value,
             effect.effect.se)
        )  # fmt: skip
    return rows


def _effects(one: LookMoments, variant: str, plan: Plan, metric: Metric) -> list[tuple[date, Effect]]:
    """The effect at each look that has enough units for one."""
    found = []
    for look, day in enumerate(one.looks):
        arms = arms_at(one, look, [plan.control, *plan.treatments])
        if plan.control not in arms or variant not in arms:
            continue
        try:
            effect = effect_of(arms[plan.control], arms[variant], level=plan.level, unit=metric.unit)
        except NotEnoughData:
            continue
        found.append((day, effect))
    return found
