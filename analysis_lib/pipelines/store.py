"""Where marts are kept: one small interface, one module per engine behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analysis_lib import config
from analysis_lib.pipelines.declaration import Mart

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Table, Warehouse

#: Sums of row hashes are made of their remainders by this prime: small enough never to overflow, large enough to tell.
PRIME = 1_000_000_000_039

#: Name under which the store is attached to a warehouse's connection.
CATALOG = "marts"


@dataclass(frozen=True, slots=True)
class Print:
    """What the rows of a day amount to, whatever their order.

    Attributes
    ----------
    n_rows : int
        How many there are.
    digest : str
        Changes when any value of any row does.
    """

    n_rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Partition:
    """A day of a mart as it was written.

    Attributes
    ----------
    version : str
        Of the mart that wrote it.
    inputs : str
        Digest of what it was made from.
    content : Print
        What was written.
    """

    version: str
    inputs: str
    content: Print


class Store(Protocol):
    """What a build needs of an engine. Every method that writes does so as a whole or not at all."""

    contract: dict[str, Table]

    def table(self, name: str) -> ibis.Table:
        """A raw table of the source."""

    def has(self, table: str, *columns: str) -> bool:
        """Whether the source has it."""

    def query(self, expression: ibis.Expr) -> Any:
        """Run an expression and bring back its rows."""

    def mart_table(self, name: str) -> ibis.Table:
        """A mart that has been created."""

    def compile(self, expression: ibis.Expr) -> str:
        """The SQL of an expression."""

    def schema(self) -> str:
        """Names and types of the source's columns, as a text that changes when they do."""

    def prints(self, sql: str) -> dict[date, Print]:
        """Rows by ``day``, reduced to a print of their other columns; rows without a day are left out."""

    def partitions(self, name: str) -> dict[date, Partition]:
        """The days of a mart that are there."""

    def finished(self) -> dict[str, tuple[str, str]]:
        """Marts brought up to date: name to version and stamp of the source."""

    def create(self, mart: Mart) -> None:
        """An empty table in place of whatever was there."""

    def replace(self, mart: Mart, inputs: Mapping[date, str], rows: str, step: Callable[[str], None]) -> None:
        """Put the rows (SQL) of these days in place of what was there; ``step`` hears what is about to happen."""

    def remove(self, name: str, days: Iterable[date]) -> None:
        """Take days out of a mart."""

    def finish(self, mart: Mart, stamp: str) -> None:
        """Note that a mart is up to date with the source as of ``stamp``."""

    def reopen(self, name: str) -> None:
        """Note that a mart is being changed: until ``finish`` nobody may use it."""

    def drop(self, name: str) -> None:
        """Remove a mart."""

    def close(self) -> None:
        """Let go of the files."""


def store_path(warehouse: Warehouse) -> Path:
    """Where the marts of a source are kept: never in the source itself, which may be somebody else's."""
    folder = (warehouse.project or config.project()).built / "marts"
    if warehouse.source is not None:
        return folder / f"{warehouse.name}.duckdb"
    # Two files of one name in different folders are two sources.
    place = hashlib.sha256(str(warehouse.path.resolve()).encode()).hexdigest()[:12]
    return folder / f"{warehouse.name}-{place}.duckdb"


def source_stamp(warehouse: Warehouse) -> str:
    """Short text that changes whenever the source may have: its fingerprint, and sizes and times of its file.

    The digest that a builder signed a file with does not follow later changes, hence the times.
    """
    seen = [str(warehouse.path.resolve()), warehouse.fingerprint]
    for path in (warehouse.path, warehouse.path.with_name(f"{warehouse.path.name}.wal")):
        if path.is_file():
            status = path.stat()
            seen.append(f"{path.name}:{status.st_size}:{status.st_mtime_ns}")
    return hashlib.sha256("|".join(seen).encode()).hexdigest()[:16]
