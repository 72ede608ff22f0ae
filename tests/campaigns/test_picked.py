"""Campaigns aimed at a segment: which of two comparisons is taken, and what it finds in the world."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns import cells
from analysis_lib.campaigns.comparison import alike_at, exposure
from analysis_lib.campaigns.growth import by_growth
from analysis_lib.campaigns.picked_review import picked_effect
from analysis_lib.campaigns.windows import find_campaign, plan_windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart
from analysis_lib.world import truth

CAMPAIGN, COUNTRY = "black_friday_2025", "US"


@pytest.fixture(scope="module")
def windows(world):
    campaign = find_campaign(world, CAMPAIGN, COUNTRY)
    return plan_windows(campaign, cells.days_with_orders(world, campaign), 16, 4)


@pytest.fixture(scope="module")
def panel(world, windows):
    return cells.spending(world, windows, "gmv")


@pytest.fixture(scope="module")
def seen(world, panel, windows):
    return exposure(cells.targets(world), panel, windows)


@pytest.fixture(scope="module")
def review(world):
    return campaigns.review(world, CAMPAIGN, country=COUNTRY, weeks_before=16, weeks_after=4)


def test_active_users_were_picked_so_their_growth_is_compared(review):
    ways = review.effect.ways.set_index("way")
    assert review.effect.KIND == "growth" and ways.loc["growth", "chosen"]
    # Users with a like past fall back: that comparison finds an effect where there was no campaign.
    assert ways.loc["history", "is_off"] and not ways.loc["growth", "is_off"]
    assert ways.loc["history", "error"] > 3 * ways.loc["growth", "error"]
    assert "Two ways were tried" in review.sentence("placebos")


def test_the_truth_lies_in_the_interval(world, review):
    rows = truth(world.path, plants=[f"campaign:{CAMPAIGN}"])
    true = rows[rows["country"] == COUNTRY].set_index("metric")["value"]
    net, promoted = review.net_incremental_gmv, review.incremental_gmv
    assert net.ci_lower <= true["net_incremental_gmv"] <= net.ci_upper
    assert promoted.ci_lower <= true["incremental_gmv"] <= promoted.ci_upper and promoted.ci_lower > 0
    assert review.ledger["part"].tolist() == ["promoted_during", "other_during", "after", "returned", "total"]


def test_what_is_lost_later_is_that_of_the_orders(world, panel, windows):
    facts = mart(world, "order_facts")
    facts = facts.filter(facts.country == COUNTRY, facts.user_id.notnull())
    rows = world.query(facts.select("user_id", "day", "gmv_local", "lost_local"))
    since = (pd.to_datetime(rows["day"]) - pd.Timestamp(windows.campaign.starts_on)).dt.days
    during = rows[(since >= 0) & (since < windows.campaign.n_days) & rows["user_id"].isin(panel.users)]
    assert panel.during(0, panel.lost).sum() == pytest.approx(during["lost_local"].astype(float).sum())
    spent = panel.during(0, panel.promoted) + panel.during(0, panel.other)
    assert spent.sum() == pytest.approx(during["gmv_local"].astype(float).sum())


def test_other_campaigns_that_reach_one_group_alone_are_refused(panel, seen, windows):
    """Another campaign of the same days, for the same users: growth would take its effect for this one's."""
    mine = seen.rows[(seen.rows["campaign_id"] == CAMPAIGN) & ~seen.rows["is_holdout"]]
    other = mine.assign(campaign_id="another")
    both = type(seen)(pd.concat([seen.rows, other], ignore_index=True), seen.n_users)
    with pytest.raises(NotEnoughData, match="other campaigns reached"):
        by_growth(alike_at(panel, both.reached, windows, CAMPAIGN, 0, windows.weeks_before).frame, 0.95, "usd")


def test_when_neither_way_can_be_gone_both_reasons_are_given(panel, seen, windows):
    everybody = np.ones(len(panel.users), dtype=bool)
    rows = pd.DataFrame(
        {"campaign_id": CAMPAIGN, "user_id": panel.users, "is_holdout": False, "position": np.arange(len(everybody)),
         "first": 0, "last": windows.campaign.n_days - 1}
    )  # fmt: skip
    with pytest.raises(NotEnoughData, match="nobody is left to compare with"):
        picked_effect(panel, type(seen)(rows, len(panel.users)), windows, level=0.95)
