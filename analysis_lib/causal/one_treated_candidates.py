"""Intervals for one treated market that were tried and not taken; ``calibration.lone_markets`` sets them side by side.

Each takes a panel and a level, and gives an estimate and its bounds in the panel's own unit (logarithms, if it has
them). What is called simplified here is so against its paper, which is no judgement of the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from analysis_lib.causal.one_treated_fit import (
    PseudoCampaigns,
    centred,
    pseudo_campaigns,
    simplex_weights,
    synthetic_did,
)
from analysis_lib.causal.one_treated_panel import LonePanel

Interval = tuple[float, float, float]

#: Blocks of the cross-fitted t-test; draws of the prediction interval's weights; halvings of a conformal bound.
BLOCKS, WEIGHT_DRAWS, HALVINGS = 3, 60, 9

#: The largest persistence that a gap is credited with, and the fewest degrees of freedom.
_MOST_PERSISTENT, _LEAST_FREEDOM = 0.97, 3.0


def placebo_normal(panel: LonePanel, level: float) -> Interval:
    """Placebo in space, as packages have it: the donors' spread, and a normal quantile.

    References
    ----------
    Arkhangelsky et al. (2021), algorithm 4, with each donor taken once instead of at random.
    """
    return _around(synthetic(panel), norm.ppf(0.5 + level / 2) * float(_placebos(panel).std()))


def placebo_student(panel: LonePanel, level: float) -> Interval:
    """Placebo in space with what a new draw needs: Student's quantile, and the error of the donors' mean."""
    found = _placebos(panel)
    error = float(found.std(ddof=1)) * (1 + 1 / len(found)) ** 0.5
    return _around(synthetic(panel), student.ppf(0.5 + level / 2, len(found) - 1) * error)


def placebo_studentised(panel: LonePanel, level: float) -> Interval:
    """Placebo in space, each unit's error over how badly its past is fitted, and Student's quantile.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), Journal of the American Statistical Association 105(490), on the ratio of
    post- to pre-period errors; turned into an interval by taking the ratios as Student's with a known mean of 0.
    """
    return _around(synthetic(panel), _studentised_reach(panel, level))


@lru_cache(maxsize=1)
def _studentised_reach(panel: LonePanel, level: float) -> float:
    """Half a width, which two candidates share."""
    own = [_misfit(panel.donors[j], np.delete(panel.donors, j, axis=0), panel.before) for j in panel.places]
    ratios = _placebos(panel) / np.array(own)
    reach = student.ppf(0.5 + level / 2, len(ratios)) * float(np.sqrt(np.mean(ratios**2)))
    return reach * _misfit(panel.treated, panel.donors, panel.before)


def conformal(panel: LonePanel, level: float) -> Interval:
    """Moving-block permutations of the residuals of a fit under each hypothesis, inverted for a constant effect.

    The bounds are sought outwards from the estimate by halving, up to 12 typical gaps of days.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2021), "An exact and robust conformal inference method for counterfactual and
    synthetic controls", Journal of the American Statistical Association 116(536).
    """
    value, gaps = _control(panel.treated, panel.donors, panel.before)
    far = 12 * float(gaps[: panel.before].std())

    def bound(side: float) -> float:
        inside, outside = 0.0, far
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            kept = _conformal_pvalue(panel, value + side * middle) > 1 - level
            inside, outside = (middle, outside) if kept else (inside, middle)
        return value + side * outside

    return value, bound(-1.0), bound(1.0)


def _conformal_pvalue(panel: LonePanel, effect: float) -> float:
    """Share of cyclic shifts whose window has a mean residual as large as the campaign's."""
    treated = panel.treated.copy()
    treated[panel.before :] -= effect
    weights = simplex_weights(centred(panel.donors.T), treated - treated.mean(), 0.0)
    gaps = treated - treated.mean() - weights @ (panel.donors - panel.donors.mean(axis=1, keepdims=True))
    sums = np.cumsum(np.concatenate([[0.0], gaps, gaps[: panel.days]]))
    windows = np.abs(sums[panel.days : panel.days + len(gaps)] - sums[: len(gaps)])
    return float(np.mean(windows >= windows[panel.before] * (1 - 1e-12)))


