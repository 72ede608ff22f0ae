"""The grader of launches draws what it says, in a short version."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib.calibration import launched_markets
from analysis_lib.calibration.grading import GRADERS
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, score


@pytest.fixture(scope="module")
def draws():
    return launched_markets.simulate(1, 2, 1, lambda _: None)


def test_every_kind_of_launch_is_drawn(draws):
    assert list(draws.columns) == list(DRAWS) and not draws["refused"].any()
    shipped = draws[draws["scenario"] != COMPARISON]
    assert set(shipped["scenario"]) == set(launched_markets.KINDS)
    cells = shipped.groupby(["scenario", "quantity"]).size()
    assert set(cells) == {2}
    for scenario in launched_markets.KINDS:
        told = set(cells[scenario].index)
        assert told >= {"mean", "one market", "a market to come"}
        assert ("announcement" in told) == (scenario == "announced, some never")


def test_without_effect_the_truth_is_zero(draws):
    nothing = draws["scenario"].str.startswith("no effect")
    assert (draws.loc[nothing, "truth"] == 0).all()
    assert (draws.loc[~nothing, "truth"] != 0).all()


def test_trends_of_their_own_are_shown_and_not_wanted(draws):
    beside = draws[draws["scenario"] == COMPARISON]
    assert beside["quantity"].str.startswith("trends of their own: ").all()
    wanted = {one.scenario for one in GRADERS["launches.review"].wanted}
    assert wanted == set(launched_markets.KINDS)


def test_draws_are_scored(draws):
    table = score(draws, level=0.95)
    assert np.isfinite(table["coverage"]).all()
    again = launched_markets.simulate(1, 1, 1, lambda _: None)
    first = draws[draws["world"] == "1-0"].reset_index(drop=True)
    assert (again["estimate"] == first["estimate"]).all()
