"""How much memory an engine may hold while one question is answered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analysis_lib.warehouse.rows import first_row

if TYPE_CHECKING:
    import ibis

Found = TypeVar("Found")

#: Bytes beside tables in memory. By default DuckDB takes 80 % of the machine: it keeps whatever it has read of a file,
#: and spills nothing before that is full. Sums need little of it: with less it reads blocks again, and spills what it
#: groups.
MOST = 1_000_000_000

_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def sparing(backend: ibis.BaseBackend, work: Callable[[], Found]) -> Found:
    """What ``work`` returns, while DuckDB holds no more than ``MOST`` bytes; any other engine is left to itself.

    Work that cannot be done in so little is done again as if nothing had been asked. The limit is one of the whole
    database, so that it also holds for what else runs on it meanwhile; afterwards it is what it was.

    Parameters
    ----------
    backend : ibis.BaseBackend
        What runs the expressions.
    work : callable
        Asks the engine; it may be called twice.
    """
    if backend.name != "duckdb":
        return work()
    import duckdb

    connection: Any = backend.con
    most = MOST + _in_tables(connection)
    if not _can_spill(connection) or _bytes(_limit(connection)) <= most:
        return work()
    try:
        with _limited(connection, most):
            return work()
    except duckdb.OutOfMemoryException:
        return work()


@contextmanager
def _limited(connection: Any, most: int) -> Iterator[None]:
    before = _limit(connection)
    connection.execute(f"SET memory_limit = '{most}B'")
    try:
        yield
    finally:
        connection.execute("RESET memory_limit")
        if _limit(connection) != before:
            # It is told cut off to one digit: without half of one more, each time would take some of it away.
            number, unit = before.split()
            connection.execute(f"SET memory_limit = '{float(number) + 0.05:.2f} {unit}'")


def _limit(connection: Any) -> str:
    """The limit in DuckDB's words: '18.7 GiB'."""
    return str(first_row(connection.execute("SELECT current_setting('memory_limit')"))[0])


def _bytes(told: str) -> float:
    number, unit = told.split()
    return float(number) * _UNITS[unit]


def _in_tables(connection: Any) -> int:
    """Bytes of tables that live in memory: a limit below them would write them to disk first."""
    found = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'")
    return int(first_row(found)[0] or 0)


def _can_spill(connection: Any) -> bool:
    """Whether there is a folder to spill to, or one can be made; that of a file lies beside it, maybe read only."""
    told = first_row(connection.execute("SELECT current_setting('temp_directory')"))[0]
    if not told:
        return False
    folder = Path(told)
    return os.access(folder if folder.exists() else folder.absolute().parent, os.W_OK | os.X_OK)
