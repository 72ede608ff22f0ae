"""Written chapters whose lists are made from what is there: data, the simulated world, lineage."""

from __future__ import annotations

from analysis_lib.config import Project
from analysis_lib.publishing.cache import notebook_digest
from analysis_lib.publishing.cards import notebook_paths
from analysis_lib.publishing.cells import first_heading, load_notebook
from analysis_lib.publishing.data_page import data_page
from analysis_lib.publishing.kept import kept_texts
from analysis_lib.publishing.lineage_page import lineage_page
from analysis_lib.publishing.trust_page import trust_page
from analysis_lib.publishing.world_page import world_counts, world_page

#: Shown where a source that a chapter draws has not been built.
NOT_BUILT = "*Not built here: run* `shopbook data build world`."

#: Source of the chapter about the simulated marketplace.
WORLD = "world"


#: Beginnings of the marks that are filled in here.
MARKS = ("<!-- sources", "<!-- contract", "<!-- world-", "<!-- lineage-", "<!-- grades")


def filled_chapter(project: Project, chapter: str, text: str) -> str:
    """A chapter with its marks filled in; one without marks is returned as it is."""
    if not any(mark in text for mark in MARKS):
        return text
    made_from = [text, [notebook_digest(path) for path in notebook_paths(project)]]
    return kept_texts(project, f"chapter-{chapter}", made_from, lambda: {chapter: _filled(project, text)})[chapter]


def _filled(project: Project, text: str) -> str:
    if "<!-- sources -->" in text or "<!-- contract -->" in text:
        text = _data(project, text)
    if "<!-- world-" in text:
        text = _world(project, text)
    if "<!-- lineage-" in text:
        text = _lineage(project, text)
    if "<!-- grades" in text:
        text = _grades(project, text)
    return text


def _data(project: Project, text: str) -> str:
    from analysis_lib.warehouse import connect, list_sources, load_contract, load_sources

    present: dict[str, set[str]] = {}
    for entry in list_sources(project):
        # Opening a source on Spark starts an engine: too much for a list of tables.
        if entry["built"] and entry["kind"] != "spark":
            with connect(entry["name"], project=project) as warehouse:
                present[entry["name"]] = set(warehouse.tables())
    return data_page(text, load_sources(project), load_contract(project), present)


def _world(project: Project, text: str) -> str:
    from analysis_lib.publishing.world_figure import sales_by_week, sales_exhibit
    from analysis_lib.reporting import figure_html
    from analysis_lib.warehouse import connect, list_sources
    from analysis_lib.world import load_settings

    settings, counts, figure = load_settings(project=project), NOT_BUILT, NOT_BUILT
    if any(entry["name"] == WORLD and entry["built"] for entry in list_sources(project)):
        with connect(WORLD, project=project) as warehouse:
            counts = world_counts(warehouse)
            order = [market.country for market in settings.markets]
            figure = figure_html(sales_exhibit(sales_by_week(warehouse), order))
    return world_page(text, settings, counts, figure)


def _grades(project: Project, text: str) -> str:
    from analysis_lib.calibration import load_grades

    return trust_page(text, load_grades(project=project))


def _lineage(project: Project, text: str) -> str:
    from analysis_lib.metrics import load_metrics
    from analysis_lib.pipelines import lineage

    notebooks = [(first_heading(load_notebook(path)) or path.stem, path) for path in notebook_paths(project)]
    return lineage_page(text, lineage(), notebooks, load_metrics(project))
