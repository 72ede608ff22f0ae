"""Sales of a currency without a rate are no sales of zero dollars."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def half_priced(equipped, counter_of):
    equipped.tables["fx_rates"] = [row for row in equipped.tables["fx_rates"] if row["currency"] != "SGD"]
    sold = {"country": "SG", "currency": "SGD", "user_id": "u2"}
    return counter_of(equipped.lines({}, {"order_id": "o2", **sold}, {"order_id": "o3", **sold, "quantity": 1}))


def test_it_is_missing_flagged_and_counted(half_priced):
    result = half_priced.result(["gmv", "orders"], by="country")
    frame = result.frame.set_index("country")
    assert frame.loc["GB", "gmv"] == 25 and not frame.loc["GB", "is_incomplete"]
    assert np.isnan(frame.loc["SG", "gmv"]) and frame.loc["SG", "orders"] == 2 and frame.loc["SG", "is_incomplete"]
    whole = half_priced.result("gmv")
    assert whole.frame["gmv"].tolist() == [25] and whole.frame["is_incomplete"].all()
    assert "leaves out lines without an amount" in whole.text and "(2 lines)" in whole.text
    local = half_priced.frame("gmv", by="country", currency="local").set_index("country")
    assert local.loc["SG", "gmv"] == 30 and not local["is_incomplete"].any()
