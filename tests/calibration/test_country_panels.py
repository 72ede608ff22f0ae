"""The grader of factors draws what it says, in a short version."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib.calibration import country_panels
from analysis_lib.calibration.grading import GRADERS
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, RIGHT, score


@pytest.fixture(scope="module")
def draws():
    return country_panels.simulate(1, 2, 1, lambda _: None)


def test_every_kind_of_panel_is_drawn_with_its_truth(draws):
    assert list(draws.columns) == [*DRAWS, RIGHT] and not draws["refused"].any()
    told = draws[draws["quantity"].isin(country_panels.NAMES)]
    assert set(told["scenario"]) == set(country_panels.WORLDS)
    planted = told.groupby("quantity")["truth"].first()
    np.testing.assert_allclose(planted[country_panels.NAMES], country_panels.PLANTED)
    assert told["estimate"].round(9).nunique() == len(told)


def test_probabilities_of_belonging_are_sorted_into_their_bins(draws):
    beside = draws[draws["scenario"] == COMPARISON]
    assert len(beside) == 2 * len(country_panels.WORLDS) * country_panels.N_FACTORS
    assert beside["quantity"].str.contains("belongs with").all() and set(beside[RIGHT]) <= {0.0, 1.0}


def test_wanted_grades_name_scenarios_that_are_drawn(draws):
    wanted = {one.scenario for one in GRADERS["countries.factors"].wanted}
    assert wanted == set(country_panels.WORLDS)
    assert {"coverage", "right"} <= set(score(draws, level=0.95).columns)


def test_noise_goes_together_as_it_is_said_to():
    path = country_panels._wander(np.random.default_rng(1), (400, 24), 0.6)
    assert path.std() == pytest.approx(1.0, abs=0.03)
    assert np.corrcoef(path[:, :-1].ravel(), path[:, 1:].ravel())[0, 1] == pytest.approx(0.6, abs=0.03)
