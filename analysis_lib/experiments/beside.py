"""What is measured beside an experiment's effects: looks, early and late days, caps, and what everybody bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.experiments.arms import ArmMoments, arms_of
from analysis_lib.experiments.balancing import balanced, balanced_days
from analysis_lib.experiments.plan import Plan
from analysis_lib.experiments.trial import Trial
from analysis_lib.metrics import Metric, Moments, moments, moments_by_day, query, unit_quantiles

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


#: Dimension in which money is counted.
MARKET = "country"

#: Share of units whose value is left as it is where the largest are capped.
CAP_LEVEL = 0.99

#: Most looks that are shown, and the days that one span of the comparison of early and late days has at most.
MOST_LOOKS, LONGEST_SPAN = 12, 7

#: Fewer days than this hold no early and late part.
SHORTEST_FOR_SPANS = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured.

    Attributes
    ----------
    trial, plan : Trial, Plan
        What was run, and what was decided before.
    metrics : dict of str to Metric
        What is measured, success metrics first.
    money : str
        Metric of money per unit; empty where there is none.
    by : tuple of str
        Dimensions of segments.
    last : date
        Last day of the data.
    is_ramped : bool
        Whether arms are compared phase by phase, as their shares changed.
    shared, beside : dict
        Options of every call, and those with covariates.
    """

    trial: Trial
    plan: Plan
    metrics: dict[str, Metric]
    money: str
    by: tuple[str, ...]
    last: date
    is_ramped: bool
    shared: dict[str, Any]
    beside: dict[str, Any]

    @property
    def cuts(self) -> tuple[str, ...]:
        """Dimensions that are measured: those of segments, and markets, in which money is counted."""
        return tuple(dict.fromkeys([*self.by, MARKET]))

    @property
    def arms(self) -> list[str]:
        """Dimensions that arms are measured by."""
        return ["variant", "phase"] if self.is_ramped else ["variant"]

    def of(self, got: Moments, metric: str, dimension: str = "") -> dict[tuple, ArmMoments]:
        """The arms of a metric, by arm or by arm and segment; made comparable where their shares changed."""
        if dimension == "phase":
            return arms_of(got, metric, cut=("variant", "phase"))
        cut = (*self.arms, dimension) if dimension else tuple(self.arms)
        cells = arms_of(got, metric, cut=cut)
        return balanced(cells, list(self.trial.arms)) if self.is_ramped else cells


def looks_of(plan: Plan, start: date, end: date) -> list[date]:
    """Days on which the test is looked at: as planned, no more than can be shown, the last day among them."""
    days = (end - start).days + 1
    step = max(plan.look_days, int(np.ceil(days / MOST_LOOKS)))
    return sorted({start + timedelta(days=n - 1) for n in range(step, days, step)} | {end}) if days > 1 else [end]


def spans_of(start: date, end: date) -> tuple:
    """Early and late days since the exposure: whole weeks where the test is long enough."""
    days = (end - start).days + 1
    if days < SHORTEST_FOR_SPANS:
        return ()
    width = min(LONGEST_SPAN, days // 4)
    return ((0, width - 1), (2 * width, None))


def early_and_late(warehouse: Warehouse, asked: Asked, names: list[str], spans: tuple, end: date) -> dict:
    """What units did early and late after their exposure, and on each day."""
    if not spans or not names:
        return {}
    early, late = spans
    shared = asked.shared | {"by": asked.arms, "end": end}
    got = moments(warehouse, names, days_since=late, covariates="own", covariate_days_since=early, **shared)
    kept = [name for name in names if got.covariates[name]]
    days = moments_by_day(warehouse, names, days=(end - got.start).days + 1, **shared)
    return {
        "early_late": {name: {key[0]: arm for key, arm in asked.of(got, name).items()} for name in kept},
        "by_day": balanced_days(days, list(asked.trial.arms)) if asked.is_ramped else days,
    }  # fmt: skip


def caps_of(warehouse: Warehouse, asked: Asked, arms: dict, end: date, ends: dict[str, date]) -> dict[str, float]:
    """Caps of metrics of money per unit, whose few largest units weigh as much as thousands of others."""
    wanted = [
        name
        for name, metric in asked.metrics.items()
        if metric.unit.startswith("usd") and name in arms and ends[name] == end
        and not any(arm.is_ratio for arm in arms[name].values())
    ]  # fmt: skip
    if not wanted:
        return {}
    found = unit_quantiles(warehouse, wanted, level=CAP_LEVEL, end=end, **asked.shared)
    return {name: cap for name, cap in found.items() if cap > 0}


def capped_arms(warehouse: Warehouse, asked: Asked, caps: dict[str, float], end: date) -> dict:
    """The arms with the largest units capped, by metric."""
    if not caps:
        return {}
    got = moments(warehouse, list(caps), by=asked.arms, caps=caps, end=end, **asked.beside)
    return {name: {key[0]: arm for key, arm in asked.of(got, name).items()} for name in caps}


def sales_by_market(warehouse: Warehouse, asked: Asked, main: Moments) -> dict[str, float]:
    """USD sold by everybody in the window, by market."""
    if not asked.money:
        return {}
    own = {"currency": asked.shared["currency"]}
    frame = query(warehouse, "gmv", by="country", grain="total", start=main.start, end=main.end, **own).to_frame()
    return dict(zip(frame["country"], frame["gmv"].astype(float), strict=True))
