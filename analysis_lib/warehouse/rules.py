"""The contract's rules for one table, as SQL conditions that are true of a row that breaks them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analysis_lib.warehouse.contract import Column, Table

#: Nothing this book is about happened earlier: older dates are defaults (1970) or slips.
#: Clock changes are looked up from then on.
EARLIEST_YEAR = 1990
EARLIEST = f"{EARLIEST_YEAR}-01-01"

_INTEGERS = r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"
_TYPES = {
    "string": r"VARCHAR|ENUM|UUID",
    "integer": _INTEGERS,
    "number": rf"{_INTEGERS}|FLOAT|DOUBLE|DECIMAL",
    "boolean": r"BOOLEAN",
    "date": r"DATE",
    "timestamp": r"TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?",
    "json": r"JSON|VARCHAR|STRUCT|MAP|.*\[\d*\]",
    "array": r".*\[\d*\]",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on the rows of a table.

    Attributes
    ----------
    column : str
        Column it is about.
    name : str
        ``null``, ``finite``, ``allowed``, ``range``, ``pattern``, ``date`` or ``order``.
    broken : str
        SQL condition, true of a row that breaks the rule.
    message : str
        What is wrong, in words.
    """

    column: str
    name: str
    broken: str
    message: str


def quoted(name: str) -> str:
    """A column or table name for SQL (``at`` and ``name`` are words of the language)."""
    return '"' + name.replace('"', '""') + '"'


def type_matches(declared: str, engine_type: str) -> bool:
    """Whether a DuckDB type can hold what the contract declares.

    Examples
    --------
    >>> type_matches("number", "DECIMAL(18,3)"), type_matches("date", "TIMESTAMP")
    (True, False)
    """
    bare = engine_type if engine_type.endswith("]") else re.sub(r"\(.*\)", "", engine_type, flags=re.DOTALL)
    return re.fullmatch(_TYPES[declared], bare, flags=re.DOTALL) is not None


def row_rules(table: Table, present: dict[str, str]) -> list[Rule]:
    """The rules that can be tested row by row on the columns a source has.

    Parameters
    ----------
    table
        The contract table.
    present
        Columns of the source with their engine types; values of a wrongly typed column are not tested.
    """
    rules = []
    for column in table.columns:
        if column.name in present:
            if not column.nullable:
                rules.append(
                    Rule(column.name, "null", f"{quoted(column.name)} IS NULL", "is empty where it must not be")
                )
            if type_matches(column.type, present[column.name]):
                rules += _value_rules(column, table, present)
    return rules


def _value_rules(column: Column, table: Table, present: dict[str, str]) -> list[Rule]:
    if column.type in ("number", "integer"):
        return _number_rules(column, present[column.name])
    if column.type in ("date", "timestamp"):
        return _time_rules(column, table, present)
    if column.type == "string":
        return _text_rules(column)
    return []


def _number_rules(column: Column, engine_type: str) -> list[Rule]:
    name = quoted(column.name)
    bounds = [(column.minimum, "<", "below"), (column.maximum, ">", "above"), (column.above, "<=", "not above")]
    given = [(bound, sign, word) for bound, sign, word in bounds if bound is not None]
    rules, guard = [], ""
    if engine_type in ("DOUBLE", "FLOAT"):
        rules.append(Rule(column.name, "finite", f"NOT isfinite({name})", "is not a finite number"))
        # NaN is greater than everything in DuckDB; it is reported once, above.
        guard = f"isfinite({name}) AND "
    if given:
        broken = " OR ".join(f"{name} {sign} {bound!r}" for bound, sign, _ in given)
        words = " or ".join(f"{word} {bound:g}" for bound, _, word in given)
        unit = f" ({column.unit})" if column.unit else ""
        rules.append(Rule(column.name, "range", f"{guard}({broken})", f"is {words}{unit}"))
    return rules


def _time_rules(column: Column, table: Table, present: dict[str, str]) -> list[Rule]:
    name = quoted(column.name)
    broken, words = f"{name} < '{EARLIEST}'", f"is before {EARLIEST}"
    if not column.future:
        # A day of grace: market-local dates may be ahead of UTC.
        limit = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=1)
        broken, words = f"({broken} OR {name} > '{limit.isoformat(' ')}'::TIMESTAMP)", f"{words} or in the future"
    rules = [Rule(column.name, "date", broken, words)]
    other = table.column(column.not_before) if column.not_before else None
    if other is not None and other.name in present and type_matches(other.type, present[other.name]):
        rules.append(Rule(column.name, "order", f"{name} < {quoted(other.name)}", f"is before {other.name}"))
    return rules


def _text_rules(column: Column) -> list[Rule]:
    name, rules = quoted(column.name), []
    if column.allowed:
        values = ", ".join(_literal(value) for value in column.allowed)
        message = f"is not one of {', '.join(column.allowed)}"
        rules.append(Rule(column.name, "allowed", f"{name}::VARCHAR NOT IN ({values})", message))
    if column.pattern:
        broken = f"NOT regexp_full_match({name}::VARCHAR, {_literal(column.pattern)})"
        rules.append(Rule(column.name, "pattern", broken, f"does not look like {column.pattern}"))
    return rules


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
