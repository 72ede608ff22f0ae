"""The simulated rental market against its exact chain, against its mean field, and against itself."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from analysis_lib.errors import InvalidValue
from analysis_lib.markets.two_sided_market import TwoSidedMarket, global_effect, mean_field, mean_field_effect, simulate

#: What a thousand listings differ by from endlessly many.
FINITE = 0.02


def exact_rate(market: TwoSidedMarket) -> float:
    """Bookings per listing and day of alike listings, from the birth-and-death chain of how many are booked."""
    n, free = market.n_listings, 1 - np.arange(market.n_listings) / market.n_listings
    births = market.arrivals * n * market.attraction * free / (1 + market.attraction * free)
    ratios = births / (market.turnover * np.arange(1, n + 1))
    stationary = np.concatenate([[1.0], np.cumprod(ratios)])
    return float(births @ stationary[:-1] / stationary.sum() / n)


@pytest.mark.parametrize(
    ("n", "arrivals", "turnover", "attraction"),
    [(1, 2.0, 0.5, 1.0), (1, 0.3, 1.0, 9.0), (4, 5.0, 1.0, 9.0), (20, 1.0, 1.0, 3.0), (20, 8.0, 2.0, 0.5)],
)
def test_few_alike_listings_are_the_exact_chain(n, arrivals, turnover, attraction):
    market = TwoSidedMarket(
        n_listings=n, n_customers=50, arrivals=arrivals, turnover=turnover, attraction=attraction, lift=7.0
    )
    run = simulate(market, customer_share=0, listing_share=0, days=60_000 / (n * arrivals), seed=1)
    # Some 20,000 bookings: four standard errors are under three per cent.
    assert run.rate == pytest.approx(exact_rate(market), rel=0.03)


@pytest.mark.parametrize("arrivals", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    ("shares", "spreads"), [((0.5, 0.5), (0.0, 0.0)), ((0.7, 0.3), (0.0, 0.0)), ((0.5, 0.5), (0.6, 0.4))]
)
def test_the_simulation_is_its_mean_field(arrivals, shares, spreads):
    market = TwoSidedMarket(
        arrivals=arrivals, attraction=0.5, listing_spread=spreads[0], customer_spread=spreads[1], n_customers=50_000
    )
    run = simulate(market, customer_share=shares[0], listing_share=shares[1], days=150 / arrivals, seed=3)
    bookings = run.bookings.sum(axis=(0, 1))
    expected = mean_field(market, customer_share=shares[0], listing_share=shares[1]) * 1000 * run.days
    assert np.all(np.abs(bookings / expected - 1) < 4 / np.sqrt(expected) + FINITE)


def test_a_strong_lift_in_a_crowded_market_is_its_mean_field_too():
    # Most choices fall on booked listings and are drawn again, by the customer's own arm.
    market = TwoSidedMarket(arrivals=5.0, attraction=3.0, lift=3.0)
    bookings = simulate(market, customer_share=0.5, listing_share=0.5, days=60, seed=4).bookings.sum(axis=(0, 1))
    expected = mean_field(market, customer_share=0.5, listing_share=0.5) * 1000 * 60
    assert np.all(np.abs(bookings / expected - 1) < 4 / np.sqrt(expected) + FINITE)


def test_alike_listings_in_the_mean_field_solve_the_balance_of_bookings_and_returns():
    market = TwoSidedMarket(arrivals=2.0, turnover=0.7, attraction=0.9)
    rate = mean_field(market, customer_share=0, listing_share=0).sum()
    free = 1 - rate / 0.7
    assert rate == pytest.approx(2.0 * 0.9 * free / (1 + 0.9 * free), rel=1e-9)


def test_scarce_customers_all_choose_and_scarce_listings_are_always_booked():
    few = TwoSidedMarket(arrivals=1e-4, attraction=0.5)
    many = TwoSidedMarket(arrivals=1e4, attraction=0.5)
    assert mean_field(few, customer_share=0, listing_share=0).sum() == pytest.approx(1e-4 / 3, rel=1e-3)
    assert mean_field(many, customer_share=0, listing_share=0).sum() == pytest.approx(1.0, rel=1e-3)


def test_treated_pairs_take_from_both_kinds_of_mixed_pairs():
    market = TwoSidedMarket(arrivals=2.0, attraction=1.0, lift=1.5)
    some, none = (mean_field(market, customer_share=share, listing_share=share) for share in (0.5, 0.0))
    assert some[1, 1] > none.sum() / 4 > max(some[1, 0], some[0, 1])
    # Competition between listings grows with how many book, between customers with how many listings are taken.
    few = mean_field(TwoSidedMarket(arrivals=1e-3, attraction=1.0, lift=1.5), customer_share=0.5, listing_share=0.5)
    assert few[1, 0] < 0.95 * few[0, 0] and few[0, 1] == pytest.approx(few[0, 0], rel=1e-3)


def test_the_effect_of_treating_all_is_that_of_the_mean_field():
    market = TwoSidedMarket(n_listings=2000, arrivals=1.0, attraction=0.5)
    effects = [global_effect(market, days=60, seed=seed) for seed in range(4)]
    assert np.mean(effects) == pytest.approx(mean_field_effect(market), rel=0.05)
    assert 0.03 < mean_field_effect(market) < 0.04


def test_without_a_lift_treating_changes_nothing():
    market = TwoSidedMarket(lift=1.0, n_listings=300, listing_spread=0.5)
    assert global_effect(market, days=30, seed=5) == 0.0
    assert mean_field_effect(market) == pytest.approx(0.0, abs=1e-12)


def test_a_lift_below_one_deters():
    assert mean_field_effect(TwoSidedMarket(lift=0.8)) < 0


def test_runs_with_one_seed_are_the_same_and_count_everybody():
    market = TwoSidedMarket(n_listings=300, arrivals=2.0)
    one, again, other = (
        simulate(market, customer_share=0.3, listing_share=0.6, days=20, seed=seed, n_groups=12) for seed in (1, 1, 2)
    )
    assert np.array_equal(one.bookings, again.bookings) and not np.array_equal(one.bookings, other.bookings)
    assert one.bookings.shape == (12, 12, 2, 2)
    assert one.listings.sum(axis=0).tolist() == [120, 180]
    assert one.customers.sum() == pytest.approx(300 * 2 * 20, abs=5 * math.sqrt(12_000))
    assert one.customers[:, 1].sum() / one.customers.sum() == pytest.approx(0.3, abs=0.03)


def test_one_side_may_be_treated_wholly():
    run = simulate(TwoSidedMarket(n_listings=200), customer_share=1, listing_share=0.5, days=20, seed=1)
    assert run.customers[:, 0].sum() == 0 and run.bookings[:, :, 0].sum() == 0 and run.bookings[:, :, 1, 0].sum() > 0


def test_two_hundred_thousand_arrivals_are_quick():
    start = time.perf_counter()
    run = simulate(TwoSidedMarket(arrivals=2.0), customer_share=0.5, listing_share=0.5, days=100, seed=1)
    assert run.customers.sum() > 190_000
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    "wrong",
    [{"n_listings": 0}, {"arrivals": -1.0}, {"turnover": 0.0}, {"attraction": math.nan}, {"lift": 0.0},
     {"listing_spread": -0.1}],
)  # fmt: skip
def test_a_market_of_nothing_is_refused(wrong):
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        TwoSidedMarket(**wrong)


@pytest.mark.parametrize(("share", "days"), [(1.2, 10), (-0.1, 10), (0.5, 0)])
def test_a_run_of_nothing_is_refused(share, days):
    with pytest.raises(InvalidValue):
        simulate(TwoSidedMarket(n_listings=50), customer_share=share, listing_share=0.5, days=days, seed=1)
