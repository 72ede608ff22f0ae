"""Intervals widened by what placebo runs show the standard error leaves out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate, Result, format_count, format_percent

#: Fewer placebo runs than this say too little about the scatter to widen an interval by it.
FEWEST_PLACEBOS = 5

#: Scale of the half-Cauchy prior of the systematic error, in typical standard errors of the placebos.
#: In simulations with 2 to 10 independent windows, 95 % intervals cover 93 to 99 % as long as the
#: systematic error is up to twice the standard error, and 89 to 94 % at four times.
PRIOR_SCALE = 1.5

#: Points at which the posterior of the systematic error is evaluated.
N_GRID = 240


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboCalibration(Result):
    """What placebo runs, whose true effect is zero, say about a method's error.

    Attributes
    ----------
    values, ses : numpy.ndarray
        Placebo estimates and their own standard errors.
    grid, posterior : numpy.ndarray
        Values of the systematic error's standard deviation, and how probable the placebos make them.
    n_independent : float
        How many windows that do not overlap the placebos amount to.
    level : float
        Level at which placebos are called rejected.
    """

    values: np.ndarray
    ses: np.ndarray
    grid: np.ndarray
    posterior: np.ndarray
    n_independent: float
    level: float

    @property
    def share_rejected(self) -> float:
        """Share of placebos whose own, unwidened interval excludes zero."""
        return float(np.mean(np.abs(self.values) > norm.ppf(0.5 + self.level / 2) * self.ses))

    @property
    def text(self) -> str:
        """How often the plain method cries wolf."""
        share = format_percent(self.share_rejected, 0)
        return (
            f"In {format_count(len(self.values))} windows without this campaign the plain "
            f"{format_percent(self.level, 0)} interval excludes zero in {share} (it should in "
            f"{format_percent(1 - self.level, 0)})."
        )

    @property
    def systematic_sd(self) -> float:
        """Standard deviation of the systematic error: its posterior median."""
        return float(self.grid[np.searchsorted(np.cumsum(self.posterior), 0.5)])

    def widen(self, estimate: Estimate) -> Estimate:
        """The estimate with the systematic error in its interval, uncertainty about its size included."""
        spread = np.hypot(estimate.se, self.grid)
        tail = (1.0 - estimate.level) / 2
        if spread.max() == 0:
            return estimate

        def excess(reach: float) -> float:
            """Probability beyond ``reach``, less the wanted tail."""
            return float(self.posterior @ norm.sf(reach / np.maximum(spread, np.finfo(float).tiny))) - tail

        farthest = norm.ppf(1 - tail) * spread.max()
        reach = brentq(excess, 0.0, farthest, rtol=1e-9) if excess(farthest) < 0 else farthest
        return replace(
            estimate,
            se=float(reach / norm.ppf(1 - tail)),
            ci_lower=estimate.value - reach,
            ci_upper=estimate.value + reach,
            method=f"{estimate.method}; widened by {len(self.values)} placebo windows",
        )


def calibrate(values: np.ndarray, ses: np.ndarray, *, n_independent: float, level: float) -> PlaceboCalibration:
    """Learn the systematic error of a method from runs whose true effect is zero.

    Placebo estimates are taken as normal around zero with their own sampling variance plus that of
    the systematic error, whose size has a half-Cauchy prior. Its posterior is a sum over a grid; the
    likelihood of overlapping windows is weakened to the information of those that do not overlap.

    Parameters
    ----------
    values, ses : numpy.ndarray
        Placebo estimates and standard errors, in the estimate's unit.
    n_independent : float
        Number of placebo windows that do not overlap (at least 1).
    level : float
        Level for ``share_rejected``.

    Raises
    ------
    NotEnoughData
        With fewer than ``FEWEST_PLACEBOS`` placebos.

    References
    ----------
    Schuemie, Hripcsak, Ryan, Madigan and Suchard (2018), "Empirical confidence interval calibration
    for population-level effect estimation studies", PNAS 115(11). Systematic error is taken around
    zero, not around its mean, so that an average bias widens the interval rather than moves it.
    Röver, Bender, Dias and others (2021), "On weakly informative prior distributions for the
    heterogeneity parameter in Bayesian random-effects meta-analysis", Research Synthesis Methods
    12(4), for the prior with few windows. Pauli, Racugno and Ventura (2011), "Bayesian composite
    marginal likelihoods", Statistica Sinica 21, for the weakened likelihood.
    """
    if len(values) < FEWEST_PLACEBOS:
        raise NotEnoughData(
            f"{len(values)} placebo windows fit into the data, {FEWEST_PLACEBOS} are needed to know how far the "
            "interval can be trusted"
        )
    values, ses = np.array(values, dtype=float), np.array(ses, dtype=float)
    independent = float(np.clip(n_independent, 1.0, len(values)))
    grid, posterior = _posterior(values, ses, independent)
    return PlaceboCalibration(
        values=values, ses=ses, grid=grid, posterior=posterior, n_independent=independent, level=level
    )


def _posterior(values: np.ndarray, ses: np.ndarray, independent: float) -> tuple[np.ndarray, np.ndarray]:
    """Grid of standard deviations and their posterior probabilities."""
    typical = float(np.sqrt(np.mean(np.square(ses)))) or float(np.sqrt(np.mean(np.square(values))))
    if typical == 0:
        return np.zeros(1), np.ones(1)
    largest = 30 * max(typical, float(np.abs(values).max()))
    grid = np.geomspace(typical / 100, largest, N_GRID)
    variance = np.square(ses)[None, :] + np.square(grid)[:, None]
    likelihood = -0.5 * (np.log(variance) + np.square(values)[None, :] / variance).sum(axis=1)
    prior = -np.log1p(np.square(grid / (PRIOR_SCALE * typical)))
    # On a grid even in logarithms each point stands for a width in proportion to itself.
    log_mass = likelihood * independent / len(values) + prior + np.log(grid)
    mass = np.exp(log_mass - log_mass.max())
    return grid, mass / mass.sum()
