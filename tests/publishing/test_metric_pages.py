"""A page per metric, from the catalog; made anew only when something changed."""

from __future__ import annotations

import re
import shutil

import pandas as pd
import pytest

from analysis_lib import config, metrics
from analysis_lib.publishing import metric_texts as texts_module
from analysis_lib.publishing.metric_pages import metric_pages
from analysis_lib.publishing.metric_texts import LIST, metric_texts, uses_of
from analysis_lib.publishing.metrics_page import metrics_list
from analysis_lib.publishing.reports import Page, load_reports

CATALOG = metrics.catalog()


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the metrics and the notebooks of the book, and nothing built."""
    project = config.Project(tmp_path)
    shutil.copytree(config.project().data, project.data, ignore=shutil.ignore_patterns("built", "grades"))
    shutil.copytree(config.project().notebooks, project.notebooks)
    return project


def test_every_metric_has_a_page_with_all_sections():
    pages = metric_pages(CATALOG, {})
    assert list(pages) == CATALOG.registry.names
    for name, page in pages.items():
        titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
        assert len([t for t in titles if t]) == 6 and page.startswith("# "), name
        assert "DuckDB" in page and "Spark" in page and "SELECT" in page


def test_links_between_pages_lead_to_metrics():
    pages = metric_pages(CATALOG, {})
    linked = {name for page in pages.values() for name in re.findall(r"\]\((\w+)\.md\)", page)}
    assert linked <= set(pages) and len(linked) > 60


def test_the_list_links_to_every_page():
    listed = metrics_list(CATALOG)
    assert all(f'href="metrics/{name}.html"' in listed for name in CATALOG.entries)
    assert all(area.title in listed for area in CATALOG.registry.areas.values())


def test_the_page_of_gmv_says_how_it_stands():
    months = pd.to_datetime(["2026-08-01", "2026-09-01"] * 2)
    values = pd.DataFrame({"country": [None, None, "ID", "ID"], "period_start": months, "value": [1e5, 2e5, 4e4, 5e4],
                           "is_immature": [False, True, False, True]})  # fmt: skip
    entry = CATALOG.entries["gmv"]
    from dataclasses import replace

    shown = replace(CATALOG, entries={"gmv": replace(entry, values=values)})
    page = metric_pages(shown, {"gmv": [("GMV in September", "reports/x")]})["gmv"]
    assert "$200.00 k" in page and "Sep 2026, not final" in page and "$50.00 k" in page
    assert "[GMV in September](../reports/x)" in page
    assert "Visitors × Buyers per visitor × Orders per buyer × Average order value" in page


def test_hostile_titles_stay_text():
    from dataclasses import replace

    entry = CATALOG.entries["gmv"]
    evil = entry.metric.model_copy(update={"title": "<script>x</script> [a](b)", "meaning": "<b>*m*</b>"})
    shown = replace(CATALOG, entries={"gmv": replace(entry, metric=evil)})
    page = metric_pages(shown, {"gmv": [("<img src=x>", "reports/x")]})["gmv"]
    assert "<script>" not in page and "<b>" not in page and "<img" not in page


def test_reports_about_a_metric_are_known():
    project = config.project()
    uses = uses_of(project, load_reports(project).pages)
    assert any(address.startswith("reports/metric-change") for _, address in uses["visit_conversion"])
    page = Page("metric_change", {}, "On its defaults", "Part", "metric-change")
    assert uses_of(project, [page]) == {"gmv": [("On its defaults", "reports/metric-change")]}


def test_texts_are_made_once_per_state_of_things(checkout, monkeypatch):
    made = []
    monkeypatch.setattr(texts_module, "catalog_of", lambda project: made.append(project) or CATALOG)
    first, second = (metric_texts(checkout, []) for _ in range(2))
    assert first == second and len(made) == 1 and LIST in first
    path = checkout.data / "metrics.yml"
    path.write_text(path.read_text() + "\n# changed\n")
    metric_texts(checkout, [])
    assert len(made) == 2 and (checkout.state / "texts" / "metrics.json").is_file()


def test_a_checkout_without_data_has_a_catalog_without_values(checkout):
    pages = metric_texts(checkout, [])
    assert "no data" in pages["gmv"] and "There are no data here." in pages["gmv"]
