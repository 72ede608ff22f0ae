"""Weights of donors and periods: a panel in, what the treated would have had out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis_lib.causal.difference_in_differences import did_value
from analysis_lib.causal.panel import Panel
from analysis_lib.errors import NotEnoughData, unknown

#: Share of the noise at which the weights' solver stops, and share that keeps weights unique (R's
#: synthdid takes both).
SOLVER, FAINT = 1e-5, 1e-6

#: Ridge penalties tried, as in augsynth: from the largest squared singular value down by this factor.
PENALTIES, SMALLEST_PENALTY = 20, 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One method's weights on one panel.

    Attributes
    ----------
    without : numpy.ndarray
        What the treated would have had on average, one a period.
    unit_weights : numpy.ndarray
        One a donor, adding up to 1.
    time_weights : numpy.ndarray or None
        One a period before the start, adding up to 1.
    extras : dict[str, float]
        Diagnostics that only this method has.
    """

    without: np.ndarray
    unit_weights: np.ndarray
    time_weights: np.ndarray | None
    extras: dict[str, float]

    def value_on(self, panel: Panel) -> float:
        """Mean difference between the treated and ``without`` in the treated periods."""
        return float((panel.treated_mean - self.without)[panel.start :].mean())


def estimator(method: str) -> Callable[[Panel], float]:
    """The point estimate of a method, as a function of a panel: for refits and other intervals.

    Parameters
    ----------
    method : str
        ``difference_in_differences`` or a name in ``FITS``.

    Raises
    ------
    UnknownName
        If there is no such method.
    """
    if method == "difference_in_differences":
        return did_value
    if method not in FITS:
        raise unknown("method", method, [*FITS, "difference_in_differences"], "the panel methods")
    return lambda panel: fit_of(method, panel).value_on(panel)


def fit_of(method: str, panel: Panel) -> Fit:
    """A synthetic method's weights, and what the treated would have had.

    Raises
    ------
    UnknownName
        If there is no such method.
    NotEnoughData
        If there are fewer than two periods before the start.
    """
    if method not in FITS:
        raise unknown("method", method, FITS, "the synthetic methods")
    if panel.start < 2:
        raise NotEnoughData(f"{panel.start} period before the start: weights need two or more to be learnt from")
    return FITS[method](panel)


def _noise(before: np.ndarray) -> float:
    """Standard deviation of the donors' changes from period to period; their level if nothing varies."""
    changes = np.diff(before, axis=1)
    noise = float(changes.std(ddof=1)) if changes.size > 1 else 0.0
    scale = float(np.abs(before).max())
    return noise if noise > FAINT * scale else (scale or 1.0)


def _simplex_weights(target: np.ndarray, before: np.ndarray, penalty: float, noise: float, level_free: bool):
    """diff-diff's donor weights; outcomes come and go in units of the noise, as its own estimator does."""
    from diff_diff.utils import compute_sdid_unit_weights  # slow to import

    return compute_sdid_unit_weights(
        before.T / noise, target / noise, penalty, intercept=level_free, min_decrease=SOLVER
    )


def _synthetic_control(panel: Panel) -> Fit:
    donors, start = panel.donor_outcomes, panel.start
    before = donors[:, :start]
    weights = _simplex_weights(panel.treated_mean[:start], before, FAINT, _noise(before), level_free=False)
    return Fit(without=weights @ donors, unit_weights=weights, time_weights=None, extras={})


def _synthetic_did(panel: Panel) -> Fit:
    from diff_diff.utils import compute_time_weights  # slow to import

    donors, start, treated = panel.donor_outcomes, panel.start, panel.treated_mean
    before, noise = donors[:, :start], _noise(donors[:, :start])
    penalty = float(panel.treated.sum()) ** 0.25  # treated unit-periods
    weights = _simplex_weights(treated[:start], before, penalty, noise, level_free=True)
    periods = compute_time_weights(before.T / noise, donors[:, start:].T / noise, FAINT, min_decrease=SOLVER)
    without = weights @ donors
    gap = float(periods @ (treated - without)[:start])
    extras = {"effective_periods": float(1 / np.square(periods).sum())}
    return Fit(without=without + gap, unit_weights=weights, time_weights=periods, extras=extras)


def _augmented(panel: Panel) -> Fit:
    donors, start = panel.donor_outcomes, panel.start
    centre = donors.mean(axis=0)
    deviations, target = donors - centre, panel.treated_mean - centre  # from the donors' mean of each period
    before, aim = deviations[:, :start], target[:start]
    penalty = _penalty(before, aim)
    plain = _simplex_weights(aim, before, FAINT, _noise(before), level_free=False)
    # The weights still add up to 1, since the deviations of a period do to 0.
    weights = plain + _ridge_step(before, aim - plain @ before, np.array([penalty]))[:, 0]
    extras = {"ridge_penalty": penalty, "misfit_without_ridge": float(np.sqrt(np.mean((aim - plain @ before) ** 2)))}
    return Fit(without=centre + weights @ deviations, unit_weights=weights, time_weights=None, extras=extras)


def _ridge_step(before: np.ndarray, rest: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """What each penalty adds to the donor weights, donors × penalties: before (before'before + λ)⁻¹ rest."""
    left, singular, right = np.linalg.svd(before, full_matrices=False)
    return left @ ((singular * (right @ rest))[:, None] / (np.square(singular)[:, None] + penalties))


def _penalty(before: np.ndarray, aim: np.ndarray) -> float:
    """Largest penalty whose error on left-out periods is within one standard error of the least."""
    top = float(np.linalg.norm(before, 2) ** 2)
    if top == 0:
        return 1.0  # donors all alike: no penalty changes anything
    tried = top * np.geomspace(1, SMALLEST_PENALTY, PENALTIES)
    start = before.shape[1]
    errors = np.empty((start, PENALTIES))
    for left in range(start):
        kept = np.arange(start) != left
        plain = _simplex_weights(aim[kept], before[:, kept], FAINT, _noise(before[:, kept]), level_free=False)
        step = _ridge_step(before[:, kept], aim[kept] - plain @ before[:, kept], tried)
        errors[left] = (aim[left] - before[:, left] @ (plain[:, None] + step)) ** 2
    mean, spread = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(start)
    best = mean.argmin()
    return float(tried[mean <= mean[best] + spread[best]].max())


#: The synthetic methods by name: a panel in, its weights and what would have been out.
FITS: dict[str, Callable[[Panel], Fit]] = {
    "synthetic_control": _synthetic_control,
    "synthetic_did": _synthetic_did,
    "augmented_synthetic_control": _augmented,
}
