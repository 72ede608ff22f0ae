"""One pass over a mart: the cells of all metrics that read it."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.aggregates import all_of, conversion, measured, met, unpriced
from analysis_lib.metrics.asking import Question
from analysis_lib.metrics.comparing import Shift
from analysis_lib.metrics.declaration import Conversion, Metric, Quantile, Retention

if TYPE_CHECKING:
    import ibis

#: Columns of cells besides the dimensions.
PERIOD, BEFORE, MOVED = "period_start", "is_before", "on_day"

#: Between the name of a metric and what its column holds.
SEP = "__"

#: Columns of cells: rows behind one, and different currencies in it.
ROWS, CURRENCIES_SEEN = "n_rows", "n_currencies"

#: What a text dimension without a value is filed under.
UNKNOWN = "unknown"


def filed(table: ibis.Table, question: Question, shift: Shift | None, time: str = "day") -> ibis.Table:
    """The rows in question with the day they stand on, whether they are of the earlier period, and their dimensions.

    A row that belongs to both periods is there twice, once for each.
    """
    for name, values in question.where.items():
        table = table.filter(member(table[name], values))
    named = {f"by_{name}": labelled(table[name]) for name in question.by}
    start, end = question.window
    parts = [_moved(table, time, table[time], start, end, False, named)]
    if shift is not None:
        first, last = shift.before(start, end)
        country = table["country"] if "country" in table.columns else None
        near = table.filter(table[time].between(first, last))
        moved = shift.moved(table[time], country)
        parts.append(_moved(near, time, moved, start, end, True, named))
    return reduce(lambda one, other: one.union(other), parts)


def _moved(
    table: ibis.Table, time: str, day: Any, start: date, end: date, is_before: bool, named: dict[str, Any]
) -> ibis.Table:
    import ibis

    table = table.mutate(**{MOVED: day, BEFORE: ibis.literal(is_before)}, **named)
    return table.filter(table[MOVED].between(start, end))


def member(column: Any, values: tuple[Any, ...]) -> Any:
    """Whether a column holds one of the values.

    Raises
    ------
    InvalidValue
        A value is of another type than the column.
    """
    kinds = (bool,) if column.type().is_boolean() else (int, float) if column.type().is_numeric() else (str,)
    wrong = [
        value for value in values if not isinstance(value, kinds) or (bool not in kinds and isinstance(value, bool))
    ]
    if wrong:
        kind = column.type().name.lower()
        raise InvalidValue(f"'{column.get_name()}' holds values of type {kind}; {wrong[0]!r} is of another.")
    if column.type().is_boolean():
        return column == values[0] if len(values) == 1 else column.notnull()
    return column.isin(list(values))


def labelled(column: Any) -> Any:
    """A dimension, with a name for texts that are missing."""
    return column.fill_null(UNKNOWN) if column.type().is_string() else column


def period(day: Any, question: Question, grain: str | None = None) -> Any:
    """First day of the period a day falls in: weeks begin on Monday; a total begins with the question."""
    import ibis

    unit = {"week": "W", "month": "M", "quarter": "Q"}.get(grain or question.grain)
    if unit is None:
        return day if (grain or question.grain) == "day" else ibis.literal(question.window[0])
    return day.truncate(unit).cast("date")


def cells(
    table: ibis.Table, question: Question, metrics: list[Metric], shift: Shift | None, grain: str | None = None
) -> ibis.Table:
    """Cells of the metrics of one mart, as one expression.

    Parameters
    ----------
    table
        The mart.
    metrics
        Those to compute; retention is not among them.
    grain
        Another grain than the question's.

    Returns
    -------
    ibis.Table
        One row per period, dimension values and side of the comparison: ``period_start``, ``is_before``, ``by_*``, and
        for each metric ``<name>__<part>``.
    """
    # One pass serves metrics that file rows by the same column of time.
    rows = filed(table, question, shift, metrics[0].time)
    rows = rows.mutate(**{PERIOD: period(rows[MOVED], question, grain)})
    found: dict[str, Any] = {ROWS: rows.count()}
    for metric in metrics:
        for key, value in _aggregates(rows, question, metric).items():
            found[f"{metric.name}{SEP}{key}"] = value
    if question.currency == "local" and "currency" in rows.columns:
        found[CURRENCIES_SEEN] = rows["currency"].nunique()
    return rows.group_by(keys(question)).agg(**found)


def returned(table: ibis.Table, question: Question, metric: Retention, shift: Shift | None) -> ibis.Table:
    """Cells of a retention: who was there, and who of them came back; nobody counts twice."""
    import ibis

    active = table.filter(*[met(table, one) for one in metric.where], table[metric.entity].notnull())
    rows = filed(active, question, shift, metric.time)
    rows = rows.mutate(**{PERIOD: period(rows[MOVED], question)})
    base = rows.group_by([*keys(question), metric.entity]).agg(first_day=rows[metric.time].min())
    seen = active.select(who=active[metric.entity], seen_on=active[metric.time]).distinct()
    first, last = (base.first_day + ibis.interval(days=number) for number in metric.returns)
    again = base.semi_join(
        seen, [base[metric.entity] == seen.who, seen.seen_on >= first.cast("date"), seen.seen_on <= last.cast("date")]
    )
    both = base.mutate(came_back=ibis.literal(0)).union(again.mutate(came_back=ibis.literal(1)))
    numerator, name = both.came_back.sum(), metric.name
    found = {f"{name}{SEP}numerator": numerator, f"{name}{SEP}denominator": both.count() - numerator}
    return both.group_by(keys(question)).agg(**found)


def keys(question: Question) -> list[str]:
    """What tells cells apart."""
    return [PERIOD, BEFORE, *(f"by_{name}" for name in question.by)]


def _aggregates(rows: ibis.Table, question: Question, metric: Metric) -> dict[str, Any]:
    if isinstance(metric, Quantile):
        value = rows[metric.column].cast("float64")
        known = value.notnull()
        keep = all_of(rows, metric.where) & known if metric.where else known
        return {"of": value.quantile(metric.level, where=keep)}
    if isinstance(metric, Conversion):
        return conversion(rows, metric)
    parts = question.registry.parts(metric)
    found = {role: measured(rows, part, question.currency) for role, part in parts.items()}
    told_by = question.registry.marts[metric.mart].unpriced
    money = [part for part in parts.values() if part.measure.kind == "money"]
    lines = [unpriced(rows, part, question.currency, told_by) for part in money]
    if lines:
        found["unpriced"] = reduce(lambda one, other: one + other, lines)
    return found


def reset_start(day: date, resets: str) -> date:
    """First day of the month, quarter or year of a day."""
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[resets]
    return date(day.year, month, 1)
