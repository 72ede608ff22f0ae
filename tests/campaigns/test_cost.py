"""The bill, and who would have bought anyway."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from analysis_lib.campaigns.cost import MOST_WEEKS_BOUGHT, Cost, always_share
from analysis_lib.results import Estimate


def bought(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "coupon_id", "weeks_bought", "bought"])


def redeemed(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "coupon_id", "n"])


#: Four untargeted of equal weight: a and b never bought tea before, c and d did in one week; b and c buy now.
PURCHASES = bought(("b", "tea", 0, 1), ("c", "tea", 1, 1), ("d", "tea", 1, 0), ("x", "tea", 1, 1))
EVEN = pd.Series(0.25, index=["a", "b", "c", "d"])


def test_a_case_worked_by_hand():
    """Class 0 (a, b): half buy; class 1 (c, d): half buy. x redeems 3 times in class 1, y once in class 0."""
    share = always_share(PURCHASES, redeemed(("x", "tea", 3), ("y", "tea", 1)), EVEN, level=0.95)
    assert share.value == pytest.approx(0.5)
    # Influence: share of the class × weight / weight of the class × (bought − rate), squared and summed:
    # class 1: 0.75 × 0.5 × ±0.5, class 0: 0.25 × 0.5 × ±0.5, twice each.
    assert share.se == pytest.approx(np.sqrt(2 * 0.1875**2 + 2 * 0.0625**2))
    assert share.ci_lower == pytest.approx(max(0, 0.5 - norm.ppf(0.975) * share.se))
    assert share.ci_upper == 1.0  # a floor: nothing bounds it from above
    assert (share.unit, share.n) == ("share", 4)


def test_weights_count():
    """b weighs three times a: of class 0 three quarters buy."""
    weights = pd.Series([0.1, 0.3, 0.3, 0.3], index=["a", "b", "c", "d"])
    share = always_share(PURCHASES, redeemed(("y", "tea", 1)), weights, level=0.95)
    assert share.value == pytest.approx(0.75)


def test_coupons_count_by_their_redemptions():
    """Tea (1 redemption): one of two of class 0 buys; jam (3): nobody of class 0 does."""
    share = always_share(PURCHASES, redeemed(("y", "tea", 1), ("y", "jam", 3)), EVEN, level=0.95)
    # Class 0, weighted by redemptions: tea a, b; jam a, b, c, d → seen 2 × 1 + 4 × 3, bought 1 × 1.
    assert share.value == pytest.approx(1 / 14)


def test_many_weeks_are_one_class():
    purchases = bought(("a", "tea", MOST_WEEKS_BOUGHT, 1), ("b", "tea", 9, 0), ("x", "tea", 30, 1))
    share = always_share(purchases, redeemed(("x", "tea", 1)), pd.Series([0.5, 0.5], index=["a", "b"]), level=0.95)
    assert share.value == pytest.approx(0.5)


def test_a_history_nobody_shares_keeps_it_a_floor():
    """x bought in 3 weeks before, as no untargeted did: its redemption counts as 0, y's as 1/2."""
    share = always_share(bought(("x", "tea", 3, 1), ("b", "tea", 0, 1), ("a", "tea", 0, 0)),
                         redeemed(("x", "tea", 1), ("y", "tea", 1)), EVEN, level=0.95)  # fmt: skip
    assert share.value == pytest.approx(0.5 * 1 / 4)


@given(st.integers(0, 10_000), st.floats(0.5, 0.999))
def test_it_is_a_share_and_does_not_touch_its_input(seed, level):
    rng = np.random.default_rng(seed)
    users = [f"u{i}" for i in range(30)]
    pairs = [(u, c, int(rng.integers(0, 3)), int(rng.integers(0, 2))) for u in users for c in ("tea", "jam")]
    purchases = bought(*pairs)
    taken = redeemed(*[(u, "tea", int(rng.integers(1, 4))) for u in users[:10]])
    weights = pd.Series(rng.dirichlet(np.ones(20)), index=users[10:])
    before = purchases.copy(), taken.copy(), weights.copy()
    share = always_share(purchases, taken, weights, level=level)
    assert 0 <= share.ci_lower <= share.value <= share.ci_upper <= 1
    for frame, copy in zip((purchases, taken), before, strict=False):
        pd.testing.assert_frame_equal(frame, copy)
    pd.testing.assert_series_equal(weights, before[2])


@given(st.floats(0.01, 1e6), st.floats(0, 1))
def test_the_two_parts_of_the_bill_add_up(total, value):
    share = Estimate(value, 0.1, max(0, value - 0.2), min(1, value + 0.2), 0.95, "share", 10, "m")
    cost = Cost(10, 10, total, total, share, "usd")
    assert cost.always_buyers.value + cost.others.value == pytest.approx(total)
    assert cost.always_buyers.ci_lower + cost.others.ci_upper == pytest.approx(total)
    assert cost.others.ci_lower <= cost.others.value <= cost.others.ci_upper


def test_the_bill_is_what_redemptions_took_off(shop, review):
    events, orders = shop.tables["coupon_events"], shop.tables["orders"]
    assert review.cost.n_redemptions == len(events)
    assert review.cost.total == pytest.approx(orders["platform_subsidy_local"].sum())
    assert review.cost.recorded == review.cost.total


def test_redemptions_without_a_receipt_cost_the_average(small_shop, reviewed):
    """Half of the redeemers' lines lose their coupon: the total is scaled up from the rest."""
    orders = small_shop.tables["orders"].copy()
    users = np.sort(orders.loc[orders["coupon_id"].notna(), "user_id"].unique())
    lost = orders["user_id"].isin(users[::2]) & orders["coupon_id"].notna()
    orders.loc[lost, "coupon_id"] = None
    orders.loc[lost, "platform_subsidy_local"] = 0.0
    cost = reviewed(small_shop.replace(orders=orders)).cost
    kept = orders["coupon_id"].notna().sum()
    assert (cost.n_recorded, cost.recorded) == (kept, pytest.approx(1.5 * kept))
    assert cost.total == pytest.approx(1.5 * len(small_shop.tables["coupon_events"]))


def test_contacts_are_added_to_the_cost(small_shop, reviewed):
    free, dear = reviewed(small_shop), reviewed(small_shop, contact_cost=2.0)
    assert dear.total_cost - free.total_cost == pytest.approx(2.0 * free.effect.n_targeted)
    assert dear.contribution.value == pytest.approx(free.contribution.value - 2.0 * free.effect.n_targeted)
    assert dear.return_on_cost.value == pytest.approx(dear.net_incremental_gmv.value / dear.total_cost)
    table = dear.exhibit("cost").frame.set_index("row")["value"]
    assert table.drop("total_cost").sum() == pytest.approx(table["total_cost"])
