"""What a mart declares: grain, keys, inputs, columns, and the expression that makes it."""

from __future__ import annotations

import ast
import hashlib
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib.warehouse import Column

if TYPE_CHECKING:
    import ibis

    from analysis_lib.pipelines.inputs import Inputs

#: Modules whose text is part of every mart's version.
SHARED = (
    "analysis_lib.pipelines.expressions",
    "analysis_lib.pipelines.inputs",
    "analysis_lib.warehouse.days",
)

#: The farthest a market's day lies from the UTC day of the same instant, and a day of grace.
MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Days:
    """The partitions that an expression is asked for.

    Attributes
    ----------
    days : tuple of date
        Market-local days, ascending, without repetition.
    """

    days: tuple[date, ...]

    @property
    def first(self) -> date:
        """The earliest day."""
        return self.days[0]

    @property
    def last(self) -> date:
        """The latest day."""
        return self.days[-1]

    def keep(self, table: ibis.Table, column: str = "day") -> ibis.Table:
        """The rows of these days."""
        inside = table[column].between(self.first, self.last)
        if (self.last - self.first).days + 1 == len(self.days):
            return table.filter(inside)
        return table.filter(inside, table[column].isin(list(self.days)))

    def near(self, at: Any) -> Any:
        """A wide condition on a UTC time, true of every row of these days: lets the engine skip files and blocks."""
        import ibis

        first, last = self.first - MARGIN, self.last + MARGIN
        return (at >= ibis.timestamp(str(first))) & (at < ibis.timestamp(str(last)))


@dataclass(frozen=True, slots=True)
class Input:
    """A raw table that a mart reads.

    Attributes
    ----------
    table : str
        Name in the contract.
    columns : tuple of str
        Columns it needs; without them the mart is not built.
    required : bool
        Whether the mart makes sense without the table.
    """

    table: str
    columns: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Feed:
    """Raw rows that decide what is in a mart, each with the day of the mart it belongs to.

    Attributes
    ----------
    name : str
        Marts that name the same feed share one pass over it.
    rows : callable
        ``Inputs`` to a table with a column ``day``; a day whose rows here are unchanged is not built again.
    """

    name: str
    rows: Callable[[Inputs], ibis.Table]


@dataclass(frozen=True, slots=True, eq=False)
class Mart:
    """A table made of raw tables and of other marts, by market-local day.

    Attributes
    ----------
    name : str
        Name of the table.
    meaning : str
        What it is for, and what one must know to use it.
    grain : str
        What one row stands for, as a sentence.
    keys : tuple of str
        Columns that identify a row.
    columns : tuple of Column
        All columns, declared as those of the contract are.
    inputs : tuple of Input
        Raw tables it reads.
    upstream : tuple of str
        Marts it reads and cannot do without.
    expression : callable
        ``(Inputs, Days | None)`` to the table of these days, or of all.
    feeds : tuple of Feed
        What decides whether a day has changed.
    optional_upstream : tuple of str
        Marts it reads where they are built.
    partition_meaning : str
        Which day a row belongs to.
    spans : callable | None
        ``Inputs`` to ``{day: (first, last)}``: the days of upstream marts that a day of this one reads. None: that day.
    """

    name: str
    meaning: str
    grain: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    inputs: tuple[Input, ...]
    expression: Callable[[Inputs, Days | None], ibis.Table]
    upstream: tuple[str, ...] = ()
    feeds: tuple[Feed, ...] = ()
    optional_upstream: tuple[str, ...] = ()
    partition_meaning: str = "The market-local day."
    partition: str = "day"
    spans: Callable[[Inputs], dict[date, tuple[date, date]]] | None = None

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def flags(self) -> list[str]:
        """Names of the columns that mark a row as one to doubt."""
        return [column.name for column in self.columns if column.unit == FLAG]

    @property
    def version(self) -> str:
        """Digest of the code and the declaration: partitions of another version are built anew."""
        return _version(self)

    def missing(self, has: Callable[..., bool]) -> list[str]:
        """Raw tables and columns a source would need for this mart and does not have.

        Parameters
        ----------
        has
            ``has(table, *columns)``, as ``Warehouse.has``.
        """
        lacking = []
        for item in self.inputs:
            if item.required and not has(item.table):
                lacking.append(item.table)
            elif has(item.table):
                lacking += [f"{item.table}.{name}" for name in item.columns if not has(item.table, name)]
        return list(dict.fromkeys(lacking))


#: Unit of a boolean column that marks doubtful rows; the check counts them.
FLAG = "flag"


def column(name: str, kind: str, meaning: str, unit: str | None = None, **more: Any) -> Column:
    """A column declaration on one line; keys and partition are given ``required=True``."""
    return Column(name=name, type=kind, meaning=meaning, unit=unit, **more)


def flag(name: str, meaning: str) -> Column:
    """A boolean column that marks rows to doubt; the check counts them."""
    return Column(name=name, type="boolean", meaning=meaning, unit=FLAG)


def day_column(meaning: str = "Market-local day; the partition.") -> Column:
    """The partition column, the same in all marts."""
    return Column(name="day", type="date", meaning=meaning, required=True)


def digest(parts: Iterable[str] | Sequence[str]) -> str:
    """A short text that changes when any of the parts does."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


@cache
def _version(mart: Mart) -> str:
    modules = {mart.expression.__module__, *(feed.rows.__module__ for feed in mart.feeds), *SHARED}
    declared = repr((mart.name, mart.keys, [(column.name, column.type) for column in mart.columns]))
    return digest([declared, *(_code(module) for module in sorted(modules))])


@cache
def _code(module: str) -> str:
    """The code of a module, comments and layout aside."""
    file = importlib.import_module(module).__file__
    return ast.dump(ast.parse(Path(str(file)).read_text(encoding="utf-8")))
