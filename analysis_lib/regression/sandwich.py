"""Covariances from scores: robust to unequal variances, to clusters, and to what lasts over time."""

from __future__ import annotations

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.regression.collinear import absorbed_by
from analysis_lib.regression.solved import Solved


def spread_of(scores: np.ndarray, bread: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """``factor`` × bread × meat × bread, the meat being the squares of ``scores``; shape (k, k).

    Each score is turned into a pull on the coefficients before squaring: squares of a regressor far from zero would
    lose the digits in which it varies.
    """
    pulls = scores @ bread
    return factor * pulls.T @ pulls


def sums_by(scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Scores summed by cluster: shape (clusters, k)."""
    return np.column_stack([np.bincount(codes, scores[:, place]) for place in range(scores.shape[1])])


def robust(solved: Solved, *, jackknifed: bool) -> np.ndarray:
    """HC1, or HC3 (each row weighed by how far it pulls its own fitted value)."""
    n = solved.sample.n
    if not jackknifed:
        return spread_of(solved.scores, solved.bread, n / (n - parameters(solved)))
    if solved.leverage is None:
        raise InvalidValue("variance='HC3' is for least squares without fixed effects: use 'HC1', or cluster")
    if (solved.leverage > 1 - 1e-9).any():
        row = int(solved.sample.index[int(np.argmax(solved.leverage))])
        raise InvalidValue(f"row {row} is the only one that tells its term: leave it out with its term, or use 'HC1'")
    return spread_of(solved.scores / (1 - solved.leverage)[:, None], solved.bread)


def clustered(solved: Solved, clusters: np.ndarray) -> np.ndarray:
    """CRV1 for one or two columns of clusters, with the small-sample factors of fixest.

    References
    ----------
    Cameron, Gelbach and Miller (2011), "Robust inference with multiway clustering", Journal of Business and
    Economic Statistics 29(2).
    """
    n = solved.sample.n
    fewest = int(min(clusters.max(axis=0)) + 1)
    factor = fewest / (fewest - 1) * (n - 1) / (n - parameters(solved, clusters))
    parts = [
        sign * spread_of(sums_by(solved.scores, codes), solved.bread, factor)
        for sign, codes in signed_clusters(clusters)
    ]
    return positive(np.sum(parts, axis=0))


def signed_clusters(clusters: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """One column; or two, and less their crossing, which both count."""
    if clusters.shape[1] == 1:
        return [(1, clusters[:, 0])]
    crossing = np.unique(clusters, axis=0, return_inverse=True)[1].ravel()
    return [(1, clusters[:, 0]), (1, clusters[:, 1]), (-1, crossing)]


def positive(covariance: np.ndarray) -> np.ndarray:
    """A covariance without negative directions, which differences of covariances can have."""
    if (np.diag(covariance) > 0).all():
        return covariance
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.clip(values, 0, None)) @ vectors.T


def over_time(solved: Solved, lags: int) -> np.ndarray:
    """Scores summed by period, with those of ``lags`` periods before and after (Bartlett's weights).

    With one row a period this is Newey and West's covariance, with several Driscoll and Kraay's.

    References
    ----------
    Newey and West (1987), Econometrica 55(3). Driscoll and Kraay (1998), "Consistent covariance matrix
    estimation with spatially dependent panel data", Review of Economics and Statistics 80(4).
    """
    pulls = sums_by(solved.scores, solved.sample.time) @ solved.bread
    covariance = pulls.T @ pulls
    for lag in range(1, min(lags, len(pulls) - 1) + 1):
        shared = pulls[lag:].T @ pulls[:-lag]
        covariance += (1 - lag / (lags + 1)) * (shared + shared.T)
    n, periods = solved.sample.n, len(pulls)
    factor = n / (n - parameters(solved))
    if periods < n:
        factor = periods / (periods - 1) * (n - 1) / (n - parameters(solved))
    return factor * covariance


def parameters(solved: Solved, clusters: np.ndarray | None = None) -> int:
    """Coefficients that degrees of freedom lose; fixed effects inside of clusters are not counted (as in fixest)."""
    effects = solved.sample.effects
    total = solved.n_terms + absorbed_by(effects)
    if clusters is None or clusters.shape[1] == 0:
        return total
    nested = [int(effects[:, place].max()) + 1 for place in nested_in(effects, clusters)]
    return total - sum(nested) + len(nested)


def nested_in(effects: np.ndarray, clusters: np.ndarray) -> list[int]:
    """Places of the fixed effects whose levels each lie in one cluster."""
    return [
        place for place in range(effects.shape[1])
        if any(is_nested(effects[:, place], clusters[:, column]) for column in range(clusters.shape[1]))
    ]  # fmt: skip


def is_nested(codes: np.ndarray, clusters: np.ndarray) -> bool:
    """Whether each level of ``codes`` lies in one cluster."""
    pairs = len(np.unique(np.column_stack([codes, clusters]), axis=0))
    return pairs == len(np.unique(codes))
