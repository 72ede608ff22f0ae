from __future__ import annotations

from datetime import date, datetime

import pytest

from analysis_lib import pipelines
from analysis_lib.errors import ContractError, InvalidValue


def test_money_of_a_line(shop):
    shop.lines({"quantity": 3, "discount_local": 4.0, "platform_subsidy_local": 6.0, "shipping_local": 2.0})
    row = shop.made("order_facts").iloc[0]
    assert (row["gmv_local"], row["paid_local"], row["net_local"]) == (26.0, 22.0, 26.0)
    assert (row["gmv_usd"], row["subsidy_usd"], row["paid_usd"]) == (32.5, 7.5, 27.5)
    assert row["day"].date() == date(2024, 3, 10) and row["status"] == "paid"


def test_constant_currency_is_the_first_known_rate(shop):
    shop.tables["fx_rates"] = [
        {"currency": "GBP", "day": "2024-03-01", "usd_per_unit": 1.0},
        {"currency": "GBP", "day": "2024-03-10", "usd_per_unit": 2.0},
    ]
    row = shop.made("order_facts").iloc[0]
    assert (row["gmv_usd"], row["gmv_constant_usd"]) == (40.0, 20.0)


@pytest.mark.parametrize(
    ("updates", "lost", "status"),
    [
        ([{"status": "paid"}], 0.0, "paid"),
        ([{"status": "cancelled"}], 20.0, "cancelled"),
        ([{"status": "shipped"}, {"status": "returned"}], 20.0, "returned"),  # refused at the door
        ([{"status": "delivered"}, {"status": "returned"}], 0.0, "returned"),  # no money back yet
        ([{"status": "delivered"}, {"status": "refunded", "amount_local": 5.0}], 5.0, "refunded"),
        ([{"status": "delivered"}, {"status": "returned", "amount_local": 5.0}], 5.0, "returned"),
        ([{"status": "refunded", "amount_local": 99.0}], 20.0, "refunded"),
        ([{"status": "refunded", "amount_local": 5.0}, {"status": "refunded", "amount_local": 4.0, "at": "2024-03-20"}],
         9.0, "refunded"),
    ],
)  # fmt: skip
def test_what_is_lost(shop, updates, lost, status):
    row = shop.updates(*updates).made("order_facts").iloc[0]
    assert (row["lost_local"], row["net_local"], row["status"]) == (lost, 20.0 - lost, status)


def test_a_refund_is_spread_over_the_lines_in_proportion(shop):
    shop.lines({}, {"product_id": "p2", "quantity": 6}).updates({"status": "refunded", "amount_local": 8.0})
    assert shop.made("order_facts")["lost_local"].tolist() == [2.0, 6.0]


def test_an_order_given_back_whole_loses_its_whole_gmv_whatever_the_coupon(shop):
    """GMV 20, of which the buyer paid 15 and got 15 back: a net of 5 would be money nobody has."""
    shop.lines({"platform_subsidy_local": 5.0}).updates({"status": "refunded", "amount_local": 15.0})
    assert shop.made("order_facts")["net_local"].tolist() == [0.0]


def test_a_refund_sent_twice_is_one(shop):
    refund = {"status": "refunded", "amount_local": 5.0}
    shop.updates(refund, refund)
    assert shop.made("order_facts")["lost_local"].tolist() == [5.0]
    assert shop.findings()["order_facts", "duplicate_update"] == ("warning", 1)


def test_a_refund_without_an_amount_is_taken_for_all_and_flagged(shop):
    row = shop.updates({"status": "refunded"}).made("order_facts").iloc[0]
    assert row["lost_local"] == 20.0 and row["is_refund_presumed"]


def test_an_order_across_midnight_is_one_day(shop):
    """Two lines of one order, a minute apart, on both sides of midnight in London: its refund needs both."""
    shop.lines({"ordered_at": "2024-03-10 23:59"}, {"ordered_at": "2024-03-11 00:00", "product_id": "p2"})
    frame = shop.made("order_facts")
    assert set(frame["day"].dt.date) == {date(2024, 3, 10)} and frame["is_order_inconsistent"].all()


def test_places_and_times(shop):
    shop.lines({"merchant_id": "m2", "creator_id": "c1"})
    shop.updates({"status": "paid"}, {"status": "delivered", "at": "2024-03-13 00:00"})
    row = shop.made("order_facts").iloc[0]
    assert row["is_cross_border"] and row["merchant_country"] == "CN" and row["creator_country"] == "GB"
    assert row["delivery_days"] == 2.5 and row["category"] == "TEA"
    days = shop.mart("merchant_days").iloc[0]
    assert (days["n_lines_delivered"], days["n_lines_late"], days["delivery_days_sum"]) == (1, 0, 2.5)


@pytest.fixture
def late_refund(shop):
    shop.tables["orders"] = [{**shop.tables["orders"][0], "received_at": "2024-03-10 13:00", "status": "refunded"}]
    shop.updates(
        {"status": "paid", "received_at": "2024-03-10 12:10"},
        {"status": "refunded", "amount_local": 20.0, "at": "2024-03-20 00:00", "received_at": "2024-03-25 00:00"},
    )
    shop.write()
    return shop


@pytest.mark.parametrize(
    ("as_of", "net", "status"),
    [("2024-03-11", 20.0, "paid"), ("2024-03-24 23:59", 20.0, "paid"), ("2024-03-25", 0.0, "refunded"),
     (None, 0.0, "refunded"), ("2024-03-25T01:00+02:00", 20.0, "paid")],
)  # fmt: skip
def test_as_of_knows_only_what_had_arrived(late_refund, as_of, net, status):
    """Not even the line's own status, which is today's, may give the refund away."""
    with late_refund.opened() as wh:
        row = wh.query(pipelines.order_facts(wh, as_of=as_of)).iloc[0]
    assert (row["net_local"], row["status"]) == (net, status)


def test_as_of_before_an_order_arrived_leaves_it_out(late_refund):
    with late_refund.opened() as wh:
        assert len(wh.query(pipelines.order_facts(wh, as_of="2024-03-10 12:30"))) == 0


@pytest.mark.parametrize("as_of", ["2024-03-09", datetime(2020, 1, 1), "yesterday", 3])
def test_as_of_must_be_a_time_of_the_data(late_refund, as_of):
    with late_refund.opened() as wh, pytest.raises(InvalidValue, match="as_of"):
        pipelines.order_facts(wh, as_of=as_of)


def test_the_mart_is_the_expression(shop, draw_tables):
    shop.tables = draw_tables(5)
    frame = shop.made("order_facts")
    with shop.opened() as wh:
        fresh = wh.query(pipelines.order_facts(wh)).sort_values(["order_id", "product_id"]).reset_index(drop=True)
    assert frame.astype(str).equals(fresh.astype(str))


def test_a_source_without_products(shop):
    del shop.tables["products"]
    shop.write()
    with shop.opened() as wh, pytest.raises(ContractError, match="has no products"):
        pipelines.order_facts(wh)


def test_a_source_without_updates_takes_the_status_of_the_line(shop):
    frame = shop.lines({"status": "cancelled"}, {"order_id": "o2", "status": "delivered"}).made("order_facts")
    assert frame["net_local"].tolist() == [0.0, 20.0]
    assert frame["is_status_unexplained"].tolist() == [True, False] and frame["status"].tolist() == [
        "cancelled",
        "delivered",
    ]
