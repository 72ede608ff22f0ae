"""Reading a single row so that the connection is free again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def first_row(cursor: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
    """The first row of a result, or None.

    ``fetchone`` leaves the result unfinished, and DuckDB then refuses the connection's next query;
    the statements read here return a row or two, so the rest is fetched and dropped.
    """
    rows = cursor.fetchall()
    return rows[0] if rows else None
