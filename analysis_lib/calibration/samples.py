"""Samples of a source's users as sources of their own: the same question, asked of other people in the same days."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib import config
from analysis_lib.metrics import load_metrics
from analysis_lib.pipelines import MARTS
from analysis_lib.pipelines.duckdb_store import DuckDBStore
from analysis_lib.pipelines.store import source_stamp, store_path
from analysis_lib.warehouse import connect

if TYPE_CHECKING:
    import duckdb

    from analysis_lib.warehouse import Warehouse

#: A file of the metrics, the contract and the calendar is what a checkout needs to answer for metrics.
_NEEDED = ("contract", "metrics.yml", "calendar.yml", "sources.yml")

Window = tuple[date, date]


class Samples:
    """Users of a source, drawn in samples that have nobody in common.

    Parameters
    ----------
    warehouse : Warehouse
        With its marts built.
    marts : tuple of str
        Marts to be sampled; they know users.
    days : tuple of date
        First and last day that is kept.
    n : int
        Samples in a partition: each holds one user of so many.
    """

    def __init__(self, warehouse: Warehouse, marts: tuple[str, ...], days: Window, n: int) -> None:
        self._warehouse, self._marts, self._days, self.n = warehouse, marts, days, n
        self._folder = tempfile.TemporaryDirectory(prefix="shopbook-samples-")
        root = Path(self._folder.name)
        own = (warehouse.project or config.project()).data
        (root / "data").mkdir()
        for name in _NEEDED:
            (root / "data" / name).symlink_to(own / name)
        self._project, self._path = config.Project(root), root / "sample.duckdb"

    def __enter__(self) -> Samples:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @contextmanager
    def drawn(self, partition: int, number: int, *, swap: tuple[Window, Window] | None = None) -> Iterator[Warehouse]:
        """One sample, open.

        Parameters
        ----------
        partition : int
            Another partition draws other samples from the same users.
        number : int
            Sample in the partition, from 0.
        swap : tuple of windows, optional
            Two periods of one length that are exchanged for a random half of the users: nothing can have changed
            between them on average.
        """
        self._write(partition, number, swap)
        with connect(self._path, project=self._project) as found:
            yield found

    def _write(self, partition: int, number: int, swap: tuple[Window, Window] | None) -> None:
        import duckdb

        for path in (self._path, self._path.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)
        with duckdb.connect(str(self._path)) as connection:
            connection.execute(f"ATTACH '{self._warehouse.path}' AS whole (READ_ONLY)")
            connection.execute(f"ATTACH '{store_path(self._warehouse)}' AS made (READ_ONLY)")
            for table in self._warehouse.tables():
                rows = "" if table == "countries" else "LIMIT 0"
                connection.execute(f'CREATE TABLE "{table}" AS FROM whole.main."{table}" {rows}')
            for name in self._marts:
                self._sample(connection, name, partition, number, swap)
        with connect(self._path, project=self._project) as found:
            store_path(found).unlink(missing_ok=True)
            _fill(found, self._marts)

    def _sample(
        self, connection: duckdb.DuckDBPyConnection, name: str, partition: int, number: int, swap: object
    ) -> None:
        use = load_metrics(self._warehouse.project).marts[name].units["user"]
        key = f"coalesce({use.column}, {(*use.holds, *MARTS[name].keys)[0]})"
        # The last digits: the first ones are how an explanation puts users into groups.
        chosen = f"('0x' || right(md5({key} || 'draw {partition}'), 7))::BIGINT % {self.n} = {number}"
        first, last = self._days
        swapped = _swapped(key, partition, swap) if swap else "day"
        connection.execute(
            f'CREATE TABLE "_{name}" AS SELECT * REPLACE ({swapped} AS day) FROM made.main."{name}"'
            f" WHERE {chosen} AND day BETWEEN DATE '{first}' AND DATE '{last}'"
        )


def _swapped(key: str, partition: int, swap: object) -> str:
    """The day of a row, the two periods exchanged for half of the users."""
    (first, last), (start, end) = swap  # type: ignore[misc]
    shift = (start - first).days
    return (
        f"CASE WHEN right(md5({key} || 'swap {partition}'), 1) < '8' THEN day"
        f" WHEN day BETWEEN DATE '{first}' AND DATE '{last}' THEN (day + INTERVAL {shift} DAY)::DATE"
        f" WHEN day BETWEEN DATE '{start}' AND DATE '{end}' THEN (day - INTERVAL {shift} DAY)::DATE ELSE day END"
    )


def _fill(warehouse: Warehouse, marts: tuple[str, ...]) -> None:
    """The sampled rows as the marts of the sample."""
    store = DuckDBStore(warehouse)
    try:
        for name in marts:
            days = warehouse.connection.execute(f'SELECT DISTINCT day FROM "_{name}"').fetchall()
            store.create(MARTS[name])
            inputs = dict.fromkeys((row[0] for row in days), "sampled")
            store.replace(MARTS[name], inputs, f'FROM source.main."_{name}"', lambda _: None)
            store.finish(MARTS[name], source_stamp(warehouse))
    finally:
        store.close()
