"""Weights that make an untreated group look like a treated one before treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from analysis_lib.causal.alike import counts_of, mean_of, variance_of
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Result, format_count

#: Largest standardised mean difference that counts as balanced (Stuart 2010 uses 0.1; exact balance
#: is the aim of entropy balancing, so the bar is lower).
BALANCED = 0.01

#: Pull of the dual's variables towards zero: keeps weights finite when two covariates are nearly
#: collinear; at this size the remaining imbalance stays under ``BALANCED``.
RIDGE = 1e-5

#: A spread this small against the numbers themselves is rounding: the column is constant.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class BalancingWeights(Result):
    """Weights of the untreated units, and how well they balance.

    Attributes
    ----------
    weights : numpy.ndarray
        Weight of a unit, one a row of the input: ``1 / n_treated`` for treated rows; those of all untreated units
        sum to 1.
    balance : pandas.DataFrame
        covariate, treated_mean, untreated_mean, weighted_mean, difference_before,
        difference_after (in pooled standard deviations of the treated and untreated).
    n_treated, n_untreated : int
        Units in each group.
    effective_n : float
        Kish's effective number of untreated units: 1 / sum of squared weights.
    """

    weights: np.ndarray
    balance: pd.DataFrame
    n_treated: int
    n_untreated: int
    effective_n: float

    @property
    def worst_before(self) -> float:
        """Largest absolute standardised difference before weighting."""
        return float(self.balance["difference_before"].abs().max())

    @property
    def worst_after(self) -> float:
        """Largest absolute standardised difference after weighting."""
        return float(self.balance["difference_after"].abs().max())

    @property
    def text(self) -> str:
        """What the weights did, in one sentence."""
        return (
            f"Before weighting the groups differ by up to {self.worst_before:.2f} standard deviations; after it by at "
            f"most {self.worst_after:.2f}. The price is information: the {format_count(self.n_untreated)} untargeted "
            f"count as {format_count(self.effective_n)}."
        )

    def to_frame(self) -> pd.DataFrame:
        """The balance table."""
        return self.balance.copy()


def entropy_balance(
    frame: pd.DataFrame, *, treated: str, covariates: list[str], counts: str | None = None
) -> BalancingWeights:
    """Untreated weights, as even as possible, that match the treated means of ``covariates``.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit, or one for several alike.
    treated : str
        Column of 0 and 1.
    covariates : list of str
        Columns whose means are matched; constant ones are left out.
    counts : str, optional
        Column of how many units a row stands for; without it, one each.

    Raises
    ------
    NotEnoughData
        If a group is empty, or no weights balance the groups (no overlap).

    References
    ----------
    Hainmueller (2012), "Entropy Balancing for Causal Effects", Political Analysis 20(1), 25-46: the
    convex dual of section 3, by Newton's method.
    """
    is_treated = frame[treated].to_numpy(dtype=float) == 1
    if is_treated.all() or not is_treated.any():
        raise NotEnoughData("both groups are needed: there are no " + ("untreated" if is_treated.all() else "treated"))
    values, units = frame[covariates].to_numpy(dtype=float), counts_of(frame, counts)
    scale = _pooled_sd(values, is_treated, units)
    varying = scale > 0
    gaps = values[~is_treated][:, varying] - mean_of(values[is_treated][:, varying], units[is_treated])
    untreated = _solve_dual(gaps / scale[varying], units[~is_treated])
    weights = np.where(is_treated, 1.0 / units[is_treated].sum(), 0.0)
    weights[~is_treated] = untreated
    balance = _balance_table(covariates, values, is_treated, weights * units, units, scale)
    worst = float(balance["difference_after"].abs().max()) if len(balance) else 0.0
    if worst > BALANCED:
        name = balance.loc[balance["difference_after"].abs().idxmax(), "covariate"]
        raise NotEnoughData(
            f"no weights make the untargeted comparable: '{name}' still differs by {worst:.2f} standard deviations"
        )
    return BalancingWeights(
        weights=weights, balance=balance, n_treated=int(units[is_treated].sum()),
        n_untreated=int(units[~is_treated].sum()),
        effective_n=float(1.0 / (units[~is_treated] @ np.square(untreated))),
    )  # fmt: skip


def _solve_dual(gaps: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Weights of an untreated unit of each row from its standardised distances to the treated means."""

    def dual(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        weights, log_total = _softmax(gaps @ multipliers, units)
        value = log_total + 0.5 * RIDGE * multipliers @ multipliers
        return value, (weights * units) @ gaps + RIDGE * multipliers

    def curvature(multipliers: np.ndarray) -> np.ndarray:
        share = _softmax(gaps @ multipliers, units)[0] * units
        mean = share @ gaps
        return (gaps * share[:, None]).T @ gaps - np.outer(mean, mean) + RIDGE * np.eye(len(mean))

    if gaps.shape[1] == 0:  # nothing varies: even weights, and the balance table says whether they do
        return np.full(len(gaps), 1.0 / units.sum())
    start = np.zeros(gaps.shape[1])
    solution = minimize(
        dual, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-6, "maxiter": 500}
    )
    return _softmax(gaps @ solution.x, units)[0]


def _softmax(scores: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, float]:
    top = scores.max()
    raw = np.exp(scores - top)
    total = float(raw @ units)
    return raw / total, float(top + np.log(total))


def _pooled_sd(values: np.ndarray, is_treated: np.ndarray, units: np.ndarray) -> np.ndarray:
    both = [variance_of(values[group], units[group]) for group in (is_treated, ~is_treated)]
    pooled = np.sqrt(np.mean(both, axis=0))
    return np.where(pooled > ROUNDING * np.abs(values).max(axis=0), pooled, 0.0)


def _balance_table(
    covariates: list[str], values: np.ndarray, is_treated: np.ndarray, shares: np.ndarray, units: np.ndarray,
    scale: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    treated, plain = (mean_of(values[group], units[group]) for group in (is_treated, ~is_treated))
    weighted = shares[~is_treated] @ values[~is_treated]
    safe = np.where(scale > 0, scale, 1.0)
    return pd.DataFrame(
        {
            "covariate": covariates,
            "treated_mean": treated,
            "untreated_mean": plain,
            "weighted_mean": weighted,
            "difference_before": (treated - plain) / safe,
            "difference_after": (treated - weighted) / safe,
        }
    )
