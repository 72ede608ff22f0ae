"""Per unit, nothing may count twice, and nobody may be left out in silence."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue

#: Two variants of a test among users; u0 was seen in both, u9 is in an arm that does not exist.
ARMS = [{"experiment_id": "x", "name": "X", "unit": "user", "variant": v, "planned_share": 0.5,
         "starts_at": "2024-03-09", "ends_at": "2024-03-20"} for v in ("control", "treatment")]  # fmt: skip


def exposure(unit: str, variant: str, at: str = "2024-03-10 13:00") -> dict:
    return {"experiment_id": "x", "unit_id": unit, "variant": variant, "exposed_at": at, "phase": "full"}


@pytest.fixture
def tested(equipped, counter_of):
    """A shop in which u1 orders two lines before and one after the exposure, and u2 nothing."""
    equipped.lines(
        {"order_id": "o1", "ordered_at": "2024-03-09 12:00"},
        {"order_id": "o1", "ordered_at": "2024-03-09 12:00", "product_id": "p2"},
        {"order_id": "o2", "ordered_at": "2024-03-10 12:00"},
        {"order_id": "o3", "ordered_at": "2024-03-14 12:00", "user_id": "u3", "country": "US", "currency": "USD"},
    ).events({"at": "2024-03-09 12:00"}, {"at": "2024-03-14 12:00"})
    equipped.tables["experiments"] = ARMS
    equipped.tables["exposures"] = [
        exposure("u1", "control"), exposure("u2", "control"), exposure("u3", "treatment"), exposure("u0", "control"),
        exposure("u0", "treatment", "2024-03-11 13:00"), exposure("u9", "blue"),
    ]  # fmt: skip
    return counter_of(equipped).warehouse


def test_who_bought_nothing_is_in_the_denominator(tested):
    found = (
        metrics.moments(tested, "gmv", by="variant", experiment="x", end="2024-03-14").to_frame().set_index("variant")
    )
    assert found.loc["control", "n_units"] == 2 and found.loc["control", "value"] == 12.5
    assert found.loc["treatment", "n_units"] == 1 and found.loc["treatment", "value"] == 20


def test_units_in_two_variants_or_an_unknown_one_are_left_out_and_counted(tested):
    found = metrics.moments(tested, "gmv", by="variant", experiment="x", end="2024-03-14")
    assert found.n_left_out == 2 and "2 units in two or unknown variants are left out" in found.text


def test_an_order_of_two_lines_is_one_order_of_its_user(tested):
    found = metrics.moments(tested, "orders", start="2024-03-09", end="2024-03-09").to_frame()
    assert found["value"].tolist() == [1.0]


def test_what_was_bought_before_the_exposure_is_no_outcome(tested):
    found = metrics.moments(tested, "gmv", by="variant", experiment="x", covariates="own", pre_days=1, end="2024-03-14")
    _, mean, _ = found.arrays("gmv")
    control = mean[found.frame["by_variant"].tolist().index("control")]
    # u1: 20 pounds from the day of the exposure on, 40 pounds on the day before; u2 nothing.
    assert control.tolist() == [12.5, 25.0]


@pytest.mark.parametrize("name", ["net_gmv", "refund_rate", "delivered_within_7_days", "week_one_retention"])
def test_what_the_test_could_still_change_is_no_covariate(tested, name):
    unit = metrics.load_metrics().get(name).randomised_by[0]
    with pytest.raises(InvalidValue, match="cannot be a covariate"):
        metrics.moments(tested, name, unit=unit, covariates=name, pre_days=1, start="2024-03-11", end="2024-03-12")


def test_a_user_in_two_markets_is_one_user_of_the_whole(counter_of, equipped):
    equipped.lines({"order_id": "a"}, {"order_id": "b", "country": "SG", "currency": "SGD"})
    found = metrics.moments(counter_of(equipped).warehouse, "gmv", by="country", cuts=[[], ["country"]])
    assert found.to_frame(cut=[])["n_units"].tolist() == [1.0]
    assert found.to_frame(cut=["country"])["n_units"].tolist() == [1.0, 1.0]
    assert found.to_frame(cut=[])["value"].tolist() == [25 + 15]


def test_who_is_exposed_after_the_last_day_does_not_thin_the_others(equipped, counter_of):
    equipped.lines({"order_id": "o1"}, {"order_id": "o2", "ordered_at": "2024-03-12 12:00"})
    equipped.events({"at": "2024-03-10 12:00"}, {"at": "2024-03-12 12:00"})
    equipped.tables["experiments"] = ARMS
    equipped.tables["exposures"] = [exposure("u1", "control"), exposure("u2", "control", "2024-03-12 13:00")]
    warehouse = counter_of(equipped).warehouse
    by_end = {
        end: metrics.moments(warehouse, "gmv", experiment="x", end=end).to_frame().iloc[0]
        for end in ("2024-03-10", "2024-03-12")
    }  # fmt: skip
    assert (by_end["2024-03-10"]["n_units"], by_end["2024-03-10"]["value"]) == (1, 25)
    assert (by_end["2024-03-12"]["n_units"], by_end["2024-03-12"]["value"]) == (2, 25)
