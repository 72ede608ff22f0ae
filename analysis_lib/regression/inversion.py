"""The end of an interval, as the value at which a test stops to reject."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def bound(
    pvalue: Callable[[float], float], estimate: float, step: float, size: float, *, farthest: float, halvings: int
) -> float:
    """The last value on one side of an estimate that is not rejected; infinite if none is rejected there.

    Parameters
    ----------
    pvalue : callable
        Of the hypothesis that the coefficient is a value.
    step : float
        Unit of the search, with the sign of the side.
    size : float
        Of the test, for example 0.05.
    farthest : float
        Steps beyond which the search is given up.
    halvings : int
        Of the bracket around the bound.
    """
    inside, outside = 0.0, 2.0
    while pvalue(estimate + outside * step) > size:
        inside, outside = outside, outside * 2
        if outside > farthest:
            return float(np.copysign(np.inf, step))
    for _ in range(halvings):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if pvalue(estimate + middle * step) > size else (inside, middle)
    return estimate + (inside + outside) / 2 * step
