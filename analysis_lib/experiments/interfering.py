"""``experiments.interference``: what tests say of a market in which arms take from each other, and what is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.causal.budget_split import BudgetEffect, budget_split, shared_budget
from analysis_lib.causal.two_sided import (
    TwoSidedCounts,
    TwoSidedEffect,
    design_shares,
    equilibrium,
    interpolated,
    naive_customer,
    naive_listing,
    naive_two_sided,
)
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.experiments.interference_result import Interference
from analysis_lib.markets import shared_budget as coupons
from analysis_lib.markets.two_sided_market import (
    MarketRun,
    TwoSidedMarket,
    global_effect,
    mean_field,
    mean_field_effect,
    simulate,
)
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

#: Visits of each simulated test, and offers.
VISITS = 300_000
OFFERS = 1000

#: Groups that both sides are hashed into.
GROUPS = 20

#: Visits per offer and stay for which the figure is drawn, and budgets per user (USD).
BALANCES = tuple(float(value) for value in np.geomspace(0.1, 10, 13))
BUDGETS = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 2.0, 3.0)

#: Seeds over which budgets are averaged for the figure.
_BUDGET_RUNS = 8


@dataclass(frozen=True, slots=True)
class Way:
    """A design, and how it is read.

    Attributes
    ----------
    name : str
        In words.
    shares : callable
        Shares of users and of offers treated, for a balance.
    read : callable
        From counts to the effect on all; the turnover is 1 a day.
    """

    name: str
    shares: Callable[[float], tuple[float, float]]
    read: Callable[[TwoSidedCounts, float], TwoSidedEffect]


def _halves(_: float) -> tuple[float, float]:
    return 0.5, 0.5


#: The tests that are compared, the ordinary ones first.
WAYS = (
    Way("among users", lambda _: (0.5, 1.0), lambda counts, level: naive_customer(counts, level=level)),
    Way("among offers", lambda _: (1.0, 0.5), lambda counts, level: naive_listing(counts, level=level)),
    Way("both sides, plain difference", _halves, lambda counts, level: naive_two_sided(counts, level=level)),
    Way("both sides, interpolated", design_shares,
        lambda counts, level: interpolated(counts, turnover=1.0, k=2, level=level)),
    Way("both sides, from choices to the steady state", _halves,
        lambda counts, level: equilibrium(counts, turnover=1.0, level=level)),
)  # fmt: skip


def interference(
    *,
    balance: float = 1.0,
    lift: float = 1.25,
    spread: float = 0.5,
    budget_usd: float = 1.2,
    seed: int = 1,
    level: float = 0.95,
) -> Interference:
    """Run the tests that people run in a market whose truth is known.

    Users look for offers of which each can be had by one at a time: a creator's live slot, the last piece of an item,
    a delivery window. A feature makes treated offers more attractive to treated users. A test among users lets the
    treated take offers from the others; a test among offers, users. And two arms that draw on one coupon budget empty
    it for each other.

    Parameters
    ----------
    balance : float
        Visits per offer in the time an offer is taken: few leave offers waiting, many leave users waiting.
    lift : float
        Factor of the feature on the attraction of an offer.
    spread : float
        Standard deviation of the logarithm of attraction, between offers and between users.
    budget_usd : float
        Coupon budget per user; at 3 it never runs out.
    seed : int
        Of the simulations.
    level : float
        Of all intervals.

    Returns
    -------
    Interference
        ``.decision``, ``.text``, ``.to_frame()``, ``.exhibit(name)``, ``.plot()``.

    Raises
    ------
    InvalidValue
        A number that is not above 0 (``spread`` may be 0), or a level outside 0.5 to 1.

    References
    ----------
    Johari, Li, Liskovich and Weintraub (2022), Management Science 68(10), arXiv 2002.05670; Liu, Mao and Kang (2020),
    arXiv 2012.08724.

    Examples
    --------
    >>> experiments.interference(balance=1.0).decision.action  # doctest: +SKIP
    'Run'
    """
    if not 0.5 <= level < 1:
        raise InvalidValue(f"level={level}: a share from 0.5 to below 1 is needed, for example 0.95.")
    market = market_of(balance, lift, spread)
    world = coupons.CouponWorld(budget_usd=budget_usd)
    base = float(mean_field(market, customer_share=0.0, listing_share=0.0).sum())
    days = VISITS / (market.n_listings * balance)
    return Interference(
        balance=balance, lift=lift, spread=spread, budget_usd=budget_usd, level=level, days=days, base=base,
        truth=mean_field_effect(market) / base, simulated=global_effect(market, days=days, seed=seed) / base,
        ways={way.name: measured(way, market, days=days, seed=seed, level=level, base=base) for way in WAYS},
        curve=bias_by_balance(lift, spread), budget=budgets_compared(world, seed=seed, level=level),
        budget_truth=coupons.true_effect(world, seed=seed), budgets=bias_by_budget(seed),
    )  # fmt: skip


def market_of(balance: float, lift: float, spread: float, *, offers: int = OFFERS) -> TwoSidedMarket:
    """A market in which an offer is taken for a day."""
    return TwoSidedMarket(
        n_listings=offers, arrivals=balance, turnover=1.0, lift=lift, listing_spread=spread, customer_spread=spread
    )


def measured(way: Way, market: TwoSidedMarket, *, days: float, seed: int, level: float, base: float) -> Estimate | None:
    """What one test says, as a share of the bookings without the feature; None if an arm of it stays empty."""
    customer, listing = way.shares(market.arrivals / market.turnover)
    run = simulate(market, customer_share=customer, listing_share=listing, days=days, seed=seed, n_groups=GROUPS)
    try:
        return way.read(counts_of(run), level).effect.scaled(1 / base, "share")
    except NotEnoughData:
        return None


def counts_of(run: MarketRun) -> TwoSidedCounts:
    """What was counted, as the methods take it."""
    return TwoSidedCounts(run.bookings, run.customers, run.listings, run.days)


def bias_by_balance(lift: float, spread: float) -> pd.DataFrame:
    """How far each test is off in a market of endless size, as a share of the true effect.

    Returns
    -------
    DataFrame
        balance, and one column by way.
    """
    import pandas as pd

    rows = []
    for balance in BALANCES:
        market = market_of(balance, lift, spread)
        truth = mean_field_effect(market)
        rows.append({"balance": balance, **{way.name: _endless(way, market) / truth - 1 for way in WAYS}})
    return pd.DataFrame(rows)


def _endless(way: Way, market: TwoSidedMarket) -> float:
    """What a test says where nothing is left to chance."""
    customer, listing = way.shares(market.arrivals / market.turnover)
    rates = mean_field(market, customer_share=customer, listing_share=listing)
    sides = [np.array([1 - share, share]) for share in (customer, listing)]
    listings = np.tile(sides[1] * market.n_listings / GROUPS, (GROUPS, 1))
    customers = np.tile(sides[0] * market.arrivals * market.n_listings / GROUPS, (GROUPS, 1))
    bookings = np.broadcast_to(rates * market.n_listings / GROUPS**2, (GROUPS, GROUPS, 2, 2))
    return way.read(TwoSidedCounts(bookings, customers, listings, 1.0), 0.95).effect.value


def budgets_compared(world: coupons.CouponWorld, *, seed: int, level: float) -> dict[str, BudgetEffect]:
    """The effect of a reminder on orders per user, with one budget for both arms and with one for each."""
    import pandas as pd

    columns = {"block": "block", "arm": "arm", "users": "users", "total": "orders", "budget": "budget_usd",
               "ran_out_at": "ran_out_at", "unit": "orders_per_user"}  # fmt: skip
    ways = {"shared": shared_budget, "split": budget_split}
    return {
        name: read(pd.DataFrame(coupons.simulate(world, design=name, seed=seed)), level=level, **columns)
        for name, read in ways.items()
    }


def bias_by_budget(seed: int) -> pd.DataFrame:
    """Effects on orders per user by the size of the budget: budget_usd, truth, shared, split."""
    import pandas as pd

    rows = []
    for budget in BUDGETS:
        world, runs = coupons.CouponWorld(budget_usd=budget), []
        for own in range(seed, seed + _BUDGET_RUNS):
            found = budgets_compared(world, seed=own, level=0.95)
            truth = coupons.true_effect(world, seed=own)
            runs.append((truth, found["shared"].effect.value, found["split"].effect.value))
        rows.append((budget, *np.mean(runs, axis=0)))
    return pd.DataFrame(rows, columns=["budget_usd", "truth", "shared", "split"])
