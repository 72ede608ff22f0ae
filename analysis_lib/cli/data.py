"""``shopbook data``: list, build and check the sources."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis_lib.cli.marts import (
    as_dict,
    build_marts,
    check_marts,
    export_to_spark,
    require_copy_on_spark,
    with_something_to_build,
)

if TYPE_CHECKING:
    from analysis_lib.pipelines import MartCheck
    from analysis_lib.warehouse import CheckReport

app = typer.Typer(
    name="data",
    help="List, build and check the sources of data/sources.yml.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
Engine = Annotated[str, typer.Option(help="duckdb; or spark: copy to Hive tables, and build the marts there.")]


@app.command("list", epilog="Example: shopbook data list --json")
def list_command(as_json: AsJson = False) -> None:
    """Show every source, where it is and whether it is built."""
    from analysis_lib import warehouse

    rows = warehouse.list_sources()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    shown = [[row["name"], row["kind"], row["where"], _state(row), row["title"]] for row in rows]
    _print_table(["name", "kind", "where", "state", "title"], shown)


@app.command("build", epilog="Examples: shopbook data build | shopbook data build complete_journey --if-needed")
def build_command(
    names: Annotated[list[str] | None, typer.Argument(help="Sources to build; all that can be built if none.")] = None,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Skip what is there and made by the builder of today.")
    ] = False,
    marts: Annotated[bool, typer.Option("--marts/--no-marts", help="Also bring the marts up to date.")] = True,
    engine: Engine = "duckdb",
) -> None:
    """Make the file of a source, all of it or nothing, then its marts: of those only the days that changed."""
    from analysis_lib import warehouse

    sources = warehouse.load_sources()
    buildable = with_something_to_build(sources, engine)
    chosen = names or buildable
    # All names are looked at before anything starts: the second may be misspelt.
    for name in chosen:
        warehouse.find_source(name)
        if engine == "spark":
            require_copy_on_spark(name)
    for name in chosen:
        # A source without a builder is made elsewhere: only its marts are ours to build.
        if sources[name].builder or not marts:
            _build(name, if_needed)
        home = export_to_spark(name) if engine == "spark" else name
        if marts:
            build_marts(home)


@app.command("check", epilog="Examples: shopbook data check complete_journey | shopbook data check exports/ --json")
def check_command(
    source: Annotated[str, typer.Argument(help="A source by name, or a DuckDB file, or a folder of Parquet files.")],
    as_json: AsJson = False,
) -> None:
    """Hold a source against the table contract, and its marts against it; exit code 1 if a required rule is broken."""
    from analysis_lib import warehouse

    with warehouse.connect(source) as opened:
        report, marts = warehouse.check(opened), check_marts(opened)
    if as_json:
        told = _as_dict(report) | ({"marts": as_dict(marts)} if marts else {})
        typer.echo(json.dumps(told, indent=2, default=str))
    else:
        _show(report, "table")
        if marts:
            _show(marts, "mart")
    if not report.ok or not (marts is None or marts.ok):
        raise typer.Exit(1)


def _build(name: str, if_needed: bool) -> None:
    from analysis_lib import warehouse

    if if_needed and warehouse.is_current(name):
        typer.echo(f"{name} is up to date.")
        return
    started = time.monotonic()
    console = Console(stderr=True)
    with console.status(f"building {escape(name)}") as status:
        path = warehouse.build(name, progress=lambda table: status.update(f"building {escape(name)}: {escape(table)}"))
    seconds, size = time.monotonic() - started, path.stat().st_size / 1e6
    typer.echo(f"{name} built in {seconds:.0f} s, {size:,.0f} MB.")
    with warehouse.connect(name) as opened:
        for fact, value in opened.build_info.get("stats", {}).items():
            typer.echo(f"  {fact.replace('_', ' ')}: {value:,}")


def _state(row: dict[str, Any]) -> str:
    if row["built"]:
        return f"{row['size_bytes'] / 1e6:,.0f} MB"
    return "not built" if row["builder"] else "missing"


def _show(report: CheckReport | MartCheck, kind: str) -> None:
    tables = [
        [row.table, f"{row.n_rows:,}" if row.present else "absent", _verdict(row.findings)] for row in report.rows
    ]
    _print_table([kind, "rows", "verdict"], tables)
    if report.findings:
        header = ["severity", kind, "column", "rule", "rows broken", "what is wrong", "example"]
        _print_table(header, [_finding_row(item) for item in report.findings])
    typer.echo(report.text)


def _verdict(findings: list[Any]) -> str:
    errors = sum(item.severity == "error" for item in findings)
    warnings = len(findings) - errors
    words = [f"{number} {word}" for number, word in ((errors, "errors"), (warnings, "warnings")) if number]
    return ", ".join(words) or "ok"


def _finding_row(item: Any) -> list[str]:
    example = ", ".join(f"{name}={value}" for name, value in (item.example or {}).items())
    return [item.severity, item.table, item.column, item.rule, f"{item.count:,}", item.message, example]


def _as_dict(report: CheckReport) -> dict[str, Any]:
    from dataclasses import asdict

    return {"source": report.source, "ok": report.ok, "tables": [asdict(row) for row in report.rows]}


def _print_table(header: list[str], rows: list[list[str]]) -> None:
    """A table; without a terminal, aligned text that is never wrapped or cut."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=10_000, color_system=None)
    table = Table(box=None if not console.is_terminal else Table().box, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)
