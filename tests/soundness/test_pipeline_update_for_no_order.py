"""A refund of an order that is not there must not take money from anybody, nor vanish unsaid."""

from __future__ import annotations


def test_an_update_for_no_order_is_counted_and_used_for_nothing(shop):
    shop.updates({}, {"order_id": "o9", "status": "refunded", "amount_local": 500.0})
    frame = shop.made("order_facts")
    assert frame["order_id"].tolist() == ["o1"] and frame["net_local"].tolist() == [20.0]
    assert shop.findings()["order_facts", "orphan_update"] == ("warning", 1)


def test_an_update_without_an_order_id(shop):
    frame = shop.updates({}, {"order_id": None, "status": "cancelled"}).made("order_facts")
    assert frame["lost_local"].tolist() == [0.0]
    assert shop.findings()["order_facts", "left_out"] == ("warning", 1)


def test_a_line_that_says_lost_without_an_update(shop):
    """The line says refunded, no update says when: it counts as lost, flagged, and not as sold."""
    row = shop.lines({"status": "refunded"}).updates({"status": "paid"}).made("order_facts").iloc[0]
    assert row["net_local"] == 0.0 and row["is_status_unexplained"] and row["status"] == "refunded"
    assert shop.findings()["order_facts", "is_status_unexplained"] == ("warning", 1)
