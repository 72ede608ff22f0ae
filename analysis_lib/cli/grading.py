"""``shopbook grade``: run methods where the truth is known, and keep how they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis_lib.calibration import Grade

_EXAMPLES = (
    "\b\nExamples:\n  shopbook grade\n  shopbook grade metrics.explain\n"
    "  shopbook grade campaigns.review --worlds 2 --no-save"
)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("grade", epilog=_EXAMPLES)(grade)


def grade(
    names: Annotated[list[str] | None, typer.Argument(help="Methods; all of them if none is named.")] = None,
    worlds: Annotated[int | None, typer.Option("--worlds", help="Worlds, or partitions of users.")] = None,
    draws: Annotated[int | None, typer.Option("--draws", help="Draws in each.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the first world.")] = 1,
    save: Annotated[bool, typer.Option("--save/--no-save", help="Keep the grades in data/grades/.")] = True,
) -> None:
    """Grade methods: bias, coverage, false alarms, power, each with its Monte Carlo error. Takes minutes to hours."""
    from rich.console import Console
    from rich.markup import escape

    from analysis_lib import calibration
    from analysis_lib.errors import unknown

    chosen = names or list(calibration.GRADERS)
    for name in chosen:
        if name not in calibration.GRADERS:
            raise unknown("method", name, calibration.GRADERS, "the graded methods")
    console = Console(stderr=True)
    for name in chosen:
        with console.status(escape(name)) as status:
            found = calibration.grade(
                name, worlds=worlds, draws=draws, seed=seed,
                progress=lambda step, name=name: status.update(f"{escape(name)}: {escape(step)}"),
            )  # fmt: skip
        _print(found)
        if save:
            typer.echo(f"Kept in {calibration.save_grade(found)}.")


def _print(found: Grade) -> None:
    """The wanted grades as a table, and the sentence."""
    from rich.console import Console
    from rich.table import Table

    from analysis_lib.results import format_percent

    table = Table(title=f"{found.name}: {found.draws:,} estimates in {found.seconds:,.0f} s")
    for column in ("scenario", "quantity", "measure", "measured", "wanted", "verdict"):
        table.add_column(column)
    for row in found.verdicts().itertuples():
        measured = f"{format_percent(row.value)} ± {format_percent(row.mcse)}"
        table.add_row(row.scenario, row.quantity, row.measure.replace("_", " "), measured, row.wanted, row.verdict)
    Console().print(table)
    typer.echo(found.text)
