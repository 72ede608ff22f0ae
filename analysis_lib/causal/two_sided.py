"""What would treating a whole two-sided market do, when customers compete for listings and listings for customers?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.results import Estimate, Result

#: Intervals from fewer groups on a side do not cover.
FEWEST_GROUPS = 10
CONTROLS = ("all", "pure")
_KEYS = ("customer_group", "listing_group", "customer_arm", "listing_arm")
_FOUR = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class TwoSidedCounts:
    """What a two-sided test counted, by groups that both sides were hashed into; arms are 0 (control) and 1 (treated).

    Attributes
    ----------
    bookings : numpy.ndarray
        Bookings by customer group, listing group, customer arm and listing arm; four axes, the last two of length 2.
    customers : numpy.ndarray
        Visits by customer group and arm; (customer groups, 2). Each visit books once or not at all.
    listings : numpy.ndarray
        Listings by group and arm; (listing groups, 2).
    days : float
        Days counted.
    """

    bookings: np.ndarray
    customers: np.ndarray
    listings: np.ndarray
    days: float

    def __post_init__(self) -> None:
        n_customer, n_listing = len(self.customers), len(self.listings)
        shapes = {"bookings": (n_customer, n_listing, 2, 2), "customers": (n_customer, 2), "listings": (n_listing, 2)}
        for name, shape in shapes.items():
            values = np.asarray(getattr(self, name), dtype=float)
            if values.shape != shape:
                raise InvalidValue(f"{name} must have the shape {shape}, not {values.shape}.")
            if not np.all(values >= 0):
                raise InvalidValue(f"{name} hold a count that is negative or missing.")
            object.__setattr__(self, name, values)
        if not self.days > 0:
            raise InvalidValue(f"days must be above 0, not {self.days!r}.")
        if min(n_customer, n_listing) < FEWEST_GROUPS:
            raise NotEnoughData(f"{n_customer} and {n_listing} groups: hash each side into {FEWEST_GROUPS} or more.")
        if any(np.any(np.count_nonzero(side, axis=0) == 1) for side in (self.customers, self.listings)):
            raise NotEnoughData("an arm lies in one group alone: groups must cross the arms.")

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, customers: np.ndarray, listings: np.ndarray, days: float) -> Self:
        """Counts from one row a cell: customer_group, listing_group, customer_arm, listing_arm, bookings.

        Groups are numbered from 0 as the rows of ``customers`` and ``listings``; a cell without a row had no booking.
        """
        for name in (*_KEYS, "bookings"):
            if name not in frame:
                raise unknown("column", name, list(frame.columns), "the frame of bookings")
        shape = (len(customers), len(listings), 2, 2)
        cells = frame[list(_KEYS)].to_numpy(dtype=int)
        if np.any(cells < 0) or np.any(cells >= shape):
            raise InvalidValue(f"groups and arms must number from 0 and lie below {shape}.")
        if not (frame["bookings"] >= 0).all():
            raise InvalidValue("bookings hold a count that is negative or missing.")
        bookings = np.zeros(shape)
        np.add.at(bookings, tuple(cells.T), frame["bookings"].to_numpy(dtype=float))
        return cls(bookings, customers, listings, days)

    @property
    def arrivals(self) -> float:
        """Visits per listing and day (λ)."""
        return float(self.customers.sum() / (self.listings.sum() * self.days))

    @property
    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Shares of customers and of listings by arm, control first; each of shape (2,)."""
        return self.customers.sum(axis=0) / self.customers.sum(), self.listings.sum(axis=0) / self.listings.sum()


@dataclass(frozen=True, slots=True, eq=False)
class TwoSidedEffect(Result):
    """The effect of treating all customers and listings, against treating none.

    Attributes
    ----------
    effect : Estimate
        Bookings per listing and day.
    rates : numpy.ndarray
        Bookings per listing and day by customer arm and listing arm, as if all were in that cell; (2, 2).
    """

    effect: Estimate
    rates: np.ndarray

    @property
    def text(self) -> str:
        """The effect for a thousand listings."""
        return f"Treating all: {self.effect.scaled(1000, 'bookings_per_1,000_listings_and_day').text}."


def planned_groups(total: float, share: float, n_groups: int = 20) -> np.ndarray:
    """Customers or listings by group and arm if only their number and the planned share are known; (n_groups, 2)."""
    if not 0 < share < 1:
        raise InvalidValue(f"a share treated must lie between 0 and 1, not {share!r}.")
    return np.tile([total * (1 - share) / n_groups, total * share / n_groups], (n_groups, 1))


