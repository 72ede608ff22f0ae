"""The chapter of grades shows what was missed as missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis_lib import calibration
from analysis_lib.publishing.trust_page import MARK, coverage_exhibit, trust_page

TEXT = f"# How far\n\n{MARK}\n"


@pytest.fixture
def grade(drawn_grade):
    return drawn_grade


def test_without_grades_it_says_how_to_make_them():
    assert "make grades" in trust_page(TEXT, {})


def test_a_missed_grade_is_shown_as_missed(grade):
    page = trust_page(TEXT, {"metrics.explain": grade})
    assert MARK not in page and "missed" in page and "## Why a metric changed: `metrics.explain`" in page
    assert "<figure" in page and "<details" in page


def test_changed_code_is_said(grade):
    assert "The code has changed since" not in trust_page(TEXT, {"x": grade})
    assert "The code has changed since" in trust_page(TEXT, {"x": replace(grade, code="0" * 16)})


def test_hostile_names_stay_text(grade):
    table = grade.table.assign(scenario="<script>x</script>", quantity="<b>q</b>")
    page = trust_page(TEXT, {"x": replace(grade, table=table, how="<i>how</i>")})
    assert "<script>" not in page and "<b>q" not in page and "<i>how" not in page


def test_the_title_counts_what_lies_in_the_band(grade):
    assert coverage_exhibit(grade).title.startswith("0 of 1 coverages lie between 93 % and 97 %")


def test_the_shipped_grades_are_shown():
    page = trust_page(TEXT, calibration.load_grades())
    assert all(f"`{name}`" in page for name in calibration.GRADERS)
