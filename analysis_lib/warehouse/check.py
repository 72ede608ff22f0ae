"""Check a source against the table contract: one pass per table, in the engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import SourceError, nearest
from analysis_lib.warehouse.contract import Table
from analysis_lib.warehouse.rows import first_row
from analysis_lib.warehouse.rules import quoted, row_rules, type_matches

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse.connection import Warehouse


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a source breaks.

    Attributes
    ----------
    table, column : str
        Where; ``column`` is empty, or lists the key, when the finding is about whole rows.
    rule : str
        ``missing``, ``type``, ``empty``, ``key``, ``reference``, or a name from ``rules.Rule``.
    severity : str
        ``error`` when the table (if absent) or the column is required or part of the key, else ``warning``.
    count : int
        Rows that break it.
    message : str
        What is wrong, in words.
    example : dict | None
        Key and value of one such row. Holds ids of people: for the terminal, never for a page.
    """

    table: str
    column: str
    rule: str
    severity: str
    count: int
    message: str
    example: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TableReport:
    """What was found in one table.

    Attributes
    ----------
    table : str
        Name of the contract table.
    required, present : bool
        Whether every source must have it, whether this one does.
    n_rows : int
        Rows; 0 when absent.
    findings : list of Finding
        Broken rules; empty when all is well.
    """

    table: str
    required: bool
    present: bool
    n_rows: int
    findings: list[Finding]


@dataclass(frozen=True, slots=True, eq=False)
class CheckReport:
    """What was found in a source.

    Attributes
    ----------
    source : str
        Name of the source.
    rows : list of TableReport
        One per contract table.
    """

    source: str
    rows: list[TableReport]

    @property
    def findings(self) -> list[Finding]:
        """All findings, errors first."""
        found = [finding for row in self.rows for finding in row.findings]
        return sorted(found, key=lambda finding: finding.severity != "error")

    @property
    def ok(self) -> bool:
        """Whether no required rule is broken (warnings do not count)."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def text(self) -> str:
        """The outcome in a sentence."""
        present = sum(row.present for row in self.rows)
        errors = sum(finding.severity == "error" for finding in self.findings)
        warnings = len(self.findings) - errors
        return (
            f"{self.source} has {present} of {len(self.rows)} contract tables,"
            f" {sum(row.n_rows for row in self.rows):,} rows: "
            + (f"{errors} errors, {warnings} warnings." if self.findings else "no rule is broken.")
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per finding, and one per table without any.

        Columns: table, required, present, n_rows, column, rule, severity, n_broken, message, example.
        """
        import pandas as pd

        records = []
        for row in self.rows:
            base = {"table": row.table, "required": row.required, "present": row.present, "n_rows": row.n_rows}
            clean = Finding(row.table, "", "", "ok" if row.present else "absent", 0, "")
            for item in row.findings or [clean]:
                records.append(
                    base
                    | {"column": item.column, "rule": item.rule, "severity": item.severity}
                    | {"n_broken": item.count, "message": item.message, "example": item.example}
                )
        return pd.DataFrame(records)


def check(warehouse: Warehouse) -> CheckReport:
    """Hold a source against the contract.

    Returns
    -------
    CheckReport
        Present and absent tables and every broken rule, with its number of rows and an example.

    Raises
    ------
    SourceError
        The data cannot be read.
    """
    with _readable(warehouse):
        return CheckReport(warehouse.name, [_check_table(warehouse, table) for table in warehouse.contract.values()])


@contextlib.contextmanager
def _readable(warehouse: Warehouse) -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise SourceError(f"source '{warehouse.name}' cannot be read: {str(error).splitlines()[0]}") from error


def _check_table(warehouse: Warehouse, table: Table) -> TableReport:
    if not warehouse.has(table.table):
        return TableReport(table.table, table.required, False, 0, _absent(warehouse, table))
    n_rows, findings = _one_pass(warehouse, table)
    findings = _shape(warehouse, table, n_rows) + findings + _orphans(warehouse, table)
    return TableReport(table.table, table.required, True, n_rows, findings)


def _absent(warehouse: Warehouse, table: Table) -> list[Finding]:
    if not table.required:
        return []
    guess = nearest(table.table, warehouse.other_tables())
    hint = f"; the source has '{guess}': rename it, or map it in a view" if guess else ""
    return [Finding(table.table, "", "missing", "error", 0, f"the table is missing{hint}")]


def _severity(table: Table, column: str) -> str:
    declared = table.column(column)
    return "error" if column in table.key or (declared is not None and declared.required) else "warning"


