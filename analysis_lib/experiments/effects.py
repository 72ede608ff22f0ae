"""The effect of an arm against control: means, ratios, quantiles, and strata put together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ABOVE, BEFORE, BELOW, ArmMoments, pooled
from analysis_lib.experiments.balancing import weighted
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from analysis_lib.metrics import Metric

#: Fewer units than this in an arm say too little about their spread.
FEWEST_UNITS = 30


def direction(metric: Metric) -> float:
    """1 where more of a metric is better, −1 where less is."""
    return -1.0 if metric.better == "down" else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """An arm against control, in the metric's unit and as a share of control.

    Attributes
    ----------
    control, treatment : float
        The metric in each arm, adjusted where there is a covariate.
    effect : Estimate
        Difference.
    rel_effect : Estimate
        Difference as a share of control; missing where an arm is not positive.
    pvalue : float
        Two-sided, of no difference.
    n_control, n_treatment : int
        Units.
    """

    control: float
    treatment: float
    effect: Estimate
    rel_effect: Estimate
    pvalue: float
    n_control: int
    n_treatment: int

    @property
    def information_scale(self) -> float:
        """Standard error on the scale on which effects of different days can be compared: relative, where it exists."""
        share = self.rel_effect
        return share.se / (1 + share.value) if share.se > 0 else self.effect.se

    def at(self, level: float) -> Effect:
        """The same with normal intervals of another level."""
        return replace(self, effect=normal(self.effect, level), rel_effect=normal(self.rel_effect, level))


def normal(estimate: Estimate, level: float) -> Estimate:
    """An estimate with the normal interval of a level around it."""
    reach = norm.ppf(0.5 + level / 2) * estimate.se
    return replace(estimate, ci_lower=estimate.value - reach, ci_upper=estimate.value + reach, level=level)


def check_arms(control: ArmMoments, treatment: ArmMoments) -> None:
    """Make sure that two arms can be compared.

    Raises
    ------
    NotEnoughData
        Too few units, nothing to divide by, or nothing that varies.
    """
    for word, arm in (("control", control), ("the treatment", treatment)):
        if arm.n < FEWEST_UNITS:
            raise NotEnoughData(f"fewer than {FEWEST_UNITS} units in {word}: too few for an interval")
        if arm.is_ratio and not arm.mean[1]:
            raise NotEnoughData(f"nothing to divide by in {word}")
    spread = control.variance / control.n + treatment.variance / treatment.n
    size = max(abs(control.value), abs(treatment.value), 1e-300)
    # What is left of the difference of equal numbers is no spread.
    if not spread > (1e-9 * size) ** 2 / max(control.n, treatment.n):
        raise NotEnoughData("nothing varies between units: every interval would be a point")


def effect_of(control: ArmMoments, treatment: ArmMoments, *, level: float, unit: str) -> Effect:
    """The effect on a mean or a ratio of means, adjusted where the arms have a covariate.

    tea-tasting does the work: Welch's t for means, the delta method for ratios (Deng, Knoblich and Lu 2018, KDD), CUPED
    with one coefficient for both arms (Deng, Xu, Kohavi and Walker 2013, WSDM), the relative effect by logarithms.

    Parameters
    ----------
    control, treatment : ArmMoments
        Of the same metric, with the same columns.
    level : float
        Level of the intervals.
    unit : str
        Unit of the metric.

    Raises
    ------
    NotEnoughData
        As ``check_arms``.
    """
    from tea_tasting.metrics import RatioOfMeans

    check_arms(control, treatment)
    below = BELOW if control.is_ratio else None
    beside = control.has_covariate and _varies(control, treatment)
    metric = RatioOfMeans(
        ABOVE, below, f"{ABOVE}{BEFORE}" if beside else None, f"{BELOW}{BEFORE}" if beside and below else None,
        confidence_level=level, use_t=True, equal_var=False, alternative="two-sided",
    )  # fmt: skip
    found = metric.analyze_aggregates(control.aggregates(), treatment.aggregates())
    method = ("ratio of means" if below else "mean") + (", adjusted for the days beforehand" if beside else "")
    n = int(control.n + treatment.n)
    low, high = found.effect_size_ci_lower, found.effect_size_ci_upper
    difference = _estimate(found.effect_size, low, high, found.statistic, level, unit, n, method)
    return Effect(
        control=float(found.control), treatment=float(found.treatment), effect=difference,
        rel_effect=_relative(found.control, found.treatment, found, level, n, method), pvalue=float(found.pvalue),
        n_control=int(control.n), n_treatment=int(treatment.n),
    )  # fmt: skip


def _varies(control: ArmMoments, treatment: ArmMoments) -> bool:
    """Whether what was measured beforehand varies at all, and has something to be divided by."""
    before = pooled([control.beforehand(), treatment.beforehand()])
    return not (before.is_ratio and not before.mean[1]) and before.variance > 0


def _estimate(
    value: float, low: float, high: float, statistic: float, level: float, unit: str, n: int, method: str
) -> Estimate:
    se = abs(value / statistic) if statistic else (high - low) / 2 / norm.ppf(0.5 + level / 2)
    return Estimate(float(value), float(se), float(low), float(high), level, unit, n, method)


def _relative(control: float, treatment: float, found: object, level: float, n: int, method: str) -> Estimate:
    """The relative effect; its standard error is that of the logarithm of the ratio, at the ratio."""
    if not (control > 0 and treatment > 0):
        return Estimate(*(float("nan"),) * 4, level, "share", n, method)
    low, high = found.rel_effect_size_ci_lower, found.rel_effect_size_ci_upper  # type: ignore[attr-defined]
    value = found.rel_effect_size  # type: ignore[attr-defined]
    se = (1 + value) * (math.log1p(high) - math.log1p(low)) / 2 / norm.ppf(0.5 + level / 2)
    return Estimate(float(value), float(se), float(low), float(high), level, "share", n, method)


def quantile_effect(
    values: Mapping[str, tuple[float, float, float]], *, level: float, unit: str
) -> Effect:  # fmt: skip
    """The effect on a quantile: two quantiles with their clustered standard errors, independent of each other.

    Parameters
    ----------
    values : mapping of str to tuple of float
        ``control`` and ``treatment``: quantile, standard error, units.

    Raises
    ------
    NotEnoughData
        Too few units, or no standard error.
    """
    (q0, se0, n0), (q1, se1, n1) = values["control"], values["treatment"]
    if min(n0, n1) < FEWEST_UNITS:
        raise NotEnoughData(f"fewer than {FEWEST_UNITS} units in an arm: too few for an interval")
    se = math.hypot(se0, se1)
    if not se > 0:
        raise NotEnoughData("too few different values around the quantile for a standard error")
    reach, n, method = norm.ppf(0.5 + level / 2) * se, int(n0 + n1), "quantile, events clustered by unit"
    difference = Estimate(q1 - q0, se, q1 - q0 - reach, q1 - q0 + reach, level, unit, n, method)
    ratio, log_se = q1 / q0, math.hypot(se0 / q0, se1 / q1)
    spread = math.exp(norm.ppf(0.5 + level / 2) * log_se)
    share = Estimate(ratio - 1, ratio * log_se, ratio / spread - 1, ratio * spread - 1, level, "share", n, method)
    return Effect(q0, q1, difference, share, float(2 * norm.sf(abs(q1 - q0) / se)), int(n0), int(n1))


def post_stratified(
    strata: Mapping[object, tuple[ArmMoments, ArmMoments]], *, level: float, unit: str
) -> Effect:  # fmt: skip
    """The effect with both arms weighted to the strata's shares of all units: what an uneven split did is undone.

    Each arm's numerator, denominator and covariates are means over strata, weighted by the strata's units in both arms;
    the variance is that of independent strata. Strata in which an arm is empty are refused.

    References
    ----------
    Miratrix, Sekhon and Yu (2013), "Adjusting treatment effect estimates by post-stratification in randomized
    experiments", JRSS B 75(2).
    """
    empty = [str(name) for name, (control, treatment) in strata.items() if min(control.n, treatment.n) < 2]
    if empty:
        raise NotEnoughData(f"stratum {', '.join(empty)} has fewer than two units in an arm")
    weights = np.array([control.n + treatment.n for control, treatment in strata.values()])
    weights = weights / weights.sum()
    sides = [weighted([pair[side] for pair in strata.values()], weights) for side in (0, 1)]
    found = effect_of(*sides, level=level, unit=unit)
    n = [int(sum(pair[side].n for pair in strata.values())) for side in (0, 1)]
    return replace(found, n_control=n[0], n_treatment=n[1])


def format_pvalue(value: float) -> str:
    """A p-value, rounded to what anybody needs.

    Examples
    --------
    >>> format_pvalue(0.0000123), format_pvalue(0.342)
    ('under 0.0001', '0.34')
    """
    return "under 0.0001" if value < 0.0001 else f"{value:.2g}"
