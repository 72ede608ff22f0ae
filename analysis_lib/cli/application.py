"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

import analysis_lib
from analysis_lib.cli import building, creating, data, grading, listing, running, serving

app = typer.Typer(
    name="shopbook",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="\b\nExamples:\n  shopbook list\n  shopbook run campaign_review -p campaign=18\n  shopbook build",
)
app.add_typer(data.app, name="data")
app.add_typer(creating.app, name="new")
listing.add_to(app)
running.add_to(app)
building.add_to(app)
serving.add_to(app)
grading.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shopbook {analysis_lib.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """The analysis book: run its notebooks, build its site."""
