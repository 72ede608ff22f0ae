"""The store that fits a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import ibis

    from analysis_lib.pipelines.store import Store
    from analysis_lib.warehouse import Warehouse
    from analysis_lib.warehouse.spark import SparkWarehouse


def open_store(warehouse: Warehouse) -> Store:
    """The store of a source, open for writing.

    Raises
    ------
    SourceError
        It is in use by another process, or damaged.
    """
    if warehouse.engine == "spark":
        from analysis_lib.pipelines.spark_store import SparkStore

        return SparkStore(cast("SparkWarehouse", warehouse))
    from analysis_lib.pipelines.duckdb_store import DuckDBStore

    return DuckDBStore(warehouse)


def read_finished(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Marts of a source that were brought up to date: name to version and stamp; empty where nothing is built.

    Raises
    ------
    SourceError
        A build is writing to the store.
    """
    if warehouse.engine == "spark":
        from analysis_lib.pipelines.spark_store import read_state

        found = read_state(cast("SparkWarehouse", warehouse))["finished"]
        return {name: (version, stamp) for name, (version, stamp) in found.items()}
    from analysis_lib.pipelines import duckdb_files

    return duckdb_files.finished_of(warehouse)


def attached_mart(warehouse: Warehouse, name: str) -> ibis.Table:
    """A built mart, on the warehouse's own backend."""
    if warehouse.engine == "spark":
        from analysis_lib.pipelines.spark_store import marts_database

        return warehouse.backend.table(name, database=marts_database(cast("SparkWarehouse", warehouse)))
    from analysis_lib.pipelines.store import CATALOG

    return warehouse.backend.table(name, database=(CATALOG, "main"))
