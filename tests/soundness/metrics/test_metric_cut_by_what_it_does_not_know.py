"""A dimension that one of the metrics does not know would need a join, or would be silently left out."""

from __future__ import annotations

import pytest


def test_the_metric_and_what_it_knows_are_named(counter):
    refusal = counter.refusal("gmv", by="platform")
    assert "gmv cannot be cut by 'platform'" in refusal and "country, surface, category" in refusal


def test_of_several_the_one_is_named_and_what_they_share(counter):
    refusal = counter.refusal(["gmv", "sessions"], by=["country", "surface"])
    assert refusal.startswith("sessions cannot be cut by 'surface'") and "share country" in refusal


@pytest.mark.parametrize("dimension", ["user_id", "creator_id"])
def test_people_are_no_dimension(counter, dimension):
    assert "cannot be cut by" in counter.refusal("gmv", by=dimension)


def test_a_filter_is_a_cut(counter):
    assert "cannot be cut by 'platform'" in counter.refusal("gmv", where={"platform": "ios"})


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"country": "UK"}, "country 'UK' is not in the data"),
        ({"country": ["GB", "gb"]}, "Did you mean 'GB'?"),
        ({"country": []}, "at least one value"),
        ({"country": [None]}, "none of them missing"),
        ({"country": {"GB": 1}}, "must be a value or a list"),
        ({"country": 44}, "is not in the data"),
        ({"is_cross_border": "yes"}, "is not in the data"),
    ],
)
def test_a_value_that_nothing_has_is_no_empty_answer(counter, where, says):
    assert says in counter.refusal("gmv", where=where)


def test_a_value_of_no_row_in_the_period_is_zero(counter):
    options = {"where": {"country": "SG"}, "start": "2024-03-10", "end": "2024-03-11"}
    assert counter.value("gmv", **options) == 0
