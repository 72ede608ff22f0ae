"""The arithmetic of a design: from spread, units and errors to the smallest effect that can be found, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm, t

from analysis_lib.causal.sequential import group_bounds, sequence_reach
from analysis_lib.errors import InvalidValue, NotEnoughData

#: How a test may be looked at early; the words of ``Plan.looks``.
LOOKS = ("fixed", "hybrid", "group_sequential", "confidence_sequence")

#: Days of a week: shorter steps would count some weekdays more often than others.
WEEK = 7

#: What rounding may add before an effect counts as too small to be found.
_ROUNDING = 1e-12


def critical(alpha: float, comparisons: int, sequential: str, n_looks: int) -> float:
    """How many standard errors an effect must reach at the planned end to be called one.

    Parameters
    ----------
    alpha : float
        Two-sided error of all comparisons together.
    comparisons : int
        Treatments; each gets an equal part of ``alpha`` (Bonferroni, which Holm's correction is never worse than).
    sequential : str
        One of ``LOOKS``. A stop for harm only costs nothing at the end; bounds for success and sequences do.
    n_looks : int
        Looks, the last one included.

    Examples
    --------
    >>> [round(critical(0.05, 1, looks, 4), 2) for looks in LOOKS]
    [1.96, 1.96, 2.01, 3.04]
    """
    if sequential not in LOOKS:
        raise InvalidValue(f"sequential '{sequential}' is not known: choose {', '.join(LOOKS)}.")
    each = alpha / comparisons
    if sequential == "confidence_sequence":
        return sequence_reach(1.0, 1.0, 1 - each)
    if sequential == "group_sequential" and n_looks > 1:
        return float(group_bounds(np.arange(1, n_looks + 1) / n_looks, each)[-1])
    return float(norm.isf(each / 2))


def inflation(alpha: float, comparisons: int, sequential: str, n_looks: int, power: float) -> float:
    """How many times the units of a test that is looked at once are needed.

    Examples
    --------
    >>> round(inflation(0.05, 1, "confidence_sequence", 4, 0.8), 2)
    1.91
    """
    z = norm.ppf(power)
    looked, once = (critical(alpha, comparisons, how, n_looks) for how in (sequential, "fixed"))
    return float(((looked + z) / (once + z)) ** 2)


def spread(var_rel: float, n: float, control: float, treatment: float) -> float:
    """Standard error of a relative effect.

    Parameters
    ----------
    var_rel : float
        Variance of what a unit adds to the metric, over the square of the metric.
    n : float
        Units of all arms together.
    control, treatment : float
        Shares of the two arms that are compared.
    """
    return math.sqrt(var_rel / n * (1 / control + 1 / treatment))


def detectable(var_rel: float, n: float, shares: Sequence[float], reach: float, power: float) -> float:
    """Smallest relative effect that is found with a chance of ``power``, in the smallest treatment.

    Parameters
    ----------
    var_rel, n
        As ``spread``.
    shares : sequence of float
        Of the arms, control first.
    reach : float
        As ``critical`` gives it.

    References
    ----------
    Deng, Knoblich and Lu (2018), "Applying the delta method in metric analytics", KDD, for ``var_rel`` of ratios.

    Examples
    --------
    >>> round(detectable(4.0, 100_000, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8), 4)
    0.0354
    """
    return float((reach + norm.ppf(power)) * spread(var_rel, n, shares[0], min(shares[1:])))


def small_sample(freedom: float, alpha: float, power: float) -> float:
    """How many times a variance counts because it is itself estimated: Student's t in place of the normal.

    Examples
    --------
    >>> round(small_sample(11, 0.05, 0.8), 2), round(small_sample(10_000, 0.05, 0.8), 2)
    (1.21, 1.0)
    """
    students, normal = (one.isf(alpha / 2) + one.ppf(power) for one in (t(freedom), norm))
    return float((students / normal) ** 2)


def units_for(var_rel: float, effect: float, shares: Sequence[float], reach: float, power: float) -> float:
    """Units of all arms together with which an effect is found: the inverse of ``detectable``.

    Examples
    --------
    >>> round(units_for(4.0, 0.0354, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8), -3)
    100000.0
    """
    return float((detectable(var_rel, 1.0, shares, reach, power) / effect) ** 2)


def chance(effect: float, se: float, reach: float) -> float:
    """Chance to find an effect of the right sign.

    Examples
    --------
    >>> round(chance(2.8, 1.0, 1.96), 2)
    0.8
    """
    return float(norm.cdf(effect / se - reach))


def between(days: Sequence[float], values: Sequence[float], at: float) -> float:
    """A curve between its points, on logarithmic scales, without waves of its own.

    Parameters
    ----------
    days, values : sequence of float
        Points of the curve, days rising, values positive.
    at : float
        Days within those of the points.

    Raises
    ------
    NotEnoughData
        ``at`` lies beyond the points: nothing was measured there.

    References
    ----------
    Fritsch and Carlson (1980), "Monotone piecewise cubic interpolation", SIAM Journal on Numerical Analysis 17(2).
    """
    if not days[0] <= at <= days[-1]:
        raise NotEnoughData(
            f"{at:g} days are outside of what the history shows ({days[0]:g} to {days[-1]:g} days): choose days within,"
            " or a longer horizon."
        )
    for day, value in zip(days, values, strict=True):
        if day == at:
            return float(value)
    return float(np.exp(PchipInterpolator(np.log(days), np.log(values))(math.log(at))))


def first_week(days: Sequence[float], values: Sequence[float], wanted: float) -> int | None:
    """Fewest whole weeks, in days, after which a curve is down at a value; None if it is not by its last point.

    Examples
    --------
    >>> first_week([7, 14, 28], [0.04, 0.028, 0.02], 0.03), first_week([7, 14, 28], [0.04, 0.028, 0.02], 0.01)
    (14, None)
    """
    begin = WEEK * math.ceil(days[0] / WEEK)
    for at in range(begin, int(days[-1]) + 1, WEEK):
        if between(days, values, at) <= wanted * (1 + _ROUNDING):
            return at
    return None
