"""Synthetic difference-in-differences for one treated market, and the same estimator in that market's own past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

#: Ridge on the weights of periods, in noise variances. The published 1e-6 lets a few days stand for the whole past;
#: with 1 the spread of errors over simulated markets is up to a fifth smaller, and nowhere larger.
TIME_RIDGE = 1.0

#: Ridge, against the mean square of the columns, that keeps a solution unique.
_LEAST_RIDGE = 1e-10

#: Rounds of the active set before the slow solver takes over.
_ROUNDS = 50

#: A pseudo-campaign is fitted to so many times its length, and to this many periods at least.
TRAINING, LEAST_TRAINING = 2, 14


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticDid:
    """One fit.

    Attributes
    ----------
    value : float
        The effect, in the outcome's unit.
    donor_weights : numpy.ndarray
        Of each donor, summing to 1; (donors,).
    time_weights : numpy.ndarray
        Of each period before, summing to 1; (before,).
    gaps : numpy.ndarray
        Treated less weighted donors; (periods,).
    """

    value: float
    donor_weights: np.ndarray
    time_weights: np.ndarray
    gaps: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class PseudoCampaigns:
    """What the estimator found in the past, where nothing was to be found.

    Attributes
    ----------
    starts : numpy.ndarray
        First period of each window.
    errors : numpy.ndarray
        The estimate for each window, whose truth is 0.
    n_apart : int
        Windows that fit side by side without overlap.
    """

    starts: np.ndarray
    errors: np.ndarray
    n_apart: int

    @property
    def typical(self) -> float:
        """Root mean square of the errors: a mean that is not 0 (drift) counts as error too."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def freedom(self) -> int:
        """Degrees of freedom: windows side by side, less one since neighbours share the past they are fitted to."""
        return self.n_apart - 1


def synthetic_did(
    treated: np.ndarray, donors: np.ndarray, before: int, *, time_ridge: float = TIME_RIDGE
) -> SyntheticDid:
    """Synthetic difference-in-differences of one treated market.

    Parameters
    ----------
    treated : numpy.ndarray
        Outcome of the treated market; (periods,).
    donors : numpy.ndarray
        Outcomes of the others; (donors, periods).
    before : int
        Periods before the campaign.
    time_ridge : float
        Ridge on the weights of periods, in noise variances; 1e-12 is the published one (1e-6, squared).

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), "Synthetic difference-in-differences", American Economic
    Review 111(12), algorithm 1; solved exactly, where the authors' code stops early.
    """
    past, noise = donors[:, :before], float(np.diff(donors[:, :before], axis=1).var(ddof=1)) if before > 2 else 0.0
    days = donors.shape[1] - before
    own = simplex_weights(centred(past.T), centred(treated[:before]), before * np.sqrt(days) * noise)
    later = donors[:, before:].mean(axis=1)
    time = simplex_weights(centred(past), centred(later), len(donors) * time_ridge * noise)
    gaps = treated - own @ donors
    return SyntheticDid(float(gaps[before:].mean() - time @ gaps[:before]), own, time, gaps)


def pseudo_campaigns(treated: np.ndarray, donors: np.ndarray, before: int) -> PseudoCampaigns:
    """The estimator on windows of the campaign's length that end before it, each fitted to what came before alone.

    Windows begin half a window apart, the last one right before the campaign.

    Parameters
    ----------
    treated, donors, before
        As ``synthetic_did``; what came after the start is not looked at.
    """
    days = len(treated) - before
    least = training(days)
    starts = np.arange(before - days, least - 1, -max(1, days // 2))
    errors = [synthetic_did(treated[: at + days], donors[:, : at + days], at).value for at in starts]
    return PseudoCampaigns(starts, np.array(errors), max(0, (before - least) // days))


def training(days: int) -> int:
    """Periods that the first pseudo-campaign of a length is fitted to."""
    return max(TRAINING * days, LEAST_TRAINING)


def centred(values: np.ndarray) -> np.ndarray:
    """Less the mean over the first axis."""
    return values - values.mean(axis=0)


def simplex_weights(columns: np.ndarray, target: np.ndarray, ridge: float) -> np.ndarray:
    """Weights from 0, summing to 1, that minimise the squares of ``columns @ w - target`` plus ridge times those of w.

    As weights sum to 1 the target can be taken off each column, after which the free weights are in proportion to the
    solution of one linear system. Which of them are free is guessed anew until it holds (a primal-dual active set);
    should the guesses go round in circles, non-negative least squares decide.

    Parameters
    ----------
    columns : numpy.ndarray
        (rows, weights).
    target : numpy.ndarray
        (rows,).
    ridge : float
        0 or more.
    """
    apart = columns - target[:, None]
    ridge = max(ridge, _LEAST_RIDGE * float(np.mean(apart**2)) * len(apart))
    free = np.ones(apart.shape[1], dtype=bool)
    if ridge == 0:  # every column is the target
        return free / len(free)
    for _ in range(_ROUNDS):
        weights = np.zeros(len(free))
        weights[free] = _unbounded(apart[:, free], ridge)
        slope = apart.T @ (apart @ weights) + ridge * weights
        level = slope[free].mean()
        wanted = np.where(free, weights > 0, slope < level - 1e-9 * abs(level))
        if np.array_equal(wanted, free):
            return weights
        free = wanted
    return _by_nnls(apart, ridge)


def _unbounded(apart: np.ndarray, ridge: float) -> np.ndarray:
    """The weights that sum to 1 if none has to be 0 or more, by the smaller of two linear systems."""
    rows, n = apart.shape
    if n <= rows:
        found = np.linalg.solve(apart.T @ apart + ridge * np.eye(n), np.ones(n))
    else:
        found = 1 - apart.T @ np.linalg.solve(apart @ apart.T + ridge * np.eye(rows), apart.sum(axis=1))
    return found / found.sum()


def _by_nnls(apart: np.ndarray, ridge: float) -> np.ndarray:
    """The same by non-negative least squares: of u in ‖D u‖² + (1'u − 1)², the solution is a multiple of w."""
    n = apart.shape[1]
    square = apart.T @ apart + ridge * np.eye(n)
    root = np.linalg.cholesky(square / (np.trace(square) / n) + 1 + 1e-12 * np.eye(n))
    found, _ = nnls(root.T, np.linalg.solve(root, np.ones(n)))
    return found / found.sum()
