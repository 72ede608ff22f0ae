"""Intervals widened by what placebo runs show the standard error leaves out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm, t

from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate, Result, format_count, format_percent

#: Fewer placebo runs than this say too little about the scatter to widen an interval by it.
FEWEST_PLACEBOS = 5


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboCalibration(Result):
    """What placebo runs, whose true effect is zero, say about a method's error.

    Attributes
    ----------
    values, ses : numpy.ndarray
        Placebo estimates and their own standard errors.
    systematic_sd : float
        Root of the mean squared placebo estimate beyond its own sampling variance; 0 if none.
    n_independent : float
        How many windows that do not overlap the placebos amount to; sets the t quantile.
    level : float
        Level at which placebos are called rejected.
    """

    values: np.ndarray
    ses: np.ndarray
    systematic_sd: float
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

    def widen(self, estimate: Estimate) -> Estimate:
        """The estimate with the placebo scatter added to its standard error."""
        se = float(np.hypot(estimate.se, self.systematic_sd))
        # The scatter is itself estimated from few windows: its share of the variance sets the degrees of freedom.
        share = (self.systematic_sd / se) ** 2 if se > 0 else 0.0
        freedom = self.n_independent / share**2 if share > 0 else np.inf
        reach = float(t.ppf(0.5 + estimate.level / 2, freedom)) * se
        method = f"{estimate.method}; widened by {len(self.values)} placebo windows"
        return replace(estimate, se=se, ci_lower=estimate.value - reach, ci_upper=estimate.value + reach, method=method)


def calibrate(values: np.ndarray, ses: np.ndarray, *, n_independent: float, level: float) -> PlaceboCalibration:
    """Estimate the systematic error of a method from runs whose true effect is zero.

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
    Degrees of freedom after Satterthwaite (1946).
    """
    if len(values) < FEWEST_PLACEBOS:
        raise NotEnoughData(
            f"{len(values)} placebo windows fit into the data, {FEWEST_PLACEBOS} are needed to know how far the "
            "interval can be trusted"
        )
    excess = float(np.mean(np.square(values) - np.square(ses)))
    return PlaceboCalibration(
        values=np.asarray(values, dtype=float), ses=np.asarray(ses, dtype=float),
        systematic_sd=float(np.sqrt(max(excess, 0.0))), n_independent=max(1.0, n_independent), level=level,
    )  # fmt: skip
