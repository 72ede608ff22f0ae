"""A refund takes back what the buyer had paid: of sales after coupons, the coupon's part was never in them."""

from __future__ import annotations

import pytest

from analysis_lib.campaigns import cells
from analysis_lib.campaigns.lot_cells import lot_cells
from analysis_lib.campaigns.windows import find_campaign, plan_windows
from analysis_lib.pipelines import mart


def test_what_is_returned_is_in_the_measure_of_what_was_sold(world):
    campaign = find_campaign(world, "ramadan_2026", "ID")
    windows = plan_windows(campaign, cells.days_with_orders(world, campaign), 12, 4, fewest=0)
    found = lot_cells(world, windows, "paid").reached
    facts, targets = mart(world, "order_facts"), world.table("campaign_targets")
    reached = targets.filter(targets.campaign_id == "ramadan_2026", ~targets.is_holdout).select("user_id")
    facts = facts.filter(facts.country == "ID", facts.day.between(campaign.starts_on, windows.ends_on))
    rows = world.query(facts.semi_join(reached, "user_id").select("gmv_local", "subsidy_local", "lost_local"))
    rows = rows.astype(float)
    rows = rows[rows["gmv_local"] > 0]
    paid = rows["gmv_local"] - rows["subsidy_local"]
    taken_back = (rows["lost_local"] / rows["gmv_local"] * paid).sum()
    assert (rows["lost_local"] * rows["subsidy_local"]).sum() > 0, "no coupon was refunded: nothing is tested here"
    (place,) = found.places(["returned"])
    assert -found.mean[place] * found.n == pytest.approx(taken_back, rel=1e-9)
