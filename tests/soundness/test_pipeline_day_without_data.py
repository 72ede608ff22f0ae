"""A day on which nothing was loaded looks like a day on which nothing was sold, unless somebody says so."""

from __future__ import annotations

import pytest


@pytest.fixture
def hole(shop):
    shop.lines(*({"order_id": f"o{d}", "ordered_at": f"2024-03-{d} 12:00"} for d in (10, 11, 14)))
    return shop.events(*({"at": f"2024-03-{d} 12:00"} for d in (10, 14)))


def test_days_without_rows_are_counted(hole):
    hole.build()
    found = hole.findings()
    assert found["order_facts", "empty_day"] == ("warning", 2)
    assert found["sessions", "empty_day"] == ("warning", 3)


def test_no_row_is_made_up_for_them(hole):
    assert hole.made("user_days")["day"].dt.day.tolist() == [10, 11, 14]


def test_when_the_day_arrives_it_is_built(hole):
    hole.build()
    hole.change("INSERT INTO orders SELECT * REPLACE ('o12' AS order_id, TIMESTAMP '2024-03-12 09:00' AS ordered_at)"
                " FROM orders WHERE order_id = 'o10'")  # fmt: skip
    report = hole.build(marts=["order_facts"])
    assert (report.marts[0].n_built, report.marts[0].n_kept) == (1, 3)
    assert hole.mart("order_facts", "day")["day"].dt.day.tolist() == [10, 11, 12, 14]


def test_a_day_that_lost_its_data_loses_its_rows(hole):
    hole.build()
    hole.change("DELETE FROM orders WHERE order_id = 'o11'")
    hole.build()
    assert hole.mart("order_facts")["order_id"].tolist() == ["o10", "o14"]
