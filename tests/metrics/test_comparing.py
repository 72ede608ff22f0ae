"""The earlier period is what a question of its own finds in it."""

from __future__ import annotations

from datetime import date

import pytest

from analysis_lib import metrics
from analysis_lib.errors import ShopbookError
from analysis_lib.metrics.comparing import months_earlier

NAMES = ["gmv", "orders", "buyers", "aov", "sessions", "visit_conversion", "week_one_retention"]


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        ("2026-03-15", 1, "2026-02-15"),
        ("2026-03-30", 1, "2026-02-28"),
        ("2026-02-28", 1, "2026-01-31"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2025-02-28", 12, "2024-02-29"),
        ("2026-01-01", 1, "2025-12-01"),
        ("2026-12-31", 14, "2025-10-31"),
    ],
)
def test_months_earlier(day, months, found):
    assert months_earlier(date.fromisoformat(day), months) == date.fromisoformat(found)


@pytest.mark.parametrize(
    ("now", "compare", "before"),
    [
        (("2026-03-01", "2026-03-31"), "previous_period", ("2026-02-01", "2026-02-28")),
        (("2026-02-01", "2026-02-28"), "previous_period", ("2026-01-01", "2026-01-31")),
        (("2026-03-01", "2026-03-10"), "previous_period", ("2026-02-01", "2026-02-10")),
        (("2026-01-01", "2026-03-31"), "previous_period", ("2025-10-01", "2025-12-31")),
        (("2026-03-03", "2026-03-09"), "previous_period", ("2026-02-24", "2026-03-02")),
        (("2026-03-01", "2026-03-31"), "last_year", ("2025-03-01", "2025-03-31")),
        (("2026-03-02", "2026-03-08"), "last_year", ("2025-03-03", "2025-03-09")),
        (("2025-11-05", "2025-11-11"), "same_festival_last_year:double_11", ("2024-11-05", "2024-11-11")),
        (("2025-11-27", "2025-11-30"), "same_festival_last_year:black_friday", ("2024-11-28", "2024-12-01")),
    ],
)
def test_the_earlier_period_is_the_one_meant(world, now, compare, before):
    where = {"country": "GB" if "black" in compare else "SG"}
    both = metrics.query(world, NAMES, start=now[0], end=now[1], compare=compare, where=where).frame.iloc[0]
    earlier = metrics.query(world, NAMES, start=before[0], end=before[1], where=where).frame.iloc[0]
    current = metrics.query(world, NAMES, start=now[0], end=now[1], where=where).frame.iloc[0]
    for name in NAMES:
        assert both[f"{name}_before"] == pytest.approx(earlier[name], rel=1e-12), name
        assert both[name] == pytest.approx(current[name], rel=1e-12), name
        assert both[f"rel_{name}_change"] == pytest.approx(current[name] / earlier[name] - 1)


def test_a_year_that_overlaps_itself_counts_each_day_in_both(world):
    # The last day of October and the first of November 2025 stand on both sides.
    singapore = {"where": {"country": "SG"}}
    frame = metrics.query(world, "orders", start="2025-10-31", end="2026-10-31", compare="last_year", **singapore).frame
    earlier = metrics.query(world, "orders", start="2024-11-01", end="2025-11-01", **singapore).frame
    now = metrics.query(world, "orders", start="2025-10-31", end="2026-10-31", **singapore).frame
    assert frame["orders_before"].iloc[0] == earlier["orders"].iloc[0]
    assert frame["orders"].iloc[0] == now["orders"].iloc[0]


@pytest.mark.parametrize(
    ("start", "end", "compare", "says"),
    [
        ("2026-01-12", "2026-01-18", "same_festival_last_year", "none has"),
        ("2025-11-05", "2025-11-30", "same_festival_last_year", "several have"),
        ("2025-11-05", "2025-11-12", "same_festival_last_year:doble_11", "double_11"),
        ("2026-03-02", "2026-03-08", metrics.Aligned(at="2026-05-01", before="2025-05-01"), "outside of the period"),
        ("2026-03-02", "2026-03-08", metrics.Aligned(at="2026-03-03", before="2026-03-04"), "must precede"),
        ("2026-03-02", "2026-03-08", metrics.Aligned(at={"UK": "2026-03-03"}, before="2025-03-04"), "market 'UK'"),
        ("2026-03-02", "2026-03-08", metrics.Aligned(at={"GB": "2026-03-03"}, before="2025-03-04"), "names no day for"),
        ("2024-11-20", "2024-12-02", "same_festival_last_year:black_friday", "no main day"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(world, start, end, compare, says):
    with pytest.raises(ShopbookError, match="(?s)" + says):
        metrics.query(world, "gmv", start=start, end=end, compare=compare)


def test_running_totals_are_compared_by_month(world):
    frame = metrics.query(world, "gmv_month_to_date", grain="day", start="2026-02-10", end="2026-02-14",
                          compare="previous_period").frame  # fmt: skip
    plain = metrics.query(world, "gmv", start="2026-01-01", end="2026-01-14").frame["gmv"].iloc[0]
    assert frame["gmv_month_to_date_before"].iloc[-1] == pytest.approx(plain, rel=1e-12)
