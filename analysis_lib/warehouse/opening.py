"""Open files and folders read only, and say in words why one cannot be opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from analysis_lib.errors import SourceError
from analysis_lib.warehouse.rows import first_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

_HEADER_BYTES = 3 * 4096
_UNDERSTOOD = (
    "duckdb:///path/to/file.duckdb, parquet:///path/to/folder, the path of either, or a name in data/sources.yml"
)


def from_url(url: str) -> Path:
    """The path a ``duckdb://`` or ``parquet://`` URL means (relative ones are taken from here).

    Raises
    ------
    SourceError
        The URL is of another kind.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in ("duckdb", "parquet") or not rest:
        raise SourceError(f"'{scheme}://' is not understood. Understood are: {_UNDERSTOOD}.")
    return Path(unquote(rest)).expanduser()


def open_path(path: Path, tables: Iterable[str], remedy: str, label: str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a DuckDB file or a folder of Parquet files.

    Parameters
    ----------
    path
        A file or a folder.
    tables
        Contract tables to look for in a folder.
    remedy
        What to do when it is missing or broken, as a sentence.
    label
        What to call it in messages; the path itself unless given.

    Raises
    ------
    SourceError
        Missing, of another kind, truncated, unreadable or held by a writer.
    """
    label = label or str(path)
    try:
        if path.is_dir():
            return _open_folder(path, tables, label)
        if not path.exists():
            raise SourceError(f"{label} does not exist. {remedy}")
        return _open_file(path, remedy, label)
    except OSError as error:
        raise SourceError(f"{label} cannot be read: {error.strerror or error}.") from error


def _open_file(path: Path, remedy: str, label: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    _require_duckdb(path, remedy, label)
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise _explained(label, error, remedy) from error
    try:
        # Another connection of this process to the same file may have attached others to it.
        size = connection.execute(
            "SELECT block_size, used_blocks FROM pragma_database_size() WHERE database_name = current_database()"
        )
        block_size, blocks = first_row(size)
        # DuckDB opens a file whose last blocks are cut off and fails only when a query needs them. Free blocks do
        # not count: it gives those at the end of a file that was written to again back to the disk.
        if path.stat().st_size < _HEADER_BYTES + blocks * block_size:
            raise SourceError(f"{label} is cut off: it is shorter than it says. {remedy}")
        connection.execute("SET TimeZone = 'UTC'")
    except BaseException:
        connection.close()
        raise
    return connection


def _require_duckdb(path: Path, remedy: str, label: str) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    # Looked at first because DuckDB, given an SQLite file, goes to the network for an extension.
    if head[8:12] == b"DUCK":
        return
    if not head:
        raise SourceError(f"{label} is empty. {remedy}")
    kind = "neither a DuckDB file nor a folder"
    if head.startswith(b"SQLite format 3"):
        kind = "an SQLite database, not a DuckDB file"
    elif head.startswith(b"PAR1"):
        kind = "a single Parquet file: give the folder that holds one per table"
    elif all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        kind = "a text file (CSV?), not a DuckDB file: load it into one or save it as Parquet"
    raise SourceError(f"{label} is {kind}. Understood are: {_UNDERSTOOD}.")


def _explained(label: str, error: Exception, remedy: str) -> SourceError:
    message = str(error)
    if "Could not set lock" in message or "different configuration" in message:
        return SourceError(
            f"{label} is being written by another process or connection. Wait until it is done, or stop it."
        )
    first_line = message.splitlines()[0]
    return SourceError(f"{label} is damaged or of a DuckDB version this one cannot read ({first_line}). {remedy}")


def _open_folder(folder: Path, tables: Iterable[str], label: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    found = 0
    try:
        for table in tables:
            pattern = parquet_pattern(folder, table)
            if pattern is not None:
                quoted = pattern.replace("'", "''")
                connection.execute(f"CREATE VIEW \"{table}\" AS FROM read_parquet('{quoted}', union_by_name = true)")
                found += 1
    except duckdb.Error as error:
        connection.close()
        raise SourceError(
            f"{label}: {table} cannot be read as Parquet ({str(error).splitlines()[0]}). Write it again."
        ) from error
    if not found:
        connection.close()
        raise SourceError(f"{label} holds no Parquet file named after a contract table, for example orders.parquet.")
    return connection


def parquet_pattern(folder: Path, table: str) -> str | None:
    """The file, or the pattern of the files, that hold a table; None if there are none."""
    if (folder / f"{table}.parquet").is_file():
        return str(folder / f"{table}.parquet")
    if any((folder / table).rglob("*.parquet")):
        return str(folder / table / "**" / "*.parquet")
    return None
