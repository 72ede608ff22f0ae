"""A change told apart into parts that add up to it: products by log-means, rates into rate, mix and interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

#: Names of the parts that are no factor.
MIX, INTERACTION, NEW, GONE, REST = "mix", "interaction", "new", "gone", "rest"

#: How much of a group is taken away to see how a result depends on it.
STEP = 1e-3

#: Sides of the first axis but one: before and after.
BEFORE, AFTER = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Contributions to a change.

    Attributes
    ----------
    parts : tuple of str
        Names of the parts: the factors by number, then those that are no factor.
    values : numpy.ndarray
        Contributions, shape (replicates, segments, parts); the first replicate is the data as they are. A part that
        cannot be told in a replicate is missing there.
    """

    parts: tuple[str, ...]
    values: np.ndarray


def split_sum(quantities: Mapping[str, np.ndarray], factors: Sequence[tuple[str, str]], end: str) -> Split:
    """The change of a sum, by segment and by the factors whose product it is.

    With factors ``f`` and value ``V`` a factor contributes ``L(V1, V0) · ln(f1 / f0)``, where ``L`` is the logarithmic
    mean: no remainder, the same whatever the order of the factors, and the same backwards with the opposite sign.
    Segments whose value appears or disappears are parts of their own; so is a segment in which a factor is not positive
    (no visitor was recorded where something was sold), as the rest.

    Parameters
    ----------
    quantities : mapping of str to numpy.ndarray
        By name, shape (replicates, 2, segments).
    factors : sequence of (str, str)
        Quantities above and below the line; an empty one below stands for 1.
    end : str
        The quantity that is explained.

    References
    ----------
    Ang (2004), "Decomposition analysis for policymaking in energy: which is the preferred method?", Energy Policy
    32(9): the additive log-mean Divisia index. Vartia (1976), "Ideal log-change index numbers", Scandinavian Journal
    of Statistics 3(3), for the logarithmic mean.
    """
    value, quotients = quantities[end], _quotients(quantities, factors)
    before, after = value[0, BEFORE], value[0, AFTER]
    whole = _all_positive(quotients[0]) & (before > 0) & (after > 0)
    new, gone = (before == 0) & (after != 0), (after == 0) & (before != 0)
    change = value[:, AFTER] - value[:, BEFORE]
    shares = _log_shares(value, quotients)
    columns = [np.where(whole, shares[..., place], 0.0) for place in range(len(factors))]
    kinds = {NEW: new, GONE: gone, REST: ~(whole | new | gone)}
    columns += [np.where(kind, change, 0.0) for kind in kinds.values()]
    return Split((*map(str, range(len(factors))), *kinds), np.stack(columns, axis=-1))


def split_rate(
    quantities: Mapping[str, np.ndarray], factors: Sequence[tuple[str, str]], numerator: str, denominator: str
) -> Split:
    """The change of a rate, by segment: because its rate changed, because its weight did, and because both did.

    With weights ``s`` (shares of the denominator), rates ``r`` and the whole's rate ``R`` before, a segment contributes
    ``s0·(r1 − r0)`` (rate; told apart by its factors with log-means), ``(s1 − s0)·(r0 − R)`` (mix) and
    ``(s1 − s0)·(r1 − r0)`` (interaction). A segment without denominator before or after is new or gone.

    Parameters
    ----------
    quantities, factors
        As ``split_sum``; the factors multiply to the rate.
    numerator, denominator : str
        The two sides.

    References
    ----------
    Kitagawa (1955), "Components of a difference between two rates", JASA 50(272); the interaction is kept apart.
    """
    above, below = quantities[numerator], quantities[denominator]
    with np.errstate(divide="ignore", invalid="ignore"):
        total = above.sum(axis=-1, keepdims=True) / below.sum(axis=-1, keepdims=True)
        weight, rate = below / below.sum(axis=-1, keepdims=True), above / below
    (s0, s1), (r0, r1), base = _sides(weight), _sides(rate), total[:, BEFORE]
    new, gone = (below[0, BEFORE] == 0) & (below[0, AFTER] != 0), (below[0, AFTER] == 0) & (below[0, BEFORE] != 0)
    both = (below[0, BEFORE] != 0) & (below[0, AFTER] != 0)
    quotients = _quotients(quantities, factors)
    whole = both & _all_positive(quotients[0])
    by_rate = s0 * (r1 - r0)
    if len(factors) == 1:
        columns, rest = [np.where(both, by_rate, 0.0)], np.zeros_like(by_rate)
    else:
        shares = s0[..., None] * _log_shares(rate, quotients)
        columns = [np.where(whole, shares[..., place], 0.0) for place in range(len(factors))]
        rest = np.where(both & ~whole, by_rate, 0.0)
    columns += [
        np.where(both, (s1 - s0) * (r0 - base), 0.0),
        np.where(both, (s1 - s0) * (r1 - r0), 0.0),
        np.where(new, s1 * (r1 - base), 0.0),
        np.where(gone, -s0 * (r0 - base), 0.0),
        rest,
    ]
    names = (*map(str, range(len(factors))), MIX, INTERACTION, NEW, GONE, REST)
    return Split(names, np.stack(columns, axis=-1))


