"""Write the tables of a DuckDB source as Hive tables on Spark."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib import config
from analysis_lib.errors import InvalidValue
from analysis_lib.warehouse.connection import Warehouse, connect
from analysis_lib.warehouse.rules import quoted
from analysis_lib.warehouse.sources import Source, find_source, load_sources

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def spark_source_of(name: str, project: config.Project | None = None) -> Source:
    """The source on Spark that is exported from another.

    Raises
    ------
    UnknownName
        No such source.
    InvalidValue
        No source of kind ``spark`` says that it is exported from it.
    """
    find_source(name, project)
    for source in load_sources(project).values():
        if source.kind == "spark" and source.exported_from == name:
            return source
    raise InvalidValue(
        f"no source on Spark is exported from '{name}'. Add an entry with kind: spark and exported_from: {name} to"
        " data/sources.yml."
    )


def export(
    name: str, *, project: config.Project | None = None, progress: Callable[[str], None] | None = None
) -> Source:
    """Write the tables of a source as Hive tables of the source on Spark that names it.

    A copy that is already of the same content is left alone. A copy that is killed cannot be opened, and is made anew.

    Parameters
    ----------
    name
        The source to copy, of kind ``duckdb`` or ``parquet``.
    progress
        Called with the name of each table as it is written.

    Returns
    -------
    Source
        The source on Spark.

    Raises
    ------
    UnknownName, InvalidValue
        As ``spark_source_of``.
    SourceError
        The source cannot be read, or there is no Spark.
    """
    from analysis_lib.warehouse.spark import SIGNATURE, require_spark, session

    require_spark()
    target = spark_source_of(name, project)
    folder = target.location(project)
    database = target.database or target.name
    signature = folder / SIGNATURE.format(database=database)
    with connect(name, project=project) as source:
        content = json.dumps(
            {**source.build_info, "exported_from": name, "fingerprint": source.fingerprint}, default=str
        )
        if not (signature.exists() and signature.read_text(encoding="utf-8") == content):
            signature.unlink(missing_ok=True)
            _copy(source, session(folder), database, progress or (lambda _: None))
            signature.write_text(content, encoding="utf-8")
    return target


def _copy(source: Warehouse, spark: SparkSession, database: str, progress: Callable[[str], None]) -> None:
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {database}")
    wanted = source.tables()
    for row in spark.sql(f"SHOW TABLES IN {database}").collect():
        if row["tableName"] not in wanted:
            spark.sql(f"DROP TABLE {database}.{row['tableName']}")
    with tempfile.TemporaryDirectory(prefix="shopbook-export-") as folder:
        for table in wanted:
            progress(table)
            file = Path(folder) / f"{table}.parquet"
            source.connection.execute(f"COPY {quoted(table)} TO '{file}' (FORMAT parquet)")
            spark.sql(f"DROP TABLE IF EXISTS {database}.{table}")
            spark.read.parquet(str(file)).write.format("parquet").saveAsTable(f"{database}.{table}")
            file.unlink()
