"""``shopbook new``: start something from a template."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    name="new",
    help="Start something new from a template.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="\b\nExamples:\n  shopbook new notebook creator_reach",
)


@app.callback()
def new() -> None:
    """Start something new from a template."""


@app.command("notebook", epilog="\b\nExamples:\n  shopbook new notebook creator_reach")
def notebook(name: Annotated[str, typer.Argument(help="Lower-case words joined by underscores.")]) -> None:
    """Write notebooks/NAME.ipynb with the sections every page has."""
    from analysis_lib.config import project
    from analysis_lib.publishing.template import new_notebook

    path = new_notebook(project(), name)
    typer.echo(f"Wrote {path}. Run it: shopbook run {name}")
