"""A user seen in two countries: money of two currencies, days of two calendars."""

from __future__ import annotations


def test_visits_abroad_are_flagged_and_counted_where_they_happened(shop):
    shop.events({}, {"country": "SG", "at": "2024-03-10 12:05"})
    frame = shop.made("sessions")
    assert frame["country"].tolist() == ["GB", "SG"] and frame["is_home_market"].tolist() == [True, False]
    assert shop.findings()["sessions", "away"] == ("warning", 1)
    assert len(shop.mart("user_days")) == 2


def test_a_user_registered_in_two_countries_is_an_error(shop):
    shop.tables["users"] = [*shop.tables["users"], {**shop.tables["users"][1], "country": "SG"}]
    frame = shop.events({}).made("sessions")
    assert len(frame) == 1
    assert shop.findings()["sessions", "two_countries"] == ("error", 1)


def test_pounds_and_dollars_of_a_user_are_never_one_sum(shop):
    shop.lines({}, {"order_id": "o2", "country": "US", "currency": "USD"})
    frame = shop.made("user_days")
    assert frame[["country", "currency", "gmv_local"]].values.tolist() == [["GB", "GBP", 20.0], ["US", "USD", 20.0]]
    assert frame["gmv_usd"].sum() == 45.0


def test_an_order_of_two_countries_is_flagged(shop):
    frame = shop.lines({}, {"product_id": "p2", "country": "US", "currency": "USD"}).made("order_facts")
    assert frame["is_order_inconsistent"].all()


def test_a_refund_of_an_order_in_two_currencies_is_not_guessed(shop):
    """8 of what? The share given back cannot be told, so what is left is unknown, not wrong."""
    shop.lines({}, {"product_id": "p2", "currency": "USD"}).updates({"status": "refunded", "amount_local": 8.0})
    frame = shop.made("order_facts")
    assert frame["net_local"].isna().all() and frame["gmv_local"].tolist() == [20.0, 20.0]