def design_shares(balance: float, customer_share: float = 0.5, listing_share: float = 0.5) -> tuple[float, float]:
    """Shares of customers and listings to treat so that ``interpolated`` is unbiased in both extremes of balance.

    Parameters
    ----------
    balance : float
        Arrivals per listing over the rate at which listings come free (λ/τ).
    customer_share, listing_share : float
        Shares of the one-sided tests at the extremes.

    Examples
    --------
    >>> [round(share, 2) for share in design_shares(1.0)]
    [0.82, 0.68]
    """
    beta = math.exp(-_positive(balance, "balance"))
    return beta * customer_share + 1 - beta, beta + (1 - beta) * listing_share


def naive_customer(counts: TwoSidedCounts, *, level: float = 0.95) -> TwoSidedEffect:
    """Treated minus control customers of a test with every listing treated; too large where listings are scarce."""
    if counts.listings[:, 0].sum() > 0:
        raise InvalidValue("naive_customer takes a test with every listing treated; here use equilibrium.")
    return _effect(counts, lambda q: q[..., 1, 1] - q[..., 0, 1], ((0, 1), (1, 1)), level, "customer-side difference")


def naive_listing(counts: TwoSidedCounts, *, level: float = 0.95) -> TwoSidedEffect:
    """Treated minus control listings of a test with every customer treated; too large where customers are scarce."""
    if counts.customers[:, 0].sum() > 0:
        raise InvalidValue("naive_listing takes a test with every customer treated; here use equilibrium.")
    return _effect(counts, lambda q: q[..., 1, 1] - q[..., 1, 0], ((1, 0), (1, 1)), level, "listing-side difference")


def naive_two_sided(counts: TwoSidedCounts, *, level: float = 0.95) -> TwoSidedEffect:
    """Treated customers at treated listings, minus all other bookings, each scaled to the whole market (TSRN)."""
    weight = np.outer(*counts.shares) * [[1, 1], [1, 0]]
    return _effect(counts, lambda q: q[..., 1, 1] - (weight * q).sum((-2, -1)) / weight.sum(), _FOUR, level, "TSRN")


def interpolated(counts: TwoSidedCounts, *, turnover: float, k: float = 1, level: float = 0.95) -> TwoSidedEffect:
    """TSRI-k: the customer-side and the listing-side difference, mixed by the market's balance, less the competition.

    With rates q by customer arm and listing arm and β = exp(−λ/τ),
    β (q11 − q01) + (1 − β) (q11 − q10) + k β (1 − β) (q01 + q10 − 2 q00).

    It is unbiased in both extremes only under the shares of ``design_shares``; with halves on both sides it is about as
    biased as the naive one.

    Parameters
    ----------
    counts : TwoSidedCounts
        A two-sided test.
    turnover : float
        Rate a day at which a booked listing comes free (τ): one over the mean stay in days.
    k : float
        How much of the competition is taken off; 1 and 2 in the paper.

    References
    ----------
    Johari, Li, Liskovich and Weintraub (2022), "Experimental design in two-sided platforms: an analysis of bias",
    Management Science 68(10), arXiv 2002.05670; the formula as in the authors' code (hannahql/TSR_code_MS).
    """
    beta = math.exp(-counts.arrivals / _positive(turnover))

    def of(q: np.ndarray) -> np.ndarray:
        both, customer, listing, none = q[..., 1, 1], q[..., 0, 1], q[..., 1, 0], q[..., 0, 0]
        sides = beta * (both - customer) + (1 - beta) * (both - listing)
        return sides + k * beta * (1 - beta) * (customer + listing - 2 * none)

    return _effect(counts, of, _FOUR, level, f"TSRI-{k:g}")


