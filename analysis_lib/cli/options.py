"""Options that ``run`` and ``build`` share, and what both print at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from analysis_lib import config
from analysis_lib.errors import InvalidValue

if TYPE_CHECKING:
    from analysis_lib.publishing.records import RunRecord

Force = Annotated[bool, typer.Option("--force", help="Run also what has not changed.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Pages run side by side; default: one per core.")]
PlainKernel = Annotated[bool, typer.Option("--plain-kernel", help="Start ordinary kernels instead of warm ones.")]
CellTimeout = Annotated[float, typer.Option("--cell-timeout", min=1, help="Seconds a cell may take.")]

CELL_TIMEOUT: float = config.CELL_TIMEOUT_S


def split_pairs(pairs: Iterable[str], option: str) -> dict[str, str]:
    """``name=value`` texts as a mapping.

    Examples
    --------
    >>> split_pairs(["campaign=18", "note=a=b"], "-p")
    {'campaign': '18', 'note': 'a=b'}
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise InvalidValue(f"{option} {pair}: expected name=value, for example {option} campaign=18")
        if name.strip() in found:
            raise InvalidValue(f"{option} {pair}: '{name.strip()}' is given twice")
        found[name.strip()] = value
    return found


def finish(records: Iterable[RunRecord]) -> None:
    """Tell of failed runs and leave with exit code 1 if there are any."""
    from analysis_lib.publishing.runner import failures

    lines = failures(records)
    if lines:
        typer.echo("\n".join(["", *lines]), err=True)
        raise typer.Exit(1)
