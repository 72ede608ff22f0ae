"""Daily sales of several markets, one of which has a campaign: what did it bring?

The logarithm of a market's sales is its level, common movements that markets follow more or less, a week that is partly
everybody's, festivals that some markets take part in, and a persistent noise of its own, larger in small markets. The
campaign adds a known number to the logarithm, so the truth is known; which market has it is drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import InvalidValue

#: Days from one festival to the next, as double days have it; days that one lasts, and the share of the first day's
#: spike on each.
FESTIVAL_EVERY, SPIKE = 30, (1.0, 0.35)

#: Persistence from day to day of the wandering common movement, and its standard deviation.
_WANDER, _WANDER_SPREAD = 0.97, 0.15

#: What a donor loses by a shock of its own, in log points, and for how many days.
_SHOCK, _SHOCK_DAYS = -0.3, 10


@dataclass(frozen=True, slots=True)
class MarketWorld:
    """What the markets are made of; numbers are in log points unless said otherwise.

    Attributes
    ----------
    n_donors : int
        Markets without a campaign.
    days_before, days : int
        Days before the campaign, and of it.
    effect : float
        What the campaign adds to the logarithm of sales on each of its days.
    noise : float
        Standard deviation of the daily noise of a market of middling size.
    persistence : tuple of float
        Bounds of the correlation of a market's noise from day to day.
    size_spread : float
        Standard deviation of markets' levels. A market's noise falls with the square root of its size.
    loading_spread : float
        Standard deviation of how much markets follow the common movements; the mean is 1.
    week_spread : float
        Standard deviation of a market's own deviations from everybody's week.
    festival : float
        Mean spike on the first day of a festival.
    festival_share, festival_spread : float
        Share of markets that take part, and the standard deviation of the logarithm of their spikes.
    donor_shock : bool
        Whether one donor has a shock of its own that begins within the days of the campaign.
    in_smallest : bool
        Whether the campaign is in the smallest market, which is the noisiest, and not in any at random.
    """

    n_donors: int = 11
    days_before: int = 112
    days: int = 14
    effect: float = 0.0
    noise: float = 0.08
    persistence: tuple[float, float] = (0.3, 0.6)
    size_spread: float = 0.3
    loading_spread: float = 0.0
    week_spread: float = 0.02
    festival: float = 0.5
    festival_share: float = 1.0
    festival_spread: float = 0.1
    donor_shock: bool = False
    in_smallest: bool = False

    def __post_init__(self) -> None:
        for name in ("n_donors", "days_before", "days", "noise"):
            if not getattr(self, name) > 0:
                raise InvalidValue(f"{name} must be above 0, not {getattr(self, name)!r}.")
        for name in ("size_spread", "loading_spread", "week_spread", "festival", "festival_spread"):
            if not getattr(self, name) >= 0:
                raise InvalidValue(f"{name} must be 0 or more, not {getattr(self, name)!r}.")
        if not 0 <= min(self.persistence) <= max(self.persistence) < 1:
            raise InvalidValue(f"persistence must lie from 0 to below 1, not {self.persistence!r}.")
        if not 0 <= self.festival_share <= 1:
            raise InvalidValue(f"festival_share must lie between 0 and 1, not {self.festival_share!r}.")


@dataclass(frozen=True, slots=True, eq=False)
class MarketPanel:
    """Sales by market and day.

    Attributes
    ----------
    log_sales : numpy.ndarray
        Logarithm of daily sales; (markets, days before and of the campaign).
    treated : int
        Row of the market with the campaign.
    days_before : int
        Days before the campaign.
    effect : float
        The truth: what the campaign added to the logarithm.
    """

    log_sales: np.ndarray
    treated: int
    days_before: int
    effect: float

    @property
    def donors(self) -> np.ndarray:
        """Logarithm of sales of the other markets; (donors, days)."""
        return np.delete(self.log_sales, self.treated, axis=0)


def simulate(world: MarketWorld, *, seed: int) -> MarketPanel:
    """Draw markets and the days they live through.

    Parameters
    ----------
    world : MarketWorld
        What they are made of.
    seed : int
        Worlds that differ in their effect alone have the same markets and days under one seed.

    Examples
    --------
    >>> simulate(MarketWorld(n_donors=5), seed=1).log_sales.shape
    (6, 126)
    """
    rng = np.random.default_rng(seed)
    n, days = world.n_donors + 1, world.days_before + world.days
    treated = int(rng.integers(n))
    level = 9 + world.size_spread * rng.standard_normal(n)
    treated = int(np.argmin(level)) if world.in_smallest else treated
    sales = level[:, None] + _common(rng, world, n, days) + _weeks(rng, world, n, days)
    sales += _festivals(rng, world, n, days)
    sales += autoregressions(rng, world.noise * np.exp((9 - level) / 2), rng.uniform(*world.persistence, n), days)
    shocked, begins = (treated + rng.integers(1, n)) % n, world.days_before + rng.integers(world.days)
    if world.donor_shock:
        sales[shocked, begins : begins + _SHOCK_DAYS] += _SHOCK
    sales[treated, world.days_before :] += world.effect
    return MarketPanel(log_sales=sales, treated=treated, days_before=world.days_before, effect=world.effect)


def _common(rng: np.random.Generator, world: MarketWorld, n: int, days: int) -> np.ndarray:
    """A trend with a season, and a wandering movement; each market follows them more or less."""
    day = np.arange(days)
    season = 0.1 * np.sin(2 * np.pi * (day / rng.uniform(60, 200) + rng.random()))
    trend = rng.normal(0, 0.15) * day / 100
    wander = autoregressions(rng, np.array([_WANDER_SPREAD]), np.array([_WANDER]), days)
    loadings = 1 + world.loading_spread * rng.standard_normal((n, 2))
    return loadings @ np.vstack([trend + season, wander])


def _weeks(rng: np.random.Generator, world: MarketWorld, n: int, days: int) -> np.ndarray:
    """A week that is everybody's, and what a market's own adds."""
    week = 0.08 * rng.standard_normal(7) + world.week_spread * rng.standard_normal((n, 7))
    return np.take(week, np.arange(days) % 7, axis=1)


def _festivals(rng: np.random.Generator, world: MarketWorld, n: int, days: int) -> np.ndarray:
    """Spikes on the days of festivals, which a market takes part in or not, more or less each time."""
    first = np.arange(rng.integers(FESTIVAL_EVERY), days, FESTIVAL_EVERY)
    joins = rng.random((n, 1)) < world.festival_share
    height = world.festival * joins * np.exp(world.festival_spread * rng.standard_normal((n, len(first))))
    spikes = np.zeros((n, days + len(SPIKE)))
    for later, share in enumerate(SPIKE):
        spikes[:, first + later] += share * height
    return spikes[:, :days]


def autoregressions(rng: np.random.Generator, spread: np.ndarray, persistence: np.ndarray, days: int) -> np.ndarray:
    """First-order autoregressions that have been running for long.

    Parameters
    ----------
    rng : numpy.random.Generator
        What they are drawn from.
    spread, persistence : numpy.ndarray
        Standard deviation, and correlation from one day to the next, of each; (series,).
    days : int
        Length.

    Returns
    -------
    numpy.ndarray
        (series, days).
    """
    shocks = rng.standard_normal((days, len(spread)))
    shocks[1:] *= np.sqrt(1 - persistence**2)
    for day in range(1, days):
        shocks[day] += persistence * shocks[day - 1]
    return spread[:, None] * shocks.T
