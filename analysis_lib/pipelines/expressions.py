"""Expressions that several marts are made of, and that mean the same on every engine."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import udf

#: Sums of money are made in decimals of this type: the same to the last digit whatever the order of the rows.
EXACT = "decimal(38, 8)"

#: Larger amounts than this are slips of the keyboard, and would not fit the exact sums.
LARGEST = 1e13


@udf.agg.builtin(name="min_by")
def _text_at(value: str, position: int) -> str: ...


@udf.agg.builtin(name="min_by")
def _number_at(value: float, position: int) -> float: ...


def first_text(value: Any, position: Any) -> Any:
    """The text at the smallest ``position`` that has one. Positions must not repeat within the group."""
    return _text_at(value, ibis.ifelse(value.notnull(), position, None))


def first_number(value: Any, position: Any) -> Any:
    """The number at the smallest ``position`` that has one. Positions must not repeat within the group."""
    return _number_at(value, ibis.ifelse(value.notnull(), position, None))


def exact_sum(value: Any, where: Any = None) -> Any:
    """The sum of an amount, independent of the order in which the engine adds (0 when there is none)."""
    return value.cast(EXACT).sum(where=where).cast("float64").fill_null(0.0)


def count_where(condition: Any) -> Any:
    """How many rows meet a condition; an unknown one does not count."""
    return condition.fill_null(False).cast("int64").sum().fill_null(0)


def any_of(condition: Any) -> Any:
    """Whether any row meets a condition; an unknown one does not count."""
    return condition.fill_null(False).any()


def is_amount(value: Any) -> Any:
    """Whether a number can be an amount: there, finite, not negative, not absurd."""
    return (value.notnull() & (value >= 0) & (value < LARGEST) & ~value.isnan()).fill_null(False)


def where(condition: Any, value: Any) -> Any:
    """The value where the condition holds, else null."""
    return ibis.ifelse(condition, value, None)


def ratio(part: Any, whole: Any) -> Any:
    """A quotient, null where the denominator is 0 (engines differ there)."""
    return part / whole.nullif(0)


def known_at(table: ibis.Table, happened: str) -> Any:
    """When the warehouse learnt of a row: ``received_at``, else when it happened."""
    return ibis.coalesce(table.received_at, table[happened])


def seconds_between(later: Any, earlier: Any) -> Any:
    """Whole seconds from one time to another."""
    return later.epoch_seconds() - earlier.epoch_seconds()
