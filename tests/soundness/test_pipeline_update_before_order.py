"""A status change dated before its order: clocks disagree, and delivery would take less than no time."""

from __future__ import annotations


def test_an_update_before_its_order_is_flagged(shop):
    shop.updates({"at": "2024-03-09 12:00", "status": "delivered"})
    row = shop.made("order_facts").iloc[0]
    assert row["is_update_before_order"] and row["status"] == "delivered" and row["delivery_days"] == -1.0
    assert shop.findings()["order_facts", "is_update_before_order"] == ("warning", 1)


def test_an_update_at_the_minute_of_the_order_is_not(shop):
    shop.updates({"at": "2024-03-10 12:00"})
    assert not shop.made("order_facts")["is_update_before_order"].any()


def test_an_update_that_reached_the_warehouse_before_its_order_waits_for_it(shop):
    """The update is loaded today, the order tomorrow: then both count."""
    shop.tables["orders"] = [{**shop.tables["orders"][0], "order_id": "other"}]
    shop.updates({"status": "cancelled"})
    shop.build()
    assert shop.findings()["order_facts", "orphan_update"] == ("warning", 1)
    shop.change("INSERT INTO orders SELECT * REPLACE ('o1' AS order_id) FROM orders")
    shop.build()
    assert shop.mart("order_facts").set_index("order_id")["net_local"].to_dict() == {"o1": 0.0, "other": 20.0}
