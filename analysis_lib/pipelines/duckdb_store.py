"""Marts in a DuckDB file of their own, with the source attached read only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import BuildFailed
from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.duckdb_files import attach, attach_source, explained, finished, release_readers
from analysis_lib.pipelines.store import PRIME, Partition, Print, store_path

if TYPE_CHECKING:
    import duckdb
    import ibis

    from analysis_lib.warehouse import Warehouse

#: Enough for a batch of days; what does not fit is spilled beside the store.
MEMORY_LIMIT = "2GB"

_ENGINE_TYPES = {
    "string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP",
}  # fmt: skip

_STATE = """
    CREATE TABLE IF NOT EXISTS _partitions (
        mart VARCHAR, day DATE, version VARCHAR, inputs VARCHAR, content VARCHAR, n_rows BIGINT, built_at TIMESTAMP);
    CREATE TABLE IF NOT EXISTS _marts (mart VARCHAR, version VARCHAR, stamp VARCHAR, finished_at TIMESTAMP);
"""


class DuckDBStore:
    """The store of a DuckDB or Parquet source.

    Attributes
    ----------
    contract : dict of str to Table
        The table contract.
    path : Path
        The file the marts are in.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.contract = warehouse.contract
        self.path = store_path(warehouse)
        self._warehouse = warehouse
        self._released = release_readers(self.path)
        self._connection = self._open()
        self._backend: Any = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        self.path.parent.mkdir(parents=True, exist_ok=True)
        settings = {
            "memory_limit": MEMORY_LIMIT, "preserve_insertion_order": False, "temp_directory": f"{self.path}.spill",
        }  # fmt: skip
        try:
            connection = duckdb.connect(str(self.path), config=settings)
        except duckdb.Error as error:
            self._resume_readers()
            raise explained(self._warehouse.name, error) from error
        connection.execute("SET TimeZone = 'UTC'")
        attach_source(connection, self._warehouse.path, self._warehouse.tables())
        connection.execute(_STATE)
        return connection

    @property
    def backend(self) -> Any:
        """The Ibis backend."""
        if self._backend is None:
            import ibis

            self._backend = ibis.duckdb.from_connection(self._connection)
        return self._backend

    def table(self, name: str) -> ibis.Table:
        """A raw table of the source."""
        return self.backend.table(name, database=("source", "main"))

    def has(self, table: str, *columns: str) -> bool:
        """Whether the source has the table with these columns."""
        return self._warehouse.has(table, *columns)

    def query(self, expression: ibis.Expr) -> Any:
        """Run an expression and bring back its rows."""
        return self.backend.execute(expression)

    def mart_table(self, name: str) -> ibis.Table:
        """A mart that has been created."""
        return self.backend.table(name)

    def compile(self, expression: ibis.Expr) -> str:
        """The SQL of an expression."""
        return self.backend.compile(expression)

    def schema(self) -> str:
        """Names and types of the source's columns."""
        return repr({name: self._warehouse.columns(name) for name in self._warehouse.tables()})

    def prints(self, sql: str) -> dict[date, Print]:
        """Rows by ``day``, reduced to a print of their other columns; rows without a day are left out."""
        found = self._connection.execute(
            f"SELECT day, count(*), sum(hash(*COLUMNS(* EXCLUDE (day))) % {PRIME})::VARCHAR FROM ({sql})"
            " WHERE day IS NOT NULL GROUP BY day"
        ).fetchall()
        return {day: Print(n_rows, digest) for day, n_rows, digest in found}

    def partitions(self, name: str) -> dict[date, Partition]:
        """The days of a mart that are there."""
        found = self._connection.execute(
            "SELECT day, version, inputs, content, n_rows FROM _partitions WHERE mart = ?", [name]
        ).fetchall()
        return {day: Partition(version, inputs, Print(n, text)) for day, version, inputs, text, n in found}

    def finished(self) -> dict[str, tuple[str, str]]:
        """Marts brought up to date: name to version and stamp of the source."""
        return finished(self._connection)

    def create(self, mart: Mart) -> None:
        """An empty table in place of whatever was there."""
        columns = ", ".join(f'"{column.name}" {_ENGINE_TYPES[column.type]}' for column in mart.columns)
        with self._transaction():
            self._forget(mart.name)
            self._connection.execute(f"CREATE TABLE {mart.name} ({columns})")

    def replace(self, mart: Mart, inputs: Mapping[date, str], rows: str, step: Callable[[str], None]) -> None:
        """Put the rows of these days in place of what was there, in one transaction with their state."""
        listed = ", ".join(f'"{column.name}"' for column in mart.columns)
        days = _literals(inputs)
        with self._transaction():
            self._connection.execute(f"DELETE FROM {mart.name} WHERE day IN ({days})")
            step("writing")
            self._connection.execute(f"INSERT INTO {mart.name} ({listed}) SELECT {listed} FROM ({rows})")
            step("signing")
            written = self.prints(f"FROM {mart.name} WHERE day IN ({days})")
            self._sign(mart, inputs, written, days)
            step("committing")

    def _sign(self, mart: Mart, inputs: Mapping[date, str], written: Mapping[date, Print], days: str) -> None:
        nothing, now = Print(0, "0"), datetime.now(UTC).replace(tzinfo=None)
        self._connection.execute(f"DELETE FROM _partitions WHERE mart = ? AND day IN ({days})", [mart.name])
        values = []
        for day, digest in inputs.items():
            content = written.get(day, nothing)
            values.append([mart.name, day, mart.version, digest, content.digest, content.n_rows, now])
        self._connection.executemany("INSERT INTO _partitions VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def remove(self, name: str, days: Iterable[date]) -> None:
        """Take days out of a mart."""
        listed = _literals(days)
        with self._transaction():
            self._connection.execute(f"DELETE FROM {name} WHERE day IN ({listed})")
            self._connection.execute(f"DELETE FROM _partitions WHERE mart = ? AND day IN ({listed})", [name])

    def finish(self, mart: Mart, stamp: str) -> None:
        """Note that a mart is up to date with the source as of ``stamp``."""
        now = datetime.now(UTC).replace(tzinfo=None)
        with self._transaction():
            self._connection.execute("DELETE FROM _marts WHERE mart = ?", [mart.name])
            self._connection.execute("INSERT INTO _marts VALUES (?, ?, ?, ?)", [mart.name, mart.version, stamp, now])

    def reopen(self, name: str) -> None:
        """Note that a mart is being changed."""
        self._connection.execute("DELETE FROM _marts WHERE mart = ?", [name])

    def drop(self, name: str) -> None:
        """Remove a mart."""
        with self._transaction():
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {name}")
        for state in ("_partitions", "_marts"):
            self._connection.execute(f"DELETE FROM {state} WHERE mart = ?", [name])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        import duckdb

        self._connection.execute("BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            # A failed COMMIT has rolled back already.
            with contextlib.suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, duckdb.Error):
                raise BuildFailed(
                    f"the marts of '{self._warehouse.name}' could not be built ({str(error).splitlines()[0]}). Days"
                    f" that were finished are kept: run `shopbook data build {self._warehouse.name}` again."
                ) from error
            raise

    def close(self) -> None:
        """Let go of the file, and give it back to the warehouses that read it."""
        self._connection.close()
        self._resume_readers()

    def _resume_readers(self) -> None:
        for reader in self._released:
            attach(reader)


def _literals(days: Iterable[date]) -> str:
    return ", ".join(f"DATE '{day.isoformat()}'" for day in days)
