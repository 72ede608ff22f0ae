"""Caps: the value of a metric that all but the largest units stay below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.declaration import Quantile
from analysis_lib.metrics.moment_frames import passes_of
from analysis_lib.metrics.preparing import prepare
from analysis_lib.metrics.unit_tables import unit_table

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


def unit_quantiles(
    warehouse: Warehouse,
    names: Iterable[str] | str,
    *,
    level: float,
    experiment: str,
    unit: str = "user",
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, Any] | None = None,
    currency: str = "usd",
    as_of: datetime | str | None = None,
) -> dict[str, float]:
    """The value below which so many of an experiment's units lie, all variants together, those with nothing included.

    For capping (winsorising): one cap for all variants, chosen without looking at who is in which.

    Parameters
    ----------
    level : float
        Share of the units below, between 0 and 1.

    Returns
    -------
    dict of str to float
        By metric: of a ratio, of its numerator; 0 where that many units have nothing.

    Raises
    ------
    InvalidValue
        A level outside of 0 to 1, or a metric that is itself a quantile.
    UnknownName, NotEnoughData, SourceError, ContractError
        As ``metrics.moments``.
    """
    if not 0 < level < 1:
        raise InvalidValue(f"level={level}: a share between 0 and 1 is needed, for example 0.99.")
    made = prepare(
        warehouse, names, unit=unit, by=(), cuts=None, covariates=(), pre_days=0, start=start, end=end, where=where,
        currency=currency, as_of=as_of, experiment=experiment, days_since=None, covariate_days_since=None, caps=None,
    )  # fmt: skip
    n_all, found = float(warehouse.query(made.population.count())), {}
    for one in passes_of(made.plan, made.tables):
        if any(isinstance(metric, Quantile) for metric in one.metrics):
            raise InvalidValue(f"'{one.metrics[0].name}' is a quantile: it needs no cap.")
        units = unit_table(one, made.plan, made.population)
        n_rows = float(warehouse.query(units.count()))
        # Units without a row have 0, which is below whatever the others have.
        inner = 1 - (1 - level) * n_all / n_rows if n_rows else 0.0
        columns = {metric.name: made.plan.columns(metric)[0] for metric in one.metrics}
        if inner <= 0:
            found |= dict.fromkeys(columns, 0.0)
            continue
        values = units.agg(**{name: units[column].quantile(inner) for name, column in columns.items()})
        row = warehouse.query(values).iloc[0]
        found |= {name: float(row[name]) for name in columns}
    return found
