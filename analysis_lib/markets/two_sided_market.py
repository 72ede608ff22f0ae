"""A rental market in which customers compete for listings and listings for customers: what would treating all do?

Customers arrive at random, look at the listings that are free, and book one or none. A booked listing comes back after
a random stay. A treated customer finds treated listings more attractive by a known factor, so a test on either side
takes bookings from the other arm of its own side: its naive estimate is biased, and the truth is known here.

The event loop is exact: arrivals, choices and returns happen in continuous time, with no time step. One thing is a
limit: whether a listing comes into a customer's consideration set enters as its probability times its attraction, as in
the mean field, and not as a coin of its own. The difference is of order one over the number of listings considered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import InvalidValue

#: A market that starts empty is in its steady state after so many mean stays, but for a share of exp(−6).
_WARM_UP_STAYS = 6.0

#: Nodes of the quadrature over unequal listings and customers, and rounds of the fixed point.
_NODES, _ROUNDS = 15, 5000


@dataclass(frozen=True, slots=True)
class TwoSidedMarket:
    """What a market is made of.

    Attributes
    ----------
    n_listings, n_customers : int
        Listings; people, of whom each arrival is one at random.
    arrivals : float
        Arriving customers per listing and day (λ).
    turnover : float
        Rate a day at which a booked listing comes free (τ), one over the mean stay in days.
    attraction : float
        Weight of all listings together, if free, against not booking (α v / ε of the paper).
    lift : float
        Factor on the attraction of a treated listing for a treated customer.
    listing_spread, customer_spread : float
        Standard deviation of the logarithm of attraction between listings, and between customers.
    """

    n_listings: int = 1000
    n_customers: int = 20_000
    arrivals: float = 1.0
    turnover: float = 1.0
    attraction: float = 0.315
    lift: float = 1.25
    listing_spread: float = 0.0
    customer_spread: float = 0.0

    def __post_init__(self) -> None:
        for name in ("n_listings", "n_customers", "arrivals", "turnover", "attraction", "lift"):
            if not getattr(self, name) > 0:
                raise InvalidValue(f"{name} must be above 0, not {getattr(self, name)!r}.")
        if min(self.listing_spread, self.customer_spread) < 0:
            raise InvalidValue("listing_spread and customer_spread must be 0 or more.")


@dataclass(frozen=True, slots=True, eq=False)
class MarketRun:
    """What an experiment in the market leaves behind.

    Attributes
    ----------
    bookings : numpy.ndarray
        Bookings by customer group, listing group, customer arm and listing arm; (groups, groups, 2, 2).
    customers : numpy.ndarray
        Arrivals by customer group and arm; (groups, 2).
    listings : numpy.ndarray
        Listings by group and arm; (groups, 2).
    days : float
        Days counted, after the warm-up.
    """

    bookings: np.ndarray
    customers: np.ndarray
    listings: np.ndarray
    days: float

    @property
    def rate(self) -> float:
        """Bookings per listing and day."""
        return float(self.bookings.sum() / (self.listings.sum() * self.days))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Customers or listings: their arms, their groups, and their attraction or appetite, 1 on average."""

    arm: np.ndarray
    group: np.ndarray
    factor: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int, share: float, spread: float, n_groups: int) -> _Side:
        """Everybody draws alike whatever the share, so that two runs with one seed differ in the arms alone."""
        if not 0 <= share <= 1:
            raise InvalidValue(f"a share treated must lie between 0 and 1, not {share!r}.")
        factor = np.exp(spread * rng.standard_normal(n))
        # Shuffled turns instead of coins: the planned share is met to one unit.
        arm = rng.permutation(n) < share * n
        return cls(arm.astype(np.intp), rng.integers(n_groups, size=n), factor / factor.mean())


def simulate(
    market: TwoSidedMarket, *, customer_share: float, listing_share: float, days: float, seed: int, n_groups: int = 20
) -> MarketRun:
    """Run an experiment: some customers and some listings treated, counted over ``days`` after a warm-up.

    Parameters
    ----------
    market : TwoSidedMarket
        The market.
    customer_share, listing_share : float
        Shares treated, 0 to 1; 1 and 1 treats all, 0 and 0 none.
    days : float
        Days counted.
    seed : int
        Runs with one seed share arrivals, tastes and stays (common random numbers).
    n_groups : int
        Groups that customers and listings are hashed into.

    References
    ----------
    Johari, Li, Liskovich and Weintraub (2022), "Experimental design in two-sided platforms: an analysis of bias",
    Management Science 68(10), section 3 (the Markov chain).
    """
    if not days > 0:
        raise InvalidValue(f"days must be above 0, not {days!r}.")
    people, supply, arriving, choosing, again = (np.random.default_rng([seed, k]) for k in range(5))
    customers = _Side.drawn(people, market.n_customers, customer_share, market.customer_spread, n_groups)
    listings = _Side.drawn(supply, market.n_listings, listing_share, market.listing_spread, n_groups)
    warm = _WARM_UP_STAYS / market.turnover
    n = arriving.poisson(market.arrivals * market.n_listings * (warm + days))
    times = np.sort(arriving.uniform(-warm, days, n))
    who = arriving.integers(market.n_customers, size=n)
    stays = arriving.exponential(1 / market.turnover, n)
    booked = _book(_Choices(market, customers, listings), times, who, stays, choosing, again)
    seen, kept = who[times >= 0], (booked >= 0) & (times >= 0)
    buyer, bought = who[kept], booked[kept]
    cells = (customers.group[buyer], listings.group[bought], customers.arm[buyer], listings.arm[bought])
    return MarketRun(
        bookings=_counted(cells, (n_groups, n_groups, 2, 2)),
        customers=_counted((customers.group[seen], customers.arm[seen]), (n_groups, 2)),
        listings=_counted((listings.group, listings.arm), (n_groups, 2)), days=days,
    )  # fmt: skip


