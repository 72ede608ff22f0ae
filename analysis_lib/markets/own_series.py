"""Daily sales of one market that nobody can be compared with: what did its campaign bring?

The logarithm of sales is a level that may drift, a week, festivals a month apart and a noise that may persist. The
campaign adds a known number to the logarithm, so the truth is known. Whether a festival falls into it is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.markets.market_panels import FESTIVAL_EVERY, SPIKE, autoregressions


@dataclass(frozen=True, slots=True)
class SeriesWorld:
    """What the series is made of; numbers are in log points unless said otherwise.

    Attributes
    ----------
    days_before, days : int
        Days before the campaign, and of it.
    effect : float
        What the campaign adds to the logarithm of sales on each of its days.
    noise : float
        Standard deviation of the daily noise.
    persistence : float
        Correlation of the noise from day to day.
    drift : float
        Standard deviation of what is added to the level each day, for good.
    week_spread : float
        Standard deviation of the weekdays' differences.
    festival, festival_spread : float
        Mean spike on the first day of a festival, and the standard deviation of the logarithm of spikes.
    festival_in_campaign : bool
        Whether a festival begins within the campaign; otherwise none of its days is in it.
    """

    days_before: int = 112
    days: int = 14
    effect: float = 0.0
    noise: float = 0.08
    persistence: float = 0.0
    drift: float = 0.0
    week_spread: float = 0.08
    festival: float = 0.5
    festival_spread: float = 0.1
    festival_in_campaign: bool = False

    def __post_init__(self) -> None:
        for name in ("days_before", "days", "noise"):
            if not getattr(self, name) > 0:
                raise InvalidValue(f"{name} must be above 0, not {getattr(self, name)!r}.")
        for name in ("drift", "week_spread", "festival", "festival_spread"):
            if not getattr(self, name) >= 0:
                raise InvalidValue(f"{name} must be 0 or more, not {getattr(self, name)!r}.")
        if not 0 <= self.persistence < 1:
            raise InvalidValue(f"persistence must lie from 0 to below 1, not {self.persistence!r}.")
        if self.days + len(SPIKE) > FESTIVAL_EVERY:
            raise InvalidValue(f"days must leave room between festivals {FESTIVAL_EVERY} days apart, not {self.days}.")


@dataclass(frozen=True, slots=True, eq=False)
class OwnSeries:
    """Sales by day.

    Attributes
    ----------
    log_sales : numpy.ndarray
        Logarithm of daily sales; (days before and of the campaign,).
    festivals : numpy.ndarray
        1 on the first, second, … day of a festival; (days, days that a festival lasts).
    days_before : int
        Days before the campaign.
    effect : float
        The truth: what the campaign added to the logarithm.
    """

    log_sales: np.ndarray
    festivals: np.ndarray
    days_before: int
    effect: float


def simulate(world: SeriesWorld, *, seed: int) -> OwnSeries:
    """Draw a series.

    Parameters
    ----------
    world : SeriesWorld
        What it is made of.
    seed : int
        Worlds that differ in their effect alone have the same days under one seed.

    Examples
    --------
    >>> simulate(SeriesWorld(), seed=1).log_sales.shape
    (126,)
    """
    rng = np.random.default_rng(seed)
    days = world.days_before + world.days
    level = 9 + np.cumsum(world.drift * rng.standard_normal(days))
    week = world.week_spread * rng.standard_normal(7)[np.arange(days) % 7]
    noise = autoregressions(rng, np.array([world.noise]), np.array([world.persistence]), days)[0]
    festivals, spikes = _festivals(rng, world, days)
    sales = level + week + noise + spikes
    sales[world.days_before :] += world.effect
    return OwnSeries(log_sales=sales, festivals=festivals, days_before=world.days_before, effect=world.effect)


def _festivals(rng: np.random.Generator, world: SeriesWorld, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Which day of a festival each day is, (days, days of one), and what it adds, (days,)."""
    free = FESTIVAL_EVERY - world.days - len(SPIKE) + 1
    if world.festival_in_campaign:
        last = world.days_before + int(rng.integers(world.days))
    else:
        last = world.days_before - len(SPIKE) - int(rng.integers(free))
    first = np.arange(last % FESTIVAL_EVERY, last + 1, FESTIVAL_EVERY)
    height = world.festival * np.exp(world.festival_spread * rng.standard_normal(len(first)))
    flags, spikes = np.zeros((days + len(SPIKE), len(SPIKE))), np.zeros(days + len(SPIKE))
    for later, share in enumerate(SPIKE):
        flags[first + later, later] = 1.0
        spikes[first + later] = share * height
    return flags[:days], spikes[:days]
