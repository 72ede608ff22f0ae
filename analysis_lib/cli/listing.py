"""``shopbook list``: the notebooks and what they take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis_lib.publishing.cards import NotebookCard
    from analysis_lib.publishing.parameters import Parameter


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("list", epilog="\b\nExamples:\n  shopbook list\n  shopbook list --json")(list_notebooks)


def list_notebooks(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the notebooks and their parameters."""
    from analysis_lib.config import project
    from analysis_lib.publishing.cards import catalog

    cards = catalog(project())
    if as_json:
        typer.echo(json.dumps([card.to_dict() for card in cards], indent=2, ensure_ascii=False))
        return
    if not cards:
        typer.echo(f"No notebooks in {project().notebooks}. Start one: shopbook new notebook NAME")
    typer.echo("\n\n".join(_describe(card) for card in cards))


def _describe(card: NotebookCard) -> str:
    rows = [(f"{p.name}: {p.type} = {p.default!r}", p.meaning + _limits(p)) for p in card.parameters]
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join([f"{card.name}  {card.title}", *(f"    {left:<{width}}  {right}" for left, right in rows)])


def _limits(parameter: Parameter) -> str:
    if parameter.choices:
        return f" (one of {', '.join(map(str, parameter.choices))})"
    if parameter.low is not None or parameter.high is not None:
        low, high = ("…" if bound is None else bound for bound in (parameter.low, parameter.high))
        return f" ({low} to {high})"
    return f" (a value of {parameter.column})" if parameter.column else ""
