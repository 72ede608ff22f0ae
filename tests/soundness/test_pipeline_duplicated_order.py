"""A row of orders that comes twice must not be sold twice."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("again", [{}, {"price_local": 99.0}, {"ordered_at": "2024-03-12 12:00"}], ids=str)
def test_a_line_that_comes_twice_is_sold_once(shop, again):
    """The same row, or one that contradicts it, even on another day: one is kept, flagged, and the check says so."""
    frame = shop.lines({}, again).made("order_facts")
    assert len(frame) == 1 and frame["is_duplicate"].all() and frame["gmv_local"].tolist() == [20.0]
    assert shop.mart("user_days")["gmv_usd"].tolist() == [25.0]
    found = shop.findings()
    assert found["order_facts", "duplicate"] == ("error", 1)
    assert found["order_facts", "is_duplicate"] == ("warning", 1)
    assert ("order_facts", "reconcile") not in found


def test_two_products_of_an_order_are_two_lines(shop):
    frame = shop.lines({}, {"product_id": "p2"}).made("order_facts")
    assert len(frame) == 2 and not frame["is_duplicate"].any()
    assert shop.mart("user_days")["n_orders"].tolist() == [1]


@pytest.mark.parametrize("table", ["users", "products", "merchants", "countries"])
def test_a_dimension_that_repeats_a_key_doubles_nothing(shop, table):
    rows = shop.tables[table]
    shop.tables[table] = [*rows, *rows]
    frame = shop.events({}).lines({"merchant_id": "m1"}).made("order_facts")
    assert len(frame) == 1 and shop.mart("sessions")["n_events"].tolist() == [1]
    assert not [rule for rule in shop.findings() if rule[1] in ("reconcile", "key")]


def test_an_event_sent_twice_is_one(shop):
    frame = shop.events({"event_id": "e1"}, {"event_id": "e1"}, {"event_id": "e2"}).made("sessions")
    assert frame["n_events"].tolist() == [2]
    assert shop.findings()["sessions", "duplicate"] == ("warning", 1)


def test_an_event_id_at_two_times_is_an_error(shop):
    shop.events({"event_id": "e1"}, {"event_id": "e1", "at": "2024-03-10 18:00"}).made("sessions")
    assert shop.findings()["sessions", "key"] == ("error", 1)
