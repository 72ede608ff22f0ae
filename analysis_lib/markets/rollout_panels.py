"""Markets in which something goes live wave by wave: simulated, with the effect known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Week in which each of twelve markets goes live; like the waves of the world's launches.
WAVES = (46, 46, 53, 53, 63, 63, 74, 74, 83, 83, 94, 94)

#: Share of a shock that lasts to the next week.
CARRIED = 0.9

#: Spread, between markets, of the logarithm of their size.
SIZE_SPREAD = 0.9


@dataclass(frozen=True, slots=True)
class Rolled:
    """What goes live, and how markets move without it; all in log points of the metric.

    Attributes
    ----------
    waves : tuple of int
        Week in which each market goes live; one beyond ``weeks`` is never.
    weeks : int
        Weeks that are seen.
    effect : float
        Mean over markets of the effect once it is settled.
    differs : float
        Standard deviation of it between markets.
    grows : int
        Weeks over which it grows to that.
    waiting : float
        Effect in the weeks after the announcement.
    announced : int
        Weeks between announcement and going live.
    passing : float
        Standard deviation of a week's own noise in a market of ordinary size.
    lasting : float
        Standard deviation of noise that lasts.
    unlike : float
        Spread, between markets, of the logarithm of the noise that lasts.
    tails : float
        Degrees of freedom of shocks: normal if infinite.
    drift : float
        Standard deviation, between markets, of a trend of their own, per year.
    """

    waves: tuple[int, ...] = WAVES
    weeks: int = 104
    effect: float = 0.0
    differs: float = 0.0
    grows: int = 6
    waiting: float = 0.0
    announced: int = 0
    passing: float = 0.03
    lasting: float = 0.015
    unlike: float = 0.0
    tails: float = np.inf
    drift: float = 0.0


def rolled_markets(rolled: Rolled, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """A panel of markets and weeks, and the settled effect in each market.

    Markets differ in size, and small ones are noisier; all share what happens in a week; each has noise that passes and
    noise that lasts.

    Parameters
    ----------
    rolled : Rolled
        What goes live.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    tuple of pandas.DataFrame and numpy.ndarray
        Rows: market, week (from 0), outcome (logarithm), noise (variance of a week's own noise up to a factor),
        first_affected, first_live (weeks; missing where that is after the end). Effects: one a market.
    """
    n = len(rolled.waves)
    live = np.array(rolled.waves)
    effects = rolled.effect + rolled.differs * rng.standard_normal(n)
    sizes = np.exp(SIZE_SPREAD * rng.standard_normal(n))
    week = np.arange(rolled.weeks)
    since = week[None, :] - live[:, None]
    grown = np.clip((since + 0.5) / max(rolled.grows, 0.5), 0.0, 1.0) * (since >= 0)
    waits = (since < 0) & (since >= -rolled.announced)
    outcome = (
        rng.normal(0, 0.3, n)[:, None] + rng.normal(0, 0.05, rolled.weeks)[None, :]
        + rolled.drift * rng.standard_normal(n)[:, None] * week[None, :] / 52
        + _lasting(rolled, rng) + rolled.passing * _shocks(rolled, (n, rolled.weeks), rng) / np.sqrt(sizes)[:, None]
        + effects[:, None] * grown + rolled.waiting * waits
    )  # fmt: skip
    frame = pd.DataFrame(
        {
            "market": np.repeat([f"M{row:02d}" for row in range(n)], rolled.weeks), "week": np.tile(week, n),
            "outcome": outcome.ravel(), "noise": np.repeat(1 / sizes, rolled.weeks),
            "first_affected": np.repeat(_until(live - rolled.announced, rolled.weeks), rolled.weeks),
            "first_live": np.repeat(_until(live, rolled.weeks), rolled.weeks),
        }
    )  # fmt: skip
    return frame, effects


def _until(weeks: Sequence[int] | np.ndarray, end: int) -> np.ndarray:
    """Weeks before the end; missing beyond it."""
    found = np.asarray(weeks, dtype=float)
    return np.where(found < end, found, np.nan)


def _shocks(rolled: Rolled, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Shocks of variance 1."""
    if not np.isfinite(rolled.tails):
        return rng.standard_normal(shape)
    return rng.standard_t(rolled.tails, shape) / np.sqrt(rolled.tails / (rolled.tails - 2))


def _lasting(rolled: Rolled, rng: np.random.Generator) -> np.ndarray:
    """Noise that lasts, markets × weeks, from its own long run."""
    n = len(rolled.waves)
    sizes = rolled.lasting * np.exp(rolled.unlike * rng.standard_normal(n) - rolled.unlike**2 / 2)
    shocks = _shocks(rolled, (n, rolled.weeks), rng)
    shocks[:, 1:] *= np.sqrt(1 - CARRIED**2)
    path = np.empty_like(shocks)
    path[:, 0] = shocks[:, 0]
    for week in range(1, rolled.weeks):
        path[:, week] = CARRIED * path[:, week - 1] + shocks[:, week]
    return sizes[:, None] * path