def _shape(warehouse: Warehouse, table: Table, n_rows: int) -> list[Finding]:
    """Missing columns, wrong types, and a required table without rows."""
    present, name = warehouse.columns(table.table), table.table
    found = []
    if table.required and not n_rows:
        found.append(Finding(name, "", "empty", "error", 0, "the table has no rows"))
    for column in table.columns:
        severity = _severity(table, column.name)
        if column.name not in present:
            if column.required:
                message = warehouse.explain_missing(name, column.name)
                found.append(Finding(name, column.name, "missing", severity, n_rows, message))
        elif not type_matches(column.type, present[column.name]):
            message = f"is {present[column.name]}, the contract says {column.type}"
            found.append(Finding(name, column.name, "type", severity, n_rows, message))
    return found


def _one_pass(warehouse: Warehouse, table: Table) -> tuple[int, list[Finding]]:
    """Rows of the table and what is wrong with them, counted in a single SELECT."""
    rules = row_rules(table, warehouse.columns(table.table))
    counts = ["count(*)", *(f"count(*) FILTER ({rule.broken})" for rule in rules)]
    has_key = warehouse.has(table.table, *table.key)
    if has_key:
        keys = ", ".join(quoted(name) for name in table.key)
        whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in table.key)
        # Distinct hashes need a fraction of the memory of distinct keys; two keys of 20 million rows share
        # one by accident once in 100,000 checks, and duplicates found are looked up by key below.
        counts.append(f"count(*) FILTER ({whole}) - count(DISTINCT hash({keys})) FILTER ({whole})")
    values = first_row(warehouse.connection.execute(f"SELECT {', '.join(counts)} FROM {quoted(table.table)}"))
    findings = []
    for rule, count in zip(rules, values[1:], strict=False):
        if count:
            example = _example(warehouse, table, rule.column, f"WHERE {rule.broken}")
            severity = _severity(table, rule.column)
            findings.append(Finding(table.table, rule.column, rule.name, severity, count, rule.message, example))
    if has_key and values[-1]:
        findings.append(_duplicates(warehouse, table, values[-1]))
    return values[0], findings


def _duplicates(warehouse: Warehouse, table: Table, count: int) -> Finding:
    keys = ", ".join(quoted(name) for name in table.key)
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in table.key)
    sql = (
        f"SELECT {keys}, count(*) AS times FROM {quoted(table.table)} WHERE {whole}"
        f" GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
    )
    message = f"rows repeat a key that must be unique ({table.grain.rstrip('.').lower()})"
    return Finding(table.table, ", ".join(table.key), "key", "error", count, message, _first(warehouse, sql))


def _orphans(warehouse: Warehouse, table: Table) -> list[Finding]:
    """Values that the table they point into does not have, where both tables are there."""
    present, found = warehouse.columns(table.table), []
    for column in table.columns:
        if column.references is None or column.name not in present:
            continue
        parent, _, target = column.references.partition(".")
        if not warehouse.has(parent, target):
            continue
        name, wanted = quoted(column.name), f"SELECT {quoted(target)}::VARCHAR FROM {quoted(parent)}"
        # NOT EXISTS and not NOT IN: one null among the parents would hide every orphan.
        where = (
            f"WHERE {name} IS NOT NULL AND NOT EXISTS ("
            f"SELECT 1 FROM ({wanted}) AS parent(id) WHERE parent.id = child.{name}::VARCHAR)"
        )
        sql = f"SELECT count(*) FROM {quoted(table.table)} AS child {where}"
        count = first_row(warehouse.connection.execute(sql))[0]
        if count:
            severity, message = _severity(table, column.name), f"is not in {column.references}"
            example = _example(warehouse, table, column.name, where)
            found.append(Finding(table.table, column.name, "reference", severity, count, message, example))
    return found


def _example(warehouse: Warehouse, table: Table, column: str, where: str) -> dict[str, Any] | None:
    names = [name for name in dict.fromkeys([*table.key, column]) if warehouse.has(table.table, name)]
    shown = ", ".join(f"child.{quoted(name)}" for name in names)
    return _first(warehouse, f"SELECT {shown} FROM {quoted(table.table)} AS child {where} ORDER BY ALL LIMIT 1")


def _first(warehouse: Warehouse, sql: str) -> dict[str, Any] | None:
    cursor = warehouse.connection.execute(sql)
    names = [column[0] for column in cursor.description]
    row = first_row(cursor)
    return None if row is None else dict(zip(names, row, strict=True))
