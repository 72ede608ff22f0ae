"""A market without data, and data without a market."""

from __future__ import annotations

import pandas as pd


def test_a_market_without_orders_has_no_rows_and_is_named(shop):
    shop.events({})
    assert set(shop.made("user_days")["country"]) == {"GB"}
    found = shop.findings()
    assert found["order_facts", "empty_market"] == ("warning", 2)
    assert found["sessions", "empty_market"] == ("warning", 2)


def test_an_event_of_an_unknown_market_does_not_vanish(shop):
    frame = shop.events({}, {"country": "ZZ", "at": "2024-03-10 23:30"}, {"country": None}).made("sessions")
    assert frame["n_events"].sum() == 3
    assert frame.set_index("country")["is_unknown_country"].to_dict() == {"GB": False, "ZZ": True, "??": True}
    assert shop.findings()["sessions", "is_unknown_country"] == ("warning", 2)


def test_an_order_of_an_unknown_market_does_not_vanish(shop):
    frame = shop.lines({}, {"order_id": "o2", "country": "ZZ"}, {"order_id": "o3", "country": None}).made("order_facts")
    assert frame["is_unknown_country"].tolist() == [False, True, True]
    assert shop.mart("merchant_days")["gmv_usd"].sum() == 75.0
    assert not [rule for rule in shop.findings() if rule[1] == "reconcile"]


def test_no_events_at_all(shop):
    shop.tables["events"] = pd.DataFrame(
        {name: pd.Series(dtype=object) for name in ("event_id", "at", "user_id", "name", "country", "content_id")}
    )
    shop.build()
    assert len(shop.mart("sessions")) == 0 and shop.mart("user_days")["n_sessions"].tolist() == [0]
    assert not [rule for rule, (severity, _) in shop.findings().items() if severity == "error"]


def test_a_market_without_a_zone_is_refused(shop):
    import pytest

    from analysis_lib.errors import ContractError

    shop.tables["countries"][1]["timezone"] = None
    with pytest.raises(ContractError, match="timezone of 'SG' is missing"):
        shop.build()
