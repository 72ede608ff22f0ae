"""What units do of their own: level, common periods, noise that is gone the next period, and noise that lasts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from analysis_lib.causal.rollout_panel import RolloutPanel
from analysis_lib.errors import NotEnoughData

#: How much of lasting noise is left after a period, and its variance against that of passing noise: what is tried.
CARRIED = (0.6, 0.85, 0.95, 0.985)
LASTING = (0.03, 0.09, 0.27, 0.8, 2.4, 7.2)

#: Kinds of noise less likely than this are left out.
LEAST_LIKELY = 0.01


@dataclass(frozen=True, slots=True)
class Noise:
    """A unit's noise: ``passing`` × its shape, and ``lasting``, of which a share ``carried`` is left a period later.

    Attributes
    ----------
    passing : float
        Variance per unit of the noise shape.
    lasting : float
        Variance, in the squared unit of the outcome.
    carried : float
        Correlation of lasting noise from one period to the next.
    """

    passing: float
    lasting: float
    carried: float

    def covariance(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Of lasting noise between periods of one unit, given by position."""
        if not (len(rows) and len(columns)):
            return np.zeros((len(rows), len(columns)))
        apart = np.abs(rows[:, None] - columns[None, :])
        return (self.lasting * self.carried ** np.arange(apart.max() + 1))[apart]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Periods and levels fitted to values without the treatment, by generalised least squares.

    Attributes
    ----------
    noise : Noise
        As it was assumed.
    inverses : list of numpy.ndarray
        Inverse covariance of each unit's free values.
    places : list of numpy.ndarray
        Their positions.
    periods : numpy.ndarray
        Effect of each period.
    covariance : numpy.ndarray
        Of the effects of periods, for differences between them.
    likelihood : float
        Restricted log likelihood, the scale of the noise profiled out.
    scale : float
        Factor on all variances that fits best.
    """

    noise: Noise
    inverses: list[np.ndarray]
    places: list[np.ndarray]
    periods: np.ndarray
    covariance: np.ndarray
    likelihood: float
    scale: float


def fit(panel: RolloutPanel, free: np.ndarray, noise: Noise) -> Fitted:
    """Periods and levels by generalised least squares, the noise being known up to a factor.

    Parameters
    ----------
    free : numpy.ndarray
        Units × periods, the values to use.
    """
    n_times = len(panel.times)
    normal, right, square, logs = np.zeros((n_times, n_times)), np.zeros(n_times), 0.0, 0.0
    inverses, places = [], [np.flatnonzero(row) for row in free]
    for row, own in enumerate(places):
        covariance = noise.covariance(own, own) + np.diag(noise.passing * panel.noise[row, own])
        factor = cho_factor(covariance, lower=True, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(own)), check_finite=False)
        sums = inverse.sum(axis=0)
        # The unit's own level is taken out: what is left only sees changes.
        changes = inverse - np.outer(sums, sums) / sums.sum()
        values = panel.outcomes[row, own]
        normal[np.ix_(own, own)] += changes
        right[own] += changes @ values
        square += values @ changes @ values
        logs += 2 * np.log(np.diag(factor[0])).sum() + np.log(sums.sum())
        inverses.append(inverse)
    # Only differences between periods are known: pinning their sum makes the system regular and changes none of them.
    factor = cho_factor(normal + normal.trace() / n_times**2, lower=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(n_times), check_finite=False)
    periods = inverse @ right
    degrees = int(free.sum()) - len(panel.units) - n_times + 1
    scale = max(square - right @ periods, 0.0) / degrees
    logs += 2 * np.log(np.diag(factor[0])).sum()
    likelihood = -0.5 * (degrees * np.log(max(scale, np.finfo(float).tiny)) + logs)
    return Fitted(noise, inverses, places, periods, inverse, float(likelihood), float(scale))


def likely_noise(panel: RolloutPanel) -> list[tuple[float, Noise]]:
    """Kinds of noise under which the values without the treatment are likely, with how likely each is.

    Restricted likelihood on a grid, every kind as probable as another beforehand. All that are likely are kept, as a
    few units do not tell them apart and intervals must allow for that.

    Raises
    ------
    NotEnoughData
        There are too few values, or they leave no noise at all.
    """
    free = panel.free
    if int(free.sum()) < 2 * (len(panel.units) + len(panel.times)):
        raise NotEnoughData("there are too few weeks before the start to know what markets do of their own")
    typical = float(np.median(panel.noise[free]))
    tried = [Noise(1.0, 0.0, 0.0)]
    tried += [Noise(1.0, lasting * typical, carried) for lasting, carried in product(LASTING, CARRIED)]
    fits = [fit(panel, free, noise) for noise in tried]
    best = max(one.likelihood for one in fits)
    if not min(one.scale for one in fits) > 0:
        raise NotEnoughData("the markets move exactly alike before the start: there is nothing to measure noise by")
    weights = np.array([np.exp(one.likelihood - best) for one in fits])
    kept = weights / weights.sum() >= LEAST_LIKELY
    total = weights[kept].sum()
    return [
        (float(weight / total), Noise(one.scale, one.noise.lasting * one.scale, one.noise.carried))
        for weight, one, keep in zip(weights, fits, kept, strict=True)
        if keep
    ]
