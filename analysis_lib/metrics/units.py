"""Rows put together by the unit they belong to: a user, a visit, a creator, a merchant, a market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics.aggregates import all_of, amount, capped
from analysis_lib.metrics.declaration import Conversion, Cumulative, Metric, Ratio, Retention, Simple
from analysis_lib.metrics.measures import Condition
from analysis_lib.metrics.registry import Part, Registry
from analysis_lib.metrics.surroundings import Unit, UnitUse

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis

#: Units of randomisation.
UNITS: tuple[str, ...] = Unit.__args__  # type: ignore[attr-defined]


def unit_of(registry: Registry, metrics: Iterable[Metric], unit: str) -> dict[str, UnitUse]:
    """How each mart of the metrics tells the units apart.

    Raises
    ------
    UnknownName
        There is no such unit.
    InvalidValue
        A metric cannot be measured by it; the message says by which it can.
    """
    if unit not in UNITS:
        raise unknown("unit", str(unit), UNITS, "the units of randomisation")
    found = {}
    for metric in metrics:
        known = registry.marts[metric.mart].units
        if unit not in metric.randomised_by or unit not in known:
            raise InvalidValue(
                f"'{metric.name}' cannot be measured by {unit}: its definition allows"
                f" {', '.join(metric.randomised_by)}"
                + ("" if unit in known else f", and mart {metric.mart} does not say whose a row is")
                + ". Choose one of these units, or another metric."
            )
        if isinstance(metric, Cumulative):
            raise InvalidValue(
                f"'{metric.name}' runs on with the calendar and has no value of a unit: ask for '{metric.of}'."
            )
        found[metric.mart] = known[unit]
    return found


def counts_units(registry: Registry, metric: Metric, use: UnitUse) -> bool:
    """Whether the metric's denominator is the number of units itself, so that it is a mean over units."""
    if isinstance(metric, Simple):
        return True
    if not isinstance(metric, Ratio):
        return False
    below = registry.parts(metric)["denominator"]
    return below.measure.distinct == use.column and not below.where


def can_be_added(registry: Registry, metric: Metric, part: Part, unit: str) -> bool:
    """Whether a part may be added up over units: each thing counted belongs to one unit."""
    use = registry.marts[metric.mart].units.get(unit)  # type: ignore[call-overload]
    if use is None:
        return False
    return part.measure.kind != "distinct" or part.measure.column in (use.column, *use.holds)


def of_a_unit(
    rows: ibis.Table, registry: Registry, metric: Metric, use: UnitUse, keep: Any, currency: str
) -> dict[str, Any]:
    """Aggregates of one unit's rows, by the part they play: numbers, 0 where no row counts.

    Parameters
    ----------
    rows
        Rows of the metric's mart; they are grouped by unit afterwards.
    keep
        Rows that count, by day.
    """
    if isinstance(metric, Conversion):
        begun = _both(rows, metric.where, keep) & rows[metric.begins].notnull()
        passed = rows[metric.follows].epoch_seconds() - rows[metric.begins].epoch_seconds()
        came = begun & ((passed >= 0) & (passed <= metric.within_hours * 3600)).fill_null(False)
        return {"numerator": _number(came), "denominator": _number(begun)}
    parts = registry.parts(metric)
    if counts_units(registry, metric, use):
        parts.pop("denominator", None)
    return {role: _measured(rows, part, use, keep, currency) for role, part in parts.items()}


def returned(rows: ibis.Table, metric: Retention, use: UnitUse, keep: Any, first: Any) -> dict[str, Any]:
    """Whether a unit was there, and whether it came back.

    Parameters
    ----------
    keep
        Rows of the days in question; returns may lie after them.
    first
        The unit's first day among these, as a window over its rows.
    """
    import ibis

    active = all_of(rows, metric.where)
    low, high = ((first + ibis.interval(days=days)).cast("date") for days in metric.returns)
    again = (active & (rows[metric.time] >= low) & (rows[metric.time] <= high)).fill_null(False)
    return {
        "numerator": again.cast("int64").max().fill_null(0).cast("float64"),
        "denominator": (active & keep).cast("int64").max().fill_null(0).cast("float64"),
    }


def _measured(rows: ibis.Table, part: Part, use: UnitUse, keep: Any, currency: str) -> Any:
    measure, counted = part.measure, _both(rows, part.where, keep)
    if measure.kind == "count":
        return _number(counted)
    if measure.kind == "distinct":
        if measure.column == use.column:
            return counted.cast("int64").max().fill_null(0).cast("float64")
        return rows[measure.column].nunique(where=counted).fill_null(0).cast("float64")
    value = amount(rows, measure, currency) if measure.kind == "money" else rows[measure.column]
    if value.type().is_boolean():
        return _number(counted & value.fill_null(False))
    value = value.cast("float64")
    return (value if measure.cap is None else capped(value, measure.cap)).sum(where=counted).fill_null(0.0)


def _both(rows: ibis.Table, conditions: tuple[Condition, ...], keep: Any) -> Any:
    return all_of(rows, conditions) & keep if conditions else keep


def _number(condition: Any) -> Any:
    return condition.cast("int64").sum().fill_null(0).cast("float64")


def unpriced(rows: ibis.Table, registry: Registry, metric: Metric, keep: Any, currency: str) -> Any | None:
    """Lines of a unit that should count and have no amount; None where the metric adds up no money."""
    told_by = registry.marts[metric.mart].unpriced
    found = None
    for part in registry.parts(metric).values():
        if part.measure.kind != "money":
            continue
        counted = _both(rows, part.where, keep)
        if told_by in (None, "rows"):
            lines = _number(counted & amount(rows, part.measure, currency).isnull())
        else:
            lines = rows[told_by].sum(where=counted).fill_null(0).cast("float64")
        found = lines if found is None else found + lines
    return found
