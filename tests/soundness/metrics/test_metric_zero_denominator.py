"""Engines answer a division by zero with infinity, nothing or an error; here the cell is missing and says so."""

from __future__ import annotations

import numpy as np


def test_a_cell_without_a_denominator_is_missing_and_flagged(counter):
    result = counter.result(["aov", "gmv"], by="country", start="2024-03-10", end="2024-03-12")
    frame = result.frame.set_index("country")
    assert frame.loc["GB", "aov"] == 28.75 and not frame.loc["GB", "is_undefined"]
    result = counter.result(["aov", "sessions"], by="country", start="2024-03-15", end="2024-03-15")
    frame = result.frame.set_index("country")
    assert np.isnan(frame.loc["SG", "aov"]) and frame.loc["SG", "is_undefined"]
    assert result.flags.query("flag == 'is_undefined'")["metric"].tolist() == ["aov"]
    assert "nothing to divide by" in result.text


def test_no_infinity_anywhere(counter):
    names = ["aov", "refund_rate", "cod_refusal_rate", "visit_conversion", "view_to_payment_30m", "week_one_retention"]
    values = counter.frame(names, by="country", grain="day")[names].to_numpy()
    assert not np.isinf(values).any() and np.isnan(values).any()


def test_a_change_from_nothing_is_missing(counter):
    options = {"start": "2024-03-20", "end": "2024-03-20", "compare": "previous_period"}
    row = counter.frame("gmv", **options).iloc[0]
    assert row["gmv"] == 15 and row["gmv_before"] == 0 and np.isnan(row["rel_gmv_change"])


def test_a_quantile_of_nothing(counter):
    frame = counter.frame("delivery_days_p95", start="2024-03-12", end="2024-03-12")
    assert frame["delivery_days_p95"].isna().all() and frame["is_undefined"].all()
