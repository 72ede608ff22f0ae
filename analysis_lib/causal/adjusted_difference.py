"""The effect on the treated: weighted and regression-adjusted difference of outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.linalg import qr
from scipy.stats import norm

from analysis_lib.causal.balancing import ROUNDING
from analysis_lib.results import Estimate, Result

#: A column of which no more than this part is its own, is a sum of others.
COLLINEAR = 1e-8

METHOD = "entropy-balanced, regression-adjusted difference, errors robust by unit"


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedDifference(Result):
    """Average effects on the treated, one an outcome, from one set of weights.

    Attributes
    ----------
    effects : dict[str, Estimate]
        By outcome, per treated unit over the outcome's window.
    residual_sd : dict[str, float]
        By outcome, standard deviation between treated units that the covariates leave unexplained.
    """

    effects: dict[str, Estimate]
    residual_sd: dict[str, float]

    @property
    def text(self) -> str:
        """Each outcome with its interval."""
        return "; ".join(f"{name}: {effect.text}" for name, effect in self.effects.items())


def adjusted_difference(
    frame: pd.DataFrame,
    *,
    outcomes: list[str],
    treated: str,
    covariates: list[str],
    weights: np.ndarray,
    level: float,
    unit: str,
) -> AdjustedDifference:
    """Effects on the treated from one row a unit.

    Weighted least squares of each outcome on the treatment and the covariates, centred at the
    treated means: doubly robust when the weights balance those covariates. One row a unit makes the
    heteroskedasticity-robust error the error clustered by unit; HC3, because few untargeted units
    can carry most of the weight (with 60 effective units HC1 intervals covered 88 to 91 %, HC3 95 to
    96 %). Outcomes that add up have effects that add up, since all share one design.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit; outcome columns hold totals over their window.
    outcomes, covariates : list of str
        Column names.
    treated : str
        Column of 0 and 1.
    weights : numpy.ndarray
        One a row, from ``entropy_balance``.
    level : float
        Level of the intervals.
    unit : str
        Unit of the outcomes, for the formatter.

    References
    ----------
    Sant'Anna and Zhao (2020), "Doubly robust difference-in-differences estimators", Journal of
    Econometrics 219(1). Zhao and Percival (2017), "Entropy balancing is doubly robust", Journal of
    Causal Inference 5(1).
    """
    design = _design(frame, treated, covariates, weights)
    is_treated = frame[treated].to_numpy() == 1
    effects, spread = {}, {}
    for outcome in outcomes:
        fit = sm.WLS(frame[outcome].to_numpy(dtype=float), design, weights=weights).fit(cov_type="HC3")
        effects[outcome] = _estimate(fit.params[1], fit.bse[1], level, unit, int(is_treated.sum()))
        spread[outcome] = float(np.std(fit.resid[is_treated], ddof=1))
    return AdjustedDifference(effects=effects, residual_sd=spread)


def _design(frame: pd.DataFrame, treated: str, covariates: list[str], weights: np.ndarray) -> np.ndarray:
    """Constant, treatment, covariates in standard deviations from the treated mean, none a sum of others."""
    flag = frame[treated].to_numpy(dtype=float)
    values = frame[covariates].to_numpy(dtype=float)
    scale = values.std(axis=0)
    varying = scale > ROUNDING * np.abs(values).max(axis=0)
    values = (values[:, varying] - values[flag == 1][:, varying].mean(axis=0)) / scale[varying]
    fixed = np.column_stack([np.ones(len(frame)), flag])
    return np.column_stack([fixed, values[:, _independent(fixed, values, np.sqrt(weights))]])


def _independent(fixed: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Numbers of columns of ``values`` that the fixed columns and the others do not already hold, once weighted."""
    first, rest = fixed * weight[:, None], values * weight[:, None]
    left = rest - first @ np.linalg.lstsq(first, rest, rcond=None)[0]
    _, triangle, order = qr(left, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    return np.sort(order[: int((size > COLLINEAR * max(size.max(initial=0.0), np.abs(rest).max(initial=0.0))).sum())])


def _estimate(value: float, se: float, level: float, unit: str, n: int) -> Estimate:
    reach = norm.ppf(0.5 + level / 2) * se
    return Estimate(
        value=float(value), se=float(se), ci_lower=float(value - reach), ci_upper=float(value + reach),
        level=level, unit=unit, n=n, method=METHOD,
    )  # fmt: skip
