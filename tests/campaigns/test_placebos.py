"""Placebo windows see nothing of the campaign, borrowed ones included."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib.campaigns.placebos import grade, independent_windows

LENGTH = 5  # weeks: three of the campaign, two after


@pytest.fixture(scope="module")
def with_another(small_shop):
    """A second campaign of the same size, ``weeks`` after the first; too little history for five windows of its own."""

    def make(weeks: int, days: int = 14):
        rows = small_shop.tables["campaigns"].iloc[0]
        start = pd.Timestamp(rows["starts_on"]) + timedelta(weeks=weeks)
        other = {**rows, "campaign_id": "jam", "starts_on": start.date(),
                 "ends_on": (start + timedelta(days=days - 1)).date()}  # fmt: skip
        users = small_shop.tables["users"]["user_id"].to_numpy()
        chosen = np.random.default_rng(1).permutation(users)[:150]
        targets = pd.DataFrame({"campaign_id": "jam", "user_id": chosen, "is_holdout": False})
        return small_shop.replace(
            campaigns=pd.DataFrame([dict(rows), other]),
            campaign_targets=pd.concat([small_shop.tables["campaign_targets"], targets]),
        )

    return make


def test_own_windows_end_before_the_campaign(review):
    runs = review.effect.placebos
    assert runs["own"].all()
    assert runs["week"].tolist() == [-5, -6, -7, -8, -9, -10]
    assert (runs["week"] + LENGTH <= 0).all()


def test_borrowed_windows_do_not_overlap_the_campaign(with_another, reviewed):
    """The other campaign's group in the weeks of this one: its own group and its effect are in there."""
    review = reviewed(with_another(4), weeks_before=20)
    # Own windows fit in weeks −5 and −6, and so do those of the other group; its weeks −4 to −1 see this campaign.
    assert review.effect is None
    assert "4 placebo windows fit into the data" in review.missing[0]


@pytest.mark.parametrize("weeks", [30, 60])
def test_borrowed_windows_do_not_leave_the_data(with_another, reviewed, weeks):
    """A campaign planned beyond the data: windows there would be sums of nothing, a scatter of exactly zero."""
    review = reviewed(with_another(weeks), weeks_before=20)
    if review.effect is not None:
        runs = review.effect.placebos
        assert (runs["total"].abs() > 0).all()
        assert (runs["week"] + LENGTH <= 5).all()
    else:
        assert "fit into the data" in review.missing[0]


def test_borrowed_windows_are_named_as_such(simulate, reviewed, planted_effect, with_another):
    shop = with_another(-2)
    review = reviewed(shop, weeks_before=16)
    assert review.effect.placebos["own"].all()  # enough of its own: nothing is borrowed
    assert "of those targeted by other campaigns" not in review.sentence("placebos")


@pytest.mark.parametrize(
    ("weeks", "n"),
    [
        ({"a": [-9]}, 1.0),
        ({"a": [-9, -10, -11, -12, -13]}, 9 / 5),
        ({"a": [-5, -10, -15]}, 3.0),
        ({"a": [-5, -30]}, 2.0),  # the gap between them counts for nothing
        ({"a": [-5, -10], "b": [-5]}, 2.0),  # two groups at one time share buyers and weeks
        ({}, 0.0),
    ],
)
def test_overlapping_windows_count_as_what_they_cover(review, weeks, n):
    runs = pd.DataFrame([(g, w) for g, many in weeks.items() for w in many], columns=["group", "week"])
    assert independent_windows(runs, review.windows) == pytest.approx(n)


def test_titles_and_texts_count_the_windows(review):
    exhibit = review.exhibit("placebos")
    assert f"of {len(review.effect.placebos)} windows without the campaign" in exhibit.title
    assert exhibit.frame["window_starts"].tolist()[:2] == ["5 weeks before", "6 weeks before"]
    assert not exhibit.frame["window_starts"].str.contains("-").any()


def runs_of(values, ses, weeks):
    frame = pd.DataFrame({"group": "a", "week": weeks, "own": True})
    for outcome in ("promoted_during", "other_during", "after", "total"):
        frame = frame.assign(**{outcome: values, f"se_{outcome}": ses})
    return frame


def test_the_grade_counts_wrong_intervals_of_windows_apart(review):
    """Twelve windows far apart; one is ten standard errors off among quiet ones, and only it is wrong."""
    weeks = [-10 * (place + 1) for place in range(12)]
    values = [0.5, -0.5, 0.3, -0.2, 0.1, 10.0, -0.4, 0.2, 0.6, -0.1, 0.0, 0.4]
    assert grade(runs_of(values, 1.0, weeks), review.windows, level=0.95) == (12, 1)


def test_windows_that_overlap_do_not_judge_each_other(review):
    assert grade(runs_of([0.1] * 6, 1.0, list(range(-5, -11, -1))), review.windows, level=0.95) == (0, 0)
    assert "Too few of them lie apart" in review.sentence("placebos") or review.effect.grade[0] > 0
