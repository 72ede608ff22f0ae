"""What units do on each day since their exposure, and the largest of them capped: pandas of the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue

END = "2024-03-13"
OPTIONS = {"experiment": "x", "end": END}


@pytest.fixture(scope="module")
def ask(drawn):
    """``ask(names, ...)``: moments of the units of the drawn shop's experiment."""
    return lambda names, **options: metrics.moments(drawn.warehouse, names, **{"by": "variant", **OPTIONS, **options})


@pytest.fixture(scope="module")
def units(drawn):
    """Exposed units with the day of their exposure."""
    frame = drawn.shop.mart("experiment_units")
    frame["exposed_day"] = pd.to_datetime(frame["exposed_day"])
    return frame[frame["exposed_day"] <= pd.Timestamp(END)]


@pytest.fixture(scope="module")
def spending(drawn, units):
    """``spending(first, last)``: what each unit spent and ordered on these days since its exposure."""
    facts = drawn.shop.mart("order_facts").rename(columns={"user_id": "unit_id"})
    rows = units[["unit_id", "variant", "exposed_day"]].merge(facts[["unit_id", "day", "gmv_usd", "order_id"]])
    rows["since"] = (rows["day"] - rows["exposed_day"]).dt.days
    rows = rows[rows["day"] <= pd.Timestamp(END)]

    def make(first: int, last: int) -> pd.DataFrame:
        followed = units[units["exposed_day"] + pd.Timedelta(days=max(last, 0)) <= pd.Timestamp(END)]
        own = rows[rows["since"].between(first, last)].groupby("unit_id")
        sums = own.agg(gmv=("gmv_usd", "sum"), orders=("order_id", "nunique"))
        return followed.set_index("unit_id")[["variant"]].join(sums).fillna({"gmv": 0.0, "orders": 0.0})

    return make


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 2), (1, 3)])
def test_days_since_count_who_can_be_followed_to_the_last_of_them(ask, spending, first, last):
    n, mean, cov = ask("gmv", days_since=(first, last)).arrays("gmv")
    by_hand = spending(first, last).groupby("variant")["gmv"]
    assert n.tolist() == by_hand.size().tolist()
    assert n.sum() < len(spending(0, 0)) or last == 0
    np.testing.assert_allclose(mean[:, 0], by_hand.mean(), rtol=1e-12)
    np.testing.assert_allclose(cov[:, 0, 0], by_hand.var(), rtol=1e-9)


def test_days_without_an_end_are_of_all_who_have_the_first(ask, spending):
    """Not of those alone who can be followed to the end: everybody has as many late days as the data hold."""
    n, mean, cov = ask("gmv", days_since=(2, None)).arrays("gmv")
    late = pd.concat([spending(day, day)["gmv"] for day in range(2, 10)]).groupby(level=0).sum()
    by_hand = spending(2, 2)[["variant"]].assign(gmv=late).groupby("variant")["gmv"]
    assert n.tolist() == by_hand.size().tolist()
    np.testing.assert_allclose(mean[:, 0], by_hand.mean(), rtol=1e-12)
    np.testing.assert_allclose(cov[:, 0, 0], by_hand.var(), rtol=1e-9)


def test_a_later_time_beside_an_earlier_one(ask, spending):
    found = ask("gmv", days_since=(2, 3), covariates="own", covariate_days_since=(0, 1))
    late, early = spending(2, 3), spending(0, 1)
    both = late.join(early["gmv"].rename("early"))
    for place, (_, own) in enumerate(both.groupby("variant")):
        np.testing.assert_allclose(found.arrays("gmv")[2][place], own[["gmv", "early"]].cov(), rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"days_since": (3, 1)}, "a first and a last day"),
        ({"days_since": (-2, 1)}, "a first and a last day"),
        ({"days_since": (0, 1), "experiment": None, "by": "country"}, "name an experiment"),
    ],
)
def test_days_that_make_no_sense_are_refused(ask, options, says):
    with pytest.raises(InvalidValue, match=says):
        ask("orders", **options)


