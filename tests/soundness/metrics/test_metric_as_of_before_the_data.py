"""As of a time before the data nothing was known: that is not zero."""

from __future__ import annotations

import pytest


def test_before_the_first_order(counter):
    assert "lies before the first order" in counter.refusal("gmv", as_of="2024-03-01")


def test_before_the_first_visit(counter):
    assert "lies before the first whole day" in counter.refusal("sessions", as_of="2024-03-01")


def test_no_time(counter):
    assert "is no time" in counter.refusal("gmv", as_of="last week")


def test_before_the_end(counter):
    assert "lies before the end" in counter.refusal("gmv", start="2024-03-10", end="2024-03-19", as_of="2024-03-13")


@pytest.mark.parametrize("name", ["week_one_retention", "late_share", "coupons_redeemed"])
def test_a_mart_that_holds_what_is_known_today_is_refused(counter, name):
    assert "cannot be told as of an earlier time" in counter.refusal(name, as_of="2024-03-15")


def test_days_that_were_not_over_are_left_out(counter):
    result = counter.result("sessions", as_of="2024-03-13")
    assert str(result.end) == "2024-03-11" and result.frame["sessions"].tolist() == [3]
    assert "outside of the data" in counter.refusal("sessions", as_of="2024-03-13", end="2024-03-13")
