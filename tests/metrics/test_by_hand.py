"""Numbers that were worked out by hand: GBP at 1.25, SGD at 0.75 dollars."""

from __future__ import annotations

import pytest

from analysis_lib import metrics

#: o1: 2 × 10 and 1 × 10 − 4 pounds, o2: 20 pounds, o3: 20 dollars (cancelled), o4: 20 Singapore dollars.
GMV = 25 + 7.5 + 25 + 20 + 15


EXPECTED = {
    "gmv": GMV,
    "net_gmv": GMV - 20,
    "lost_gmv": 20,
    "refund_rate": 20 / GMV,
    "orders": 4,
    "buyers": 3,
    "units": 9,
    "aov": GMV / 4,
    "units_per_order": 9 / 4,
    "gmv_per_unit": GMV / 9,
    "gmv_per_buyer": GMV / 3,
    "orders_per_buyer": 4 / 3,
    "cancellation_rate": 1 / 5,
    "cross_border_share": (20 + 15) / GMV,
    "live_gmv": 70,
    "video_gmv": 7.5,
    "search_gmv": 15,
    "shop_tab_gmv": 0,
    "other_gmv": 0,
    "live_gmv_share": 70 / GMV,
    "active_creators": 1,
    "gmv_per_creator": 25,
    "active_merchants": 2,
    "subsidy": 6.25,
    "subsidy_rate": 6.25 / GMV,
    "discount_rate": 5 / GMV,
    "coupon_orders": 1,
    "coupon_order_share": 1 / 4,
    "subsidy_per_coupon_order": 6.25,
    "visitors": 2,
    "sessions": 5,
    "sessions_per_visitor": 2.5,
    "views_per_session": 4 / 5,
    "session_seconds": 240 / 5,
    "visit_conversion": 1 / 5,
    "payment_success_rate": 1 / 2,
    "view_rate": 1,
    "cart_rate": 1 / 4,
    "checkout_rate": 0,
    "view_to_payment_30m": 1 / 4,
    "live_viewers": 1,
    "video_viewers": 1,
    "crash_free_rate": 4 / 5,
    "app_crashes": 1,
    "delivery_days": (11 + 11 + 11) / 3,
    "delivery_days_p95": 11,
    "delivered_lines": 3,
    "late_share": 1,
    "buyer_share": 1,
    "week_one_retention": 2 / 2,
    "month_one_retention": 0,
    "repurchase_30d": 1 / 3,
}


@pytest.fixture(scope="module")
def found(counter):
    """All of them, asked at once."""
    return counter.frame(EXPECTED, start="2024-03-10", end="2024-03-20").iloc[0]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_metric_is_what_it_says(found, name):
    assert found[name] == pytest.approx(EXPECTED[name], rel=1e-9)


def test_cells_of_two_marts_stand_in_one_row(counter):
    frame = counter.frame(["gmv", "sessions"], by="country", grain="week").set_index(["country", "period_start"])
    assert frame.loc[("GB", "2024-03-11"), ["gmv", "sessions"]].tolist() == [25, 2]
    # Nothing was sold in Singapore that week, and somebody looked.
    assert frame.loc[("SG", "2024-03-11"), ["gmv", "sessions"]].tolist() == [0, 1]
    assert len(frame) == 3 * 3


def test_distinct_counts_are_made_at_the_grain(counter):
    by_day = counter.frame("buyers", grain="day", start="2024-03-10", end="2024-03-12")
    assert by_day["buyers"].tolist() == [1, 1, 1]
    assert counter.value("buyers", start="2024-03-10", end="2024-03-12") == 2


def test_a_running_total_begins_anew(equipped, counter_of):
    days = {"o1": "2024-03-10", "o2": "2024-03-11", "o3": "2024-04-02"}
    equipped.lines(*({"order_id": name, "ordered_at": f"{day} 12:00"} for name, day in days.items()))
    frame = counter_of(equipped).frame("gmv_month_to_date", grain="day", start="2024-03-11")
    values = frame.set_index("period_start")["gmv_month_to_date"]
    assert values["2024-03-11"] == values["2024-03-31"] == 50
    assert values["2024-04-01"] == 0 and values["2024-04-02"] == 25
    # The data begin within March: what came before is not known.
    assert frame["is_partial"].tolist() == [day.month == 3 for day in frame["period_start"]]


