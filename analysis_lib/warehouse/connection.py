"""Connect to a source by name, path or URL and hand out its contract tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib import config
from analysis_lib.errors import ContractError, SourceError, nearest, unknown
from analysis_lib.warehouse.build import BUILD_TABLE
from analysis_lib.warehouse.contract import Table, load_contract
from analysis_lib.warehouse.opening import from_url, open_path, parquet_pattern
from analysis_lib.warehouse.rows import first_row
from analysis_lib.warehouse.sources import Source, find_source, load_sources

if TYPE_CHECKING:
    import duckdb
    import ibis
    import pandas as pd


def connect(source: str | Path, *, project: config.Project | None = None) -> Warehouse:
    """Open a source read only.

    Parameters
    ----------
    source
        A name in ``data/sources.yml``, the path of a DuckDB file or of a folder of Parquet files
        (``orders.parquet`` or ``orders/*.parquet``), or a ``duckdb://`` or ``parquet://`` URL.

    Raises
    ------
    UnknownName
        Neither a named source nor a path; the message names the nearest source.
    SourceError
        Missing, locked, truncated or of another kind; the message says what to do.
    """
    contract = load_contract(project)
    settings, path = _resolve(source, project)
    remedy = "Check the path."
    if settings is not None:
        remedy = f"Run `shopbook data build {settings.name}`." if settings.builder else "Check data/sources.yml."
    if settings is not None and settings.kind == "spark":
        from analysis_lib.warehouse.spark import SparkWarehouse

        return SparkWarehouse(settings.name, settings, path, contract, project)
    label = f"source '{settings.name}' ({settings.path})" if settings else None
    connection = open_path(path, contract, remedy, label)
    return Warehouse(settings.name if settings else path.stem, settings, path, connection, contract, project)


def _resolve(source: str | Path, project: config.Project | None) -> tuple[Source | None, Path]:
    text = str(source)
    if "://" in text:
        return None, from_url(text)
    looks_like_path = isinstance(source, Path) or "/" in text or "\\" in text or text.endswith((".duckdb", ".db"))
    if looks_like_path or (text not in load_sources(project) and Path(text).exists()):
        return None, Path(text).expanduser()
    settings = find_source(text, project)
    return settings, settings.location(project)


class Warehouse:
    """An open source, seen through the table contract.

    Attributes
    ----------
    name : str
        Name of the source, or of the file it was opened from.
    source : Source | None
        Its entry in ``data/sources.yml``; None when opened by path or URL.
    path : Path
        The file or folder.
    contract : dict of str to Table
        The contract it is read by.
    connection : duckdb.DuckDBPyConnection
        The read-only connection beneath, for SQL that Ibis cannot say.
    project : Project | None
        The checkout it was opened for; None: the one in use.
    """

    #: What runs the expressions.
    engine = "duckdb"

    def __init__(
        self,
        name: str,
        source: Source | None,
        path: Path,
        connection: duckdb.DuckDBPyConnection,
        contract: dict[str, Table],
        project: config.Project | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self.path = path
        self.contract = contract
        self.connection = connection
        self.project = project
        self._backend: Any = None
        self._columns = self._read_columns()

    def __repr__(self) -> str:
        return f"Warehouse({self.name!r}, {len(self.tables())} tables)"

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    @property
    def backend(self) -> ibis.BaseBackend:
        """The Ibis backend, made at the first use: importing Ibis takes longer than connecting."""
        if self._backend is None:
            import ibis

            self._backend = ibis.duckdb.from_connection(self.connection)
        return self._backend

    def tables(self) -> list[str]:
        """Names of the contract tables the source has, in the order of the contract."""
        return [name for name in self.contract if name in self._columns]

    def columns(self, table: str) -> dict[str, str]:
        """Columns of a table as the source has them, with their engine types.

        Raises
        ------
        UnknownName, ContractError
            As ``table``.
        """
        self._require_table(table)
        return dict(self._columns[table])

    def table(self, name: str) -> ibis.Table:
        """A contract table as an Ibis expression; nothing is read yet.

        Raises
        ------
        UnknownName
            The contract has no such table.
        ContractError
            The contract has it, this source does not.
        """
        self._require_table(name)
        return self.backend.table(name)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the source has the table with all of these columns."""
        return table in self._columns and all(column in self._columns[table] for column in columns)

    def require(self, needs: Mapping[str, Iterable[str]]) -> None:
        """Make sure that tables and columns are there.

        Raises
        ------
        UnknownName
            The contract has no such table.
        ContractError
            One or more are missing; each is named with the nearest that exists.
        """
        problems = []
        for table, columns in needs.items():
            self._require_table(table)
            problems += [self.explain_missing(table, column) for column in columns if not self.has(table, column)]
        if problems:
            raise ContractError(f"source '{self.name}': {'; '.join(problems)}.")

    def other_tables(self) -> list[str]:
        """Names of tables the source has and the contract does not know."""
        return [name for name in self._columns if name not in self.contract]

    def explain_missing(self, table: str, column: str) -> str:
        """A missing column in words, with the one of the source that probably holds it."""
        declared = {item.name for item in self.contract[table].columns}
        guess = nearest(column, [name for name in self._columns[table] if name not in declared])
        if guess is not None:
            return f"{table}.{column} is missing; the source has '{guess}': rename it, or map it in a view"
        return f"{table}.{column} is missing; the source has {', '.join(self._columns[table])}"

    def query(self, expression: ibis.Expr) -> pd.DataFrame:
        """Run an Ibis expression and bring back its rows (a scalar expression gives a scalar).

        Raises
        ------
        SourceError
            The file cannot be read any more.
        """
        import duckdb

        try:
            return self.backend.execute(expression)
        except duckdb.Error as error:
            # A damaged block surfaces here, as an error of the base class; a faulty expression is not ours to explain.
            if isinstance(error, duckdb.IOException) or "corrupt" in str(error).lower():
                raise SourceError(f"source '{self.name}' cannot be read: {str(error).splitlines()[0]}.") from error
            raise

    def value_exists(self, table: str, column: str, value: object) -> bool:
        """Whether any row holds the value (compared as text, so '18' finds 18)."""
        self.require({table: [column]})
        sql = f'SELECT 1 FROM "{table}" WHERE "{column}"::VARCHAR = ? LIMIT 1'
        return first_row(self.connection.execute(sql, [str(value)])) is not None

    def values(self, table: str, column: str, limit: int = 1000) -> list[Any]:
        """The distinct values of a column, sorted, without nulls; at most ``limit``."""
        self.require({table: [column]})
        sql = f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL ORDER BY 1 LIMIT ?'
        return [row[0] for row in self.connection.execute(sql, [limit]).fetchall()]

    @property
    def build_info(self) -> dict[str, Any]:
        """How the file was built (builder, versions, built_at, content_digest, stats); empty if not by a builder."""
        present = self.connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [BUILD_TABLE])
        if first_row(present) is None:
            return {}
        cursor = self.connection.execute(f"FROM {BUILD_TABLE} LIMIT 1")
        names = [column[0] for column in cursor.description]
        info = dict(zip(names, first_row(cursor), strict=True))
        return {**info, "stats": json.loads(info["stats"])}

    @property
    def fingerprint(self) -> str:
        """Short text that changes when the data do: of the content for built files, else of sizes and times."""
        digest = self.build_info.get("content_digest")
        if digest is None:
            seen = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in self._files()]
            digest = hashlib.sha256(repr(seen).encode()).hexdigest()
        return str(digest)[:16]

    def _files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        patterns = [parquet_pattern(self.path, table) for table in self.tables()]
        relative = [Path(pattern).relative_to(self.path) for pattern in patterns if pattern]
        return sorted(file for pattern in relative for file in self.path.glob(str(pattern)))

    def _read_columns(self) -> dict[str, dict[str, str]]:
        rows = self.connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
            " AND schema_name = 'main' AND database_name = current_database() ORDER BY table_name, column_index"
        ).fetchall()
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in rows:
            found.setdefault(table, {})[column] = kind
        return found

    def _require_table(self, name: str) -> None:
        if name not in self.contract:
            raise unknown("table", name, self.contract, "the table contract (data/contract/)")
        if name not in self._columns:
            raise ContractError(f"source '{self.name}' has no table '{name}'. It has: {', '.join(self.tables())}.")
