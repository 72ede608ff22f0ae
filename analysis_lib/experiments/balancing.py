"""Arms whose shares changed during the test, made comparable: phase by phase, weighted alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.experiments.arms import ArmMoments

if TYPE_CHECKING:
    import pandas as pd

#: Units of an arm in a phase that are needed for its moments.
_FEWEST = 2

Quantiles = tuple[float, float, float]


def weighted(arms: Sequence[ArmMoments], weights: np.ndarray) -> ArmMoments:
    """One arm whose mean is that of its strata by weight, with the covariance that such a mean has.

    Parameters
    ----------
    arms : sequence of ArmMoments
        The same arm in each stratum.
    weights : numpy.ndarray
        Shares of the strata, adding up to 1.
    """
    n = np.array([arm.n for arm in arms])
    mean = np.einsum("s,sc->c", weights, np.stack([arm.mean for arm in arms]))
    of_mean = np.einsum("s,sij->ij", weights**2 / n, np.stack([arm.cov for arm in arms]))
    total = float(n.sum())
    return replace(arms[0], n=total, mean=mean, cov=of_mean * total)


def balanced(cells: Mapping[tuple, ArmMoments], arms: Sequence[str]) -> dict[tuple, ArmMoments]:
    """Arms put together from phases, every arm with the same weight for a phase: its share of all units.

    In a ramp the treated share rises while those who are exposed change: eager units come first, and see control more
    often. Put together as they came, the arms would differ in who is in them (Simpson's paradox; Kohavi, Tang and Xu
    2020, "Trustworthy Online Controlled Experiments", chapter 3). Phases in which an arm has no units hold no
    comparison, and are left out.

    Parameters
    ----------
    cells : mapping of tuple to ArmMoments
        By (arm, phase) or (arm, phase, segment).
    arms : sequence of str
        All arms, control first.

    Returns
    -------
    dict of tuple to ArmMoments
        By (arm,) or (arm, segment).
    """
    found: dict[tuple, ArmMoments] = {}
    for rest in dict.fromkeys(key[2:] for key in cells):
        strata = _strata({key[:2]: arm for key, arm in cells.items() if key[2:] == rest}, arms)
        if not strata:
            continue
        sizes = np.array([sum(arm.n for arm in own) for own in strata])
        for place, name in enumerate(arms):
            found[(name, *rest)] = weighted([own[place] for own in strata], sizes / sizes.sum())
    return found


def _strata(cells: Mapping[tuple, ArmMoments], arms: Sequence[str]) -> list[list[ArmMoments]]:
    """The arms of every phase that has all of them."""
    phases = dict.fromkeys(key[1] for key in cells)
    whole = [[cells.get((name, phase)) for name in arms] for phase in phases]
    return [own for own in whole if all(arm is not None and arm.n >= _FEWEST for arm in own)]  # type: ignore[misc]


def balanced_quantiles(cells: Mapping[tuple, Quantiles], arms: Sequence[str]) -> dict[str, Quantiles]:
    """Quantiles by (arm, phase), averaged over phases with the same weights for every arm: value, error, units."""
    phases = [
        phase
        for phase in dict.fromkeys(key[1] for key in cells)
        if all(np.isfinite(cells.get((name, phase), (np.nan,) * 3)).all() for name in arms)
    ]
    if not phases:
        return {}
    sizes = np.array([sum(cells[name, phase][2] for name in arms) for phase in phases])
    weights = sizes / sizes.sum()
    found = {}
    for name in arms:
        value, se, n = np.array([cells[name, phase] for phase in phases]).T
        found[name] = (float(weights @ value), float(np.sqrt(weights**2 @ se**2)), float(n.sum()))
    return found


def balanced_days(frame: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Moments by day since the exposure and phase, put together like ``balanced``.

    Parameters
    ----------
    frame : DataFrame
        As ``metrics.moments_by_day`` by variant and phase.

    Returns
    -------
    DataFrame
        As ``metrics.moments_by_day`` by variant.
    """
    import pandas as pd

    names = ("n_units", "mean_numerator", "mean_denominator", "var_numerator", "var_denominator", "cov")
    rows = []
    for (metric, day), own in frame.groupby(["metric", "day_since"], sort=False):
        cells = {(row.variant, row.phase): _of_day(row) for row in own.itertuples()}
        for (name,), arm in balanced(cells, arms).items():
            values = (arm.n, *arm.mean, arm.cov[0, 0], arm.cov[1, 1], arm.cov[0, 1])
            rows.append((name, day, metric, *values))
    return pd.DataFrame(rows, columns=["variant", "day_since", "metric", *names])


def _of_day(row: tuple) -> ArmMoments:
    mean = np.array([row.mean_numerator, row.mean_denominator], dtype=float)  # type: ignore[attr-defined]
    cov = np.array([[row.var_numerator, row.cov], [row.cov, row.var_denominator]], dtype=float)  # type: ignore[attr-defined]
    return ArmMoments(float(row.n_units), mean, cov, True, False)  # type: ignore[attr-defined]
