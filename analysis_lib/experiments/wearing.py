"""Whether an effect wears off (novelty) or has to be learned (primacy): the same units, early and late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.effects import check_arms
from analysis_lib.results import Estimate, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Wearing(Result):
    """A relative effect early and late after the exposure, of the units that were seen in both.

    Attributes
    ----------
    metric, variant : str
        Which effect.
    early_days, late_days : tuple of int
        First and last day since the exposure, its own day being 0; the late ones go on to the end of the test.
    early, late : Estimate
        Relative effects.
    change : Estimate
        Ratio of the two ratios to control, less 1: below zero where the effect gets smaller.
    pvalue : float
        Two-sided, of no change.
    """

    metric: str
    variant: str
    early_days: tuple[int, int]
    late_days: tuple[int, None]
    early: Estimate
    late: Estimate
    change: Estimate
    pvalue: float

    @property
    def changes(self) -> bool:
        """Whether early and late differ by more than chance."""
        return self.change.excludes_zero

    @property
    def wears_off(self) -> bool:
        """Whether what is left late is closer to nothing."""
        return self.changes and abs(self.late.value) < abs(self.early.value)

    @property
    def text(self) -> str:
        """Early against late."""
        first, last = self.early_days
        both = (
            f"{self.early.short} on days {first + 1} to {last + 1} after the first exposure, {self.late.short} from day"
            f" {self.late_days[0] + 1} on"
        )
        if self.wears_off:
            return f"The effect wears off: {both}, of the same units."
        if self.changes:
            return f"The effect grows: {both}, of the same units."
        return f"Nothing shows that the effect changes with time: {both}, of the same units."


def compare_early_and_late(
    control: ArmMoments, treatment: ArmMoments, *, metric: str, variant: str, spans: tuple, level: float
) -> Wearing:
    """A relative effect early and late, and whether it changed.

    Parameters
    ----------
    control, treatment : ArmMoments
        The late days, with the early ones as what was beforehand.
    spans : tuple
        First and last day of the early and of the late ones.

    Raises
    ------
    NotEnoughData
        Too few units, or nothing happened in one of the spans.

    Notes
    -----
    On logarithms, by the delta method; early and late are correlated within a unit, and the covariance is used.
    """
    for one, other in ((control, treatment), (control.beforehand(), treatment.beforehand())):
        check_arms(one, other)
        if min(one.value, other.value) <= 0:
            raise NotEnoughData("nothing happened in an arm on the early or late days")
    found, n = {}, int(control.n + treatment.n)
    for name, (late, early) in {"late": (1.0, 0.0), "early": (0.0, 1.0), "change": (1.0, -1.0)}.items():
        value, variance = 0.0, 0.0
        for sign, arm in ((-1.0, control), (1.0, treatment)):
            (log_late, slope_late), (log_early, slope_early) = _log(arm, late=True), _log(arm, late=False)
            slope = late * slope_late + early * slope_early
            value += sign * (late * log_late + early * log_early)
            variance += float(slope @ arm.cov @ slope) / arm.n
        found[name] = of_logs(value, float(np.sqrt(variance)), level, n)
    z = np.log1p(found["change"].value) / (found["change"].se / (1 + found["change"].value))
    return Wearing(
        metric=metric, variant=variant, early_days=spans[0], late_days=spans[1], early=found["early"],
        late=found["late"], change=found["change"], pvalue=float(2 * norm.sf(abs(z))),
    )  # fmt: skip


def _log(arm: ArmMoments, *, late: bool) -> tuple[float, np.ndarray]:
    """Logarithm of the metric on the late or early days, and its slope over all columns of the arm."""
    width = 2 if arm.is_ratio else 1
    first = 0 if late else width
    slope = np.zeros(len(arm.mean))
    slope[first] = 1 / arm.mean[first]
    value = float(np.log(arm.mean[first]))
    if arm.is_ratio:
        slope[first + 1] = -1 / arm.mean[first + 1]
        value -= float(np.log(arm.mean[first + 1]))
    return value, slope


def of_logs(value: float, se: float, level: float, n: int) -> Estimate:
    """A relative difference from that of logarithms: its interval is not symmetric."""
    reach = norm.ppf(0.5 + level / 2) * se
    low, middle, high = np.expm1([value - reach, value, value + reach])
    se = float(se * (1 + middle))
    return Estimate(float(middle), se, float(low), float(high), level, "share", n, "delta method on logarithms")


def by_day(
    frame: pd.DataFrame, *, metric: str, variant: str, control: str, level: float
) -> pd.DataFrame:  # fmt: skip
    """The relative effect on each day since the exposure.

    Parameters
    ----------
    frame : DataFrame
        As ``metrics.moments_by_day`` by variant.

    Returns
    -------
    DataFrame
        day_since, rel_effect, rel_effect_ci_lower, rel_effect_ci_upper, n_units: days on which both arms did something.
    """
    own = frame[frame["metric"] == metric]
    both = own[own["variant"] == variant].merge(
        own[own["variant"] == control], on="day_since", suffixes=("", "_control")
    )
    both = both[(both["mean_numerator"] > 0) & (both["mean_numerator_control"] > 0)].sort_values("day_since")
    value = _log_ratio(both, "") - _log_ratio(both, "_control")
    reach = norm.ppf(0.5 + level / 2) * np.sqrt(_log_variance(both, "") + _log_variance(both, "_control"))
    return both[["day_since"]].assign(
        rel_effect=np.expm1(value), rel_effect_ci_lower=np.expm1(value - reach),
        rel_effect_ci_upper=np.expm1(value + reach), n_units=both["n_units"] + both["n_units_control"],
    ).reset_index(drop=True)  # fmt: skip


def _log_ratio(both: pd.DataFrame, side: str) -> pd.Series:
    return np.log(both[f"mean_numerator{side}"] / both[f"mean_denominator{side}"])


def _log_variance(both: pd.DataFrame, side: str) -> pd.Series:
    above, below = both[f"mean_numerator{side}"], both[f"mean_denominator{side}"]
    return (
        both[f"var_numerator{side}"] / above**2
        - 2 * both[f"cov{side}"] / (above * below)
        + both[f"var_denominator{side}"] / below**2
    ) / both[f"n_units{side}"]
