"""Silent wrong answers a campaign review could give; each is a mistake that was made once, or nearly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns, warehouse
from analysis_lib.errors import ContractError

START = pd.Timestamp("2023-09-04")


@dataclass
class Market:
    tables: dict[str, pd.DataFrame]


def _market(seed: int, n_users: int = 160) -> Market:
    """Random spending over 26 weeks before and 6 after; half of the users targeted at random; nothing planted."""
    rng = np.random.default_rng(seed)
    users = np.array([f"u{i:03d}" for i in range(n_users)])
    n = n_users * 90
    days = rng.integers(-26 * 7, 6 * 7, n)
    orders = pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(n)], "ordered_at": START + pd.to_timedelta(days, unit="D"),
            "user_id": users[rng.integers(0, n_users, n)],
            "product_id": rng.choice(["tea", "jam", "rye"], n, p=[0.08, 0.46, 0.46]),
            "country": "GB", "quantity": 1, "price_local": rng.gamma(4.0, 2.0, n), "currency": "GBP",
            "discount_local": 0.0, "status": "paid",
        }
    )  # fmt: skip
    orders["ordered_at"] += timedelta(hours=12)
    targeted = users[rng.random(n_users) < 0.5]
    during = orders["ordered_at"].between(START, START + timedelta(days=14)) & (orders["product_id"] == "tea")
    used = during & orders["user_id"].isin(targeted) & (rng.random(n) < 0.5)
    orders["coupon_id"] = pd.Series(np.where(used, "c1", None), dtype=object)
    orders["platform_subsidy_local"] = np.where(used, 1.0, 0.0)
    events = orders.loc[used, ["coupon_id", "user_id", "ordered_at"]].rename(columns={"ordered_at": "at"})
    return Market(
        {
            "countries": pd.DataFrame(
                [{"country": "GB", "name": "United Kingdom", "currency": "GBP", "timezone": "Europe/London"},
                 {"country": "FR", "name": "France", "currency": "EUR", "timezone": "Europe/Paris"}]
            ),
            "users": pd.DataFrame({"user_id": users, "country": "GB", "signed_up_at": pd.Timestamp("2022-01-01")}),
            "products": pd.DataFrame({"product_id": ["tea", "jam", "rye"], "category": "FOOD"}),
            "orders": orders,
            "campaigns": pd.DataFrame(
                [{"campaign_id": "1", "name": "One", "country": "GB", "mechanic": "m", "starts_on": START.date(),
                  "ends_on": (START + timedelta(days=13)).date()}]
            ),
            "campaign_targets": pd.DataFrame({"campaign_id": "1", "user_id": targeted, "is_holdout": False}),
            "coupons": pd.DataFrame([{"coupon_id": "c1", "campaign_id": "1"}]),
            "coupon_products": pd.DataFrame([{"coupon_id": "c1", "product_id": "tea"}]),
            "coupon_events": events.assign(kind="redemption"),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def market() -> Market:
    return _market(1)


@pytest.fixture(scope="module")
def reviewed(make_warehouse, tmp_path_factory):
    def run(tables: dict[str, pd.DataFrame], **options):
        with warehouse.connect(make_warehouse(tmp_path_factory.mktemp("market"), tables)) as wh:
            return campaigns.review(wh, "1", **{"country": "GB", "weeks_before": 12, "weeks_after": 2, **options})

    return run


@pytest.fixture(scope="module")
def plain_review(market, reviewed):
    return reviewed(market.tables)


def _same(one, other) -> None:
    assert one.ledger["value"].to_numpy() == pytest.approx(other.ledger["value"].to_numpy())
    assert one.ledger["ci_upper"].to_numpy() == pytest.approx(other.ledger["ci_upper"].to_numpy())
    assert one.reach.steps["n_users"].tolist() == other.reach.steps["n_users"].tolist()
    assert one.cost.total == pytest.approx(other.cost.total)
    assert one.cost.n_redemptions == other.cost.n_redemptions


def test_a_product_on_several_coupons_is_sold_once(market, reviewed, plain_review):
    """A join of order lines and coupons would count tea three times."""
    plain = market.tables
    many = {
        **plain,
        "coupons": pd.DataFrame({"coupon_id": ["c1", "c2", "c3"], "campaign_id": "1"}),
        "coupon_products": pd.DataFrame({"coupon_id": ["c1", "c2", "c3"], "product_id": "tea"}),
    }
    once, thrice = plain_review, reviewed(many)
    _same(once, thrice)
    assert once.cost.always_share.value == pytest.approx(thrice.cost.always_share.value)


def test_another_campaigns_coupon_on_a_product_does_not_make_it_ours(market, reviewed, plain_review):
    plain = market.tables
    other = {
        **plain,
        "coupons": pd.concat([plain["coupons"], pd.DataFrame([{"coupon_id": "z", "campaign_id": "9"}])]),
        "coupon_products": pd.concat(
            [plain["coupon_products"], pd.DataFrame([{"coupon_id": "z", "product_id": "jam"}])]
        ),
    }
    _same(plain_review, reviewed(other))


def test_the_same_campaign_in_another_market_is_not_counted_here(market, reviewed, plain_review):
    """One campaign id in two markets: French targets and redemptions are not British reach and cost."""
    plain = market.tables
    french = [f"f{i}" for i in range(50)]
    rows = plain["campaigns"]
    paris = {"coupon_id": "c1", "user_id": french, "at": START + timedelta(days=2), "kind": "redemption"}
    both = {
        **plain,
        "campaigns": pd.concat([rows, rows.assign(country="FR")]),
        "users": pd.concat([plain["users"], pd.DataFrame({"user_id": french, "country": "FR", "signed_up_at": START})]),
        "campaign_targets": pd.concat(
            [plain["campaign_targets"], pd.DataFrame({"campaign_id": "1", "user_id": french, "is_holdout": False})]
        ),
        "coupon_events": pd.concat([plain["coupon_events"], pd.DataFrame(paris)]),
    }
    _same(plain_review, reviewed(both))


def test_orders_of_another_market_are_not_money_of_this_one(market, reviewed, plain_review):
    """The same user on a trip: euros are not added to pounds."""
    plain = market.tables
    abroad = plain["orders"].assign(
        order_id=lambda o: o["order_id"] + "x", country="FR", currency="EUR", coupon_id=None, platform_subsidy_local=0.0
    )
    _same(plain_review, reviewed({**plain, "orders": pd.concat([plain["orders"], abroad])}))


def test_the_order_of_rows_does_not_matter(market, reviewed, plain_review):
    shuffled = {name: frame.sample(frac=1.0, random_state=1) for name, frame in market.tables.items()}
    _same(plain_review, reviewed(shuffled))


def test_an_order_of_many_lines_is_not_counted_by_line(market, reviewed, plain_review):
    """Each line cut in two of half its value: the same money, the same redemptions."""
    plain = market.tables
    half = plain["orders"].assign(
        price_local=lambda o: o["price_local"] / 2, platform_subsidy_local=lambda o: o["platform_subsidy_local"] / 2
    )
    doubled = pd.concat([half, half.assign(order_id=lambda o: o["order_id"] + "b")])
    _same(plain_review, reviewed({**plain, "orders": doubled}))


@pytest.mark.parametrize("column", ["price_local", "discount_local", "platform_subsidy_local"])
def test_a_line_without_a_value_is_not_passed_over(market, reviewed, column):
    """A sum in the engine leaves nulls out without a word."""
    orders = market.tables["orders"].astype({column: float})
    orders.loc[orders.index[:3], column] = np.nan
    with pytest.raises(ContractError, match=r"3 order lines of GB .* have no value"):
        reviewed({**market.tables, "orders": orders}, metric="paid")


def test_two_currencies_are_not_added_up(market, reviewed):
    orders = market.tables["orders"].copy()
    orders.loc[orders.index[:5], "currency"] = "EUR"
    with pytest.raises(ContractError, match=r"5 order lines of GB .* are not in GBP"):
        reviewed({**market.tables, "orders": orders})


def test_where_coupons_sell_nothing_all_coupon_money_goes_to_always_buyers(plain_review):
    """Nothing is planted: every redeemed coupon was used on a purchase that would have been made.

    What is estimated is a floor (who redeems is likelier to have bought than others with the same
    history), so the interval must reach up to all of it.
    """
    share = plain_review.cost.always_share
    assert share.ci_lower <= share.value <= 1.0
    assert share.ci_upper == 1.0
    assert "At least" in plain_review.cost.text
