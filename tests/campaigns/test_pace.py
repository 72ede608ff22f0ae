"""Whether a campaign ran as written down: budgets that ran out, stops, extensions, lists that grew."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns import cells
from analysis_lib.campaigns.pace import Pace, pace
from analysis_lib.campaigns.windows import find_campaign, plan_windows

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 15)


def paced(redeemed, granted=(500,), *, budget=100.0, each=1.0) -> Pace:
    """Counts from the first day on, with two weeks after the last."""
    days = pd.date_range(FIRST, periods=28)
    filled = [np.pad(np.array(column, int), (0, 28 - len(column))) for column in (redeemed, granted)]
    frame = pd.DataFrame({"day": days, "redeemed": filled[0], "granted": filled[1], "given": filled[0] * each})
    return Pace(frame, FIRST, LAST, budget)


def test_an_even_pace_is_as_written_down():
    found = paced([10] * 14)
    assert found.lasted == 14 and not found.is_short and not found.n_late and found.widened_on is None
    assert "as written down" in found.text


def test_money_that_is_gone_is_told_from_a_stop():
    out, stopped, unknown = (paced([30, 35, 30], budget=budget) for budget in (100.0, 1_000.0, float("nan")))
    assert out.lasted == stopped.lasted == 3
    assert out.ran_out and "budget was spent" in out.text
    assert not stopped.ran_out and "somebody ended it" in stopped.text
    assert not unknown.ran_out and "do not say" in unknown.text


def test_a_few_quiet_days_at_the_end_are_chance():
    assert paced([2, 1, 0, 1, 2, 0, 1, 0, 1, 1, 0, 0]).lasted == 14


def test_campaigns_that_end_as_planned_are_rarely_called_short():
    rng = np.random.default_rng(5)
    for rate in (0.3, 1.0, 4.0):
        # A pace that dies down, as coupons do.
        short = [paced(rng.poisson(rate * np.exp(-np.arange(14) / 10))).is_short for _ in range(300)]
        assert np.mean(short) <= 0.02


def test_an_extension_shows():
    found = paced([10] * 18)
    assert found.n_late == 40 and "went on after its last day" in found.text
    assert paced([10] * 14 + [1, 1]).n_late == 0


def test_a_list_that_grew_shows():
    found = paced([10] * 14, granted=[500, 20, 0, 0, 0, 0, 300, 40])
    assert found.widened_on == pd.Timestamp("2026-03-08")
    assert found.late_share == pytest.approx(340 / 860) and "8 March" in found.text
    assert paced([10] * 14, granted=[500, 20, 0, 0, 3]).widened_on is None


def test_nothing_redeemed_is_said():
    assert "cannot be told" in paced([0]).text


def test_the_budget_that_the_world_let_run_out_is_found(world):
    found = campaigns.review(world, "mexico_july_2026", country="MX").pace
    assert found.lasted == 3 and found.n_days == 14 and found.ran_out


def test_no_other_campaign_of_the_world_is_called_short(world):
    for name, country in (("ramadan_2026", "ID"), ("thailand_may_2026", "TH"), ("britain_summer_2026", "GB")):
        campaign = find_campaign(world, name, country)
        found = pace(world, plan_windows(campaign, cells.days_with_orders(world, campaign), 12, 4, fewest=0))
        assert not found.is_short and not found.n_late and found.widened_on is None


def test_days_add_up_to_the_redemptions_of_the_review(world):
    review = campaigns.review(world, "brazil_august_2026", country="BR")
    assert int(review.pace.during["redeemed"].sum()) == review.cost.n_redemptions
