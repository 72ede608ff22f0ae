"""A day without an exchange rate: the last known one, flagged, and never silently 1."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def gap(shop):
    shop.tables["fx_rates"] = [
        {"currency": "GBP", "day": day, "usd_per_unit": rate}
        for day, rate in (("2024-03-05", 1.2), ("2024-03-12", 2.0))
    ]
    return shop.lines(*({"order_id": f"o{d}", "ordered_at": f"2024-03-{d:02d} 12:00"} for d in (4, 5, 10, 12, 13)))


def test_a_rate_is_carried_from_the_last_day_and_flagged(gap):
    frame = gap.made("order_facts").sort_values("day")
    assert frame["gmv_usd"].fillna(-1).tolist() == [-1, 24.0, 24.0, 40.0, 40.0]
    assert frame["is_fx_carried"].tolist() == [False, False, True, False, True]
    assert frame["fx_day"].dt.day.fillna(0).tolist() == [0, 5, 5, 12, 12]
    found = gap.findings()
    assert found["order_facts", "is_fx_carried"] == ("warning", 2)
    assert found["order_facts", "is_fx_missing"] == ("warning", 1)


def test_before_the_first_rate_there_are_no_dollars(gap):
    row = gap.made("order_facts").sort_values("day").iloc[0]
    dollars = [name for name in row.index if name.endswith("_usd")]
    assert row["is_fx_missing"] and row[dollars].isna().all() and row["gmv_local"] == 20.0
    days = gap.mart("user_days").sort_values("day").iloc[0]
    assert days["gmv_usd"] == 0.0 and days["n_lines_without_usd"] == 1


def test_two_rates_of_a_day_are_none(gap):
    gap.tables["fx_rates"].append({"currency": "GBP", "day": "2024-03-12", "usd_per_unit": 3.0})
    frame = gap.made("order_facts").sort_values("day")
    assert frame["gmv_usd"].tolist()[-1] == 24.0 and frame["is_fx_carried"].tolist()[-1]
    assert gap.findings()["order_facts", "two_rates"] == ("error", 1)


@pytest.mark.parametrize("rate", [0.0, -1.0, None, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_none(gap, rate):
    gap.tables["fx_rates"].append({"currency": "GBP", "day": "2024-03-10", "usd_per_unit": rate})
    assert gap.made("order_facts").set_index("order_id").loc["o10", "usd_per_unit"] == 1.2


def test_a_source_without_rates_knows_dollars_only(shop):
    del shop.tables["fx_rates"]
    shop.lines({}, {"order_id": "o2", "currency": "USD", "country": "US"})
    frame = shop.made("order_facts").set_index("order_id")
    assert pd.isna(frame.loc["o1", "gmv_usd"]) and frame.loc["o2", "gmv_usd"] == 20.0


def test_a_dollar_is_a_dollar_whatever_the_table_says(shop):
    shop.tables["fx_rates"] = [{"currency": "USD", "day": "2024-03-01", "usd_per_unit": 1.1}]
    frame = shop.lines({"currency": "USD", "country": "US"}).made("order_facts")
    assert frame["gmv_usd"].tolist() == [20.0] and not frame["is_fx_carried"].any()
    assert shop.findings()["order_facts", "dollar_rate"] == ("error", 1)
