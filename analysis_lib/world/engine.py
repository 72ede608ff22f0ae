"""A connection that knows the macro and the tables of numbers that the world's SQL stands on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from analysis_lib.world.draws import MACRO, TABLES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_NAMES = re.compile(r"getvariable\('(world_[0-9a-f]{16})'\)")


class Engine:
    """Runs the world's SQL.

    Tables of quantiles and of shares are long; they are handed over once, as variables, instead of being
    parsed in every statement.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        Open for writing.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._known: set[str] = set()
        connection.execute(MACRO)

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Execute a statement."""
        for name in set(_NAMES.findall(sql)) - self._known:
            self.connection.execute(f"SET VARIABLE {name} = {TABLES[name]}")
            self._known.add(name)
        return self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.run(sql).fetchall()

    def insert(self, table: str, frame: pd.DataFrame) -> None:
        """Add the rows of a small frame to a table, by the names of its columns."""
        self.connection.register("world_given", frame)
        self.connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM world_given")
        self.connection.unregister("world_given")
