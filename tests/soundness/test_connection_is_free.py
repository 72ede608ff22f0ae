"""A look-up of one value must not block the queries that follow on the same connection."""

from __future__ import annotations


def test_queries_follow_look_ups(complete_journey):
    """DuckDB refuses a connection with an unfinished result; many rows match here."""
    orders = complete_journey.table("orders")
    for _ in range(3):
        assert complete_journey.value_exists("orders", "currency", "USD")
        assert complete_journey.build_info["builder"] == "complete_journey"
        assert complete_journey.query(orders.count()) > 1_000_000