@pytest.mark.parametrize(("currency", "value"), [("usd", 57.5), ("constant_usd", 57.5), ("local", 46)])
def test_money_in_three_kinds(counter, currency, value):
    result = counter.result("gmv", currency=currency, where={"country": "GB"})
    assert result.frame["gmv"].tolist() == [value]
    assert result.units["gmv"] == ("local_money" if currency == "local" else "usd")


def test_previous_period(counter):
    frame = counter.frame(["gmv", "orders"], start="2024-03-12", end="2024-03-13", compare="previous_period")
    row = frame.iloc[0]
    assert row[["gmv", "gmv_before", "orders", "orders_before"]].tolist() == [20, 57.5, 1, 2]
    assert row["rel_gmv_change"] == pytest.approx(20 / 57.5 - 1)


def test_events_are_compared_day_by_day(counter):
    options = {"start": "2024-03-19", "end": "2024-03-20", "grain": "day", "where": {"country": ["GB", "SG"]}}
    aligned = metrics.Aligned(at="2024-03-20", before={"GB": "2024-03-11", "SG": "2024-03-15"})
    frame = counter.frame(["gmv", "sessions"], compare=aligned, by="country", **options)
    frame = frame.set_index(["country", "period_start"])
    assert frame.loc[("GB", "2024-03-20"), ["gmv", "gmv_before", "sessions_before"]].tolist() == [0, 25, 2]
    assert frame.loc[("GB", "2024-03-19"), "gmv_before"] == 32.5
    assert frame.loc[("SG", "2024-03-20"), ["gmv", "gmv_before", "sessions_before"]].tolist() == [15, 0, 1]


def test_the_same_festival_a_year_before(equipped, counter_of):
    # Black Friday fell on the 29th in 2024 and on the 28th in 2025.
    rates = equipped.tables["fx_rates"]
    equipped.tables["fx_rates"] = [*rates, {"currency": "GBP", "day": "2024-11-01", "usd_per_unit": 1.25}]
    days = {"a": "2024-11-28", "b": "2024-11-29", "c": "2025-11-28", "d": "2025-11-30"}
    equipped.lines(*({"order_id": o, "ordered_at": f"{day} 12:00", "quantity": i + 1}
                     for i, (o, day) in enumerate(days.items())))  # fmt: skip
    frame = counter_of(equipped).frame("units", start="2025-11-28", end="2025-11-28", where={"country": "GB"},
                                       compare="same_festival_last_year:black_friday")  # fmt: skip
    assert frame[["units", "units_before"]].iloc[0].tolist() == [3, 2]


def test_what_is_not_final_is_flagged(counter):
    result = counter.result(["gmv", "net_gmv"], grain="week")
    assert result.frame["is_immature"].all()
    assert set(result.flags.query("flag == 'is_immature'")["metric"]) == {"net_gmv"}
    assert "Net GMV: is not final yet" in result.text
    assert not counter.frame("gmv", grain="week")["is_immature"].any()


def test_periods_that_are_cut_are_flagged(counter):
    frame = counter.frame("gmv", grain="week", start="2024-03-11", end="2024-03-20")
    assert frame["is_partial"].tolist() == [False, True]


def test_as_known_at_a_time(counter):
    options = {"start": "2024-03-10", "end": "2024-03-12"}
    assert counter.value("net_gmv", as_of="2024-03-12 12:30", **options) == pytest.approx(77.5)
    assert counter.value("net_gmv", as_of="2024-03-14 12:30", **options) == pytest.approx(57.5)
    assert counter.frame("net_gmv", as_of="2024-03-12 12:30", **options)["is_partial"].all()


def test_local_money_of_two_currencies_in_a_market_is_refused(equipped, counter_of):
    equipped.lines({}, {"order_id": "o2", "currency": "USD"})
    refusal = counter_of(equipped).refusal("gmv", by="country", currency="local")
    assert "holds 2 currencies" in refusal and "GB" in refusal


def test_a_result_knows_how_to_show_itself(counter):
    result = counter.result(["gmv", "aov"], by="country")
    assert result.names == ["gmv", "aov"] and "GMV" in result.definition[1]
    assert list(result.to_long()["metric"].unique()) == ["gmv", "aov"]
    frame = result.to_frame()
    frame.loc[:, "gmv"] = 0
    assert (result.frame["gmv"] > 0).all()
    assert "Gross merchandise value: $92.50" in counter.result("gmv").text
