"""Which notebook is run with which parameters: ``book/reports.yml`` and the runs of one's own."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis_lib.config import Project
from analysis_lib.errors import InvalidValue, ShopbookError, unknown
from analysis_lib.publishing.cards import find_notebook
from analysis_lib.publishing.parameters import Parameter, names, read_parameters
from analysis_lib.publishing.resolution import coerce_given, raise_all
from analysis_lib.publishing.schema import ReportEntry, ReportsFile, read_yaml
from analysis_lib.publishing.slugs import slug
from analysis_lib.publishing.values import as_text

#: Caption of pages that were added by ``shopbook run``.
LOCAL_PART = "Your runs"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the book: a notebook and the parameters given to it.

    Attributes
    ----------
    notebook : str
        Name of the notebook.
    parameters : dict[str, object]
        Given parameters, in their types; the others stay at their defaults.
    title : str
        Title in the sidebar, and on the page until the run reports a finding.
    part : str
        Caption of the part of the book.
    slug : str
        File name of the page.
    origin : str
        Where the page was asked for.
    """

    notebook: str
    parameters: dict[str, Any]
    title: str
    part: str
    slug: str
    origin: str = ""


@dataclass(frozen=True)
class Reports:
    """Every page that is run from a notebook, in the order of the book.

    Attributes
    ----------
    pages : tuple[Page, ...]
        Pages, those of ``reports.yml`` first.
    """

    pages: tuple[Page, ...]

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Captions in order."""
        return tuple(dict.fromkeys(page.part for page in self.pages))

    def page(self, slug: str) -> Page | None:
        """The page of a file name, or None."""
        return next((page for page in self.pages if page.slug == slug), None)


def reports_path(project: Project) -> Path:
    """The file that lists the book's reports."""
    return project.book / "reports.yml"


def local_path(project: Project) -> Path:
    """The file that collects the runs of one's own (git-ignored)."""
    return project.state / "reports.local.yml"


def load_reports(project: Project) -> Reports:
    """Every page of ``book/reports.yml``, then those added by ``shopbook run``.

    Raises
    ------
    InvalidValue
        A key, value or page is not allowed; says file, place and nearest.
    UnknownName
        A notebook or parameter does not exist.
    """
    shared = list(_pages_of(project, reports_path(project)))
    contents = [identity(project, page) for page in shared]
    _refuse_twins(shared, contents)
    taken = {page.slug.casefold() for page in shared}
    own = [page for page in _pages_of(project, local_path(project)) if page.slug.casefold() not in taken]
    added = [(page, content) for page in own if (content := identity(project, page)) not in contents]
    _refuse_twins([page for page, _ in added], [content for _, content in added])
    return Reports(tuple(shared + [page for page, _ in added]))


def identity(project: Project, page: Page) -> tuple[str, dict[str, Any]]:
    """What a page shows: its notebook and the value of every parameter."""
    declared = read_parameters(find_notebook(project, page.notebook))
    return page.notebook, {parameter.name: parameter.default for parameter in declared} | page.parameters


def _pages_of(project: Project, path: Path) -> Iterator[Page]:
    if not path.exists():
        return
    for at_part, part in enumerate(read_yaml(path, ReportsFile).parts):
        for at_report, entry in enumerate(part.reports):
            where = f"{path}: parts[{at_part}].reports[{at_report}]"
            yield from _expand(project, entry, part.title, where)


def _expand(project: Project, entry: ReportEntry, part: str, where: str) -> Iterator[Page]:
    try:
        declared = read_parameters(find_notebook(project, entry.notebook))
    except ShopbookError as error:
        raise type(error)(f"{where}.notebook: {error}") from error
    for place, row in _rows(entry):
        given = {**entry.constants, **row}
        values, problems = coerce_given(declared, given, notebook=entry.notebook)
        raise_all([type(problem)(f"{where}{place}: {problem}") for problem in problems])
        typed = {name: values[name] for name in given}
        own = {name: values[name] for name in row}
        title = page_title(entry.title, entry.notebook, values, own, f"{where}.title")
        yield Page(entry.notebook, typed, title, part, slug(entry.notebook, own), f"{where}{place}")


def _rows(entry: ReportEntry) -> list[tuple[str, dict[str, Any]]]:
    """Explicit rows and the multiplied grid; an entry with neither is one page on its defaults."""
    rows: list[tuple[str, dict[str, Any]]] = [(f".rows[{at}]", dict(row)) for at, row in enumerate(entry.rows)]
    if entry.over:
        rows += [(f".over{list(row.values())}", row) for row in grid(entry.over)]
    return rows or [("", {})]


def grid(over: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Every combination of the values.

    Examples
    --------
    >>> grid({"country": ["ID", "TH"], "weeks": [6]})
    [{'country': 'ID', 'weeks': 6}, {'country': 'TH', 'weeks': 6}]
    """
    return [dict(zip(over, combination, strict=True)) for combination in itertools.product(*over.values())]


def page_title(
    template: str, notebook: str, values: Mapping[str, Any], own: Mapping[str, Any], where: str = "title"
) -> str:
    """The title of a page: the template filled in, or the notebook's name with the row's parameters.

    Examples
    --------
    >>> page_title("", "campaign_review", {"campaign": "18"}, {"campaign": "18"})
    'Campaign review: campaign 18'
    """
    if not template:
        row = ", ".join(f"{name.replace('_', ' ')} {as_text(value)}" for name, value in own.items())
        plain = notebook.replace("_", " ").capitalize()
        return f"{plain}: {row}" if row else plain
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
    except ValueError as error:
        raise InvalidValue(f"{where}: '{template}' cannot be filled in: {error}") from error
    for field in fields:
        if field not in values:
            raise unknown("parameter", field, list(values), f"notebook '{notebook}' ({where})")
    return template.format(**{name: as_text(value) for name, value in values.items()})


def _refuse_twins(pages: list[Page], contents: list[tuple[str, dict[str, Any]]]) -> None:
    for (first, shown), (second, other) in itertools.combinations(zip(pages, contents, strict=True), 2):
        # Some file systems do not tell upper from lower case.
        if first.slug.casefold() == second.slug.casefold() or shown == other:
            raise InvalidValue(
                f"two rows give the same page '{first.slug}': {first.origin} and {second.origin}. "
                "Remove one, or give them a parameter in rows: or over: that differs"
            )


def title_template(project: Project, notebook: str, declared: tuple[Parameter, ...]) -> str:
    """The title that ``reports.yml`` gives this notebook's pages, for runs of one's own."""
    path = reports_path(project)
    entries = read_yaml(path, ReportsFile).parts if path.exists() else []
    for entry in (entry for part in entries for entry in part.reports if entry.notebook == notebook):
        fields = {field for _, field, _, _ in string.Formatter().parse(entry.title) if field}
        if fields <= set(names(declared)):
            return entry.title
    return ""
