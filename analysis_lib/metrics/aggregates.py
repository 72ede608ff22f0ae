"""What a metric adds up or counts over the rows of a group: aggregates that mean the same on every engine."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.declaration import Conversion
from analysis_lib.metrics.measures import Condition, Measure
from analysis_lib.metrics.registry import Part

if TYPE_CHECKING:
    import ibis

#: As in the marts: sums of decimals do not depend on the order of the rows.
_EXACT = "decimal(38, 8)"


def conversion(rows: ibis.Table, metric: Conversion) -> dict[str, Any]:
    """Rows that began, and those of them that followed within the window."""
    begun = rows[metric.begins].notnull()
    keep = begun if not metric.where else all_of(rows, metric.where) & begun
    passed = rows[metric.follows].epoch_seconds() - rows[metric.begins].epoch_seconds()
    came = keep & ((passed >= 0) & (passed <= metric.within_hours * 3600)).fill_null(False)
    return {"numerator": _count(came), "denominator": _count(keep)}


def measured(rows: ibis.Table, part: Part, currency: str) -> Any:
    """The aggregate of a measure: 0 where no row counts, missing where rows count and all their values are missing."""
    measure, keep = part.measure, all_of(rows, part.where) if part.where else None
    if measure.kind == "count":
        return _number(rows, keep)
    if measure.kind == "distinct":
        return rows[measure.column].nunique(where=keep)
    value = amount(rows, measure, currency) if measure.kind == "money" else rows[measure.column]
    if value.type().is_boolean():
        return _count(_and(keep, value.fill_null(False)))
    if measure.cap is not None:
        value = capped(value, measure.cap)
    return _sum(rows, value, keep)


def _and(keep: Any, condition: Any) -> Any:
    return condition if keep is None else keep & condition


def _number(rows: ibis.Table, keep: Any) -> Any:
    return rows.count() if keep is None else _count(keep)


def _sum(rows: ibis.Table, value: Any, keep: Any) -> Any:
    import ibis

    whole = value.type().is_integer()
    total = value.sum(where=keep) if whole else value.cast(_EXACT).sum(where=keep).cast("float64")
    all_missing = (value.count(where=keep) == 0) & (_number(rows, keep) > 0)
    return ibis.ifelse(all_missing, None, total.fill_null(0))


def capped(value: Any, cap: float) -> Any:
    """A value, or the cap where it is larger."""
    import ibis

    return ibis.ifelse(value > cap, ibis.literal(cap).cast(value.type()), value)


def _count(condition: Any) -> Any:
    return condition.cast("int64").sum().fill_null(0)


def amount(rows: ibis.Table, measure: Measure, currency: str) -> Any:
    """The amount of each row in a currency.

    Raises
    ------
    InvalidValue
        The mart does not have it in that currency.
    """
    value = _amount(rows, str(measure.money), currency)
    return value - _amount(rows, measure.minus, currency) if measure.minus else value


def _amount(rows: ibis.Table, name: str, currency: str) -> Any:
    if f"{name}_{currency}" in rows.columns:
        return rows[f"{name}_{currency}"]
    if currency == "usd" and {f"{name}_local", "usd_per_unit"} <= set(rows.columns):
        return rows[f"{name}_local"] * rows["usd_per_unit"]
    known = [code for code in ("usd", "constant_usd", "local") if f"{name}_{code}" in rows.columns]
    raise InvalidValue(
        f"'{name}' is not known in {currency}, only in {', '.join(known)}: choose one of these as currency."
    )


def unpriced(rows: ibis.Table, part: Part, currency: str, told_by: str | None) -> Any:
    """How many lines that should count have no amount: impossible ones, and those without a rate."""
    keep = all_of(rows, part.where) if part.where else None
    if told_by in (None, "rows"):
        return _count(_and(keep, amount(rows, part.measure, currency).isnull()))
    return rows[told_by].sum(where=keep).fill_null(0)


def all_of(rows: ibis.Table, conditions: tuple[Condition, ...]) -> Any:
    """Whether a row meets all conditions, of which there may be none; never missing."""
    import ibis

    if not conditions:
        return ibis.literal(True)
    return reduce(lambda one, other: one & other, [met(rows, item) for item in conditions])


def met(rows: ibis.Table, condition: Condition) -> Any:
    """Whether a row meets a condition; never missing."""
    column, value = rows[condition.column], condition.value
    if condition.test == "known":
        return column.notnull() if value else column.isnull()
    if condition.test == "is_not":
        return (column != value).fill_null(True)
    test = {
        "is": lambda: column == value, "in": lambda: column.isin(list(value)),
        "above": lambda: column > value, "below": lambda: column < value,
    }[condition.test]  # fmt: skip
    return test().fill_null(False)