def _counted(cells: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> np.ndarray:
    """How often each cell occurs."""
    return np.bincount(np.ravel_multi_index(cells, shape), minlength=math.prod(shape)).reshape(shape)


class _Choices:
    """Choices among all listings and not booking, as if all were free.

    A choice that falls on a booked listing is drawn again. What comes out of that is the choice among the free ones
    and not booking, since the odds between any two options are the same in both. It takes up to 1 + attraction draws,
    on average over who arrives.
    """

    def __init__(self, market: TwoSidedMarket, customers: _Side, listings: _Side) -> None:
        treated = market.lift ** np.outer([0, 1], listings.arm)
        ladder = np.cumsum(treated * listings.factor, axis=1) / market.n_listings
        self._customers, self._ladders = customers, ladder / ladder[:, -1:]
        #: Chance of not booking, by customer arm and person.
        self._none = 1 / (1 + market.attraction * np.outer(ladder[:, -1], customers.factor))

    def first(self, who: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A listing for each arrival, or −1 for none."""
        arms, u, v = self._customers.arm[who], rng.random(len(who)), rng.random(len(who))
        picked = np.where(arms == 1, *(self._listing(v, arm) for arm in (1, 0)))
        return np.where(u < self._none[arms, who], -1, picked)

    def again(self, rng: np.random.Generator, size: int = 10_000) -> Iterator[tuple[float, tuple[int, int]]]:
        """More draws without end: the one against not booking, and the listing by customer arm."""
        while True:
            u, v = rng.random(size).tolist(), rng.random(size)
            yield from zip(u, zip(*(self._listing(v, arm).tolist() for arm in (0, 1)), strict=True), strict=True)

    def none(self, who: np.ndarray) -> np.ndarray:
        """Chance of each arrival of not booking if all were free."""
        return self._none[self._customers.arm[who], who]

    def _listing(self, v: np.ndarray, arm: int) -> np.ndarray:
        return np.minimum(np.searchsorted(self._ladders[arm], v), self._ladders.shape[1] - 1)

    def arms(self, who: np.ndarray) -> np.ndarray:
        """Arm of each arrival."""
        return self._customers.arm[who]


def _book(
    choices: _Choices, times: np.ndarray, who: np.ndarray, stays: np.ndarray,
    choosing: np.random.Generator, again: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """The listing each arrival books, −1 for none, in the order of time."""
    booked = choices.first(who, choosing)
    more, free_at = choices.again(again), {}
    # Who would book nothing even if all were free changes nothing for others.
    some = np.flatnonzero(booked >= 0)
    columns = (some, booked[some], times[some], stays[some], choices.none(who[some]), choices.arms(who[some]))
    for place, listing, time, stay, none, arm in zip(*(column.tolist() for column in columns), strict=True):
        while listing >= 0 and free_at.get(listing, -math.inf) > time:
            u, pair = next(more)
            listing = -1 if u < none else pair[arm]
        if listing >= 0:
            free_at[listing] = time + stay
        booked[place] = listing
    return booked


def global_effect(market: TwoSidedMarket, *, days: float, seed: int) -> float:
    """Bookings per listing and day if all were treated minus if none were, by two runs with common random numbers."""
    treated, none = (
        simulate(market, customer_share=share, listing_share=share, days=days, seed=seed).rate for share in (1.0, 0.0)
    )
    return treated - none


def mean_field(market: TwoSidedMarket, *, customer_share: float, listing_share: float) -> np.ndarray:
    """Bookings per listing and day by customer arm and listing arm in a market of endless size; (2, 2).

    In the steady state a kind of listing is booked as often as it comes free: τ (1 − s) = Σ λ w / (1 + Σ w s), with s
    the share of the kind that is free and w its attraction. The map from s to the share free under those bookings is
    rising, and a contraction in logarithms, so that iterating finds the only fixed point.

    References
    ----------
    Johari, Li, Liskovich and Weintraub (2022), section 4, theorem 1 (the same point as the minimum of a convex
    function).
    """
    (mass, factor), (people, appetite) = _kinds(market.listing_spread), _kinds(market.customer_spread)
    people = np.outer([1 - customer_share, customer_share], people) * market.arrivals
    mass = np.outer([1 - listing_share, listing_share], mass)
    weight = market.attraction * np.einsum("ij,c,l->icjl", [[1, 1], [1, market.lift]], appetite, factor)
    free = np.ones_like(mass)
    for _ in range(_ROUNDS):
        taken = np.einsum("ic,icjl,ic->jl", people, weight, 1 / (1 + np.einsum("icjl,jl->ic", weight, mass * free)))
        before, free = free, market.turnover / (market.turnover + taken)
        if np.abs(free - before).max() < 1e-14:
            break
    heads = people / (1 + np.einsum("icjl,jl->ic", weight, mass * free))
    return np.einsum("ic,icjl,jl->ij", heads, weight, mass * free)


def mean_field_effect(market: TwoSidedMarket) -> float:
    """Bookings per listing and day if all were treated minus if none were, in a market of endless size."""
    treated, none = (mean_field(market, customer_share=share, listing_share=share).sum() for share in (1.0, 0.0))
    return float(treated - none)


def _kinds(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Shares and factors of kinds whose logarithm is normal, with a mean factor of 1 (Gauss and Hermite)."""
    if spread == 0:
        return np.ones(1), np.ones(1)
    nodes, shares = np.polynomial.hermite_e.hermegauss(_NODES)
    return shares / shares.sum(), np.exp(spread * nodes - spread**2 / 2)
