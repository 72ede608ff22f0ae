"""``shopbook build``: every run of the book, then the site."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis_lib.cli.options import CELL_TIMEOUT, CellTimeout, Force, Jobs, PlainKernel, finish

_EXAMPLES = """\b
Examples:
  shopbook build
  shopbook build --jobs 1 --force
  shopbook build --no-site"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("build", epilog=_EXAMPLES)(build)


def build(
    no_site: Annotated[bool, typer.Option("--no-site", help="Only the runs.")] = False,
    force: Force = False,
    jobs: Jobs = None,
    plain_kernel: PlainKernel = False,
    cell_timeout: CellTimeout = CELL_TIMEOUT,
) -> None:
    """Run what has changed, then build the site.

    The pages are those of book/reports.yml and those that shopbook run has added.
    """
    from analysis_lib import config
    from analysis_lib.publishing.progress import choose_progress
    from analysis_lib.publishing.reports import load_reports
    from analysis_lib.publishing.runner import run_pages

    project = config.project()
    pages = load_reports(project).pages
    records = run_pages(
        project,
        pages,
        jobs=jobs,
        force=force,
        progress=choose_progress(),
        plain_kernel=plain_kernel,
        cell_timeout=cell_timeout,
    )
    if not no_site:
        from analysis_lib.publishing.site import build_site

        # A failed page keeps its last good state on the site, marked as stale.
        build_site(project, pages, records)
        typer.echo(f"The site is in {project.site / 'index.html'}. Look at it: shopbook serve")
    finish(records)
