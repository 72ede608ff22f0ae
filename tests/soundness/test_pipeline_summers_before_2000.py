"""Clock changes before 2000 were not looked up: an order just after a summer midnight fell on the day before."""

from __future__ import annotations


def test_an_order_just_after_a_summer_midnight_of_1997(shop):
    # 00:30 of 5 July in New York, in summer time.
    shop.lines({"country": "US", "currency": "USD", "ordered_at": "1997-07-05 04:30"})
    assert str(shop.made("order_facts")["day"].iloc[0])[:10] == "1997-07-05"
