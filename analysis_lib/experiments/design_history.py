"""What the history says of a design: how many units come by when, and how far they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.covering import covered_days
from analysis_lib.experiments.design_asking import Asked
from analysis_lib.experiments.design_power import WEEK
from analysis_lib.experiments.effects import FEWEST_UNITS
from analysis_lib.metrics import load_metrics, moments
from analysis_lib.metrics.declaration import Quantile
from analysis_lib.metrics.preparing import covariates_of

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Metric, Moments
    from analysis_lib.warehouse import Warehouse

#: Lengths that are measured, in days, as far as the history allows.
LENGTHS = (7, 14, 21, 28, 42, 56, 84, 112, 168)

#: Earlier windows as long as the planned test, to see how far the answer depends on the season.
EARLIER = 6


@dataclass(frozen=True, slots=True)
class Point:
    """A window of the history, as long as a test could be.

    Attributes
    ----------
    days : int
        Length.
    end : date
        Its last day.
    n_units : float
        Units that came.
    value : float
        The metric.
    var_rel, var_rel_adjusted : float
        Variance of what a unit adds to the metric over the metric's square; the same after adjustment for the days
        beforehand, missing where there is none.
    """

    days: int
    end: date
    n_units: float
    value: float
    var_rel: float
    var_rel_adjusted: float

    @property
    def best(self) -> float:
        """The adjusted variance, where there is one."""
        return self.var_rel_adjusted if self.var_rel_adjusted == self.var_rel_adjusted else self.var_rel


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Windows of a metric's history.

    Attributes
    ----------
    metric : Metric
        Which.
    points : tuple of Point
        By length; all end on the last day that is final.
    earlier : tuple of Point
        Windows before those, as long as the planned test.
    first, last : date
        First day of the data, and last day that is final.
    pre_days : int
        Days beforehand that values were adjusted for; 0: none.
    note : str
        Why nothing was adjusted, if so.
    """

    metric: Metric
    points: tuple[Point, ...]
    earlier: tuple[Point, ...]
    first: date
    last: date
    pre_days: int
    note: str

    @property
    def days(self) -> list[int]:
        """Lengths that were measured."""
        return [point.days for point in self.points]

    @property
    def is_adjusted(self) -> bool:
        """Whether there is an adjusted variance."""
        return bool(self.points) and self.points[0].var_rel_adjusted == self.points[0].var_rel_adjusted


def window_of(warehouse: Warehouse, asked: Asked, metric: Metric) -> tuple[date, date]:
    """First day of the data, and the last on which a metric is final before the planned start."""
    first, last = covered_days(warehouse, [metric.name], where=asked.where, currency=asked.currency)
    if asked.start is not None:
        last = min(last, asked.start - timedelta(days=1))
    return first, last - timedelta(days=metric.maturity_days)


def lengths_for(first: date, last: date, pre_days: int, asked: Asked, name: str) -> list[int]:
    """Lengths that the history can show.

    Raises
    ------
    NotEnoughData
        Not even a week, or not as many days as are asked for.
    """
    room = (last - first).days + 1 - pre_days
    wanted = sorted({*LENGTHS, *(() if asked.days is None else (asked.days,)), _whole_weeks(asked.horizon)})
    found = [days for days in wanted if days <= min(room, asked.horizon)]
    least = asked.days or WEEK
    if not found or found[-1] < least:
        held = max(0, (last - first).days + 1)
        extra = f" and {pre_days} days beforehand" if pre_days else ""
        hint = " Choose fewer cuped_days." if pre_days and room + pre_days >= least else ""
        raise NotEnoughData(
            f"'{name}' has {held} final days ({first} to {last}); {least} days{extra} are needed.{hint}"
        )
    return found


def _whole_weeks(days: int) -> int:
    return days // WEEK * WEEK


def history_of(warehouse: Warehouse, asked: Asked, metric: Metric) -> History:
    """Measure windows of the history that end on the last final day.

    Raises
    ------
    NotEnoughData
        The history is too short, has too few units, or nothing varies in it.
    UnknownName, InvalidValue, SourceError, ContractError
        As ``metrics.moments``.
    """
    pre_days, note = _pre_days(warehouse, asked, metric)
    first, last = window_of(warehouse, asked, metric)
    lengths = lengths_for(first, last, pre_days, asked, metric.name)
    points = [_measured(warehouse, asked, metric, days, last, pre_days) for days in lengths]
    return History(metric, tuple(points), (), first, last, pre_days, note)


def with_earlier(warehouse: Warehouse, asked: Asked, history: History, days: int) -> History:
    """The same with windows before it, as long as the planned test."""
    found, end = [], history.last - timedelta(days=days)
    while len(found) < EARLIER and (end - history.first).days + 1 >= days + history.pre_days:
        found.append(_measured(warehouse, asked, history.metric, days, end, history.pre_days))
        end -= timedelta(days=days)
    return replace(history, earlier=tuple(found))