def cross_fitted(panel: LonePanel, level: float) -> Interval:
    """Synthetic control fitted without each of three blocks, corrected by its error on it; Student's with 2 d.o.f.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2018, 2024), "A t-test for synthetic controls", arXiv 1812.10820. With an intercept,
    which the correction takes off anyway.
    """
    length = min(panel.before // BLOCKS, panel.days)
    found = []
    for block in range(BLOCKS):
        # Blocks end where the campaign begins, as in the paper's partition of the last part of the past.
        at = np.arange(length) + panel.before - (BLOCKS - block) * length
        rest = np.delete(np.arange(panel.before), at)
        weights = simplex_weights(centred(panel.donors[:, rest].T), centred(panel.treated[rest]), 0.0)
        gaps = panel.treated - weights @ panel.donors
        found.append(gaps[panel.before :].mean() - gaps[at].mean())
    spread = float(np.std(found, ddof=1)) * (1 + BLOCKS * length / panel.days) ** 0.5
    return _around(float(np.mean(found)), student.ppf(0.5 + level / 2, BLOCKS - 1) * spread / BLOCKS**0.5)


def held_out(panel: LonePanel, level: float) -> Interval:
    """Windows side by side, each left out of the past that is fitted, so that what came after it is used too."""
    found = []
    for at in range(panel.before - panel.days, -1, -panel.days):
        window = np.arange(at, at + panel.days)
        order = np.concatenate([np.delete(np.arange(panel.before), window), window])
        found.append(synthetic_did(panel.treated[order], panel.donors[:, order], panel.before - panel.days).value)
    reach = student.ppf(0.5 + level / 2, len(found)) * float(np.sqrt(np.mean(np.square(found))))
    return _around(synthetic(panel), reach)


def side_by_side(panel: LonePanel, level: float) -> Interval:
    """Pseudo-campaigns that do not overlap: every second of the shipped ones."""
    errors = _past(panel).errors[::2]
    reach = student.ppf(0.5 + level / 2, len(errors) - 1) * float(np.sqrt(np.mean(errors**2)))
    return _around(synthetic(panel), reach)


def prediction(panel: LonePanel, level: float) -> Interval:
    """Bounds on the error of the weights and on that of the days, each at half the level, added up.

    Simplified: weights from draws of the score with its long-run variance (Bartlett), on the simplex; days from a
    normal mean with the gaps' long-run variance.

    References
    ----------
    Cattaneo, Feng and Titiunik (2021), "Prediction intervals for synthetic control methods", Journal of the American
    Statistical Association 116(536).
    """
    before, days = panel.before, panel.days
    columns = centred(panel.donors[:, :before].T)
    value, gaps = _control(panel.treated, panel.donors, before)
    gaps = gaps[:before] - gaps[:before].mean()
    weights = simplex_weights(columns, centred(panel.treated[:before]), 0.0)
    scores = columns * gaps[:, None]
    root = np.linalg.cholesky(_long_run(scores, days) * before + 1e-12 * np.eye(len(weights)))
    inverse = np.linalg.pinv(columns.T)
    move = panel.donors[:, before:].mean(axis=1) - panel.donors[:, :before].mean(axis=1)
    # One stream for every panel: an interval must not depend on when it is asked for.
    noise = np.random.default_rng(1).standard_normal((WEIGHT_DRAWS, len(weights)))
    # Least squares with the score moved by G is least squares with the target moved by any x with columns' x = G.
    moved = [simplex_weights(columns, columns @ weights + inverse @ (root @ one), 0.0) for one in noise]
    half = (1 - level) / 2
    low, high = np.quantile((np.array(moved) - weights) @ move, [half / 2, 1 - half / 2])
    reach = norm.ppf(1 - half / 2) * float(np.sqrt(_long_run(gaps[:, None], days)[0, 0] * (1 / days + 1 / before)))
    return value, value - reach + min(0.0, low), value + reach + max(0.0, high)


def autoregressive(panel: LonePanel, level: float) -> Interval:
    """Gaps as a first-order autoregression, its persistence corrected for short series, and Student's quantile.

    References
    ----------
    Kendall (1954), Biometrika 41, for the correction (1 + 4ρ) / n; degrees of freedom n (1 − ρ²) / (1 + ρ²), the
    number of independent days that tell a variance as well.
    """
    fit = synthetic_did(panel.treated, panel.donors, panel.before)
    gaps = centred(fit.gaps[: panel.before])
    n = len(gaps)
    rho = float(gaps[1:] @ gaps[:-1] / (gaps @ gaps))
    rho = min(rho + (1 + 4 * rho) / n, _MOST_PERSISTENT)
    alike = rho ** np.abs(np.subtract.outer(np.arange(n + panel.days), np.arange(n + panel.days)))
    contrast = np.concatenate([-fit.time_weights, np.full(panel.days, 1 / panel.days)])
    # The mean that was taken off took its own variance along.
    variance = float(gaps @ gaps) / max(n - alike[:n, :n].sum() / n, _LEAST_FREEDOM)
    freedom = max(n * (1 - rho**2) / (1 + rho**2) - 1, _LEAST_FREEDOM)
    reach = student.ppf(0.5 + level / 2, freedom) * float(np.sqrt(variance * (contrast @ alike @ contrast)))
    return _around(fit.value, reach)


def widest(panel: LonePanel, level: float) -> Interval:
    """The wider of pseudo-campaigns in time and of studentised placebos in space."""
    value, _, high = shipped(panel, level)
    return _around(value, max(high - value, _studentised_reach(panel, level)))


def shipped(panel: LonePanel, level: float) -> Interval:
    """The interval that ``one_treated`` has, in the panel's own unit."""
    past = _past(panel)
    return _around(synthetic(panel), student.ppf(0.5 + level / 2, past.freedom) * past.typical)


def plain_difference(panel: LonePanel, level: float) -> Interval:
    """Difference in differences with equal weights, with pseudo-campaigns in time."""
    return _in_time(panel, level, lambda treated, donors, at: _mean_gap(treated - donors.mean(axis=0), at))


def synthetic_control(panel: LonePanel, level: float) -> Interval:
    """Synthetic control with an intercept, with pseudo-campaigns in time."""
    return _in_time(panel, level, lambda treated, donors, at: _control(treated, donors, at)[0])


CANDIDATES: dict[str, Callable[[LonePanel, float], Interval]] = {
    "placebo in space, normal": placebo_normal,
    "placebo in space, Student": placebo_student,
    "placebo in space, studentised": placebo_studentised,
    "conformal": conformal,
    "cross-fitted t-test": cross_fitted,
    "held-out windows": held_out,
    "pseudo-campaigns side by side": side_by_side,
    "prediction interval": prediction,
    "autoregressive gaps": autoregressive,
    "wider of time and space": widest,
    "plain difference, pseudo-campaigns": plain_difference,
    "synthetic control, pseudo-campaigns": synthetic_control,
}


@lru_cache(maxsize=1)
def _past(panel: LonePanel) -> PseudoCampaigns:
    """The pseudo-campaigns, which five candidates share."""
    return pseudo_campaigns(panel.treated, panel.donors, panel.before)


def synthetic(panel: LonePanel) -> float:
    """The shipped estimate, in the panel's own unit."""
    return synthetic_did(panel.treated, panel.donors, panel.before).value


def _around(value: float, reach: float) -> Interval:
    return value, value - float(reach), value + float(reach)


@lru_cache(maxsize=1)
def _placebos(panel: LonePanel) -> np.ndarray:
    """The estimate for each donor as if it were treated, from the other donors; three candidates share it."""
    own = [replace(panel, treated=panel.donors[j], donors=np.delete(panel.donors, j, axis=0)) for j in panel.places]
    return np.array([synthetic(one) for one in own])


def _misfit(treated: np.ndarray, donors: np.ndarray, before: int) -> float:
    """Root mean square of the gap that a synthetic control leaves before the campaign."""
    return float(_control(treated, donors, before)[1][:before].std())


def _control(treated: np.ndarray, donors: np.ndarray, before: int) -> tuple[float, np.ndarray]:
    """Synthetic control with an intercept: the effect, and the gaps."""
    weights = simplex_weights(centred(donors[:, :before].T), centred(treated[:before]), 0.0)
    gaps = treated - weights @ donors
    return _mean_gap(gaps, before), gaps


def _mean_gap(gaps: np.ndarray, before: int) -> float:
    return float(gaps[before:].mean() - gaps[:before].mean())


def _in_time(panel: LonePanel, level: float, estimator: Callable[[np.ndarray, np.ndarray, int], float]) -> Interval:
    """Another estimator with the shipped interval."""
    past, days = _past(panel), panel.days
    errors = [estimator(panel.treated[: at + days], panel.donors[:, : at + days], at) for at in past.starts]
    reach = student.ppf(0.5 + level / 2, past.freedom) * float(np.sqrt(np.mean(np.square(errors))))
    return _around(estimator(panel.treated, panel.donors, panel.before), reach)


def _long_run(series: np.ndarray, lags: int) -> np.ndarray:
    """Long-run variance with Bartlett weights; (columns, columns)."""
    n = len(series)
    total = series.T @ series / n
    for lag in range(1, lags):
        one = series[lag:].T @ series[:-lag] / n
        total = total + (1 - lag / lags) * (one + one.T)
    return total
