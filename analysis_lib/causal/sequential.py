"""Looking early without being fooled: confidence sequences, group-sequential bounds, and stopping for harm only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from analysis_lib.errors import InvalidValue

#: How a group-sequential test spends its errors.
SPENDING = ("obrien_fleming", "pocock")

#: Smallest step of information from a look to the next.
_SMALLEST_STEP = 0.002

#: Points of the quadrature between two bounds.
_NODES = 400


def sequence_reach(n: float, n_planned: float, level: float) -> float:
    """Half the width of an asymptotic confidence sequence, in standard errors.

    Such an interval holds at all sample sizes together, whenever one looks and stops; it is narrowest about at the
    planned size.

    Parameters
    ----------
    n, n_planned : float
        Units so far, and at the end as planned.
    level : float
        Level over all looks together.

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), "Time-uniform central limit theory and asymptotic confidence
    sequences", Annals of Statistics 52(6), theorem 2.2 and appendix B.2 (the tuning); Howard, Ramdas, McAuliffe and
    Sekhon (2021), Annals of Statistics 49(2), for the normal mixture behind it.

    Examples
    --------
    >>> round(sequence_reach(1000, 1000, 0.95), 2)
    3.04
    """
    alpha = 1 - level
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / n_planned
    inside = n * rho2 + 1
    return math.sqrt(2 * inside / (n * rho2) * math.log(math.sqrt(inside) / alpha))


def sequence_pvalue(z: float, n: float, n_planned: float) -> float:
    """A p-value that may be looked at any time: the smallest level at which the sequence excludes no effect."""
    alpha = 0.05
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / n_planned
    inside = n * rho2 + 1
    return min(1.0, math.sqrt(inside) * math.exp(-(z**2) * n * rho2 / (2 * inside)))


def spent(fractions: Sequence[float], alpha: float, kind: str) -> np.ndarray:
    """Error spent by each look.

    Parameters
    ----------
    fractions : sequence of float
        Information at each look as a share of that at the end; rising, at most 1.
    alpha : float
        Two-sided error of all looks together.
    kind : str
        One of ``SPENDING``: nearly all at the end, or evenly.

    References
    ----------
    Lan and DeMets (1983), "Discrete sequential boundaries for clinical trials", Biometrika 70(3).
    """
    t = np.asarray(fractions, dtype=float)
    if not (np.all(np.diff(t) > 0) and t[0] > 0 and t[-1] <= 1 + 1e-9):
        raise InvalidValue(f"fractions must rise within 0 and 1, not {list(fractions)!r}.")
    if kind == "obrien_fleming":
        # Each side spends its own half.
        return 4 * norm.sf(norm.isf(alpha / 4) / np.sqrt(t))
    if kind == "pocock":
        return alpha * np.log1p((math.e - 1) * t)
    raise InvalidValue(f"spending '{kind}' is not known: choose {' or '.join(SPENDING)}.")


def group_bounds(fractions: Sequence[float], alpha: float, kind: str = "obrien_fleming") -> np.ndarray:
    """Two-sided bounds for the z-value of each look, so that all looks together are wrong in ``alpha`` of nulls.

    Parameters
    ----------
    fractions, alpha, kind
        As ``spent``.

    References
    ----------
    Armitage, McPherson and Rowe (1969), JRSS A 132(2), for the recursion over looks; Lan and DeMets (1983).

    Examples
    --------
    >>> [round(float(bound), 2) for bound in group_bounds([0.2, 0.4, 0.6, 0.8, 1.0], 0.05)]
    [4.88, 3.36, 2.68, 2.29, 2.03]
    """
    t, used = np.asarray(fractions, dtype=float), spent(fractions, alpha, kind)
    steps = np.diff(used, prepend=0.0)
    bounds = [float(norm.isf(steps[0] / 2))]
    nodes, weights = _quadrature()
    edge = bounds[0] * math.sqrt(t[0])
    places = nodes * edge
    density = norm.pdf(places, scale=math.sqrt(t[0])) * weights * edge
    for look in range(1, len(t)):
        scale = math.sqrt(t[look] - t[look - 1])
        bound = _next_bound(places, density, scale, math.sqrt(t[look]), steps[look])
        bounds.append(bound)
        edge = bound * math.sqrt(t[look])
        onto = nodes * edge
        density = (norm.pdf((onto[:, None] - places[None, :]) / scale) / scale) @ density * weights * edge
        places = onto
    return np.array(bounds)


@cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss and Legendre between −1 and 1."""
    return np.polynomial.legendre.leggauss(_NODES)


def _next_bound(places: np.ndarray, density: np.ndarray, scale: float, root: float, wanted: float) -> float:
    """The bound at which the walk leaves with the wanted probability, having stayed inside so far."""

    def excess(bound: float) -> float:
        edge = bound * root
        out = norm.sf((edge - places) / scale) + norm.cdf((-edge - places) / scale)
        return float(density @ out) - wanted

    return float(brentq(excess, 0.0, 12.0)) if wanted > 0 and excess(12.0) < 0 else 12.0


def fractions_of(information: Sequence[float], at_the_end: float) -> np.ndarray:
    """Information at each look as a share of that at the end: rising, above 0 and at most 1.

    A look that brings next to nothing new counts as a small step, so that bounds exist at every look.

    Parameters
    ----------
    information : sequence of float
        At each look, in their order: one over the variance of the estimate.
    at_the_end : float
        What is expected at the planned end.

    Examples
    --------
    >>> fractions_of([10.0, 20.0, 20.0], 40.0).round(3).tolist()
    [0.25, 0.5, 0.502]
    """
    t = np.clip(np.asarray(information, dtype=float) / at_the_end, _SMALLEST_STEP, 1.0)
    for look in range(1, len(t)):
        t[look] = max(t[look], t[look - 1] + _SMALLEST_STEP)
    for look in range(len(t) - 1, -1, -1):
        t[look] = min(t[look], 1.0 - _SMALLEST_STEP * (len(t) - 1 - look))
    return t


def harm_bounds(fractions: Sequence[float], level: float) -> np.ndarray:
    """Bounds for stopping early because of harm alone: one-sided, all looks together wrong in half of ``1 − level``.

    The two-sided bounds of the same error per side are used on one side; not stopping for a success leaves the test at
    the end as it was.
    """
    return group_bounds(fractions, 1 - level, "pocock")
