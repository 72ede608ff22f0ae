"""Moments of cells put together: exact, by the formula for merged groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def pool(n: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Moments of groups that have no unit in common, as those of one group.

    Parameters
    ----------
    n : numpy.ndarray
        Units, shape (groups,).
    mean, cov : numpy.ndarray
        Sample moments, shapes (groups, columns) and (groups, columns, columns). The covariance of a group of one may be
        missing; a pair that is missing where there are more units stays missing.

    References
    ----------
    Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", The American Statistician 37(3).

    Examples
    --------
    >>> n, mean, cov = pool(np.array([1, 1]), np.array([[1.0], [3.0]]), np.full((2, 1, 1), np.nan))
    >>> float(n), float(mean[0]), float(cov[0, 0])
    (2.0, 2.0, 2.0)
    """
    held = n > 0
    n, mean, cov = n[held].astype(float), mean[held], cov[held]
    total = float(n.sum())
    if not total:
        width = mean.shape[1]
        return 0.0, np.full(width, np.nan), np.full((width, width), np.nan)
    middle = (n[:, None] * mean).sum(axis=0) / total
    apart = mean - middle
    within = np.where((n > 1)[:, None, None], cov * np.maximum(n - 1, 0)[:, None, None], 0.0)
    scatter = within.sum(axis=0) + np.einsum("g,gi,gj->ij", n, apart, apart)
    return total, middle, scatter / (total - 1) if total > 1 else np.full_like(scatter, np.nan)


def unfold(
    frame: pd.DataFrame, columns: list[str], *, n: str = "n", mean: str = "mean__{}", cov: str = "cov__{}__{}"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, means and covariances of a frame of moments as arrays; pairs that are not there are missing."""
    means = np.column_stack([frame[mean.format(name)].to_numpy(dtype=float) for name in columns])
    covs = np.full((len(frame), len(columns), len(columns)), np.nan)
    for i, one in enumerate(columns):
        for j, other in enumerate(columns[i:], start=i):
            name = cov.format(*sorted((one, other)))
            if name in frame:
                covs[:, i, j] = covs[:, j, i] = frame[name].to_numpy(dtype=float)
    return frame[n].to_numpy(dtype=float), means, covs


def fold(
    n: float, mean: np.ndarray, cov: np.ndarray, columns: list[str], pairs: list[tuple[str, str]]
) -> dict[str, float]:
    """Moments of one cell as named values, the inverse of ``unfold``."""
    place = {name: number for number, name in enumerate(columns)}
    found = {"n": n} | {f"mean__{name}": float(value) for name, value in zip(columns, mean, strict=True)}
    return found | {f"cov__{one}__{other}": float(cov[place[one], place[other]]) for one, other in pairs}