def test_each_day_since_is_measured_of_all_who_could_be_seen_on_it(drawn, spending):
    found = metrics.moments_by_day(drawn.warehouse, ["gmv_per_user", "aov"], days=4, **OPTIONS)
    assert set(found["day_since"]) == {0, 1, 2, 3}
    for day, own in found.groupby("day_since"):
        by_hand = spending(day, day).groupby("variant")
        for name, column in (("gmv_per_user", "gmv"), ("aov", "gmv")):
            mine = own[own["metric"] == name].sort_values("variant")
            assert mine["n_units"].tolist() == by_hand.size().tolist()
            np.testing.assert_allclose(mine["mean_numerator"], by_hand[column].mean(), rtol=1e-12)
            np.testing.assert_allclose(mine["var_numerator"], by_hand[column].var(), rtol=1e-9, atol=1e-9)
        ratio = own[own["metric"] == "aov"].sort_values("variant")
        np.testing.assert_allclose(ratio["mean_denominator"], by_hand["orders"].mean(), rtol=1e-12)
        cov = [one["gmv"].cov(one["orders"]) for _, one in by_hand]
        np.testing.assert_allclose(ratio["cov"], cov, rtol=1e-9, atol=1e-9)


def test_a_retention_has_no_value_of_a_day(drawn):
    with pytest.raises(InvalidValue, match="no value of a single day"):
        metrics.moments_by_day(drawn.warehouse, "week_one_retention", **OPTIONS)


# ------------------------------------------------------------------------------------------------------------- caps


def test_a_cap_is_the_quantile_over_all_units_those_with_nothing_included(drawn, spending):
    everybody = _all(spending)
    found = metrics.unit_quantiles(drawn.warehouse, ["gmv", "gmv_per_user"], level=0.9, **OPTIONS)
    above = np.sort(everybody["gmv"].to_numpy())
    low, high = np.quantile(above, 0.9, method="lower"), np.quantile(above, 0.9, method="higher")
    assert low * 0.999 <= found["gmv"] <= high * 1.001
    # Sums of parts that come in any order: equal to rounding.
    assert found["gmv_per_user"] == pytest.approx(found["gmv"], rel=1e-12)


def _all(spending) -> pd.DataFrame:
    """What everybody spent to the end, whoever can be followed for less included."""
    parts = [spending(day, day)["gmv"] for day in range(8)]
    total = pd.concat(parts).groupby(level=0).sum()
    return spending(0, 0).assign(gmv=total)


def test_capped_moments_are_those_of_capped_values(ask, spending):
    cap = 100.0
    by_hand = _all(spending).assign(gmv=lambda f: f["gmv"].clip(upper=cap)).groupby("variant")["gmv"]
    n, mean, cov = ask("gmv", caps={"gmv": cap}).arrays("gmv")
    assert n.tolist() == by_hand.size().tolist()
    np.testing.assert_allclose(mean[:, 0], by_hand.mean(), rtol=1e-12)
    np.testing.assert_allclose(cov[:, 0, 0], by_hand.var(), rtol=1e-9)
    assert mean[0, 0] < ask("gmv").arrays("gmv")[1][0, 0]


def test_no_cap_where_most_have_nothing(drawn):
    assert metrics.unit_quantiles(drawn.warehouse, "gmv", level=0.01, **OPTIONS) == {"gmv": 0.0}


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_a_level_is_a_share(drawn, level):
    with pytest.raises(InvalidValue, match="between 0 and 1"):
        metrics.unit_quantiles(drawn.warehouse, "gmv", level=level, **OPTIONS)


# ------------------------------------------------------------------------------------------------------------ looks


@pytest.mark.parametrize("names", [["gmv", "orders_per_user"], ["aov"], ["crash_free_rate", "view_to_payment_30m"]])
def test_what_stood_on_several_days_is_what_moments_say_of_each(drawn, names):
    from datetime import date

    looks = [date(2024, 3, 9), date(2024, 3, 11), date(2024, 3, 13)]
    shared = {"experiment": "x", "by": ["variant", "country"], "covariates": "own", "pre_days": 2}
    found = metrics.moments_at(drawn.warehouse, names, looks=looks, **shared)
    for place, look in enumerate(looks):
        alone = metrics.moments(drawn.warehouse, names, end=look, **shared)
        for name in names:
            n, mean, cov = alone.arrays(name)
            seen = found[name].n[place] > 0
            assert found[name].cells[seen].to_numpy().tolist() == alone.cells().to_numpy().tolist()
            np.testing.assert_array_equal(found[name].n[place][seen], n)
            np.testing.assert_allclose(found[name].mean[place][seen], mean, rtol=1e-12)
            np.testing.assert_allclose(found[name].cov[place][seen], cov, rtol=1e-7, atol=1e-9)


def test_looks_need_days_and_sums(drawn):
    with pytest.raises(InvalidValue, match="at least one day"):
        metrics.moments_at(drawn.warehouse, "gmv", experiment="x", looks=[])
    with pytest.raises(InvalidValue, match="cannot be added up over days"):
        metrics.moments_at(
            drawn.warehouse, "week_one_retention", experiment="x", looks=[drawn.shop.mart("user_days")["day"].max()]
        )
