"""The funnel equals a count of users in the raw tables."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import pytest

from analysis_lib.reporting import show


def test_every_step_is_a_count_of_users(shop, review):
    orders, campaign = shop.tables["orders"], shop.tables["campaigns"].iloc[0]
    start, end = pd.Timestamp(campaign["starts_on"]), pd.Timestamp(campaign["ends_on"]) + timedelta(days=1)
    mine = orders[orders["user_id"].isin(shop.tables["campaign_targets"]["user_id"])]
    before = mine[mine["ordered_at"].between(start - timedelta(weeks=16), start, inclusive="left")]
    during = mine[mine["ordered_at"].between(start, end, inclusive="left")]
    expected = [
        len(shop.tables["campaign_targets"]), before["user_id"].nunique(), during["user_id"].nunique(),
        during.loc[during["product_id"] == "tea", "user_id"].nunique(),
        shop.tables["coupon_events"]["user_id"].nunique(),
    ]  # fmt: skip
    steps = review.reach.to_frame()
    assert steps["n_users"].tolist() == expected
    assert steps["share_of_targeted"].tolist() == pytest.approx([n / expected[0] for n in expected])
    of_previous = [1.0, *(b / a for a, b in pairwise(expected))]
    assert steps["share_of_previous"].tolist() == pytest.approx(of_previous)
    assert f"{expected[0]} buyers were targeted" in review.reach.text
    assert f"{expected[0]} users were targeted" in review.sentence("reach")


def test_few_redeemers_are_not_counted_out(small_shop, reviewed):
    events = small_shop.tables["coupon_events"]
    few = events[events["user_id"].isin(sorted(events["user_id"].unique())[:7])]
    review = reviewed(small_shop.replace(coupon_events=few))
    assert review.reach.steps["n_users"].iloc[-1] == 7
    assert "fewer than 20 redeemed a coupon" in review.sentence("reach")
    exhibit = review.exhibit("reach")
    assert exhibit.title.startswith("Fewer than 20 of the targeted")
    page = re.sub(r"base64,[^\"]*", "", show(exhibit).data)
    assert "under 20" in page
    assert ">7<" not in page


def test_redemptions_outside_the_window_do_not_count(small_shop, reviewed):
    events = small_shop.tables["coupon_events"]
    start = pd.Timestamp(small_shop.tables["campaigns"]["starts_on"][0])
    extra = events.head(1)
    # 23:30 local time on the last day (summer time: 22:30 UTC) counts, half past midnight after it does not.
    late = extra.assign(at=start + timedelta(days=20, hours=22, minutes=30))
    too_late = extra.assign(at=start + timedelta(days=20, hours=23, minutes=30))
    early = extra.assign(at=start - timedelta(hours=1, minutes=30))
    review = reviewed(small_shop.replace(coupon_events=pd.concat([events, late, too_late, early])))
    assert review.cost.n_redemptions == len(events) + 1


def test_newcomers_are_targeted_but_not_compared(small_shop, reviewed):
    users = small_shop.tables["users"].copy()
    targeted = small_shop.tables["campaign_targets"]["user_id"]
    users.loc[users["user_id"].isin(targeted.head(5)), "signed_up_at"] = pd.Timestamp("2023-08-10")
    review = reviewed(small_shop.replace(users=users))
    assert review.reach.steps["n_users"].iloc[0] == len(targeted)
    assert review.effect.n_targeted == len(targeted) - 5
