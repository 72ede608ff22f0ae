"""Check the marts of a source: keys, columns, what joins may have lost or doubled, money to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from analysis_lib.errors import ContractError, SourceError
from analysis_lib.pipelines.access import lacking, why_not
from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.expressions import count_where
from analysis_lib.pipelines.inputs import TYPES
from analysis_lib.pipelines.reconcile import Ledger, reconcile
from analysis_lib.pipelines.registry import MARTS
from analysis_lib.pipelines.stores import attached_mart, read_finished
from analysis_lib.warehouse import CheckReport, Finding, TableReport

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class MartCheck(CheckReport):
    """What was found in the marts of a source.

    Attributes
    ----------
    source : str
        Name of the source.
    rows : list of TableReport
        One per mart: whether it is built, its rows, and its findings. Errors are numbers that would be wrong; warnings
        count rows that the marts flag.
    """

    @property
    def is_built(self) -> bool:
        """Whether any mart is there."""
        return any(row.present for row in self.rows)

    @property
    def text(self) -> str:
        """The outcome in a sentence."""
        present = [row for row in self.rows if row.present]
        errors = sum(finding.severity == "error" for finding in self.findings)
        warnings = len(self.findings) - errors
        outcome = f"{errors} errors, {warnings} warnings." if self.findings else "nothing is wrong."
        rows = sum(row.n_rows for row in present)
        return f"{self.source} has {len(present)} of {len(self.rows)} marts, {rows:,} rows: {outcome}"

    def to_frame(self) -> pd.DataFrame:
        """One row per finding: mart, column, rule, severity, n_broken, message."""
        import pandas as pd

        names = ["mart", "column", "rule", "severity", "n_broken", "message"]
        found = [
            [item.table, item.column, item.rule, item.severity, item.count, item.message] for item in self.findings
        ]
        return pd.DataFrame(found, columns=names)


def check(warehouse: Warehouse) -> MartCheck:
    """Hold the marts of a source against their declarations and against the raw tables.

    Returns
    -------
    MartCheck
        A mart that is not built is reported as absent, one that is out of date as an error.

    Raises
    ------
    SourceError
        A build is writing to the marts.
    """
    built = read_finished(warehouse)
    usable = {mart.name: mart for mart in MARTS.values() if mart.name in built and why_not(warehouse, mart) is None}
    tables = {name: attached_mart(warehouse, name) for name in usable}
    ledger = Ledger(warehouse, tables)
    return MartCheck(
        warehouse.name, [_report(warehouse, mart, mart.name in built, tables, ledger) for mart in MARTS.values()]
    )


def _report(
    warehouse: Warehouse, mart: Mart, built: bool, tables: dict[str, ibis.Table], ledger: Ledger
) -> TableReport:
    if mart.name not in tables:
        problem = why_not(warehouse, mart)
        stale = built and isinstance(problem, SourceError | ContractError)
        message = str(problem).rstrip(".")
        found = [Finding(mart.name, "", "stale", "error", 0, message)] if stale and not lacking(warehouse, mart) else []
        return TableReport(mart.name, False, False, 0, found)
    table = tables[mart.name]
    findings = _shape(mart, table)
    if findings:
        return TableReport(mart.name, False, True, 0, findings)
    n_rows, flagged = _one_pass(warehouse, mart, table)
    findings = [*_repeated(warehouse, mart, table), *reconcile(mart.name, ledger), *flagged]
    return TableReport(mart.name, False, True, n_rows, findings)


def _shape(mart: Mart, table: ibis.Table) -> list[Finding]:
    schema, found = table.schema(), []
    for column in mart.columns:
        if column.name not in schema:
            found.append(Finding(mart.name, column.name, "missing", "error", 0, "the declared column is missing"))
            continue
        held, declared = schema[column.name], ibis.dtype(TYPES[column.type])
        if type(held) is not type(declared):
            message = f"is {held}, declared is {declared}"
            found.append(Finding(mart.name, column.name, "type", "error", 0, message))
    return found


def _one_pass(warehouse: Warehouse, mart: Mart, table: ibis.Table) -> tuple[int, list[Finding]]:
    """Rows, empty required values and flagged rows, counted together."""
    required = [column.name for column in mart.columns if column.required]
    counts: dict[str, Any] = {"n": table.count()}
    counts |= {f"null_{name}": count_where(table[name].isnull()) for name in required}
    counts |= {f"flag_{name}": count_where(table[name]) for name in mart.flags}
    row = warehouse.query(table.agg(**counts)).iloc[0]
    found = [
        Finding(mart.name, name, "null", "error", int(row[f"null_{name}"]), "is empty where it must not be")
        for name in required
        if row[f"null_{name}"]
    ]
    for name in mart.flags:
        if row[f"flag_{name}"]:
            message = str(mart.column(name).meaning)  # type: ignore[union-attr]
            found.append(Finding(mart.name, name, "flagged", "warning", int(row[f"flag_{name}"]), message))
    return int(row["n"]), found


def _repeated(warehouse: Warehouse, mart: Mart, table: ibis.Table) -> list[Finding]:
    keys = table.group_by(list(mart.keys)).agg(n=lambda row: row.count())
    several = keys.filter(keys.n > 1)
    count = warehouse.query(several.agg(extra=(several.n - 1).sum())).iloc[0, 0]
    if count is None or count != count or not int(count):
        return []
    message = f"rows repeat a key that must be unique ({mart.grain.rstrip('.').lower()})"
    return [Finding(mart.name, ", ".join(mart.keys), "key", "error", int(count), message)]
