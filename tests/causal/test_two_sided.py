"""Estimators of two-sided tests against their published formula, the market's mean field and the simulated market."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from analysis_lib.causal.two_sided import (
    CONTROLS,
    FEWEST_GROUPS,
    TwoSidedCounts,
    design_shares,
    equilibrium,
    interpolated,
    naive_customer,
    naive_listing,
    naive_two_sided,
    planned_groups,
)
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.markets.two_sided_market import TwoSidedMarket, mean_field, mean_field_effect, simulate

BALANCES = [0.1, 0.3, 1.0, 3.0, 10.0]

#: The paper's market: λ varies, τ = 1, v = 0.315, 25 % more for treated pairs, ε = 1.
PAPER = {"attraction": 0.315, "lift": 1.25}

DRAWS = 200


def expected(market: TwoSidedMarket, customer_share: float, listing_share: float, n: int = 10) -> TwoSidedCounts:
    """Counts without noise, as the mean field has them, spread evenly over groups."""
    rates = mean_field(market, customer_share=customer_share, listing_share=listing_share)
    bookings = np.tile(rates * 1000 * 50 / n**2, (n, n, 1, 1))
    customers, listings = (
        np.tile(np.array([1 - share, share]) * total / n, (n, 1))
        for total, share in ((1000 * 50 * market.arrivals, customer_share), (1000, listing_share))
    )
    return TwoSidedCounts(bookings, customers, listings, days=50)


@cache
def biases(balance: float, spread: float = 0.0, **settings) -> dict[str, float]:
    """Bias of each estimator in its own design, relative to the truth, in the mean field."""
    market = TwoSidedMarket(arrivals=balance, listing_spread=spread, customer_spread=spread, **{**PAPER, **settings})
    own, half = expected(market, *design_shares(balance)), expected(market, 0.5, 0.5)
    results = {
        "customer": naive_customer(expected(market, 0.5, 1.0)), "listing": naive_listing(expected(market, 1.0, 0.5)),
        "tsrn": naive_two_sided(own), "tsrn_half": naive_two_sided(half),
        **{f"tsri{k}": interpolated(own, turnover=1, k=k) for k in (1, 2)},
        **{controls: equilibrium(half, turnover=1, controls=controls) for controls in CONTROLS},
    }  # fmt: skip
    return {name: result.effect.value / mean_field_effect(market) - 1 for name, result in results.items()}


def drawn(
    market: TwoSidedMarket, seed: int, days: float = 40, shares: tuple[float, float] = (0.5, 0.5)
) -> TwoSidedCounts:
    run = simulate(market, customer_share=shares[0], listing_share=shares[1], days=days, seed=seed)
    return TwoSidedCounts(run.bookings, run.customers, run.listings, run.days)


@pytest.mark.parametrize("k", [1, 2])
def test_the_interpolation_is_the_authors(k):
    # hannahql/TSR_code_MS, finite_sim.py, calc_tsr_estimate: from bookings n_ij, shares a_C and a_L, β and β (1 − β).
    market = TwoSidedMarket(arrivals=1.4, turnover=2.0, **PAPER)
    a_c, a_l, beta = 0.6, 0.3, math.exp(-0.7)
    (n00, n01), (n10, n11) = mean_field(market, customer_share=a_c, listing_share=a_l)
    scale = beta * (1 - beta)
    theirs = (
        beta * (n11 / (a_c * a_l) - n01 / ((1 - a_c) * a_l))
        + (1 - beta) * (n11 / (a_c * a_l) - n10 / (a_c * (1 - a_l)))
        - 2 * k * scale * n00 / ((1 - a_c) * (1 - a_l))
        + k * scale * n01 / ((1 - a_c) * a_l) + k * scale * n10 / (a_c * (1 - a_l))
    )  # fmt: skip
    counts = expected(market, a_c, a_l)
    assert interpolated(counts, turnover=2.0, k=k).effect.value == pytest.approx(theirs)
    naive = n11 / (a_c * a_l) - (n01 + n10 + n00) / (1 - a_c * a_l)
    assert naive_two_sided(counts).effect.value == pytest.approx(naive)


def test_each_side_is_right_at_its_own_extreme_and_wrong_at_the_other():
    scarce_customers, scarce_listings = biases(0.01), biases(30.0)
    assert abs(scarce_customers["customer"]) < 0.01 and scarce_customers["listing"] > 0.3
    assert abs(scarce_listings["listing"]) < 0.01 and scarce_listings["customer"] > 3
    for found in (scarce_customers, scarce_listings):
        assert max(abs(found[name]) for name in ("tsrn", "tsri1", "tsri2")) < 0.01


@pytest.mark.parametrize("balance", BALANCES)
def test_interpolation_takes_off_some_of_the_bias_and_more_with_k(balance):
    found = biases(balance)
    assert found["tsrn"] + 1e-9 > found["tsri1"] > found["tsri2"] > 0
    assert found["tsri2"] < max(found["customer"], found["listing"]) * 0.4


@pytest.mark.parametrize("balance", BALANCES)
@pytest.mark.parametrize("attraction", [0.1, 0.315, 2.0])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.3)])
@pytest.mark.parametrize("controls", CONTROLS)
def test_the_equilibrium_is_exact_for_alike_customers_and_listings(balance, attraction, shares, controls):
    market = TwoSidedMarket(arrivals=2 * balance, turnover=2.0, attraction=attraction, lift=1.4)
    found = equilibrium(expected(market, *shares), turnover=2.0, controls=controls)
    assert found.effect.value == pytest.approx(mean_field_effect(market), rel=1e-6)


@pytest.mark.parametrize("balance", BALANCES)
def test_the_equilibrium_keeps_a_fifth_of_the_naive_bias_where_they_differ(balance):
    found = biases(balance, spread=0.5)
    worst = max(found["customer"], found["listing"])
    assert abs(found["all"]) <= min(found["tsrn_half"], worst) / 5
    assert abs(found["all"]) < 0.05 and abs(found["pure"]) < abs(found["all"])


@pytest.mark.parametrize("balance", BALANCES)
def test_how_wrong_the_equilibrium_is_where_they_differ_much(balance):
    found = biases(balance, spread=1.0)
    assert 0 < found["pure"] < 0.10 and found["pure"] < found["all"] < 0.16


def test_the_equilibrium_hangs_on_the_turnover_where_listings_are_scarce():
    errors = []
    for balance in (1.0, 10.0):
        market = TwoSidedMarket(arrivals=balance, **PAPER)
        effect = equilibrium(expected(market, 0.5, 0.5), turnover=1.1).effect.value
        errors.append(effect / mean_field_effect(market) - 1)
    assert errors == pytest.approx([0.012, 0.18], abs=0.01)


@pytest.mark.parametrize("balance", [0.2, 4.0])
def test_without_a_lift_every_estimator_says_zero(balance):
    market = TwoSidedMarket(arrivals=balance, attraction=0.7, lift=1.0)
    counts = expected(market, 0.6, 0.4)
    for found in (
        naive_two_sided(counts), interpolated(counts, turnover=1, k=2), equilibrium(counts, turnover=1),
        naive_customer(expected(market, 0.3, 1.0)), naive_listing(expected(market, 1.0, 0.3)),
    ):  # fmt: skip
        assert found.effect.value == pytest.approx(0, abs=1e-10)
        assert found.effect.se == pytest.approx(0, abs=1e-10)  # groups do not differ


def test_the_interpolation_treats_both_sides_alike_where_beta_is_a_half():
    market = TwoSidedMarket(arrivals=math.log(2), **PAPER)
    counts = expected(market, 0.5, 0.5)
    turned = TwoSidedCounts(counts.bookings.transpose(1, 0, 3, 2), counts.customers, counts.listings, counts.days)
    one, other = (interpolated(side, turnover=1).effect.value for side in (counts, turned))
    assert one == pytest.approx(other)


def test_rates_are_those_of_the_market_as_if_all_were_in_the_cell():
    market = TwoSidedMarket(arrivals=1.0, **PAPER)
    rates = mean_field(market, customer_share=0.3, listing_share=0.8)
    found = naive_two_sided(expected(market, 0.3, 0.8))
    assert found.rates == pytest.approx(rates / np.outer([0.7, 0.3], [0.2, 0.8]))
    assert "1,000 listings and day" in found.text


@pytest.fixture(scope="module")
def draws():
    """Estimates and truth of 200 tests in a small market with persons of different appetites."""
    market = TwoSidedMarket(n_listings=500, n_customers=2000, attraction=0.5, listing_spread=0.3, customer_spread=0.3)
    counts = [drawn(market, seed, days=25) for seed in range(DRAWS)]
    found = {
        "equilibrium": [equilibrium(c, turnover=1).effect for c in counts],
        "naive": [naive_two_sided(c).effect for c in counts],
    }
    return found, mean_field_effect(market)


def test_intervals_cover_the_truth_and_the_naive_ones_do_not(draws):
    found, truth = draws
    covered = {name: sum(e.ci_lower <= truth <= e.ci_upper for e in effects) for name, effects in found.items()}
    assert binom.ppf(0.0005, DRAWS, 0.95) <= covered["equilibrium"] <= binom.ppf(0.9995, DRAWS, 0.95)
    assert covered["naive"] < 0.85 * DRAWS


@pytest.mark.parametrize("name", ["equilibrium", "naive"])
def test_the_standard_error_is_the_spread_of_the_estimates(draws, name):
    values, errors = (np.array([getattr(e, field) for e in draws[0][name]]) for field in ("value", "se"))
    # A spread of 200 draws is known to 5 %; the error may be a little too large, not too small.
    assert 0.88 < math.sqrt(np.mean(errors**2)) / values.std() < 1.3


@pytest.mark.parametrize("arrivals", [0.3, 3.0])
def test_a_long_simulated_test_finds_the_planted_effect_and_the_naive_one_misses_it(arrivals):
    market = TwoSidedMarket(n_listings=2000, n_customers=100_000, arrivals=arrivals, attraction=1.0, lift=1.3)
    counts, truth = drawn(market, seed=11, days=600 / arrivals), mean_field_effect(market)
    right, naive = equilibrium(counts, turnover=1).effect, naive_two_sided(counts).effect
    assert abs(right.value - truth) < 3.5 * right.se and right.se < truth / 8
    assert naive.value - truth > 5 * naive.se
    assert right.excludes_zero


@pytest.mark.parametrize(("share", "estimator"), [((0.5, 1.0), naive_customer), ((1.0, 0.5), naive_listing)])
def test_one_sided_tests_have_intervals_too(share, estimator):
    market = TwoSidedMarket(arrivals=1.0, n_listings=2000, **PAPER)
    found = estimator(drawn(market, seed=5, shares=share, days=100)).effect
    in_the_mean_field = estimator(expected(market, *share)).effect.value
    assert found.se > 0 and abs(found.value - in_the_mean_field) < 3.5 * found.se


@pytest.mark.parametrize("spreads", [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.3, 0.3)])
def test_the_two_way_error_knows_which_side_varies(spreads):
    rng, n, values, errors = np.random.default_rng(3), 20, [], []
    for _ in range(150):
        tastes, quality = (np.exp(spread * rng.standard_normal((n, 2))) for spread in spreads)
        bookings = rng.poisson(np.einsum("gi,hj->ghij", tastes, quality) * 20)
        found = naive_two_sided(TwoSidedCounts(bookings, np.full((n, 2), 500), np.full((n, 2), 50), days=10)).effect
        values.append(found.value)
        errors.append(found.se)
    # A spread of 150 draws is known to 6 %.
    assert math.sqrt(np.mean(np.square(errors))) / np.std(values) == pytest.approx(1, abs=0.2)


def test_counts_may_come_as_a_frame_in_any_order():
    counts = drawn(TwoSidedMarket(n_listings=200), seed=1, days=20)
    places = np.argwhere(counts.bookings > 0)
    frame = pd.DataFrame(places, columns=["customer_group", "listing_group", "customer_arm", "listing_arm"])
    frame["bookings"] = counts.bookings[tuple(places.T)]
    again = TwoSidedCounts.from_frame(frame.sample(frac=1, random_state=1), counts.customers, counts.listings, 20)
    assert np.array_equal(again.bookings, counts.bookings)
    with pytest.raises(UnknownName, match="customer_arm"):
        TwoSidedCounts.from_frame(frame.rename(columns={"customer_arm": "arm"}), counts.customers, counts.listings, 20)
    for wrong in ({"bookings": -1}, {"customer_arm": 2}, {"listing_group": 20}, {"customer_group": -1}):
        with pytest.raises(InvalidValue):
            TwoSidedCounts.from_frame(frame.assign(**wrong), counts.customers, counts.listings, 20)


def test_planned_shares_stand_in_for_counted_customers():
    groups = planned_groups(1000, 0.3, 20)
    assert groups.shape == (20, 2) and groups.sum(axis=0).tolist() == pytest.approx([700, 300])
    for share in (0.0, 1.0, 1.3):
        with pytest.raises(InvalidValue, match="between 0 and 1"):
            planned_groups(1000, share)


def test_design_shares_go_from_one_one_sided_test_to_the_other():
    assert design_shares(1e-9) == pytest.approx((0.5, 1.0))
    assert design_shares(50.0, 0.4, 0.3) == pytest.approx((1.0, 0.3))
    with pytest.raises(InvalidValue, match="balance"):
        design_shares(-1.0)


def whole(**change) -> TwoSidedCounts:
    parts = {
        "bookings": np.full((12, 12, 2, 2), 5.0), "customers": np.full((12, 2), 1000.0),
        "listings": np.full((12, 2), 50.0), "days": 10.0,
    }  # fmt: skip
    return TwoSidedCounts(**{**parts, **change})


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"bookings": np.full((12, 12, 2, 2), -1.0)}, InvalidValue, "bookings"),
        ({"customers": np.full((12, 2), np.nan)}, InvalidValue, "customers"),
        ({"listings": np.ones(12)}, InvalidValue, "shape"),
        ({"bookings": np.ones((12, 12, 4))}, InvalidValue, "shape"),
        ({"days": 0.0}, InvalidValue, "days"),
        ({"customers": np.ones((4, 2)), "bookings": np.ones((4, 12, 2, 2))}, NotEnoughData, f"{FEWEST_GROUPS} or more"),
    ],
)
def test_counts_that_cannot_be_are_refused(change, error, said):
    with pytest.raises(error, match=said):
        whole(**change)


def test_estimators_refuse_what_they_are_not_for():
    counts, empty = whole(), whole().bookings.copy()
    empty[:, :, 0, 1] = 0
    alone = np.zeros((12, 2))
    alone[:, 1], alone[0, 0] = 1000, 1000
    for said, error, call in (
        ("every listing", InvalidValue, lambda: naive_customer(counts)),
        ("every customer", InvalidValue, lambda: naive_listing(counts)),
        ("customer arm 0 at listing arm 1", NotEnoughData, lambda: naive_two_sided(whole(bookings=empty))),
        ("one group alone", NotEnoughData, lambda: naive_two_sided(whole(customers=alone))),
        ("turnover", InvalidValue, lambda: interpolated(counts, turnover=0)),
        ("turnover", InvalidValue, lambda: equilibrium(counts, turnover=-1)),
        ("allow fewer bookings", InvalidValue, lambda: equilibrium(counts, turnover=0.01)),
        ("allow fewer bookings", InvalidValue, lambda: equilibrium(whole(customers=np.ones((12, 2))), turnover=9)),
        ("choose all or pure", InvalidValue, lambda: equilibrium(counts, turnover=9, controls="none")),
        ("level", InvalidValue, lambda: naive_two_sided(counts, level=1.0)),
    ):
        with pytest.raises(error, match=said):
            call()


def test_counts_are_left_as_they_came():
    counts = whole()
    before = counts.bookings.copy()
    equilibrium(counts, turnover=9.0)
    assert np.array_equal(counts.bookings, before)