def equilibrium(
    counts: TwoSidedCounts, *, turnover: float, controls: str = "all", level: float = 0.95
) -> TwoSidedEffect:
    """The two steady states, all treated and none, that the choices seen in a two-sided test imply.

    Little's law gives the share of an arm's listings that are free: one less its bookings over the turnover. Over what
    was free and who did not book, a cell's bookings are its attraction, which competition on neither side distorts.
    With the attraction of treated pairs everywhere, and of control pairs everywhere, the market's balance of bookings
    and returns has one solution each; the effect is their difference.

    Exact for many alike listings and customers who choose by a logit, at any balance and any shares. Where attraction
    is lognormal on both sides the effect is too large: up to 4 % at a spread of 0.5, up to 15 % at 1; with
    ``controls="pure"`` up to 3 % and 9 %, at more noise. A turnover 10 % too high makes the effect 1 % too large at
    λ/τ = 1 and 18 % at 10: measure it well where listings are scarce.

    Parameters
    ----------
    counts, turnover
        As ``interpolated``; the test in its steady state.
    controls : str
        ``all`` three cells without treatment, or ``pure``: control customers at control listings.

    Raises
    ------
    InvalidValue
        If listings were booked more often than they come free, or visits book more than once.

    References
    ----------
    The steady state: Johari, Li, Liskovich and Weintraub (2022), theorem 1. The effect on all by way of a market's
    equilibrium: Munro, Kuang and Wager (2021), "Treatment effects in market equilibrium", arXiv 2109.11647.
    """
    if controls not in CONTROLS:
        raise InvalidValue(f"controls '{controls}' is not known: choose {' or '.join(CONTROLS)}.")
    arrivals, (customers, listings) = counts.arrivals, counts.shares
    weight = np.outer(*counts.shares) * [[1, 1], [1, 0]] if controls == "all" else np.array([[1, 0], [0, 0]])

    def of(q: np.ndarray) -> np.ndarray:
        free = 1 - np.einsum("i,...ij->...j", customers, q) / _positive(turnover)
        none = 1 - np.einsum("...ij,j->...i", q, listings) / arrivals
        if free.min() <= 0 or none.min() <= 0:
            raise InvalidValue(
                f"{arrivals:g} visits and turnover {turnover:g} per listing and day allow fewer bookings."
            )
        room = arrivals * none[..., :, None] * free[..., None, :]
        control = (weight * q).sum(axis=(-2, -1)) / (weight * room).sum(axis=(-2, -1))
        return _booked(q[..., 1, 1] / room[..., 1, 1], arrivals, turnover) - _booked(control, arrivals, turnover)

    return _effect(counts, of, _FOUR, level, "difference of steady states")


def _booked(attraction: np.ndarray, arrivals: float, turnover: float) -> np.ndarray:
    """Bookings per listing and day where all are alike: s, the share free, solves λ w s / (1 + w s) = τ (1 − s)."""
    linear = 1 + attraction * (arrivals / turnover - 1)
    return turnover * (1 - 2 / (linear + np.sqrt(linear**2 + 4 * attraction)))


def _positive(value: float, name: str = "turnover") -> float:
    if not value > 0:
        raise InvalidValue(f"{name} must be above 0, not {value!r}.")
    return value


def _effect(
    counts: TwoSidedCounts, of: Callable[[np.ndarray], np.ndarray], needed: tuple[tuple[int, int], ...],
    level: float, method: str,
) -> TwoSidedEffect:  # fmt: skip
    """An effect as a function of the rates, with the two-way error and an interval from Student's t."""
    if not 0 < level < 1:
        raise InvalidValue(f"level must lie between 0 and 1, not {level!r}.")
    for customer, listing in needed:
        if counts.bookings[:, :, customer, listing].sum() == 0:
            raise NotEnoughData(f"no booking of customer arm {customer} at listing arm {listing}, which is needed.")
    whole, *leaving_out = _rates(counts)
    n = min(len(counts.customers), len(counts.listings))
    value, se = float(of(whole)), math.sqrt(_two_way(*(of(rates).ravel() for rates in leaving_out)))
    reach = float(student.ppf(0.5 + level / 2, n - 1)) * se
    effect = Estimate(
        value=value, se=se, ci_lower=value - reach, ci_upper=value + reach,
        level=level, unit="bookings_per_listing_and_day", n=n, method=method,
    )  # fmt: skip
    return TwoSidedEffect(effect=effect, rates=whole)


def _rates(counts: TwoSidedCounts) -> list[np.ndarray]:
    """Rates by arms of the whole, and leaving out one group of customers, of listings, and one of their crossings.

    A rate is bookings over pairs of visit and listing, so that groups need not be equally large.
    """
    bookings, pairs = counts.bookings, np.einsum("gi,hj->ghij", counts.customers, counts.listings)
    bookings = bookings * counts.customers.sum() / counts.days
    left_out = [(bookings.sum(axis), pairs.sum(axis)) for axis in (1, 0, ())]
    with np.errstate(invalid="ignore"):  # an arm that a one-sided test lacks
        return [(bookings.sum((0, 1)) - of) / (pairs.sum((0, 1)) - to) for of, to in [(0, 0), *left_out]]


def _two_way(customers: np.ndarray, listings: np.ndarray, crossings: np.ndarray) -> float:
    """Variance by customers plus that by listings less that by both, each from a jackknife.

    Bookings exclude each other where listings are scarce, so that it may rightly lie below either; it is kept from
    falling below both, lest noise makes an interval short.

    References
    ----------
    Cameron, Gelbach and Miller (2011), "Robust inference with multiway clustering", Journal of Business and Economic
    Statistics 29(2); Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), for crossed groups.
    """
    by_customers, by_listings, by_both = ((len(x) - 1) * float(np.var(x)) for x in (customers, listings, crossings))
    return max(by_customers + by_listings - by_both, min(by_customers, by_listings))
