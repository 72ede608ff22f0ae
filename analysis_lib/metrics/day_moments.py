"""Moments by day since the first exposure: whether an effect wears off, or has to be learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.cells import SEP
from analysis_lib.metrics.declaration import Metric, Quantile, Retention
from analysis_lib.metrics.moment_frames import passes_of
from analysis_lib.metrics.preparing import Prepared, prepare
from analysis_lib.metrics.unit_tables import NOW, SINCE, UNIT, Pass, cells_of, in_period, rows_of
from analysis_lib.metrics.units import of_a_unit

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Column of the days since the first exposure, its own day being 0.
DAY = "day_since"

#: Columns of the answer besides the dimensions.
COLUMNS = (DAY, "metric", "n_units", "mean_numerator", "mean_denominator", "var_numerator", "var_denominator", "cov")

_SECONDS = 86_400


def moments_by_day(
    warehouse: Warehouse,
    names: Iterable[str] | str,
    *,
    experiment: str,
    unit: str = "user",
    by: Iterable[str] | str = "variant",
    days: int = 28,
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, Any] | None = None,
    currency: str = "usd",
    as_of: datetime | str | None = None,
) -> pd.DataFrame:
    """Moments of what units did on each day since their first exposure; each mart is read once.

    Parameters
    ----------
    days : int
        Days since the exposure, its own day included.

    Returns
    -------
    DataFrame
        The dimensions and ``COLUMNS``: of the units that could be followed to that day, mean, variance and covariance
        of numerator and denominator (of a mean over units the denominator is 1). One row per cell, metric and day on
        which anybody could be followed.

    Raises
    ------
    InvalidValue
        A retention or quantile: it has no value of a single day.
    UnknownName, NotEnoughData, SourceError, ContractError
        As ``metrics.moments``.
    """
    import pandas as pd

    made = prepare(
        warehouse, names, unit=unit, by=by, cuts=None, covariates=(), pre_days=0, start=start, end=end, where=where,
        currency=currency, as_of=as_of, experiment=experiment, days_since=None, covariate_days_since=None, caps=None,
    )  # fmt: skip
    wrong = [metric.name for metric in made.measured if isinstance(metric, Retention | Quantile)]
    if wrong:
        raise InvalidValue(f"{', '.join(wrong)} has no value of a single day: ask for a sum, a ratio or a conversion.")
    followed = _followed(warehouse, made, days)
    frames = []
    for one in passes_of(made.plan, made.tables):
        sums = warehouse.query(_sums(one, made, days))
        frames += [_of_metric(metric, sums, followed, made) for metric in one.metrics]
    return pd.concat(frames, ignore_index=True)


def _days_between(later: Any, earlier: Any) -> Any:
    """Whole days from a date to another, in words that every engine understands."""
    seconds = later.cast("timestamp").epoch_seconds() - earlier.cast("timestamp").epoch_seconds()
    return (seconds // _SECONDS).cast("int64")


def _followed(warehouse: Warehouse, made: Prepared, days: int) -> pd.DataFrame:
    """How many units of each cell could be followed to each day."""
    import pandas as pd

    table, cells = made.population, cells_of(made.population)
    counts = warehouse.query(table.group_by([*cells, SINCE]).agg(n=table.count()))
    end = made.plan.question.window[1]
    since = pd.to_datetime(counts[SINCE])
    rows = []
    for day in range(days):
        seen = counts[since <= pd.Timestamp(end - timedelta(days=day))]
        sums = seen.groupby(cells, dropna=False)["n"].sum() if cells else seen["n"].sum()
        frame = sums.reset_index() if cells else pd.DataFrame({"n": [sums]})
        rows.append(frame.assign(**{DAY: day}))
    found = pd.concat(rows, ignore_index=True).rename(columns={"n": "n_units"})
    return found[found["n_units"] > 0]


def _sums(one: Pass, made: Prepared, days: int) -> ibis.Table:
    """Sums, squares and products over units of what each did on a day, as one expression per mart."""
    plan = made.plan
    rows = rows_of(one, plan, made.population)
    rows = rows.mutate(**{DAY: _days_between(rows[one.time], rows[SINCE]), NOW: in_period(rows, one, plan)})
    rows = rows.filter(rows[NOW], rows[DAY] < days)
    cells, values = cells_of(made.population), {}
    for metric in one.metrics:
        own = of_a_unit(rows, plan.question.registry, metric, one.use, rows[NOW], plan.question.currency)
        values |= {f"{metric.name}{SEP}{role}": value for role, value in own.items()}
    units = rows.group_by([UNIT, *cells, DAY]).agg(**values)
    found: dict[str, Any] = {}
    for name in values:
        found[name] = units[name].sum()
        found[f"{name}{SEP}squared"] = (units[name] * units[name]).sum()
    for metric in one.metrics:
        columns = plan.columns(metric)
        if len(columns) > 1:
            found[f"{metric.name}{SEP}product"] = (units[columns[0]] * units[columns[1]]).sum()
    return units.group_by([*cells, DAY]).agg(**found)


def _of_metric(metric: Metric, sums: pd.DataFrame, followed: pd.DataFrame, made: Prepared) -> pd.DataFrame:
    """Moments of one metric from its sums: units that did nothing on a day count with 0."""
    cells, columns = cells_of(made.population), made.plan.columns(metric)
    both = followed.merge(sums, on=[*cells, DAY], how="left").fillna(dict.fromkeys(sums.columns.difference(cells), 0.0))
    n = both["n_units"].to_numpy(dtype=float)
    above, below = columns[0], columns[1] if len(columns) > 1 else None
    mean_above, var_above = _moments(both, above, n)
    mean_below, var_below = _moments(both, below, n) if below else (np.ones_like(n), np.zeros_like(n))
    product = both[f"{metric.name}{SEP}product"].to_numpy(dtype=float) / n if below else mean_above
    with np.errstate(divide="ignore", invalid="ignore"):
        cov = np.where(n > 1, (product - mean_above * mean_below) * n / (n - 1), np.nan)
    found = both[[*cells, DAY, "n_units"]].rename(columns=lambda name: name.removeprefix("by_"))
    return found.assign(
        metric=metric.name, mean_numerator=mean_above, mean_denominator=mean_below, var_numerator=var_above,
        var_denominator=var_below, cov=cov,
    )[[*(name.removeprefix("by_") for name in cells), *COLUMNS]]  # fmt: skip


def _moments(both: pd.DataFrame, column: str, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = both[column].to_numpy(dtype=float) / n
    squares = both[f"{column}{SEP}squared"].to_numpy(dtype=float) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return mean, np.where(n > 1, np.maximum(squares - mean**2, 0.0) * n / (n - 1), np.nan)
