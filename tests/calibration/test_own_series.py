"""The grader of a market's own past draws what it says, in a short version."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.calibration import own_series
from analysis_lib.calibration.grading import GRADERS
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, SHIPPED
from analysis_lib.causal import interrupted_series
from analysis_lib.causal.interrupted_series import estimated
from analysis_lib.markets.own_series import SeriesWorld
from analysis_lib.markets.own_series import simulate as series_of


@pytest.fixture(scope="module")
def draws():
    return own_series.simulate(1, 2, 1, lambda _: None)


def test_every_kind_of_series_is_drawn_with_an_effect_and_without(draws):
    assert list(draws.columns) == list(DRAWS) and not draws["refused"].any()
    shipped = draws[draws["scenario"] != COMPARISON]
    cells = shipped.groupby(["scenario", "quantity"]).size()
    assert len(cells) == len(own_series.WORLDS) * 2 and set(cells) == {2}
    assert set(shipped["truth"]) == {0.0, float(np.expm1(0.1))}
    errors = np.log1p(shipped["estimate"]) - np.log1p(shipped["truth"])
    assert errors.round(9).nunique() == len(shipped)


def test_the_models_own_interval_is_shown_around_the_same_estimate(draws):
    beside = draws[draws["scenario"] == COMPARISON]
    told = beside.assign(kind=beside["quantity"].str.split(": ").str[0], way=beside["quantity"].str.split(": ").str[1])
    assert set(told["way"]) == {SHIPPED, own_series.OWN} and set(told["kind"]) == set(own_series.WORLDS)
    pairs = told.pivot(index=["kind", "world"], columns="way", values="estimate")
    assert np.allclose(pairs[SHIPPED], pairs[own_series.OWN])


def test_wanted_grades_name_scenarios_that_are_drawn(draws):
    wanted = {one.scenario for one in GRADERS["causal.interrupted_series"].wanted}
    assert wanted == set(own_series.WORLDS) == set(draws["scenario"]) - {COMPARISON}


def test_a_past_that_is_too_short_is_a_refusal(monkeypatch):
    monkeypatch.setattr(own_series, "WORLDS", {"short": SeriesWorld(days_before=70)})
    assert own_series.simulate(1, 1, 1, lambda _: None)["refused"].all()


def test_what_is_graded_is_what_the_front_door_gives():
    drawn = series_of(SeriesWorld(festival_in_campaign=True), seed=3)
    days = np.arange(len(drawn.log_sales))
    frame = pd.DataFrame(drawn.festivals, columns=["first", "second"]).assign(
        day=days, sales=np.exp(drawn.log_sales), on=(days >= drawn.days_before).astype(int)
    )
    front = interrupted_series(frame, outcome="sales", time="day", treated="on", regressors=["first", "second"])
    graded = estimated(own_series.series_from(drawn), 0.95)[0]
    assert (front.estimate.value, front.estimate.ci_upper) == pytest.approx((graded.value, graded.ci_upper))
