"""Tables of a source that is mapped in the engine, one statement after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from analysis_lib.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb


def filled(
    connection: duckdb.DuckDBPyConnection, stages: Mapping[str, str], stats: str, progress: Callable[[str], None]
) -> dict[str, float]:
    """Run the statements in their order, and say what came of it.

    Parameters
    ----------
    stages : mapping of str to str
        Statement of each table, by its name.
    stats : str
        Query of one row.
    progress : callable
        Called with the name of each table before it is made.

    Returns
    -------
    dict of str to float
        Columns of that row.
    """
    for name, statement in stages.items():
        progress(name)
        connection.execute(statement)
    cursor = connection.execute(stats)
    names = [column[0] for column in cursor.description]
    return dict(zip(names, first_row(cursor), strict=True))
