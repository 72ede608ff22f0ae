"""Texts of the catalog's pages, made anew only when metrics, data or reports have changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analysis_lib.config import Project
from analysis_lib.publishing.cards import find_notebook
from analysis_lib.publishing.kept import kept_texts
from analysis_lib.publishing.metric_pages import metric_pages
from analysis_lib.publishing.metrics_page import metrics_list
from analysis_lib.publishing.parameters import read_parameters
from analysis_lib.publishing.reports import Page

if TYPE_CHECKING:
    from analysis_lib.metrics import Catalog

#: Source whose values the catalog shows.
SOURCE = "world"

#: Name of the list of all metrics among the texts; no metric can be called so.
LIST = "-list"


def metric_texts(project: Project, pages: Iterable[Page]) -> dict[str, str]:
    """The list of all metrics (``LIST``) and the page of each, by its name.

    Parameters
    ----------
    project : Project
        The checkout.
    pages : iterable of Page
        Reports that are on the site: those about a metric are named on its page.
    """
    uses = uses_of(project, pages)

    def make() -> dict[str, str]:
        catalog = catalog_of(project)
        return {LIST: metrics_list(catalog), **metric_pages(catalog, uses)}

    return kept_texts(project, "metrics", uses, make)


def uses_of(project: Project, pages: Iterable[Page]) -> dict[str, list[tuple[str, str]]]:
    """Reports by the metric that a parameter of theirs names: title and address."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page in pages:
        for parameter in read_parameters(find_notebook(project, page.notebook)):
            if not parameter.is_metric:
                continue
            value = page.parameters.get(parameter.name, parameter.default)
            for name in value if isinstance(value, list) else [value]:
                found.setdefault(name, []).append((page.title, f"reports/{page.slug}"))
    return found


def catalog_of(project: Project) -> Catalog:
    """The catalog of metrics, with values where the source that has them is built."""
    from analysis_lib.metrics import catalog
    from analysis_lib.warehouse import connect

    if _is_built(project):
        with connect(SOURCE, project=project) as warehouse:
            return catalog(warehouse)
    return catalog(project=project)


def _is_built(project: Project) -> bool:
    from analysis_lib.warehouse import list_sources

    return any(entry["name"] == SOURCE and entry["built"] for entry in list_sources(project))
