"""The chapter of grades shows what was missed as missed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from analysis_lib import calibration
from analysis_lib.publishing.trust_page import MARK, comparison_exhibit, coverage_exhibit, trust_page

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


def test_ways_that_were_compared_are_shown_the_best_first(grade):
    rows = [("for comparison", f"{case}: {way}", low - 0.01 * place) for place, case in enumerate("ab")
            for way, low in (("another", 0.80), ("as shipped", 0.96))]  # fmt: skip
    compared = grade.table.iloc[[0] * len(rows)].assign(
        scenario=[row[0] for row in rows], quantity=[row[1] for row in rows], coverage=[row[2] for row in rows]
    )
    shown = comparison_exhibit(replace(grade, table=compared))
    assert list(dict.fromkeys(shown.frame["scenario"])) == ["as shipped", "another"]
    assert shown.title.startswith("1 of 2 ways hold the truth in at least 93 % of every case")
    assert trust_page(TEXT, {"x": replace(grade, table=compared)}).count("<figure") == 2
    assert comparison_exhibit(grade) is None
    other = compared.assign(quantity=["one: a", "one: b", "two: a", "two: b"])
    assert comparison_exhibit(replace(grade, table=other)) is None


def test_the_shipped_grades_are_shown():
    page = trust_page(TEXT, calibration.load_grades())
    assert all(f"`{name}`" in page for name in calibration.GRADERS)


def test_what_was_not_measured_of_any_row_is_no_column(grade):
    table = grade.table.assign(scenario="judged", right=0.9, right_mcse=0.01)
    unmeasured = [name for name in table if name.removesuffix("_mcse") in ("rel_bias", "coverage", "width_ratio")]
    page = trust_page(TEXT, {"x": replace(grade, table=table.assign(**dict.fromkeys(unmeasured, float("nan"))))})
    heads = re.search(r'class="sb-grade".*?<tbody>', page, re.DOTALL)[0]
    assert "Right" in heads and "Refused" in heads
    assert not any(name in heads for name in ("Bias", "Holds the truth", "Width"))
