"""Raw tables in one shape whatever the source: every contract column, of the contract's type."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any, Protocol

import ibis

from analysis_lib.errors import ContractError
from analysis_lib.warehouse import Column, Table
from analysis_lib.warehouse.days import market_day
from analysis_lib.warehouse.rules import EARLIEST_YEAR

TYPES = {
    "string": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp",
}  # fmt: skip

#: Tables and columns by which the years of the data are known.
_CLOCKS = (("orders", "ordered_at"), ("events", "at"), ("contents", "started_at"), ("exposures", "exposed_at"))

#: Years outside are slips of the keyboard; the clock changes of a market are looked up between these only.
_YEARS = (EARLIEST_YEAR, 2060)


class Reader(Protocol):
    """Where raw tables come from: a ``Warehouse``, or a store that has the source attached."""

    contract: dict[str, Table]

    def table(self, name: str) -> ibis.Table:
        """A raw table as the source has it."""

    def has(self, table: str, *columns: str) -> bool:
        """Whether the source has it."""

    def query(self, expression: ibis.Expr) -> Any:
        """Run an expression."""


class Inputs:
    """What the expression of a mart reads.

    Attributes
    ----------
    reader : Reader
        Where raw tables come from.
    marts : dict of str to ibis.Table
        Marts that are built, by name; filled as a build goes on.
    """

    def __init__(self, reader: Reader, marts: dict[str, ibis.Table] | None = None) -> None:
        self.reader = reader
        self.marts = {} if marts is None else marts

    def has(self, table: str) -> bool:
        """Whether the source has a raw table."""
        return self.reader.has(table)

    def raw(self, name: str) -> ibis.Table:
        """A raw table with every column of the contract; what the source lacks is null, an absent table is empty."""
        present = self.reader.has(name)
        base = self.reader.table(name if present else "countries")
        columns = {}
        for column in self.reader.contract[name].columns:
            kind = TYPES.get(column.type)
            if kind is not None:
                held = present and self.reader.has(name, column.name)
                columns[column.name] = _typed(base[column.name], kind) if held else ibis.null(kind)
        shaped = base.select(**columns)
        return shaped if present else shaped.filter(ibis.literal(False))

    def one_per(self, name: str, key: str, *columns: str) -> ibis.Table:
        """A raw table reduced to one row per key, so that a join to it can double nothing.

        Of a key that comes twice the greatest value of each column is taken; the check names it.
        """
        table = self.raw(name)
        table = table.filter(table[key].notnull())
        return table.group_by(key).agg(**{column: table[column].max() for column in columns})

    @cached_property
    def zones(self) -> dict[str, str]:
        """IANA zone of each market.

        Raises
        ------
        ContractError
            A market has no zone, or two.
        """
        countries = self.raw("countries")
        rows = self.reader.query(countries.select("country", "timezone").distinct())
        zones: dict[str, str] = {}
        for country, zone in rows.itertuples(index=False):
            if not isinstance(country, str):
                continue
            if not isinstance(zone, str) or zones.setdefault(country, zone) != zone:
                raise ContractError(
                    f"countries.timezone of '{country}' is missing or given twice; a market's day needs one zone."
                )
        return zones

    @cached_property
    def years(self) -> tuple[int, int]:
        """First and last year of the data, with one to spare on both sides."""
        bounds: list[date] = []
        for table, column in _CLOCKS:
            if self.reader.has(table, column):
                found = self.reader.query(_bounds(self.raw(table), column))
                bounds += [value for value in found.iloc[0] if not _is_missing(value)]
        first = min((value.year for value in bounds), default=_YEARS[0])
        last = max((value.year for value in bounds), default=_YEARS[0])
        return max(first - 1, _YEARS[0]), max(min(last + 1, _YEARS[1]), _YEARS[0])

    def day_of(self, at: Any, country: Any) -> Any:
        """The market-local day of a UTC time; the UTC day where ``countries`` does not have the market."""
        first, last = self.years
        return market_day(at, country, self.zones, first_year=first, last_year=last)

    def is_unknown_market(self, country: Any) -> Any:
        """Whether ``countries`` does not have the market of a row, so that its day is the UTC day."""
        return ~country.isin(sorted(self.zones)).fill_null(False) if self.zones else ibis.literal(True)


def shaped(columns: Iterable[Column], rows: ibis.Table) -> ibis.Table:
    """The rows with exactly these columns, of the declared types."""
    return rows.select(**{column.name: _typed(rows[column.name], TYPES[column.type]) for column in columns})


def _typed(column: Any, kind: str) -> Any:
    if kind == "timestamp":
        plain = column.type().is_timestamp() and column.type().timezone is None
        return column if plain else column.cast(kind)
    return column if column.type() == ibis.dtype(kind) else column.cast(kind)


def _bounds(table: ibis.Table, column: str) -> ibis.Table:
    return table.agg(first=table[column].min(), last=table[column].max())


def _is_missing(value: Any) -> bool:
    return value is None or value != value
