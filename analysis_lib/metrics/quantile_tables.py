"""Quantiles by cell, and per unit how many of its rows lie below: what the spread of a quantile is made of.

A quantile here is that of the mid-distribution: half of the rows with a value count as below it, and between two values
it runs straight. Where no two rows share a value it is the ordinary one. Where many do, the ordinary one jumps from
value to value, and so does the difference of two arms; this one does not, and is normal in large samples.

References
----------
Ma, Genton and Parzen (2011), "Asymptotic properties of sample quantiles of discrete distributions", Annals of the
Institute of Statistical Mathematics 63. Parzen (1997), "Concrete statistics", on mid-distributions.
"""

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

#: Place of the step in the middle: the metric's own level.
_OWN = STEPS.index(0.0)

#: The values on both sides of a quantile, and how far from the first to the second it lies.
BOUNDS = ("lower", "upper", "within")


def levels(metric: Quantile) -> list[float]:
    """Levels at which the quantile is taken, the metric's own in the middle."""
    return [round(metric.level + step * metric.level * (1 - metric.level), 12) for step in STEPS]


def quantile_moments(
    one: Pass, plan: Plan, metric: Quantile, by: list[str], population: ibis.Table | None
) -> ibis.Table:
    """Moments by cell of a unit's rows (denominator) and of those below the cell's quantile (numerator).

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
    cells = mid_quantiles(rows, by, levels(metric), own=_OWN, name=f"{metric.name}{GRID}")
    limit = cells.rename({f"own_{name}": name for name in by})
    joined = rows.join(limit, _same(rows, limit, by)) if by else rows.cross_join(limit)
    roles = plan.columns(metric)
    counted: dict[str, Any] = {roles[0]: _below(joined).sum(), roles[1]: joined.count().cast("float64")}
    units = joined.group_by([UNIT, *by]).agg(**counted)
    found = moments_of(units, by, roles, plan.pairs([metric], cross=False))
    both = found.join(limit, _same(found, limit, by)) if by else found.cross_join(limit)
    return both.drop(*(f"own_{name}" for name in by), *BOUNDS)


def mid_quantiles(rows: ibis.Table, by: list[str], at: list[float], *, own: int, name: str) -> ibis.Table:
    """Quantiles of the mid-distribution of ``value``, by cell.

    Parameters
    ----------
    rows : ibis.Table
        With a column ``value``, float, none missing.
    by : list of str
        Dimensions of a cell.
    at : list of float
        Levels, within 0 and 1.
    own : int
        Place of the level whose ``BOUNDS`` are given.
    name : str
        Of the column of quantiles, an array.

    Returns
    -------
    ibis.Table
        One row per cell: ``by``, the quantiles, and ``BOUNDS``.
    """
    import ibis

    counts = rows.group_by([*by, "value"]).agg(n=rows.count())
    so_far = counts["n"].sum().over(ibis.cumulative_window(group_by=by, order_by="value"))
    whole = counts["n"].sum().over(ibis.window(group_by=by))
    points = counts.mutate(middle=(so_far - counts["n"] / 2) / whole)
    sides: dict[str, Any] = {}
    for place, level in enumerate(at):
        before = points["middle"] <= level
        for column in ("value", "middle"):
            sides[f"{column}_before_{place}"] = points[column].max(where=before)
            sides[f"{column}_after_{place}"] = points[column].min(where=~before)
    ends = points.group_by(by).agg(**sides) if by else points.agg(**sides)
    lines = [_between(ends, place, level) for place, level in enumerate(at)]
    found = {name: ibis.array([lower + within * (upper - lower) for lower, upper, within in lines])}
    return ends.select(*by, **found, **dict(zip(BOUNDS, lines[own], strict=True)))


def _between(ends: ibis.Table, place: int, level: float) -> tuple[Any, Any, Any]:
    """Values before and after a level, and how far between them it lies; beyond the outermost it is that one."""
    before, after = ends[f"value_before_{place}"], ends[f"value_after_{place}"]
    low, high = ends[f"middle_before_{place}"], ends[f"middle_after_{place}"]
    within = ((level - low) / (high - low)).fill_null(0.0)
    return before.fill_null(after), after.fill_null(before), within


def _below(rows: ibis.Table) -> Any:
    """How far each row lies below the quantile of its cell: 1 below, 0 above, parts of it at the values beside it.

    The mean over all rows is the level itself, however many rows share a value.
    """
    import ibis

    value, within = rows["value"], rows["within"]
    return ibis.cases(
        (value < rows["lower"], 1.0),
        ((value == rows["lower"]) & (value == rows["upper"]), 0.5),
        (value == rows["lower"], 0.5 + 0.5 * within),
        (value == rows["upper"], 0.5 * within),
        else_=0.0,
    )


def _same(table: ibis.Table, other: ibis.Table, by: list[str]) -> list[Any]:
    """Cells are the same also where a dimension is missing in both."""
    return [table[name].identical_to(other[f"own_{name}"]) for name in by]
