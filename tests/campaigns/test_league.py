"""Campaigns side by side: luck taken out as the formulas say, refusals kept, verdicts by the rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns.league import shrunken
from analysis_lib.campaigns.league_result import ROWS, League
from analysis_lib.errors import InvalidValue, UnknownName


def rows_of(values, ses) -> pd.DataFrame:
    frame = pd.DataFrame({"value": np.array(values, float), "se": np.array(ses, float)})
    named = frame.assign(
        campaign=[f"c{i}" for i in range(len(frame))], name=[f"Campaign <b>{i}</b>" for i in range(len(frame))],
        country="ID", mechanic="flash_sale", way="lot", cost=100.0, net=100.0 * frame["value"],
        ci_lower=frame["value"] - 1.96 * frame["se"], ci_upper=frame["value"] + 1.96 * frame["se"], creators=0.0,
        why_not="",
    )  # fmt: skip
    return named[list(ROWS)]


def league_of(values, ses, margin: float = 0.25) -> League:
    rows, mean, spread = shrunken(rows_of(values, ses), 0.95)
    return League(rows=rows, mean=mean, spread=spread, source="world", margin=margin, level=0.95)


def test_schools_of_rubin():
    """Gelman and others, "Bayesian Data Analysis", 3rd edition, table 5.3 (200 draws, hence only near): medians of the
    eight schools' effects, and the interval of the first."""
    found = league_of([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]).rows
    assert found["shrunk"].to_numpy() == pytest.approx([10, 8, 7, 8, 5, 6, 10, 8], abs=2.0)
    assert (found["shrunk_ci_lower"][0], found["shrunk_ci_upper"][0]) == pytest.approx((-2, 31), abs=2.0)


def test_what_is_known_well_stays_and_what_is_not_goes_to_the_mean():
    found = league_of([0.0, 10.0, 20.0, 40.0], [0.1, 0.1, 0.1, 30.0])
    drawn = found.rows["shrunk"].to_numpy()
    assert drawn[:3] == pytest.approx([0.0, 10.0, 20.0], abs=0.1)
    assert 10 < drawn[3] < 32
    assert found.decision.action == "Change"


def test_drawn_returns_are_nearer_to_the_truth_and_their_intervals_cover():
    rng = np.random.default_rng(1)
    closer, inside = 0, []
    for _ in range(200):
        true = rng.normal(4.0, 2.0, 12)
        ses = rng.uniform(1.0, 5.0, 12)
        measured = true + rng.normal(0.0, ses)
        rows, _, _ = shrunken(rows_of(measured, ses), 0.95)
        closer += np.square(rows["shrunk"] - true).sum() < np.square(measured - true).sum()
        inside += list((rows["shrunk_ci_lower"] <= true) & (true <= rows["shrunk_ci_upper"]))
    assert closer > 180
    assert np.mean(inside) > 0.93


@pytest.mark.parametrize(("margin", "action"), [(0.9, "Repeat"), (0.02, "Stop"), (0.25, "Cannot tell")])
def test_the_rule_follows_what_all_earn_together(margin, action):
    assert league_of([3.0, 4.0, 5.0], [1.0, 1.0, 1.0], margin).decision.action == action


def test_too_few_returns_are_not_compared():
    rows = rows_of([3.0, np.nan, np.nan], [1.0, np.nan, np.nan])
    found, mean, spread = shrunken(rows, 0.95)
    empty = League(rows=found, mean=mean, spread=spread, source="world", margin=0.25, level=0.95)
    assert empty.told.empty and empty.decision.action == "Cannot tell"
    assert "fewer than three" in empty.sentence("headline")
    assert empty.answer.number is None and empty.exhibit("league").draw is None
    for name in empty.SENTENCES:
        assert empty.sentence(name)


def test_refused_campaigns_stay_in_the_table(world):
    found = campaigns.league(world, campaigns=["nine_nine_2026", "double_twelve_2025"])
    rows = found.rows.set_index("campaign")
    assert "9.9" in rows.loc["nine_nine_2026", "why_not"] and np.isnan(rows.loc["nine_nine_2026", "value"])
    own = campaigns.review(world, "double_twelve_2025", country="ID", weeks_before=16, weeks_after=4)
    assert rows.loc["double_twelve_2025", "value"] == pytest.approx(own.return_on_cost.value)


def test_unknown_names_are_refused(world):
    with pytest.raises(UnknownName, match="Did you mean 'nine_nine_2026'"):
        campaigns.league(world, campaigns=["nine_nine_2029"])
    with pytest.raises(InvalidValue, match="largest"):
        campaigns.league(world, markets="best")
