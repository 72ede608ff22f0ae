"""The event study of a panel in which every unit is seen in every period: in closed form, for panels of any size."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from analysis_lib.causal.event_study import EventStudy
from analysis_lib.errors import InvalidValue, NotEnoughData


def balanced_event_study(
    outcome: np.ndarray,
    *,
    treated: np.ndarray,
    weights: np.ndarray,
    periods: np.ndarray,
    control: np.ndarray | None = None,
    reference: int = -1,
    level: float = 0.95,
) -> EventStudy:
    """What ``event_study`` gives, without a row per unit and period.

    Unit and period effects and one treated-by-period effect a period leave, of a panel without gaps, the differences
    of the groups' weighted means from the reference period. A control is taken out first, by its slope within units
    and within each group's periods (Frisch, Waugh and Lovell). Errors are clustered by unit, as pyfixest's CRV1.

    Parameters
    ----------
    outcome : numpy.ndarray
        Shape (units, periods).
    treated : numpy.ndarray
        1 for units of the treated group; shape (units,).
    weights : numpy.ndarray
        One a unit, the same in all periods.
    periods : numpy.ndarray
        Numbers of the periods; treatment starts at 0.
    control : numpy.ndarray, optional
        A column that varies over units and periods; shape as the outcome.
    reference : int
        Period left out.
    level : float
        Level of the intervals.

    Raises
    ------
    InvalidValue
        If the reference period is not among the periods.
    NotEnoughData
        If a group is empty, or only one period lies before the start.
    """
    groups = [np.flatnonzero(treated == side) for side in (0, 1)]
    _check(groups, periods, reference)
    place = int(np.flatnonzero(periods == reference)[0])
    gaps, rest = _gaps(outcome, groups, weights, place), _within(outcome, groups, weights)
    influence, slope_of, n_terms = np.zeros_like(rest), 0.0, len(periods) - 1
    if control is not None:
        inner = _within(control, groups, weights)
        spread = float(np.einsum("i,ij,ij->", weights, inner, inner))
        slope = float(np.einsum("i,ij,ij->", weights, inner, rest)) / spread
        shift = _gaps(control, groups, weights, place)
        gaps, rest, n_terms = gaps - slope * shift, rest - slope * inner, n_terms + 1
        slope_of = (weights * (inner * rest).sum(axis=1) / spread)[:, None] * shift
    for sign, rows in zip((-1.0, 1.0), groups, strict=True):
        own = (weights[rows] / weights[rows].sum())[:, None]
        influence[rows] = sign * own * (rest[rows] - rest[rows][:, [place]])
    influence -= slope_of
    covariance = _small_sample(*outcome.shape, n_terms) * influence.T @ influence
    return _found(gaps, covariance, periods, reference, level, len(outcome))


def _check(groups: list[np.ndarray], periods: np.ndarray, reference: int) -> None:
    if reference not in periods:
        raise InvalidValue(f"reference period {reference} is not among the periods of the frame")
    if not all(len(rows) for rows in groups):
        raise NotEnoughData("an event study needs treated and untreated units")
    if not ((periods < 0) & (periods != reference)).any():
        raise NotEnoughData("an event study needs at least two periods before the start")


def _means(values: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means of a group by period."""
    return weights[rows] @ values[rows] / weights[rows].sum()


def _gaps(values: np.ndarray, groups: list[np.ndarray], weights: np.ndarray, place: int) -> np.ndarray:
    """By period, how far the groups are apart beyond what they are in the reference period."""
    untreated, treated = (_means(values, rows, weights) for rows in groups)
    apart = treated - untreated
    return apart - apart[place]


def _within(values: np.ndarray, groups: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """What is left of each unit's mean and of its group's course."""
    left = values - values.mean(axis=1, keepdims=True)
    for rows in groups:
        left[rows] -= _means(left, rows, weights)
    return left


def _small_sample(n_units: int, n_periods: int, n_terms: int) -> float:
    """For the number of clusters, and of terms beside the units' effects, which are nested in the clusters."""
    n, k = n_units * n_periods, n_terms + n_periods
    return n_units / (n_units - 1) * (n - 1) / (n - k)


def _found(
    gaps: np.ndarray, covariance: np.ndarray, periods: np.ndarray, reference: int, level: float, n_units: int
) -> EventStudy:
    errors = np.sqrt(np.diag(covariance))
    reach = norm.ppf(0.5 + level / 2) * errors
    effects = pd.DataFrame(
        {"period": periods, "value": gaps, "se": errors, "ci_lower": gaps - reach, "ci_upper": gaps + reach}
    )
    early = np.flatnonzero((periods < 0) & (periods != reference))
    together = float(gaps[early] @ np.linalg.solve(covariance[np.ix_(early, early)], gaps[early]))
    return EventStudy(
        effects=effects.sort_values("period", ignore_index=True), reference=reference, level=level, n_units=n_units,
        pretrend_pvalue=float(chi2.sf(together, len(early))),
    )  # fmt: skip
