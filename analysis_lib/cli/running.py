"""``shopbook run``: one notebook, one page or a grid of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from analysis_lib.cli.options import CELL_TIMEOUT, CellTimeout, Force, Jobs, PlainKernel, finish, split_pairs
from analysis_lib.errors import InvalidValue

if TYPE_CHECKING:
    from analysis_lib.config import Project
    from analysis_lib.publishing.records import RunRecord

_EXAMPLES = """\b
Examples:
  shopbook run campaign_review
  shopbook run campaign_review -p campaign=18 -p metric=orders
  shopbook run campaign_review --over campaign=8,13,18 --jobs 2"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("run", epilog=_EXAMPLES)(run)


def run(
    notebook: Annotated[str, typer.Argument(help="Name of the notebook, as shopbook list shows it.")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="name=value", help="A parameter. Repeatable.")
    ] = None,
    over: Annotated[list[str] | None, typer.Option("--over", metavar="name=a,b,c", help="A grid. Repeatable.")] = None,
    force: Force = False,
    jobs: Jobs = None,
    plain_kernel: PlainKernel = False,
    no_book: Annotated[bool, typer.Option("--no-book", help="Do not add the page to the book.")] = False,
    cell_timeout: CellTimeout = CELL_TIMEOUT,
) -> None:
    """Run one notebook with parameters, unless nothing has changed."""
    from analysis_lib import config
    from analysis_lib.publishing.local import ask_pages, remember_pages
    from analysis_lib.publishing.progress import choose_progress
    from analysis_lib.publishing.runner import run_pages

    project = config.project()
    given, grid = _given(parameter or [], over or [])
    pages = ask_pages(project, notebook, given, grid)
    records = run_pages(
        project,
        pages,
        jobs=jobs,
        force=force,
        progress=choose_progress(),
        plain_kernel=plain_kernel,
        cell_timeout=cell_timeout,
    )
    if not no_book:
        done = {record.slug for record in records if record.ok}
        remember_pages(project, [page for page in pages if page.slug in done])
    for record in records:
        if record.ok:
            typer.echo(_result(project, record))
    finish(records)


def _given(pairs: list[str], over: list[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    given = split_pairs(pairs, "-p")
    grid = {
        name: [part.strip() for part in text.split(",") if part.strip()]
        for name, text in split_pairs(over, "--over").items()
    }
    for name, values in grid.items():
        if name in given:
            raise InvalidValue(f"'{name}' is given by -p and by --over; use one of them")
        if not values:
            raise InvalidValue(f"--over {name}=: expected values, for example --over {name}=a,b,c")
    return given, grid


def _result(project: Project, record: RunRecord) -> str:
    """The headline and where the page is."""
    import nbformat

    from analysis_lib.publishing.findings import read_finding
    from analysis_lib.publishing.records import run_folder

    path = run_folder(project, record.slug).page
    finding = read_finding(nbformat.read(path, as_version=4))
    title = (finding.title if finding else "") or record.title
    lines = [title, finding.headline if finding else "", str(path)]
    return "\n  ".join(line for line in lines if line)
