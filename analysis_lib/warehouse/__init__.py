"""Connect to a source by name, hand out contract tables as Ibis expressions, check a source against the contract."""

from analysis_lib.warehouse.build import build, build_file, is_current
from analysis_lib.warehouse.check import CheckReport, Finding, TableReport, check
from analysis_lib.warehouse.connection import Warehouse, connect
from analysis_lib.warehouse.contract import Column, Table, load_contract
from analysis_lib.warehouse.sources import Source, find_source, list_sources, load_sources

__all__ = [
    "CheckReport",
    "Column",
    "Finding",
    "Source",
    "Table",
    "TableReport",
    "Warehouse",
    "build",
    "build_file",
    "check",
    "connect",
    "find_source",
    "is_current",
    "list_sources",
    "load_contract",
    "load_sources",
]
