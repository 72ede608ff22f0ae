"""A currency no rate is known of has no dollars; taking it for dollars would be off by a factor of thousands."""

from __future__ import annotations

import pandas as pd


def test_an_unknown_currency_has_no_dollars_and_is_named(shop):
    shop.lines({}, {"order_id": "o2", "currency": "XXX", "price_local": 150_000.0})
    frame = shop.made("order_facts").set_index("order_id")
    row = frame.loc["o2"]
    assert pd.isna(row["gmv_usd"]) and pd.isna(row["gmv_constant_usd"]) and row["is_fx_missing"]
    assert row["gmv_local"] == 300_000.0 and row["is_foreign_currency"]
    assert shop.mart("merchant_days")["gmv_usd"].sum() == 25.0
    assert shop.findings()["order_facts", "unknown_currency"] == ("error", 1)
    with shop.opened() as wh:
        from analysis_lib import pipelines

        assert "without any rate: XXX" in pipelines.check(wh).to_frame()["message"].str.cat()


def test_no_currency_at_all(shop):
    row = shop.lines({"currency": None}).made("order_facts").iloc[0]
    assert pd.isna(row["gmv_usd"]) and row["is_fx_missing"]
    assert not [rule for rule in shop.findings() if rule[1] == "reconcile"]


def test_lower_case_is_another_currency(shop):
    """gbp is not GBP: nothing is guessed."""
    assert shop.lines({"currency": "gbp"}).made("order_facts")["is_fx_missing"].all()
