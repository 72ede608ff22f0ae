"""Chapters whose lists are made from what is there."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis_lib import campaigns, config, metrics, pipelines, world
from analysis_lib.publishing.chapters import filled_chapter
from analysis_lib.publishing.lineage_page import front_doors, lineage_page
from analysis_lib.publishing.world_figure import MARKED, sales_exhibit
from analysis_lib.publishing.world_page import world_page
from analysis_lib.warehouse import Warehouse

PROJECT = config.project()


def chapter(name: str) -> str:
    return (PROJECT.book / f"{name}.md").read_text(encoding="utf-8")


def test_the_world_page_names_every_plant_and_leaves_no_mark():
    settings = world.load_settings()
    page = world_page(chapter("world"), settings, "COUNTS", "FIGURE")
    assert "<!--" not in page
    assert "COUNTS" in page
    assert "FIGURE" in page
    groups = settings.campaigns, settings.experiments, settings.releases, settings.launches, settings.incidents
    for group in groups:
        for plant in group.values():
            assert plant.title in page


def test_the_world_page_keeps_the_sizes_to_itself():
    """Sizes that are unmistakable when set, so that none can stand in the page by accident."""
    sizes = {"visits": 0.298765, "cart": 0.187654, "pull": 0.076543, "switch": 0.065432}
    changed = {"campaigns": {"thailand_may_2026": sizes}, "incidents": {"strike_europe": {"size": 9.1827}}}
    changed |= {"launches": {"free_returns": {"effect": {"cart": sizes["cart"]}}}}
    page = world_page(chapter("world"), world.load_settings(changed), "", "")
    for size in [*sizes.values(), 9.1827]:
        digits = f"{size}".split(".")[1]
        assert digits not in page


def test_hostile_titles_are_escaped():
    changed = {"incidents": {"strike_europe": {"title": "<script>alert(1)</script>"}}}
    assert "<script>" not in world_page(chapter("world"), world.load_settings(changed), "", "")


def test_the_lineage_page_shows_every_edge():
    notebook = PROJECT.notebooks / "campaign_review.ipynb"
    lineage = pipelines.lineage()
    registry = metrics.load_metrics()
    page = lineage_page(chapter("lineage"), lineage, [("Did it pay?", notebook)], registry)
    assert "<!--" not in page
    dots = len(re.findall(r'role="img"', page))
    assert dots == len({(edge.source, edge.target) for edge in lineage.edges})
    assert all(f"<code>{mart}</code>" in page for mart in pipelines.MARTS)
    assert ", ".join(sorted(campaigns.READS)) in page
    assert all(f'href="metrics/{name}.html"' in page for name in registry.names)


def test_a_notebooks_front_doors_are_the_packages_it_imports():
    doors = {door.__name__ for door in front_doors(PROJECT.notebooks / "campaign_review.ipynb")}
    assert "analysis_lib.campaigns" in doors


def test_a_review_reads_what_it_says(complete_journey, monkeypatch):
    """The lineage page is true: tables are watched while a review runs."""
    read: set[str] = set()
    original = Warehouse.table

    def watched(self, name):
        read.add(name)
        return original(self, name)

    monkeypatch.setattr(Warehouse, "table", watched)
    campaigns.review(complete_journey, "18", weeks_before=16, weeks_after=1)
    assert read == set(campaigns.READS)


def test_a_chapter_without_marks_is_left_alone():
    assert filled_chapter(PROJECT, "how-to-read", "plain <!-- note --> text") == "plain <!-- note --> text"


@pytest.fixture
def sales() -> pd.DataFrame:
    """Two markets that sell 100 a week, and 250 in the weeks of 11.11."""
    weeks = pd.date_range("2024-11-04", "2026-10-19", freq="W-MON")
    festive = weeks.isin(pd.to_datetime(["2024-11-11", "2025-11-10"]))
    values = [250.0 if peak else 100.0 for peak in festive]
    return pd.concat(pd.DataFrame({"country": code, "week": weeks, "gmv_usd": values}) for code in ("ID", "SG"))


def test_the_figures_title_is_the_lift_of_the_festival(sales):
    exhibit = sales_exhibit(sales.reset_index(drop=True), ["ID", "SG"])
    assert f"The week of {MARKED['double_11']} sells 2.5 times" in exhibit.title
    assert list(exhibit.frame.columns) == ["week", "ID", "SG"]
