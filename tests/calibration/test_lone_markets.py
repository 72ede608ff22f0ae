"""The grader of one treated market draws what it says, in a short version."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib.calibration import lone_markets
from analysis_lib.calibration.grading import GRADERS
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, score
from analysis_lib.causal.one_treated_candidates import CANDIDATES

#: Fewer sizes than are graded, for speed.
DONORS = (5, 11)


@pytest.fixture(scope="module")
def draws():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lone_markets, "DONORS", DONORS)
        return lone_markets.simulate(1, 2, 1, lambda _: None)


def test_every_kind_of_markets_is_drawn_with_an_effect_and_without(draws):
    assert list(draws.columns) == list(DRAWS) and not draws["refused"].any()
    shipped = draws[draws["scenario"] != COMPARISON]
    cells = shipped.groupby(["scenario", "quantity"]).size()
    assert len(cells) == len(lone_markets.WORLDS) * len(DONORS) * 2 and set(cells) == {2}
    assert set(shipped["truth"]) == {0.0, float(np.expm1(0.1))}


def test_every_other_interval_is_shown_on_the_same_draws(draws):
    beside = draws[draws["scenario"] == COMPARISON]
    cells = beside.groupby("quantity").size()
    kinds = len(lone_markets.WORLDS) * (len(CANDIDATES) + 1) + 1
    assert len(cells) == kinds * len(DONORS) and set(cells) == {2}
    told = beside["quantity"].str.split(": ", expand=True)
    assert set(told[1]) == {lone_markets.SHIPPED, *CANDIDATES}
    for _, cell in beside.assign(kind=told[0]).groupby("kind"):
        assert cell["world"].nunique() == 2
    assert (beside["ci_lower"] <= beside["estimate"]).all() and (beside["estimate"] <= beside["ci_upper"]).all()


def test_no_two_draws_share_their_days(draws):
    shipped = draws[draws["scenario"] == "markets unlike, 11 donors"]
    errors = np.log1p(shipped["estimate"]) - np.log1p(shipped["truth"])
    assert errors.round(9).nunique() == len(shipped)


def test_wanted_grades_name_scenarios_that_are_drawn(draws):
    wanted = {one.scenario for one in GRADERS["causal.one_treated"].wanted}
    assert wanted == {f"{kind}, {n} donors" for kind in lone_markets.WORLDS for n in lone_markets.DONORS}
    assert set(draws["scenario"]) - {COMPARISON} <= wanted


def test_a_method_that_is_not_offered_so_few_donors_refuses(monkeypatch):
    monkeypatch.setattr(lone_markets, "DONORS", (4,))
    drawn = lone_markets.simulate(1, 1, 1, lambda _: None)
    shipped = drawn[drawn["scenario"] != COMPARISON]
    assert shipped["refused"].all() and score(shipped, level=0.95)["coverage"].isna().all()
