"""From draws with a known truth to a grade: bias, coverage, false alarms, power, width, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.results import Estimate

#: Columns of draws: one row per estimate.
DRAWS = ("scenario", "quantity", "world", "estimate", "ci_lower", "ci_upper", "truth", "refused")

#: Column that draws may have besides: whether a verdict was right (1) or wrong (0); such rows have no interval.
RIGHT = "right"

#: A scenario of this name shows what a method does not do: it counts for no grade.
COMPARISON = "for comparison"

#: Among quantities for comparison that are named ``case: way``, the way that the library goes.
SHIPPED = "as shipped"

#: What is scored, in the order of the table. A standard error of each stands beside it as ``<name>_mcse``.
MEASURES = ("bias", "rel_bias", "coverage", "false_positive", "power", "width_ratio", RIGHT, "refused")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a grade should be.

    Attributes
    ----------
    measure : str
        One of ``MEASURES``.
    low, high : float
        Bounds, both allowed.
    scenario : str
        Wanted of this scenario alone; empty: of all.
    """

    measure: str
    low: float
    high: float
    scenario: str = ""

    @property
    def text(self) -> str:
        """The bounds in words."""
        low, high = (f"{100 * bound:g} %" for bound in (self.low, self.high))
        if self.low == -self.high:
            return f"at most {high} either way"
        if self.low <= 0:
            return f"at most {high}"
        return f"at least {low}" if self.high >= 1 else f"{low} to {high}"


def draw_of(scenario: str, quantity: str, world: str, found: Estimate | None, truth: float) -> tuple:
    """One row of ``DRAWS``; None was refused."""
    values = (float("nan"),) * 3 if found is None else (found.value, found.ci_lower, found.ci_upper)
    return scenario, quantity, world, *values, truth, found is None


def score(draws: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Grades by scenario and quantity.

    Parameters
    ----------
    draws : DataFrame
        Columns ``DRAWS``, and ``RIGHT`` where verdicts are judged; ``world`` names what draws have in common, so that
        Monte Carlo errors are clustered by it.
    level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        scenario, quantity, n_draws, n_worlds, and each of ``MEASURES`` with its Monte Carlo error: ``bias`` in the
        quantity's unit, ``rel_bias`` as a share of the mean truth's size (missing where that is 0), ``coverage``,
        ``false_positive`` (intervals without zero, where the truth is 0), ``power`` (intervals on the truth's side of
        zero, where it is not), ``width_ratio`` (width over that of an interval made from the spread of the errors),
        ``right`` (share of verdicts that were), ``refused`` (share of draws without an interval).
    """
    import pandas as pd

    rows = []
    for (scenario, quantity), own in draws.groupby(["scenario", "quantity"], sort=False):
        judged = own[RIGHT].dropna() if RIGHT in own else own["truth"].iloc[:0]
        told = own[~own["refused"].astype(bool) & ~own.index.isin(judged.index)]
        row = {"scenario": scenario, "quantity": quantity, "n_draws": len(own), "n_worlds": own["world"].nunique()}
        rows.append(
            row
            | _measures(told, level)
            | _named(RIGHT, *_mean(judged, own.loc[judged.index, "world"]))
            | _named("refused", *_mean(own["refused"].astype(float), own["world"]))
        )
    return pd.DataFrame(rows)


def _measures(told: pd.DataFrame, level: float) -> dict[str, float]:
    if told.empty:
        return {f"{name}{end}": float("nan") for name in MEASURES[:-1] for end in ("", "_mcse")}
    low, high, truth, world = (told[name] for name in ("ci_lower", "ci_upper", "truth", "world"))
    error = told["estimate"] - truth
    bias, bias_se = _mean(error, world)
    size = float(np.abs(truth.mean()))
    null = truth == 0
    scale = 1 / size if size else float("nan")
    right = ((low > 0) & (truth > 0)) | ((high < 0) & (truth < 0))
    return {
        **_named("bias", bias, bias_se),
        **_named("rel_bias", bias * scale, bias_se * scale),
        **_named("coverage", *_mean(((low <= truth) & (truth <= high)).astype(float), world)),
        **_named("false_positive", *_mean(((low > 0) | (high < 0))[null].astype(float), world[null])),
        **_named("power", *_mean(right[~null].astype(float), world[~null])),
        **_named("width_ratio", *_width(high - low, error, level)),
    }


def _named(name: str, value: float, error: float) -> dict[str, float]:
    return {name: value, f"{name}_mcse": error}


def _mean(values: pd.Series, world: pd.Series) -> tuple[float, float]:
    """A mean and its Monte Carlo error: draws of one world may go together."""
    if values.empty:
        return float("nan"), float("nan")
    n, sums = values.groupby(world).count(), values.groupby(world).sum()
    mean = float(values.mean())
    if len(n) < 2:
        return mean, float("nan")
    apart = sums - mean * n
    return mean, float(np.sqrt(len(n) / (len(n) - 1) * np.square(apart).sum()) / n.sum())


def _width(widths: pd.Series, errors: pd.Series, level: float) -> tuple[float, float]:
    """Mean width over that of the interval whose maker knows the spread of the errors."""
    spread = float(errors.std())
    if len(errors) < 3 or spread == 0:
        return float("nan"), float("nan")
    ratio = float(widths.mean()) / (2 * norm.ppf(0.5 + level / 2) * spread)
    return ratio, ratio / np.sqrt(2 * (len(errors) - 1))


def verdict(value: float, error: float, wanted: Wanted) -> str:
    """Whether a wanted grade was reached: ``reached``, ``missed``, or ``open`` where Monte Carlo error leaves both.

    Examples
    --------
    >>> verdict(0.91, 0.01, Wanted("coverage", 0.93, 0.97)), verdict(0.92, 0.01, Wanted("coverage", 0.93, 0.97))
    ('missed', 'open')
    """
    if np.isnan(value):
        return ""
    if wanted.low <= value <= wanted.high:
        return "reached"
    beyond = max(wanted.low - value, value - wanted.high)
    return "open" if np.isfinite(error) and beyond <= 1.96 * error else "missed"
