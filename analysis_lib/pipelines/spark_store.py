"""Marts as Hive tables, partitioned by day, beside the source's own database.

Spark has no transactions. Days about to be written are first marked as unfinished in a small state file, which is
replaced in one step; then Spark writes; then their state is written. A build that is killed in between finds the marks
and builds those days again, or removes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import BuildFailed
from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.store import PRIME, Partition, Print

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse.spark import SparkWarehouse

_ENGINE_TYPES = {
    "string": "STRING", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
}  # fmt: skip

#: What a day was made from while it is being written: equal to no digest.
_UNFINISHED = "unfinished"


class SparkStore:
    """The store of a source on Spark.

    Attributes
    ----------
    contract : dict of str to Table
        The table contract.
    database : str
        The Hive database of the marts.
    """

    def __init__(self, warehouse: SparkWarehouse) -> None:
        self.contract = warehouse.contract
        self.database = marts_database(warehouse)
        self._warehouse = warehouse
        self._spark = warehouse.spark
        self._file = _state_file(warehouse)
        self._state = read_state(warehouse)
        self._spark.sql(f"CREATE DATABASE IF NOT EXISTS {self.database}")

    def table(self, name: str) -> ibis.Table:
        """A raw table of the source."""
        return self._warehouse.table(name)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the source has the table with these columns."""
        return self._warehouse.has(table, *columns)

    def query(self, expression: ibis.Expr) -> Any:
        """Run an expression and bring back its rows."""
        return self._warehouse.query(expression)

    def mart_table(self, name: str) -> ibis.Table:
        """A mart that has been created."""
        return self._warehouse.backend.table(name, database=self.database)

    def compile(self, expression: ibis.Expr) -> str:
        """The SQL of an expression."""
        return self._warehouse.backend.compile(expression)

    def schema(self) -> str:
        """Names and types of the source's columns."""
        columns = {name: self._warehouse.columns(name) for name in self._warehouse.tables()}
        return repr((self._warehouse.database, columns))

    def prints(self, sql: str) -> dict[date, Print]:
        """Rows by ``day``, reduced to a print of their other columns; rows without a day are left out."""
        names = [name for name in self._spark.sql(sql).columns if name != "day"]
        # The hash passes over nulls: without saying where they are, two columns could exchange their values.
        hashed = ", ".join(f"`{name}`, isnull(`{name}`)" for name in names)
        found = self._run(
            f"SELECT day, count(*) AS n, sum(xxhash64({hashed}) % {PRIME}) AS total FROM ({sql})"
            " WHERE day IS NOT NULL GROUP BY day"
        )
        return {row["day"]: Print(row["n"], str(row["total"])) for row in found}

    def partitions(self, name: str) -> dict[date, Partition]:
        """The days of a mart that are there."""
        found = self._state["partitions"].get(name, {})
        return {
            date.fromisoformat(day): Partition(version, inputs, Print(n_rows, digest))
            for day, (version, inputs, n_rows, digest) in found.items()
        }

    def finished(self) -> dict[str, tuple[str, str]]:
        """Marts brought up to date: name to version and stamp of the source."""
        return {name: (version, stamp) for name, (version, stamp) in self._state["finished"].items()}

    def create(self, mart: Mart) -> None:
        """An empty table in place of whatever was there."""
        self.drop(mart.name)
        columns = ", ".join(f"`{column.name}` {_ENGINE_TYPES[column.type]}" for column in mart.columns)
        self._run(f"CREATE TABLE {self.database}.{mart.name} ({columns}) USING parquet PARTITIONED BY (day)")

    def replace(self, mart: Mart, inputs: Mapping[date, str], rows: str, step: Callable[[str], None]) -> None:
        """Put the rows of these days in place of what was there."""
        there = [day for day in self.partitions(mart.name) if day in inputs]
        self._mark(mart, {day: (_UNFINISHED, Print(0, "")) for day in inputs})
        self._remove(mart.name, there)
        step("writing")
        names = [column.name for column in mart.columns if column.name != "day"]
        listed = ", ".join(f"`{name}`" for name in [*names, "day"])
        table = f"{self.database}.{mart.name}"
        # Overwriting also clears away files of a build that was killed before the metastore knew of them.
        # One file a day: the rows of a day go to one task.
        self._run(f"INSERT OVERWRITE TABLE {table} SELECT {listed} FROM ({rows}) DISTRIBUTE BY day")
        step("signing")
        days = ", ".join(f"DATE '{day}'" for day in inputs)
        written = self.prints(f"SELECT * FROM {table} WHERE day IN ({days})")
        step("committing")
        self._mark(mart, {day: (inputs[day], written.get(day, Print(0, "0"))) for day in inputs})

    def remove(self, name: str, days: Iterable[date]) -> None:
        """Take days out of a mart."""
        days = list(days)
        self._remove(name, days)
        for day in days:
            self._state["partitions"].get(name, {}).pop(day.isoformat(), None)
        self._save()

    def _remove(self, name: str, days: Iterable[date]) -> None:
        listed = ", ".join(f"PARTITION (day = DATE '{day}')" for day in days)
        if listed:
            self._run(f"ALTER TABLE {self.database}.{name} DROP IF EXISTS {listed}")

    def finish(self, mart: Mart, stamp: str) -> None:
        """Note that a mart is up to date with the source as of ``stamp``."""
        self._state["finished"][mart.name] = [mart.version, stamp]
        self._save()

    def reopen(self, name: str) -> None:
        """Note that a mart is being changed."""
        if self._state["finished"].pop(name, None) is not None:
            self._save()

    def drop(self, name: str) -> None:
        """Remove a mart."""
        self._state["finished"].pop(name, None)
        self._state["partitions"].pop(name, None)
        self._save()
        self._run(f"DROP TABLE IF EXISTS {self.database}.{name}")

    def _mark(self, mart: Mart, days: Mapping[date, tuple[str, Print]]) -> None:
        held = self._state["partitions"].setdefault(mart.name, {})
        for day, (inputs, content) in days.items():
            held[day.isoformat()] = [mart.version, inputs, content.n_rows, content.digest]
        self._save()

    def _save(self) -> None:
        draft = self._file.with_name(f"{self._file.name}.tmp")
        draft.write_text(json.dumps(self._state), encoding="utf-8")
        draft.replace(self._file)

    def _run(self, sql: str) -> list[Any]:
        from pyspark.errors import PySparkException

        try:
            return self._spark.sql(sql).collect()
        except PySparkException as error:
            raise BuildFailed(
                f"the marts of '{self._warehouse.name}' could not be built ({str(error).strip().splitlines()[0]}). Days"
                " that were finished are kept."
            ) from error

    def close(self) -> None:
        """Nothing is held: every step is on disk."""


def marts_database(warehouse: SparkWarehouse) -> str:
    """The Hive database of a source's marts."""
    return f"{warehouse.database}_marts"


def _state_file(warehouse: SparkWarehouse) -> Path:
    return warehouse.path / f"{marts_database(warehouse)}.state.json"


def read_state(warehouse: SparkWarehouse) -> dict[str, dict[str, Any]]:
    """What was built: ``partitions`` by mart and day, and ``finished`` marts."""
    file = _state_file(warehouse)
    if not file.exists():
        return {"partitions": {}, "finished": {}}
    return json.loads(file.read_text(encoding="utf-8"))
