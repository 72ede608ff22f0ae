"""A source on Spark: Hive tables of an embedded metastore in a folder, behind the same front as any other source.

Nothing here is imported, and no Java started, unless a source of kind ``spark`` is opened.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib import config
from analysis_lib.errors import SourceError
from analysis_lib.warehouse.connection import Warehouse
from analysis_lib.warehouse.contract import Table
from analysis_lib.warehouse.sources import Source

if TYPE_CHECKING:
    import duckdb
    import ibis
    import pandas as pd
    from pyspark.sql import SparkSession

#: How many tasks a shuffle makes: Spark's 200 are for clusters.
SHUFFLE_PARTITIONS = 4

#: Memory of the one Java process that does everything.
DRIVER_MEMORY = "2g"

#: Written into the folder when an export is complete.
SIGNATURE = "{database}.export.json"

#: The session of this process, by the folder of its metastore: one at most.
_STARTED: dict[str, SparkSession] = {}

_LOGGING = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""

_DUCKDB_NAMES = {
    "String": "VARCHAR", "Boolean": "BOOLEAN", "Date": "DATE", "Timestamp": "TIMESTAMP", "Float64": "DOUBLE",
    "Float32": "FLOAT", "Int64": "BIGINT", "Int32": "INTEGER", "Int16": "SMALLINT", "Int8": "TINYINT",
    "Decimal": "DECIMAL",
}  # fmt: skip


def require_spark() -> None:
    """Make sure that PySpark and Java are there.

    Raises
    ------
    SourceError
        One is missing; the message says how to get it.
    """
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise SourceError(
            "PySpark is not installed, and this source is on Spark. Run `make spark`, or pip install 'shopbook[spark]'."
        ) from error
    if shutil.which("java") is None and not _java_home():
        raise SourceError(
            "Java is not installed, and Spark needs Java 17. Run `make spark`, or install it (Debian, Ubuntu: sudo"
            " apt-get install openjdk-17-jre-headless) and try again."
        )


def _java_home() -> bool:
    import os

    home = os.environ.get("JAVA_HOME")
    return home is not None and (Path(home) / "bin" / "java").exists()


def session(folder: Path) -> SparkSession:
    """The Spark session whose metastore lies in ``folder``; started at the first call.

    Raises
    ------
    SourceError
        No PySpark, no Java, or this process works on another folder already, or another process on this one.
    """
    require_spark()
    from pyspark.sql import SparkSession

    place = str(folder.resolve())
    if place in _STARTED:
        return _STARTED[place]
    if _STARTED or SparkSession.getActiveSession() is not None:
        held = next(iter(_STARTED), "another metastore")
        raise SourceError(
            f"Spark of this process already works on {held}: an embedded metastore is opened once in a process. Open"
            f" {place} in another one."
        )
    _STARTED[place] = _start(folder, place)
    return _STARTED[place]


def _start(folder: Path, place: str) -> SparkSession:
    from pyspark.sql import SparkSession

    folder.mkdir(parents=True, exist_ok=True)
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING, encoding="utf-8")
    builder = SparkSession.builder.master("local[*]").appName("shopbook")
    for name, value in _settings(place, logging).items():
        builder = builder.config(name, value)
    try:
        started = builder.enableHiveSupport().getOrCreate()
        # The metastore is opened when it is first asked.
        started.sql("SHOW DATABASES").collect()
    except Exception as error:
        if "Another instance of Derby" in str(error) or "Unable to instantiate" in str(error):
            raise SourceError(
                f"the metastore in {folder.name}/ is in use by another process. Wait until it is done, or stop it."
            ) from error
        raise SourceError(f"Spark could not be started ({str(error).strip().splitlines()[0]}).") from error
    return started


def _settings(place: str, logging: Path) -> dict[str, str]:
    java = f"-Dderby.stream.error.file={place}/derby.log -Dlog4j2.configurationFile=file:{logging} -Duser.timezone=UTC"
    return {
        "spark.sql.warehouse.dir": f"{place}/tables",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={place}/metastore;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.extraJavaOptions": java,
        # Without a network a laptop's own name may not be found.
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        "spark.sql.shuffle.partitions": str(SHUFFLE_PARTITIONS),
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        # Derby cannot filter partitions by date; there are a thousand at most, and Spark can.
        "spark.sql.hive.metastorePartitionPruning": "false",
        "spark.sql.hive.metastorePartitionPruningFallbackOnException": "true",
    }


class SparkWarehouse(Warehouse):
    """A source on Spark, seen through the table contract.

    Attributes
    ----------
    database : str
        The Hive database of the source's tables.
    spark : SparkSession
        The session beneath.
    """

    engine = "spark"

    def __init__(self, name: str, source: Source, path: Path, contract: dict[str, Table],
                 project: config.Project | None = None) -> None:  # fmt: skip
        self.database = source.database or name
        self._signature = path / SIGNATURE.format(database=self.database)
        if not self._signature.exists():
            remedy = f"Run `shopbook data build {source.exported_from} --engine spark`." if source.exported_from else ""
            raise SourceError(f"source '{name}' ({source.path}) is not there, or not finished. {remedy}".rstrip())
        self.spark = session(path)
        self._views: duckdb.DuckDBPyConnection | None = None
        super().__init__(name, source, path, None, contract, project)  # type: ignore[arg-type]

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection over the tables' own Parquet files, for the contract check."""
        from analysis_lib.warehouse.opening import open_path

        if self._views is None:
            folder = self.path / "tables" / f"{self.database}.db"
            self._views = open_path(folder, self.contract, "Export it again.", f"source '{self.name}'")
        return self._views

    @connection.setter
    def connection(self, _: None) -> None:
        """Made when it is first asked for."""

    @property
    def backend(self) -> ibis.BaseBackend:
        """The Ibis backend."""
        if self._backend is None:
            import ibis

            self._backend = ibis.pyspark.connect(self.spark)
        return self._backend

    def close(self) -> None:
        """Let go of the files; the session stays for the next source, for starting Java takes seconds."""
        if self._views is not None:
            self._views.close()

    def table(self, name: str) -> ibis.Table:
        """A contract table as an Ibis expression; nothing is read yet. Raises as ``Warehouse.table``."""
        self._require_table(name)
        return self.backend.table(name, database=self.database)

    def query(self, expression: ibis.Expr) -> pd.DataFrame:
        """Run an Ibis expression and bring back its rows (a scalar expression gives a scalar)."""
        return self.backend.execute(expression)

    def value_exists(self, table: str, column: str, value: object) -> bool:
        """Whether any row holds the value (compared as text, so '18' finds 18)."""
        self.require({table: [column]})
        rows = self.table(table)
        return len(self.query(rows.filter(rows[column].cast("string") == str(value)).select(column).limit(1))) > 0

    def values(self, table: str, column: str, limit: int = 1000) -> list[Any]:
        """The distinct values of a column, sorted, without nulls; at most ``limit``."""
        self.require({table: [column]})
        rows = self.table(table)
        found = rows.filter(rows[column].notnull()).select(column).distinct().order_by(column).limit(limit)
        return self.query(found)[column].tolist()

    @property
    def build_info(self) -> dict[str, Any]:
        """How the source the tables were exported from was built."""
        return json.loads(self._signature.read_text(encoding="utf-8"))

    @property
    def fingerprint(self) -> str:
        """Short text that changes when the data do: of what was exported, and of the tables' files."""
        folder = self.path / "tables" / f"{self.database}.db"
        files = sorted(folder.rglob("*.parquet"))
        seen = [(str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        return hashlib.sha256(repr((self._signature.read_text(encoding="utf-8"), seen)).encode()).hexdigest()[:16]

    def _read_columns(self) -> dict[str, dict[str, str]]:
        found = {}
        for row in self.spark.sql(f"SHOW TABLES IN {self.database}").collect():
            schema = self.backend.table(row["tableName"], database=self.database).schema()
            found[row["tableName"]] = {name: _duckdb_name(kind) for name, kind in schema.items()}
        return found


def _duckdb_name(kind: Any) -> str:
    """The contract's rules speak of types by DuckDB's names."""
    if kind.is_array():
        return f"{_duckdb_name(kind.value_type)}[]"
    return _DUCKDB_NAMES.get(type(kind).__name__, str(kind).upper())
