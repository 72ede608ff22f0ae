"""Cross-products by cluster: all that least squares, its errors, and their resampling need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.regression.collinear import demeaned
from analysis_lib.regression.sample import Sample
from analysis_lib.regression.sandwich import is_nested

#: Levels of fixed effects that cut across clusters, up to which they are kept as columns.
MOST_LEVELS = 400

#: Part of a term's own variation in one cluster, above which it hangs on that cluster.
HANGS = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class ClusterMoments:
    """X'WX and X'Wy of each cluster.

    Attributes
    ----------
    cross : numpy.ndarray
        Shape (clusters, k, k).
    with_outcome : numpy.ndarray
        Shape (clusters, k).
    n_terms : int
        The first so many columns are the terms, the others levels of fixed effects that cut across clusters.
    back : numpy.ndarray
        Shape (n_terms, n_terms): turns coefficients of centred terms into those of the terms as they are.
    """

    cross: np.ndarray
    with_outcome: np.ndarray
    n_terms: int
    back: np.ndarray

    @property
    def inverse(self) -> np.ndarray:
        """Inverse of X'WX in all."""
        return np.linalg.pinv(self.cross.sum(axis=0), hermitian=True)

    @property
    def coefficients(self) -> np.ndarray:
        """Of all columns."""
        return self.inverse @ self.with_outcome.sum(axis=0)

    @property
    def scores(self) -> np.ndarray:
        """Summed by cluster, shape (clusters, k)."""
        return self.with_outcome - self.cross @ self.coefficients

    def without(self, cluster: int) -> np.ndarray:
        """Coefficients of the terms, as they are, from all other clusters; missing where these do not tell them."""
        k = self.n_terms
        cross = self.cross.sum(axis=0) - self.cross[cluster]
        right = self.with_outcome.sum(axis=0) - self.with_outcome[cluster]
        own, shared, levels = cross[:k, :k], cross[:k, k:], cross[k:, k:]
        through = shared @ np.linalg.pinv(levels, hermitian=True) if levels.size else shared
        left, about = own - through @ shared.T, right[:k] - through @ right[k:]
        size = np.sqrt(np.diag(self.cross.sum(axis=0))[:k])
        scaled = left / np.outer(size, size)
        if np.linalg.eigvalsh(scaled)[0] < 1e-11:
            return np.full(k, np.nan)
        return self.back @ (np.linalg.solve(scaled, about / size) / size)


def cluster_moments(sample: Sample, codes: np.ndarray) -> ClusterMoments | None:
    """Cross-products of a linear sample by cluster; None if too many levels cut across the clusters.

    Fixed effects inside of clusters are taken out before: leaving out a cluster leaves the others as they are. Beside
    a constant, terms are centred: cross-products of one far from zero would lose the digits in which it varies.
    """
    inside = [place for place in range(sample.effects.shape[1]) if is_nested(sample.effects[:, place], codes)]
    across = [place for place in range(sample.effects.shape[1]) if place not in inside]
    levels = [_levels(sample.effects[:, place], bool(inside) or at > 0) for at, place in enumerate(across)]
    if sum(part.shape[1] for part in levels) > MOST_LEVELS:
        return None
    means = means_of(sample)
    whole = np.column_stack([sample.outcome, sample.design - means, *levels])
    whole = demeaned(whole, sample.effects[:, inside], sample.weights) * np.sqrt(sample.weights)[:, None]
    back = np.eye(len(means))
    if sample.has_constant:
        back[sample.names.index("Intercept")] -= means
    return moments_of(whole[:, 1:], whole[:, 0], codes, back)


def means_of(sample: Sample) -> np.ndarray:
    """Weighted mean of each term beside a constant; 0 for the constant, and for all without one. Shape (k,)."""
    if not sample.has_constant:
        return np.zeros(len(sample.names))
    means = np.average(sample.design, axis=0, weights=sample.weights)
    means[sample.names.index("Intercept")] = 0.0
    return means


def moments_of(design: np.ndarray, outcome: np.ndarray, codes: np.ndarray, back: np.ndarray) -> ClusterMoments:
    """Cross-products by cluster of columns already multiplied by the root of the weights."""
    order = np.argsort(codes, kind="stable")
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    parts = np.split(order, ends)
    cross = np.stack([design[part].T @ design[part] for part in parts])
    return ClusterMoments(cross, np.stack([design[part].T @ outcome[part] for part in parts]), len(back), back)


def _levels(codes: np.ndarray, without_first: bool) -> np.ndarray:
    values = np.unique(codes)[1 if without_first else 0 :]
    return (codes[:, None] == values[None, :]).astype(float)


def hanging(sample: Sample, clusters: np.ndarray) -> list[int]:
    """Places of the terms that vary in one cluster alone, given the others: no error from clusters tells of them."""
    within = demeaned(sample.design - means_of(sample), sample.effects, sample.weights)
    within = within * np.sqrt(sample.weights)[:, None]
    within = within / np.linalg.norm(within, axis=0)
    # Each column less what the others hold of it.
    own = within @ np.linalg.pinv(within.T @ within, hermitian=True)
    return [
        place for place, name in enumerate(sample.names)
        if name != "Intercept" and any(_hangs(within, own[:, place], place, codes) for codes in clusters.T)
    ]  # fmt: skip


def _hangs(within: np.ndarray, own: np.ndarray, place: int, codes: np.ndarray) -> bool:
    parts = np.bincount(codes, own**2)
    if parts.max() > HANGS * parts.sum():
        return True
    others = within[codes != np.argmax(parts)]
    rest = np.delete(others, place, axis=1)
    column = others[:, place]
    left = column - rest @ np.linalg.lstsq(rest, column, rcond=None)[0] if rest.shape[1] else column
    return float(left @ left) < 1e-11
