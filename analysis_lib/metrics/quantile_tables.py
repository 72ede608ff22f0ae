"""Quantiles by cell, and per unit how many of its rows lie below: what the spread of a quantile is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis_lib.metrics.aggregates import all_of
from analysis_lib.metrics.cells import SEP
from analysis_lib.metrics.declaration import Quantile
from analysis_lib.metrics.unit_tables import UNIT, Pass, Plan, in_period, moments_of, rows_of

if TYPE_CHECKING:
    import ibis

#: Steps around the level, in multiples of level × (1 − level), at which the quantile is taken too: the slope between
#: two of them says how dense the values are there.
STEPS = (-0.4, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.4)

#: Column of the quantiles of a cell, one per step.
GRID = f"{SEP}grid"


def levels(metric: Quantile) -> list[float]:
    """Levels at which the quantile is taken, the metric's own in the middle."""
    return [round(metric.level + step * metric.level * (1 - metric.level), 12) for step in STEPS]


def quantile_moments(
    one: Pass, plan: Plan, metric: Quantile, by: list[str], population: ibis.Table | None
) -> ibis.Table:
    """Moments by cell of a unit's rows (denominator) and of those at or below the cell's quantile (numerator).

    The mart is read twice: a row can be told to lie below only once the quantile is known. Units without a value do not
    count.

    Returns
    -------
    ibis.Table
        As ``unit_tables.moments_of``, and the quantiles at ``levels`` as an array.
    """
    rows = rows_of(one, plan, population)
    rows = rows.mutate(value=rows[metric.column].cast("float64"))
    rows = rows.filter(in_period(rows, one, plan), all_of(rows, metric.where), rows["value"].notnull())
    grid = {f"{metric.name}{GRID}": rows["value"].quantile(levels(metric))}
    cells = rows.group_by(by).agg(**grid) if by else rows.agg(**grid)
    limit = cells.select(*(cells[name].name(f"own_{name}") for name in by), grid=cells[f"{metric.name}{GRID}"])
    joined = rows.join(limit, _same(rows, limit, by)) if by else rows.cross_join(limit)
    below = joined["value"] <= joined["grid"][STEPS.index(0.0)]
    roles = plan.columns(metric)
    counted: dict[str, Any] = {roles[0]: below.cast("float64").sum(), roles[1]: joined.count().cast("float64")}
    units = joined.group_by([UNIT, *by]).agg(**counted)
    found = moments_of(units, by, roles, plan.pairs([metric], cross=False))
    renamed = cells.rename({f"own_{name}": name for name in by})
    both = found.join(renamed, _same(found, renamed, by)) if by else found.cross_join(renamed)
    return both.drop(*(f"own_{name}" for name in by))


def _same(table: ibis.Table, other: ibis.Table, by: list[str]) -> list[Any]:
    """Cells are the same also where a dimension is missing in both."""
    return [table[name].identical_to(other[f"own_{name}"]) for name in by]
