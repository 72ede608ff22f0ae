"""Tables that live in the engine while one question is answered."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis

_NUMBERS = count()


class Scratch:
    """Small tables that are worked out once, and dropped at the end."""

    def __init__(self, table: ibis.Table) -> None:
        self._backend = table.get_backend()
        self._names: list[str] = []
        self._cached: list[ibis.Table] = []

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            self._backend.raw_sql(f'DROP TABLE "{name}"')
        for table in self._cached:
            table.release()

    def keep(self, table: ibis.Table) -> ibis.Table:
        """The same table, worked out now."""
        if self._backend.name != "duckdb":  # Spark has no temporary tables: it keeps what it has worked out
            self._cached.append(table.cache())
            return self._cached[-1]
        name = f"shopbook_scratch_{next(_NUMBERS)}"
        self._names.append(name)
        return self._backend.create_table(name, table, temp=True)
