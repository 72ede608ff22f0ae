"""Amounts that cannot be: a sum over them would be smaller, or nonsense, without a word."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize(
    "wrong",
    [{"price_local": -10.0}, {"quantity": -1}, {"discount_local": -5.0}, {"platform_subsidy_local": -5.0},
     {"discount_local": 25.0}, {"price_local": None}, {"price_local": np.nan}, {"price_local": np.inf},
     {"price_local": 1e300}, {"discount_local": None}, {"quantity": None}],
    ids=str,
)  # fmt: skip
def test_an_impossible_line_has_no_amounts_and_a_flag(shop, wrong):
    frame = shop.lines({}, {"order_id": "o2", **wrong}).made("order_facts").set_index("order_id")
    money = [name for name in frame if name.endswith(("_usd", "_local"))]
    assert len(money) == 14 and frame.loc["o2", money].isna().all()
    assert frame["is_invalid"].to_dict() == {"o1": False, "o2": True}
    assert shop.mart("user_days")[["gmv_usd", "n_lines", "n_units", "n_lines_without_usd"]].values.tolist() == [
        [25.0, 2, 2, 1]
    ]
    found = shop.findings()
    assert found["order_facts", "is_invalid"] == ("warning", 1)
    assert not [rule for rule in found if rule[1] == "reconcile"]


def test_a_negative_price_is_named(shop):
    assert shop.lines({"price_local": -10.0}).made("order_facts")["is_price_negative"].tolist() == [True]


def test_a_discount_of_the_whole_price_is_possible(shop):
    """0.1 × 3 − 0.3 is not quite 0 in a computer."""
    frame = shop.lines({"price_local": 0.1, "quantity": 3, "discount_local": 0.3}).made("order_facts")
    assert not frame["is_invalid"].any()


@pytest.mark.parametrize("amount", [-5.0, np.nan])
def test_a_refund_of_an_impossible_amount_is_taken_for_all(shop, amount):
    row = shop.updates({"status": "refunded", "amount_local": amount}).made("order_facts").iloc[0]
    assert row["net_local"] == 0.0 and row["is_refund_presumed"]


def test_an_impossible_line_takes_no_part_in_a_refund(shop):
    shop.lines({}, {"product_id": "p2", "price_local": -10.0}).updates({"status": "refunded", "amount_local": 5.0})
    frame = shop.made("order_facts")
    assert frame["net_local"].tolist()[0] == 15.0 and np.isnan(frame["net_local"].tolist()[1])
