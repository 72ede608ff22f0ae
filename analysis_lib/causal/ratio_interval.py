"""The interval of a ratio of two estimates."""

from __future__ import annotations

import math

from scipy.stats import norm

from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

METHOD = "ratio of two estimates; interval after Fieller"


def ratio_interval(above: Estimate, below: Estimate, *, covariance: float = 0.0, unit: str) -> Estimate:
    """The ratio of two estimates whose errors are normal, with the interval of all ratios that they do not rule out.

    Parameters
    ----------
    above, below : Estimate
        Numerator and denominator, of the same level.
    covariance : float
        Of their errors.
    unit : str
        Of the ratio.

    Returns
    -------
    Estimate
        Its interval need not be even around the value; ``se`` is that of the delta method.

    Raises
    ------
    NotEnoughData
        The denominator cannot be told from zero: then the ratios that are not ruled out have no end.

    References
    ----------
    Fieller (1954), "Some problems in interval estimation", Journal of the Royal Statistical Society B 16(2).

    Examples
    --------
    >>> cost = Estimate(100.0, 0.0, 100.0, 100.0, 0.95, "usd", 50, "counted")
    >>> sales = Estimate(150.0, 25.0, 101.0, 199.0, 0.95, "usd", 50, "told")
    >>> [round(x, 2) for x in (lambda r: (r.ci_lower, r.value, r.ci_upper))(ratio_interval(sales, cost, unit=""))]
    [1.01, 1.5, 1.99]
    """
    reach = float(norm.ppf(0.5 + above.level / 2))
    square = below.value**2 - (reach * below.se) ** 2
    if square <= 0:
        raise NotEnoughData("what is divided by cannot be told from zero, so the ratio has no interval")
    middle = above.value * below.value - reach**2 * covariance
    rest = middle**2 - square * (above.value**2 - (reach * above.se) ** 2)
    # Rounding may take a rest of zero below it.
    half = math.sqrt(max(rest, 0.0))
    value = above.value / below.value
    se = math.sqrt(max(above.se**2 - 2 * value * covariance + (value * below.se) ** 2, 0.0)) / abs(below.value)
    return Estimate(value, se, (middle - half) / square, (middle + half) / square, above.level, unit, above.n, METHOD)
