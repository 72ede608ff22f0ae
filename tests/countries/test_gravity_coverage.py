"""Intervals of gravity with few markets hold the truth, usual ones do not: a short run, and the stored one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.calibration import trade_flows
from analysis_lib.calibration.grades import load_grades
from analysis_lib.calibration.grading import GRADERS
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, SHIPPED, score
from analysis_lib.countries.gravity_fit import effective_markets, gravity_fit
from analysis_lib.errors import NotEnoughData
from analysis_lib.regression import fit

#: What a stored grade must reach, and what the usual intervals do not.
WANTED, USUALLY = 0.92, 0.90


@pytest.fixture(scope="module")
def draws():
    return trade_flows.simulate(1, 2, 1, lambda _: None)


def test_every_kind_of_trade_is_drawn_with_and_without_effect(draws):
    assert list(draws.columns) == list(DRAWS) and not draws["refused"].any()
    shipped = draws[draws["scenario"] != COMPARISON]
    assert set(shipped["scenario"]) == set(trade_flows.KINDS)
    assert set(shipped.groupby(["scenario", "quantity"]).size()) == {2}
    assert (shipped.loc[shipped["quantity"] == "no effect", "truth"] == 0).all()
    assert (shipped.loc[shipped["quantity"] == "an effect", "truth"] != 0).all()
    assert {wish.scenario for wish in GRADERS["countries.gravity"].wanted} == set(trade_flows.KINDS)


def test_draws_are_scored_and_drawn_again_alike(draws):
    assert np.isfinite(score(draws, level=0.95)["coverage"]).all()
    trade = trade_flows.KINDS["currency, four origins abroad"]
    first, again = (trade_flows.traded(trade, 0.5, np.random.default_rng(5)) for _ in range(2))
    assert first.equals(again)


def test_borders_are_held_in_a_short_run():
    trade = trade_flows.KINDS["border, four origins abroad"]
    held = []
    for seed in range(12):
        frame = trade_flows.traded(trade, 2.5, np.random.default_rng([11, seed]))
        one = gravity_fit(frame, "sales", ["x", "log_merchants"], ["destination_month"]).values["x"]
        held.append(one.ci_lower <= 2.5 <= one.ci_upper)
    # Of 12 intervals that hold the truth nineteen times of twenty, fewer than 9 do once in 500 runs.
    assert sum(held) >= 9


def test_the_stored_grade_holds_what_is_wanted_and_the_usual_does_not():
    table = load_grades()["countries.gravity"].table
    beside = table[table["scenario"] == COMPARISON].set_index("quantity")
    for scenario in trade_flows.KINDS:
        row = beside.loc[f"{scenario}: {SHIPPED}"]
        assert row["coverage"] + row["coverage_mcse"] >= WANTED
    shipped, usual = (
        beside.loc[[f"{scenario}: {way}" for scenario in trade_flows.KINDS], "coverage"]
        for way in (SHIPPED, trade_flows.USUAL)
    )
    assert np.mean(shipped) >= WANTED
    assert np.mean(usual) < USUALLY


def test_few_markets_and_terms_that_stand_still_are_refused():
    trade = trade_flows.Trade("currency", 0.5, markets=5)
    frame = trade_flows.traded(trade, 0.5, np.random.default_rng(1))
    with pytest.raises(NotEnoughData, match="5 markets"):
        gravity_fit(frame, "sales", ["x"], trade_flows.THREE_WAY)
    more = trade_flows.traded(trade_flows.KINDS["currency, four origins abroad"], 0.5, np.random.default_rng(1))
    still = more.assign(x=more["country"].astype(float))
    with pytest.raises(NotEnoughData):
        gravity_fit(still, "sales", ["x"], trade_flows.THREE_WAY)


def test_leaving_out_a_market_gives_what_a_fit_without_it_gives():
    trade = trade_flows.KINDS["currency, four origins abroad"]
    frame = trade_flows.traded(trade, 0.5, np.random.default_rng(2))
    whole = gravity_fit(frame, "sales", ["x"], trade_flows.THREE_WAY)
    without = gravity_fit(frame[frame["country"] != 3], "sales", ["x"], trade_flows.THREE_WAY)
    assert whole.without["x"]["3"] == pytest.approx(without.values["x"].value, abs=1e-6)
    spread = np.array(list(whole.without["x"].values())) - whole.values["x"].value
    assert whole.values["x"].se == pytest.approx(np.sqrt(11 / 12 * (spread**2).sum()))


def test_markets_that_are_alike_count_whole_and_others_less():
    trade = trade_flows.KINDS["border, four origins abroad"]
    frame = trade_flows.traded(trade, 0.0, np.random.default_rng(4))
    first = frame[frame["country"] == 0]
    alike = pd.concat(
        [first.assign(country=n, destination_month=first["destination_month"] + 99 * n) for n in range(8)]
    )
    larger = alike.assign(sales=alike["sales"].where(alike["country"] > 0, 50 * alike["sales"]))
    found = []
    for panel in (alike, larger):
        solved = fit("sales ~ x", panel, kind="poisson", fixed_effects=["destination_month"], variance="HC1").solved
        found.append(float(effective_markets(solved, panel["country"].to_numpy())[0]))
    assert found[0] == pytest.approx(8.0)
    assert 1.0 < found[1] < 2.0
