"""What ``shopbook data`` does with the marts of a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape

from analysis_lib.errors import InvalidValue

if TYPE_CHECKING:
    from analysis_lib.pipelines import MartCheck
    from analysis_lib.warehouse import Source, Warehouse


def with_something_to_build(sources: dict[str, Source], engine: str) -> list[str]:
    """Names of the sources that can be built, or that are there and can have marts.

    Spark is started only for those who ask for it: on that engine, the sources that have a copy there.

    Raises
    ------
    InvalidValue
        There is no such engine.
    """
    if engine not in ("duckdb", "spark"):
        raise InvalidValue(f"engine '{engine}' is not known. Choose duckdb or spark.")
    if engine == "spark":
        return [source.exported_from for source in sources.values() if source.exported_from]
    here = {name: source for name, source in sources.items() if source.kind != "spark"}
    return [name for name, source in here.items() if source.builder or source.location().exists()]


def require_copy_on_spark(name: str) -> None:
    """Make sure that a source has a place on Spark, and that there is a Spark, before anything is built."""
    from analysis_lib.warehouse.export import spark_source_of
    from analysis_lib.warehouse.spark import require_spark

    spark_source_of(name)
    require_spark()


def export_to_spark(name: str) -> str:
    """Copy a source to Hive tables, and give the name of the source on Spark that holds them."""
    from analysis_lib.warehouse.export import export

    console = Console(stderr=True)
    with console.status(f"copying {escape(name)} to Spark") as status:
        target = export(name, progress=lambda table: status.update(f"copying {escape(name)} to Spark: {escape(table)}"))
    typer.echo(f"{name} is on Spark as {target.name}.")
    return target.name


def build_marts(name: str) -> None:
    """Bring the marts of a source up to date, and say what was done."""
    from analysis_lib import pipelines

    console = Console(stderr=True)
    with console.status(f"marts of {escape(name)}") as status:
        report = pipelines.build(name, progress=lambda step: status.update(f"marts of {escape(name)}: {escape(step)}"))
    typer.echo(f"marts of {report.text}")


def check_marts(opened: Warehouse) -> MartCheck | None:
    """What is wrong with the marts of a source; None if it has none."""
    from analysis_lib import pipelines

    report = pipelines.check(opened)
    return report if report.is_built or report.findings else None


def as_dict(report: MartCheck) -> dict[str, Any]:
    """A check of marts for programs."""
    from dataclasses import asdict

    return {"ok": report.ok, "marts": [asdict(row) for row in report.rows]}
