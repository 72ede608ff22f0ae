"""New buyers and whether they came back: by hand, by plain SQL, and small groups kept quiet."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns import cells
from analysis_lib.campaigns.newcomers import Newcomers, newcomers
from analysis_lib.campaigns.windows import find_campaign, plan_windows
from analysis_lib.pipelines import mart

CAMPAIGN, COUNTRY = "ramadan_2026", "ID"


@pytest.fixture(scope="module")
def windows(world):
    campaign = find_campaign(world, CAMPAIGN, COUNTRY)
    return plan_windows(campaign, cells.days_with_orders(world, campaign), 12, 4, fewest=0)


@pytest.fixture(scope="module")
def found(world, windows):
    return newcomers(world, windows, level=0.95)


def test_counts_are_those_of_plain_pandas(world, windows, found):
    facts = mart(world, "order_facts")
    rows = world.query(facts.filter(facts.country == COUNTRY).select("user_id", "day", "product_id", "coupon_id"))
    rows["day"] = pd.to_datetime(rows["day"])
    first = rows.groupby("user_id")["day"].transform("min")
    start, end = pd.Timestamp(windows.campaign.starts_on), pd.Timestamp(windows.campaign.ends_on)
    own = rows[first.between(start, end)].assign(since=(rows["day"] - first).dt.days)
    products = world.query(world.table("campaign_products"))
    promoted = set(products[(products["campaign_id"] == CAMPAIGN) & (products["country"] == COUNTRY)]["product_id"])
    of_it = own["product_id"].isin(promoted) | (own["coupon_id"] == CAMPAIGN)
    through = set(own[of_it & (own["since"] == 0)]["user_id"])
    for days in (30, 60):
        back = set(own[own["since"].between(1, days)]["user_id"])
        told = found.rows[found.rows["horizon"] == days].set_index("group")
        assert told.loc["through", "n_users"] == len(through)
        assert told.loc["beside", "n_users"] == own["user_id"].nunique() - len(through)
        assert told.loc["through", "n_back"] == len(through & back)
        assert told.loc["beside", "n_back"] == len(back - through)


def test_it_is_said_whom_this_is_about(found):
    assert "came back" in found.text and "not what it did to them" in found.text


def test_a_horizon_that_has_not_passed_is_left_out(world):
    review = campaigns.review(world, "nine_nine_2026", country="ID", weeks_after=4)
    assert set(review.newcomers.rows["horizon"]) == {30}


def test_few_are_not_counted_out():
    rows = pd.DataFrame(
        {"group": ["through", "beside"], "horizon": 30, "n_users": [7, 90], "n_back": [3, 20], "share": [0.43, 0.22],
         "ci_lower": 0.1, "ci_upper": 0.6}
    )  # fmt: skip
    gaps = pd.DataFrame({"horizon": [30], "value": [0.21], "ci_lower": [-0.1], "ci_upper": [0.5]})
    text = Newcomers(rows, gaps, 0.95).text
    assert "Fewer than 20" in text and "7" not in text


def test_without_newcomers_it_says_so():
    empty = Newcomers(pd.DataFrame(columns=["group", "horizon", "n_users"]), pd.DataFrame(), 0.95)
    assert "not known yet" in empty.text
