"""Weights that make the visits of a day on the version before look like those on the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: What visits are made alike in, day by day.
ALIKE = ("system", "activity", "speed", "country")

#: Visits on the version before that a class needs on a day to stand for those on the new one; smaller classes are
#: put together.
FEWEST = 3

#: Rounds of raking; margins agree to a thousandth long before.
_ROUNDS = 60


def weighted(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with their weights: positive on the new version, negative on the one before, 0 where none compares.

    Within a day, the visits on the version before are raked to the margins of those on the new one (Deming and Stephan
    1940), classes with hardly a visit put together; visits of a system that only one version has are left out. Days
    count by how much they can tell: by the product of the two numbers of visits over their sum, which is the overlap
    weight of Li, Morgan and Zaslavsky (2018), "Balancing covariates via propensity score weighting", JASA 113(521),
    between days.

    Parameters
    ----------
    cells : pandas.DataFrame
        day, is_new, the columns of ``ALIKE`` and n; one row per cell.

    Returns
    -------
    DataFrame
        The same with ``weight`` per visit; weights of the new version add up, over visits, to how much each day tells,
        and those of the version before to the same with the other sign.
    """
    import pandas as pd

    days = [_of_a_day(own) for _, own in cells.groupby("day", sort=True)]
    return pd.concat(days) if days else cells.assign(weight=[])


def _of_a_day(own: pd.DataFrame) -> pd.DataFrame:
    is_new, n = own["is_new"].to_numpy(dtype=bool), own["n"].to_numpy(dtype=float)
    codes = [own[name].astype("category").cat.codes.to_numpy() for name in ALIKE]
    kept = _comparable(codes[0], is_new, n)
    old, new = kept & ~is_new, kept & is_new
    weight = np.zeros(len(own))
    if not old.any() or not new.any():
        return own.assign(weight=weight)
    codes = [codes[0], *(_pooled(code, kept, is_new, n) for code in codes[1:])]
    raked = _raked(codes, old, new, n)
    n_new = n[new].sum()
    effective = (raked * n[old]).sum() ** 2 / (raked**2 * n[old]).sum()
    share = effective / (n_new + effective)
    weight[new], weight[old] = share, -share * raked
    return own.assign(weight=weight)


def _counts(code: np.ndarray, kept: np.ndarray, is_new: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Visits by class on the version before, and on the new one."""
    size = int(code.max()) + 1
    return tuple(np.bincount(code, weights=n * (kept & side), minlength=size) for side in (~is_new, is_new))


def _comparable(system: np.ndarray, is_new: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Cells of systems with visits on both versions, enough of them on the one before: systems are never mixed."""
    old, new = _counts(system, np.ones(len(n), dtype=bool), is_new, n)
    return ((old >= FEWEST) & (new > 0))[system]


def _pooled(code: np.ndarray, kept: np.ndarray, is_new: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Classes, those with too few visits on either version put together, and with the smallest other if still few."""
    old, new = _counts(code, kept, is_new, n)
    rare = (old < FEWEST) | (new == 0)
    if not rare.any():
        return code
    short = old[rare].sum() < FEWEST or not new[rare].sum()
    if short and not rare.all():
        common = np.flatnonzero(~rare)
        rare[common[np.argmin(old[common])]] = True
    return np.where(rare[code], len(rare), code)


def _raked(codes: list[np.ndarray], old: np.ndarray, new: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Weight per visit of the cells of the version before, so that their margins are those of the new one.

    The margin of the first of ``codes`` is met last, and so exactly, also where not all can be met at once.
    """
    weight = np.full(int(old.sum()), n[new].sum() / n[old].sum())
    targets = [np.bincount(code[new], weights=n[new], minlength=int(code.max()) + 1) for code in codes]
    for _ in range(_ROUNDS):
        for code, target in reversed(list(zip(codes, targets, strict=True))):
            has = np.bincount(code[old], weights=weight * n[old], minlength=len(target))
            weight = weight * np.divide(target, has, out=np.zeros_like(has), where=has > 0)[code[old]]
    return weight
