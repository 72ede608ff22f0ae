"""Silent wrong answers met while mapping The Complete Journey; each test would pass a plausible mistake by."""

from __future__ import annotations

import pytest

LOCAL_DAY = "((ordered_at AT TIME ZONE 'UTC') AT TIME ZONE (SELECT timezone FROM countries))::DATE"
REDEEMED_DAY = """(("at" AT TIME ZONE 'UTC') AT TIME ZONE (SELECT timezone FROM countries))::DATE"""


@pytest.fixture
def ask(complete_journey):
    return lambda sql: complete_journey.connection.execute(sql).fetchall()[0][0]


def test_coupon_products_multiply_order_lines_unless_asked_with_exists(ask):
    """A product is on up to hundreds of coupons: a join counts its sales once per coupon."""
    lines = ask("SELECT count(*) FROM orders")
    joined = ask("SELECT count(*) FROM orders JOIN coupon_products USING (product_id)")
    exists = ask("SELECT count(*) FROM orders WHERE product_id IN (SELECT product_id FROM coupon_products)")
    assert exists < lines < joined


def test_coupon_products_hold_no_pair_twice(ask):
    """The package's coupon file repeats 4,872 of its 116,204 rows."""
    assert ask("SELECT count(*) - count(DISTINCT (coupon_id, product_id)) FROM coupon_products") == 0


def test_promotions_multiply_order_lines_unless_reduced_first(ask):
    """12,785 rows are a second placement of a product in the same store and week."""
    pairs = ask("SELECT count(DISTINCT hash(product_id, store_id, week_starts_on)) FROM product_promotions")
    assert ask("SELECT count(*) FROM product_promotions") - pairs == 12_785


def test_one_line_carries_one_coupon(ask):
    """Two coupons of a household can fit one line: marking both would double the line."""
    assert ask("SELECT count(*) - count(DISTINCT (order_id, product_id)) FROM orders") == 0


def test_redemptions_fall_on_local_days(ask):
    """Read by UTC days, evening purchases move to the next day and 233 more redemptions lose theirs."""
    same_day = f"""SELECT count(*) FROM coupon_events AS e WHERE EXISTS (
        SELECT 1 FROM orders AS o WHERE o.user_id = e.user_id AND {{}} = {REDEEMED_DAY})"""
    assert ask(same_day.format(LOCAL_DAY)) == 2_098
    assert ask(same_day.format("ordered_at::DATE")) == 1_865


def test_all_purchases_lie_in_the_one_local_year(ask):
    """By UTC days the last evening of December 2017 would be a day of January 2018."""
    assert ask(f"SELECT count(*) FROM orders WHERE year({LOCAL_DAY}) <> 2017") == 0
    assert ask("SELECT count(*) FROM orders WHERE year(ordered_at) <> 2017") > 0


def test_weeks_of_promotions_begin_on_mondays_and_the_first_is_short(ask):
    """Week 1 of the package is a single Sunday: counting from 1 January would shift every week by six days."""
    assert ask("SELECT count(*) FROM product_promotions WHERE isodow(week_starts_on) <> 1") == 0
    assert ask("SELECT min(week_starts_on)::VARCHAR FROM product_promotions") == "2016-12-26"