def _pre_days(warehouse: Warehouse, asked: Asked, metric: Metric) -> tuple[int, str]:
    if not asked.cuped_days:
        return 0, "no days beforehand were asked for"
    if asked.unit == "session":
        return 0, "a visit has no days beforehand"
    if covariates_of(load_metrics(warehouse.project), [metric.name], "own")[metric.name]:
        return asked.cuped_days, ""
    if isinstance(metric, Quantile):
        return 0, "a quantile has no value of a unit beforehand"
    return 0, "its days beforehand could still change after the start"


def _measured(warehouse: Warehouse, asked: Asked, metric: Metric, days: int, end: date, pre_days: int) -> Point:
    found = _moments(warehouse, asked, metric, days, end, pre_days, ())
    points = points_of(found, metric, days)
    if not points or points[0].n_units < FEWEST_UNITS:
        came = int(points[0].n_units) if points else 0
        raise NotEnoughData(
            f"{came} {asked.unit}s came in the {days} days to {end}: {FEWEST_UNITS} are needed to see how they differ."
        )
    point = points[0]
    if not (point.var_rel > 1e-18 and np.isfinite(point.var_rel)):
        raise NotEnoughData(
            f"'{metric.name}' does not vary between {asked.unit}s in the {days} days to {end} (value {point.value:g}):"
            " there is nothing to plan with."
        )
    return point


def _moments(
    warehouse: Warehouse, asked: Asked, metric: Metric, days: int, end: date, pre_days: int, by: Sequence[str]
) -> Moments:
    return moments(
        warehouse, [metric.name], unit=asked.unit, by=by, covariates="own" if pre_days else (), pre_days=pre_days,
        start=end - timedelta(days=days - 1), end=end, where=asked.where or None, currency=asked.currency,
    )  # fmt: skip


def points_of(found: Moments, metric: Metric, days: int) -> list[Point]:
    """A point for every cell."""
    if isinstance(metric, Quantile):
        rows = found.to_frame().itertuples()
        return [
            Point(days, found.end, float(row.n_units), float(row.value), row.se**2 * row.n_units / row.value**2,
                  float("nan"))
            for row in rows
        ]  # fmt: skip
    n, mean, cov = found.arrays(metric.name)
    width, beside = len(found.columns[metric.name]), bool(found.covariates[metric.name])
    arms = [ArmMoments(float(n[k]), mean[k], cov[k], width > 1, beside) for k in range(len(n)) if n[k] > 1]
    return [point_of(arm, days, found.end) for arm in arms]


def point_of(arm: ArmMoments, days: int, end: date) -> Point:
    """A point from moments."""
    value = arm.value
    scale = value**2 if value else float("nan")
    return Point(days, end, arm.n, value, arm.variance / scale, adjusted_variance(arm) / scale)


def adjusted_variance(arm: ArmMoments) -> float:
    """Variance of what a unit adds to the metric, after adjustment for the same beforehand; missing without one.

    References
    ----------
    Deng, Xu, Kohavi and Walker (2013), "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data", WSDM; Deng, Knoblich and Lu (2018), KDD, for ratios.
    """
    if not arm.has_covariate:
        return float("nan")
    width = 2 if arm.is_ratio else 1
    own, before = _weights(arm.mean[:width]), _weights(arm.mean[width:])
    within = float(before @ arm.cov[width:, width:] @ before)
    if not within > 0:
        return arm.variance
    across = float(own @ arm.cov[:width, width:] @ before)
    return arm.variance - across**2 / within


def _weights(mean: np.ndarray) -> np.ndarray:
    """What a mean, or a ratio of means, gives to each of its columns."""
    if len(mean) == 1:
        return np.ones(1)
    return np.array([1.0, -mean[0] / mean[1]]) / mean[1] if mean[1] else np.zeros(2)


def segment_points(warehouse: Warehouse, asked: Asked, history: History, days: int) -> pd.DataFrame:
    """The last window, by segment.

    Returns
    -------
    DataFrame
        segment, n_units, value, var_rel, var_rel_adjusted; segments with too few units are left out.
    """
    import pandas as pd

    found = _moments(warehouse, asked, history.metric, days, history.last, history.pre_days, (asked.by,))
    points = points_of(found, history.metric, days)
    names = found.cells()[asked.by]
    n = found.to_frame()["n_units"].to_numpy()
    names = names if len(names) == len(points) else names[n > 1]
    rows = [
        {"segment": str(name), "n_units": point.n_units, "value": point.value, "var_rel": point.var_rel,
         "var_rel_adjusted": point.var_rel_adjusted}
        for name, point in zip(names, points, strict=True)
        if point.n_units >= FEWEST_UNITS and point.var_rel > 0
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["segment", "n_units", "value", "var_rel", "var_rel_adjusted"])
