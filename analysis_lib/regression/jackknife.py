"""Errors from leaving out one cluster at a time (CR3): fit to read when clusters are few or unlike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.collinear import demeaned, independent
from analysis_lib.regression.moments import cluster_moments
from analysis_lib.regression.request import LINEAR
from analysis_lib.regression.sample import recoded
from analysis_lib.regression.sandwich import clustered, positive, signed_clusters
from analysis_lib.regression.solved import Solved

#: Most clusters for which a regression is fitted anew without each.
MOST_REFITS = 400


def leave_one_out(solved: Solved, codes: np.ndarray, kind: str) -> np.ndarray:
    """Coefficients without each cluster.

    Parameters
    ----------
    solved : Solved
        A regression.
    codes : numpy.ndarray
        Cluster of each row, whole numbers from 0.
    kind : str
        Kind of the regression.

    Returns
    -------
    numpy.ndarray
        Shape (clusters, coefficients); missing where the others do not tell a term.
    """
    n_clusters = int(codes.max()) + 1
    sample = solved.sample
    if kind == "poisson" and sample.effects.shape[1]:
        # One step of Newton's method from the whole, in place of a fit without each.
        mean = solved.fitted
        sample = replace(sample, outcome=np.log(mean) + solved.residuals / mean, weights=sample.weights * mean)
    if (kind in LINEAR and not sample.endogenous) or sample is not solved.sample:
        moments = cluster_moments(sample, codes)
        if moments is not None:
            return np.stack([moments.without(cluster) for cluster in range(n_clusters)])
    if solved.refit is None:
        raise InvalidValue(f"kind='{kind}' cannot be fitted without each cluster: use variance='CRV1'")
    if n_clusters > MOST_REFITS:
        raise InvalidValue(f"{n_clusters} clusters are too many to leave out one at a time: use variance='CRV1'")
    return np.stack([solved.refit(codes != cluster) for cluster in range(n_clusters)])


def jackknifed(solved: Solved, clusters: np.ndarray, kind: str) -> np.ndarray:
    """CR3: the spread of coefficients without each cluster around the estimate.

    Of a Poisson regression with fixed effects, each is one step of Newton's method away from the estimate (their CV3L).
    With two columns of clusters, the sum of both covariances less that of their crossing (CRV1), and never less than
    the larger of both for any coefficient.

    References
    ----------
    MacKinnon, Nielsen and Webb (2023), "Fast and reliable jackknife and bootstrap methods for cluster-robust
    inference", Journal of Applied Econometrics 38(5); (2024), "Jackknife inference with two-way clustering".
    """
    parts = []
    for column in range(clusters.shape[1]):
        codes = clusters[:, column]
        without = leave_one_out(solved, codes, kind)
        if np.isnan(without).any():
            raise NotEnoughData(_hanging(solved, codes, int(np.flatnonzero(np.isnan(without).any(axis=1))[0])))
        about = without - solved.coefficients
        parts.append((len(about) - 1) / len(about) * about.T @ about)
    if len(parts) == 1:
        return parts[0]
    crossing = signed_clusters(clusters)[2][1]
    both = positive(parts[0] + parts[1] - clustered(solved, crossing[:, None]))
    larger = np.maximum(np.sqrt(np.diag(parts[0])), np.sqrt(np.diag(parts[1])))
    grown = np.maximum(larger / np.sqrt(np.diag(both)), 1.0)
    return both * np.outer(grown, grown)


def _hanging(solved: Solved, codes: np.ndarray, cluster: int) -> str:
    """Which terms cannot be told without a cluster."""
    rest = solved.sample.rows(codes != cluster)
    within = demeaned(rest.design, recoded(rest.effects), rest.weights)
    size = np.linalg.norm(rest.design, axis=0)
    told = independent(np.where(np.abs(within) > 1e-9 * size, within, 0.0))
    names = [f"'{name}'" for name, is_told in zip(rest.names, told, strict=True) if not is_told] or ["a term"]
    return (
        f"{' and '.join(names)} cannot be told without one of {int(codes.max()) + 1} clusters: chance in it cannot "
        "be told from an effect; leave the term out, or bring other clusters in which it varies"
    )
