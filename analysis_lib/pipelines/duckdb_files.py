"""The file of a DuckDB store: who has it open, and how it is attached."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib.errors import SourceError
from analysis_lib.pipelines.store import CATALOG, store_path
from analysis_lib.warehouse.opening import parquet_pattern

if TYPE_CHECKING:
    import duckdb

    from analysis_lib.warehouse import Warehouse

#: Warehouses of this process that have a store attached: a writer must be alone with the file.
_READERS: weakref.WeakSet[Warehouse] = weakref.WeakSet()


def attach_source(connection: duckdb.DuckDBPyConnection, path: Path, tables: Iterable[str]) -> None:
    """Make a DuckDB file, or a folder of Parquet files, readable as ``source.main``."""
    if path.is_file():
        connection.execute(f"ATTACH '{quoted(path)}' AS source (READ_ONLY)")
        return
    connection.execute("ATTACH ':memory:' AS source")
    for table in tables:
        pattern = quoted(parquet_pattern(path, table))
        connection.execute(
            f"CREATE VIEW source.main.\"{table}\" AS FROM read_parquet('{pattern}', union_by_name = true)"
        )


def attach(warehouse: Warehouse) -> bool:
    """Attach the store, where there is one, to the connection of a warehouse.

    Raises
    ------
    SourceError
        A build is writing to it.
    """
    import duckdb

    path = store_path(warehouse)
    if not path.exists():
        return False
    try:
        warehouse.connection.execute(f"ATTACH IF NOT EXISTS '{quoted(path)}' AS {CATALOG} (READ_ONLY)")
    except duckdb.Error as error:
        raise explained(warehouse.name, error) from error
    _READERS.add(warehouse)
    return True


def release_readers(path: Path) -> list[Warehouse]:
    """Take the store away from the warehouses of this process, and say from which."""
    import duckdb

    released = []
    for reader in list(_READERS):
        with contextlib.suppress(duckdb.Error):
            if store_path(reader) == path:
                reader.connection.execute(f"DETACH DATABASE IF EXISTS {CATALOG}")
                released.append(reader)
        _READERS.discard(reader)
    return released


def finished_of(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Marts of a source that were brought up to date; attaches the store to the warehouse.

    Raises
    ------
    SourceError
        A build is writing to the store.
    """
    return finished(warehouse.connection, f"{CATALOG}.main.") if attach(warehouse) else {}


def finished(connection: duckdb.DuckDBPyConnection, prefix: str = "") -> dict[str, tuple[str, str]]:
    """Marts that were brought up to date: name to version and stamp of the source."""
    # A build that was killed before it began leaves a file without tables.
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE table_name = '_marts' AND database_name = coalesce(?, current_database())",
        [CATALOG if prefix else None],
    ).fetchall()
    if not found:
        return {}
    rows = connection.execute(f"SELECT mart, version, stamp FROM {prefix}_marts").fetchall()
    return {name: (version, stamp) for name, version, stamp in rows}


def quoted(path: object) -> str:
    """A path for an SQL text."""
    return str(path).replace("'", "''")


def explained(name: str, error: Exception) -> SourceError:
    """Why the file cannot be opened, in words."""
    message = str(error)
    if "Could not set lock" in message or "different configuration" in message:
        return SourceError(
            f"the marts of '{name}' are in use by another process (a build, or a notebook that reads them). Wait until"
            " it is done, or close it."
        )
    first = message.splitlines()[0]
    return SourceError(
        f"the marts of '{name}' cannot be opened ({first}). Run `shopbook data build {name}`; if that does not help,"
        f" remove data/built/marts/{name}.duckdb first."
    )
