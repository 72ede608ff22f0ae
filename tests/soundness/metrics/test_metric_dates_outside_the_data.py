"""Days outside of the data would count as days on which nothing was sold."""

from __future__ import annotations

from datetime import datetime

import pytest


def test_reversed(counter):
    assert "lies before start" in counter.refusal("gmv", start="2024-03-12", end="2024-03-11")


@pytest.mark.parametrize(("start", "end"), [("2024-03-09", None), (None, "2024-03-21"), ("2023-01-01", "2023-02-01")])
def test_outside(counter, start, end):
    refusal = counter.refusal("gmv", start=start, end=end)
    assert "outside of the data, which hold 2024-03-10 to 2024-03-20" in refusal


@pytest.mark.parametrize("value", ["last week", 20240310, datetime(2024, 3, 10, 12)])
def test_no_date(counter, value):
    assert "start" in counter.refusal("gmv", start=value)


def test_a_comparison_with_days_before_the_data(counter):
    refusal = counter.refusal("gmv", start="2024-03-12", end="2024-03-15", compare="previous_period")
    assert "needs days from 2024-03-08" in refusal and "begin on 2024-03-10" in refusal


def test_days_without_a_sale_within_the_data_are_rows(counter):
    frame = counter.frame("gmv", grain="day", start="2024-03-12", end="2024-03-15")
    assert frame["gmv"].tolist() == [20, 0, 0, 0]
