"""Users picked for how often they come, compared with others of the same past, seemed to spend two thirds more of
themselves: the others fall back to their habit. The review must not take that for the campaign."""

from __future__ import annotations

import pytest

from analysis_lib import campaigns


@pytest.fixture(scope="module")
def review(world):
    return campaigns.review(world, "black_friday_2025", country="GB", weeks_before=16, weeks_after=4)


def test_the_like_past_finds_what_is_not_there(review):
    ways = review.effect.ways.set_index("way")
    sold = float(review.effect.groups.set_index("group").loc["targeted", "before"]) * 5
    assert ways.loc["history", "is_off"] and ways.loc["history", "error"] > 0.3 * sold


def test_and_is_not_believed(review):
    assert review.effect.KIND == "growth"
    assert (
        abs(review.effect.placebos["total"].mean()) < 0.25 * review.effect.ways.set_index("way").loc["history", "error"]
    )
