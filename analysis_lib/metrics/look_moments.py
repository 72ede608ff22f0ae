"""Moments of an experiment as they stood on several days, in one pass: what somebody looking early would have seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.cells import SEP
from analysis_lib.metrics.declaration import Metric, Quantile, Retention
from analysis_lib.metrics.moment_frames import passes_of
from analysis_lib.metrics.preparing import Prepared, prepare
from analysis_lib.metrics.unit_tables import EARLIER, SINCE, UNIT, Pass, cells_of, in_period, rows_of, timed
from analysis_lib.metrics.units import of_a_unit

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class LookMoments:
    """Moments of one metric at each look.

    Attributes
    ----------
    metric : str
        Which.
    looks : tuple of date
        Last day of each look.
    cells : pandas.DataFrame
        The dimensions, one row per cell.
    n : numpy.ndarray
        Units exposed by then, shape (looks, cells).
    mean, cov : numpy.ndarray
        Shape (looks, cells, columns) and (looks, cells, columns, columns): the metric's columns, then covariates.
    is_ratio, has_covariate : bool
        Which columns there are.
    """

    metric: str
    looks: tuple[date, ...]
    cells: pd.DataFrame
    n: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    is_ratio: bool
    has_covariate: bool


def moments_at(
    warehouse: Warehouse,
    names: Iterable[str] | str,
    *,
    experiment: str,
    looks: Sequence[date],
    unit: str = "user",
    by: Iterable[str] | str = "variant",
    covariates: Iterable[str] | str = (),
    pre_days: int = 28,
    where: Mapping[str, Any] | None = None,
    currency: str = "usd",
    as_of: datetime | str | None = None,
) -> dict[str, LookMoments]:
    """Moments of what an experiment's units had done by each of several days; each mart is read once.

    Parameters
    ----------
    looks : sequence of date
        Market-local days; what happened up to the end of each counts.
    covariates : iterable of str, or ``"own"``
        As ``metrics.moments``; only a metric's own value beforehand.

    Returns
    -------
    dict of str to LookMoments
        By metric.

    Raises
    ------
    InvalidValue
        No looks, or a metric that is not a sum over days (retention, quantile).
    UnknownName, NotEnoughData, SourceError, ContractError
        As ``metrics.moments``.
    """
    days = sorted(set(looks))
    if not days:
        raise InvalidValue("looks is empty: name at least one day.")
    made = prepare(
        warehouse, names, unit=unit, by=by, cuts=None, covariates=covariates, pre_days=pre_days, start=None,
        end=days[-1], where=where, currency=currency, as_of=as_of, experiment=experiment, days_since=None,
        covariate_days_since=None, caps=None,
    )  # fmt: skip
    wrong = [metric.name for metric in made.measured if isinstance(metric, Retention | Quantile)]
    if wrong:
        raise InvalidValue(f"{', '.join(wrong)} cannot be added up over days: ask for a sum, a ratio or a conversion.")
    counts, found = _counts(warehouse, made, days), {}
    for one in passes_of(made.plan, made.tables):
        if not one.metrics:
            raise InvalidValue("a covariate at looks must be a metric's own value beforehand.")
        sums = warehouse.query(_sums(one, made, days))
        found |= {metric.name: _of_metric(metric, sums, counts, made, days) for metric in one.metrics}
    return {metric.name: found[metric.name] for metric in made.measured}


def _counts(warehouse: Warehouse, made: Prepared, days: list[date]) -> pd.DataFrame:
    """Units exposed by each look, by cell: columns ``n_0``, ``n_1``, …"""
    table, cells = made.population, cells_of(made.population)
    n = {f"n_{k}": (table[SINCE] <= day).cast("int64").sum() for k, day in enumerate(days)}
    frame = warehouse.query(table.group_by(cells).agg(**n) if cells else table.agg(**n))
    return frame.sort_values(cells, ignore_index=True) if cells else frame


def _columns(metric: Metric, made: Prepared, look: int) -> list[str]:
    """Columns of a metric at a look, then those of its covariate."""
    own = made.plan.columns(metric)
    beside = made.plan.beside(metric)[len(own) :]
    return [f"{name}{SEP}{look}" for name in (*own, *beside)]


def _sums(one: Pass, made: Prepared, days: list[date]) -> ibis.Table:
    """Sums and products over units at each look, by cell: one aggregate over one unit table."""
    plan, cells = made.plan, cells_of(made.population)
    rows = timed(rows_of(one, plan, made.population), one, plan)
    registry, currency = plan.question.registry, plan.question.currency
    values: dict[str, Any] = {}
    for look, day in enumerate(days):
        keep = in_period(rows, one, plan) & (rows[one.time] <= day)
        for metric in one.metrics:
            own = of_a_unit(rows, registry, metric, one.use, keep, currency)
            values |= {f"{metric.name}{SEP}{role}{SEP}{look}": value for role, value in own.items()}
    for metric in one.beforehand:
        before = of_a_unit(rows, registry, metric, one.use, rows[EARLIER], currency)
        values |= {f"{metric.name}{SEP}{role}__beforehand": value for role, value in before.items()}
    units = rows.group_by([UNIT, SINCE, *cells]).agg(**values)
    masked = {}
    for look, day in enumerate(days):
        for name in (name for name in values if name.endswith("__beforehand")):
            masked[f"{name}{SEP}{look}"] = (units[SINCE] <= day).ifelse(units[name], 0.0)
    units = units.mutate(**masked)
    found: dict[str, Any] = {}
    for look in range(len(days)):
        for metric in one.metrics:
            found |= _products(units, _columns(metric, made, look))
    return units.group_by(cells).agg(**found) if cells else units.agg(**found)


def _products(units: ibis.Table, names: list[str]) -> dict[str, Any]:
    """Sums of columns, and of the products of each two."""
    found = {f"sum{SEP}{name}": units[name].sum() for name in names}
    for i, one in enumerate(names):
        for other in names[i:]:
            found[f"sum{SEP}{one}{SEP}{other}"] = (units[one].cast("float64") * units[other]).sum()
    return found


def _of_metric(
    metric: Metric, sums: pd.DataFrame, counts: pd.DataFrame, made: Prepared, days: list[date]
) -> LookMoments:
    cells = cells_of(made.population)
    both = counts.merge(sums, on=cells, how="left").fillna(0.0) if cells else counts.join(sums)
    n = np.stack([both[f"n_{look}"].to_numpy(dtype=float) for look in range(len(days))])
    names = [_columns(metric, made, look) for look in range(len(days))]
    means, covs = zip(*(_moments(both, own, n[look]) for look, own in enumerate(names)), strict=True)
    width = len(made.plan.columns(metric))
    return LookMoments(
        metric=metric.name, looks=tuple(days), cells=both[cells].rename(columns=lambda name: name.removeprefix("by_")),
        n=n, mean=np.stack(means), cov=np.stack(covs), is_ratio=width > 1, has_covariate=len(names[0]) > width,
    )  # fmt: skip


def _moments(both: pd.DataFrame, names: list[str], n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means, and covariances from sums of products: shapes (cells, columns) and (cells, columns, columns)."""
    width = len(names)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.stack([both[f"sum{SEP}{name}"].to_numpy(dtype=float) for name in names], axis=-1) / n[:, None]
        cov = np.empty((len(n), width, width))
        for i, one in enumerate(names):
            for j in range(i, width):
                total = both[f"sum{SEP}{one}{SEP}{names[j]}"].to_numpy(dtype=float)
                spread = (total - n * mean[:, i] * mean[:, j]) / (n - 1)
                cov[:, i, j] = cov[:, j, i] = np.maximum(spread, 0.0) if i == j else spread
    return mean, cov