def _sides(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values[:, BEFORE], values[:, AFTER]


def _quotients(quantities: Mapping[str, np.ndarray], factors: Sequence[tuple[str, str]]) -> np.ndarray:
    """Factors, shape (replicates, 2, segments, factors)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [quantities[above] / (quantities[below] if below else 1.0) for above, below in factors]
    return np.stack(found, axis=-1)


def _all_positive(quotients: np.ndarray) -> np.ndarray:
    """Segments in which every factor is positive on both sides."""
    return (np.isfinite(quotients) & (quotients > 0)).all(axis=(0, -1))


def _log_shares(value: np.ndarray, quotients: np.ndarray) -> np.ndarray:
    """``L(V1, V0) · ln(f1 / f0)``, shape (replicates, segments, factors); missing where it is not defined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(quotients[:, AFTER] / quotients[:, BEFORE])
        return log_mean(value[:, AFTER], value[:, BEFORE])[..., None] * logs


def log_mean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The logarithmic mean ``(a − b) / ln(a / b)``; ``a`` where both are equal; missing unless both are positive.

    Examples
    --------
    >>> [round(float(value), 6) for value in log_mean(np.array([2.0, 3.0, -1.0]), np.array([1.0, 3.0, 1.0]))]
    [1.442695, 3.0, nan]
    """
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        # log1p keeps the digits where the two are nearly equal, log where they are far apart.
        ratio = (one - other) / other
        logs = np.where(np.abs(ratio) < 0.5, np.log1p(ratio), np.log(one / other))
        found = np.where(np.abs(ratio) < 1e-12, one, (one - other) / logs)
    return np.where((one > 0) & (other > 0), found, np.nan)


def replicates(by_group: np.ndarray, step: float = STEP) -> np.ndarray:
    """The data, and the data with one group of units at a time weighing less.

    Parameters
    ----------
    by_group : numpy.ndarray
        A quantity that adds up over groups, shape (groups, …).
    step : float
        How much of the group is taken away: 1 leaves it out (the jackknife); a small part of it gives the slope of a
        result (the infinitesimal jackknife), which small segments do not bend.

    Returns
    -------
    numpy.ndarray
        Shape (1 + groups, …).
    """
    n, total = len(by_group), by_group.sum(axis=0)
    return np.concatenate([total[None], total + step * (total / n - by_group) * (n / (n - 1))])


def interval(values: np.ndarray, level: float, step: float = STEP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard errors and bounds from ``replicates`` of a result, made with the same step.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (1 + groups, …); the first is the estimate.

    Returns
    -------
    tuple of numpy.ndarray
        Standard error, lower and upper bound; missing where a replicate is.

    References
    ----------
    Jaeckel (1972), "The infinitesimal jackknife", Bell Laboratories memorandum; Efron and Tibshirani (1993), "An
    Introduction to the Bootstrap", section 21.2; Kott (2001), "The delete-a-group jackknife", Journal of Official
    Statistics 17(4), for groups and their degrees of freedom.
    """
    point, moved = values[0], values[1:]
    n = len(moved)
    se = np.sqrt((n - 1) / n * np.square(moved - moved.mean(axis=0)).sum(axis=0)) / step
    reach = student.ppf(0.5 + level / 2, n - 1) * se
    return se, point - reach, point + reach
