"""Which days and which values the marts hold; a small question before the large one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName, unknown
from analysis_lib.metrics.asking import Question, last_whole_day
from analysis_lib.pipelines import mart, order_facts

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Covered:
    """Days of a mart.

    Attributes
    ----------
    first, last : date
        Its first and last day.
    """

    first: date
    last: date


def tables_of(warehouse: Warehouse, question: Question) -> dict[str, ibis.Table]:
    """The marts of a question and those that say what they cover, as known at the time it asks for.

    Raises
    ------
    InvalidValue
        ``as_of`` lies before the first order.
    SourceError, ContractError
        As ``pipelines.mart``.
    """
    uses = question.registry.marts
    names = dict.fromkeys([*question.marts, *(uses[name].covered_by or name for name in question.marts)])
    found = {}
    for name in names:
        if question.as_of is not None and name in uses and uses[name].as_of == "exact":
            found[name] = order_facts(warehouse, question.as_of)
        else:
            found[name] = mart(warehouse, name)
    return found


def covered(warehouse: Warehouse, question: Question, tables: dict[str, ibis.Table]) -> dict[str, Covered]:
    """Days that each mart of the question covers; values it is filtered by must be there.

    Raises
    ------
    UnknownName
        A mart has no row with a value of ``where``.
    NotEnoughData
        A mart is empty.
    """
    import ibis

    rows = []
    for name, table in tables.items():
        found = {"mart": ibis.literal(name), "first": table["day"].min(), "last": table["day"].max()}
        for number, (dimension, value) in enumerate(_asked_values(question)):
            known = dimension in table.columns and _fits(table[dimension], value)
            hit = (table[dimension] == value).fill_null(False).any() if known else ibis.literal(None, type="boolean")
            found[f"hit_{number}"] = hit
        rows.append(table.agg(**found))
    frame = warehouse.query(reduce(lambda one, other: one.union(other), rows)).set_index("mart")
    _check_values(warehouse, question, tables, frame)
    uses = question.registry.marts
    days = {name: _days(frame.loc[uses[name].covered_by or name], name, question.as_of) for name in question.marts}
    if question.as_of is not None and min(one.last for one in days.values()) < max(one.first for one in days.values()):
        raise InvalidValue(f"as_of {question.as_of} lies before the first whole day of the data: choose a later time.")
    return days


def _asked_values(question: Question) -> list[tuple[str, Any]]:
    return [(name, value) for name, values in question.where.items() for value in values]


def _fits(column: Any, value: Any) -> bool:
    """Whether a column could hold a value; what it could not is refused where the filter is made."""
    kind = column.type()
    return kind.is_boolean() if isinstance(value, bool) else kind.is_string() == isinstance(value, str)


def _check_values(warehouse: Warehouse, question: Question, tables: dict[str, ibis.Table], frame: Any) -> None:
    for number, (dimension, value) in enumerate(_asked_values(question)):
        # One mart may lack a value that another has: nothing was sold there, say.
        if isinstance(value, bool) or any(frame.loc[question.marts, f"hit_{number}"].fillna(False)):
            continue
        raise _no_such_value(warehouse, tables[question.marts[0]], dimension, value)


def _no_such_value(warehouse: Warehouse, table: ibis.Table, dimension: str, value: Any) -> UnknownName:
    held = warehouse.query(table.select(dimension).distinct().limit(1000))[dimension].dropna()
    return unknown(dimension, str(value), sorted(map(str, held)), f"the data of source '{warehouse.name}'")


def _days(row: Any, name: str, as_of: datetime | None) -> Covered:
    first, last = row["first"], row["last"]
    if first is None or first != first:
        raise NotEnoughData(f"mart '{name}' holds no rows" + (f" as of {as_of}" if as_of else "") + ".")
    first, last = (day.date() if hasattr(day, "date") else day for day in (first, last))
    return Covered(first, last if as_of is None else min(last, last_whole_day(as_of)))


def dated(question: Question, days: dict[str, Covered]) -> Question:
    """The question with its first and last day; by default those that all its marts cover.

    Raises
    ------
    InvalidValue
        A day lies outside of the data.
    """
    first, last = max(one.first for one in days.values()), min(one.last for one in days.values())
    # As of an earlier time, the day that is not over may be asked for, and is flagged, where later events can be told.
    exact = all(question.registry.marts[name].as_of == "exact" for name in question.marts)
    until = max(last, question.as_of.date()) if question.as_of is not None and exact else last
    start, end = question.start or first, question.end or last
    for word, day in (("start", start), ("end", end)):
        if not first <= day <= until:
            raise InvalidValue(f"{word} ({day}) lies outside of the data, which hold {first} to {last}.")
    if end < start:
        raise InvalidValue(f"the data that all these metrics share end on {end}, before the start ({start}).")
    return question.between(start, end)


def markets_of(warehouse: Warehouse, question: Question) -> dict[str, str]:
    """Markets the question is about, with their time zones."""
    countries = warehouse.table("countries")
    rows = warehouse.query(countries.select("country", "timezone").distinct())
    asked = question.where.get("country")
    return {code: zone for code, zone in sorted(rows.itertuples(index=False)) if asked is None or code in asked}


def hours_of(day: date, zone: str) -> float:
    """Hours of a market-local day: 23 or 25 where the clocks change."""
    begins, ends = (
        datetime(one.year, one.month, one.day, tzinfo=ZoneInfo(zone)) for one in (day, day + timedelta(days=1))
    )
    return (ends.timestamp() - begins.timestamp()) / 3600
