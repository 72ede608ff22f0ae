"""Runs of one's own: pages asked for by ``shopbook run`` and kept for the next build."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from analysis_lib.config import Project
from analysis_lib.publishing.cards import find_notebook
from analysis_lib.publishing.files import waiting_lock, write_whole
from analysis_lib.publishing.parameters import read_parameters
from analysis_lib.publishing.reports import (
    LOCAL_PART,
    Page,
    grid,
    identity,
    load_reports,
    local_path,
    page_title,
    title_template,
)
from analysis_lib.publishing.resolution import coerce_given, raise_all
from analysis_lib.publishing.schema import ReportsFile, read_yaml
from analysis_lib.publishing.slugs import slug
from analysis_lib.publishing.values import as_text


def ask_pages(
    project: Project, notebook: str, given: Mapping[str, Any], over: Mapping[str, list[Any]] | None = None
) -> list[Page]:
    """The pages that a command line asks for; those the book already has are taken from it.

    Parameters
    ----------
    project : Project
        The checkout.
    notebook : str
        Name of the notebook.
    given : Mapping[str, object]
        Parameters of every page.
    over : Mapping[str, list], optional
        Grid of further parameters, multiplied out.
    """
    path = find_notebook(project, notebook)
    declared = read_parameters(path)
    rows = [dict(given) | row for row in grid(over or {})]
    checked = [coerce_given(declared, row, notebook=path.stem) for row in rows]
    raise_all([problem for _, problems in checked for problem in problems])
    template = title_template(project, path.stem, declared)
    pages = []
    for row, (values, _) in zip(rows, checked, strict=True):
        own = {name: values[name] for name in row}
        title = page_title(template, path.stem, values, own)
        pages.append(Page(path.stem, own, title, LOCAL_PART, slug(path.stem, own), "the command line"))
    return _known_ones(project, pages)


def _known_ones(project: Project, pages: Sequence[Page]) -> list[Page]:
    in_book = [(identity(project, page), page) for page in load_reports(project).pages]
    chosen: dict[str, Page] = {}
    for page in pages:
        shown = identity(project, page)
        same = next((known for content, known in in_book if content == shown), None)
        wanted = same or _set_apart(page, shown[1], {known.slug.casefold(): content[1] for content, known in in_book})
        chosen.setdefault(wanted.slug, wanted)
    return list(chosen.values())


def _set_apart(page: Page, values: Mapping[str, Any], taken: Mapping[str, Mapping[str, Any]]) -> Page:
    """The page under a name of its own, where the book has another one under the same.

    A row of the book may set parameters that its name does not show; a run that leaves them at their
    defaults must not replace it. What differs is spelled out in parameters, name and title.
    """
    other = taken.get(page.slug.casefold())
    if other is None:
        return page
    differing = {name: value for name, value in values.items() if value != other.get(name)}
    parameters = page.parameters | differing
    words = ", ".join(f"{name.replace('_', ' ')} {as_text(value)}" for name, value in differing.items())
    return dataclasses.replace(
        page, parameters=parameters, slug=slug(page.notebook, parameters), title=f"{page.title} ({words})"
    )


def remember_pages(project: Project, pages: Sequence[Page]) -> list[Page]:
    """Add pages that the book does not have to ``.shopbook/reports.local.yml``; returns those added."""
    path = local_path(project)
    # Two commands that end together must not lose each other's pages between reading and writing.
    with waiting_lock(path):
        known = {page.slug.casefold() for page in load_reports(project).pages}
        new = [page for page in pages if page.slug.casefold() not in known]
        if new:
            reports = _entries(path) + [_entry(page) for page in new]
            content = {"parts": [{"title": LOCAL_PART, "reports": reports}]}
            write_whole(path, yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
    return new


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    parts = read_yaml(path, ReportsFile).parts
    return [entry.model_dump(by_alias=True, exclude_defaults=True) for part in parts for entry in part.reports]


def _entry(page: Page) -> dict[str, Any]:
    row = {
        name: [str(part) for part in value] if isinstance(value, list) else as_text(value)
        for name, value in page.parameters.items()
    }
    entry: dict[str, Any] = {"notebook": page.notebook}
    if row:
        # Braces in a finished title would be taken for parameters.
        entry |= {"title": page.title.replace("{", "{{").replace("}", "}}"), "rows": [row]}
    return entry
