"""The coefficient of one regressor, when which others belong beside it is not known: selected twice, then fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import ContractError, InvalidValue, unknown
from analysis_lib.regression.fitting import fit
from analysis_lib.regression.result import Fit
from analysis_lib.results import Estimate, Result

if TYPE_CHECKING:
    import pandas as pd

#: How far the penalty lies above what noise alone needs, and the chance of letting noise in, of 1 / ln(rows).
SLACK, ROUNDS = 1.1, 15


@dataclass(frozen=True, slots=True, eq=False)
class DoubleLasso(Result):
    """A coefficient beside selected controls.

    Attributes
    ----------
    estimate : Estimate
        Of the regressor, in the outcome's unit per unit of it.
    of_outcome, of_regressor : tuple of str
        Controls that foretell the outcome, and the regressor.
    fit : Fit
        The regression beside all of them.
    regressor : str
        Whose coefficient it is.
    """

    estimate: Estimate
    of_outcome: tuple[str, ...]
    of_regressor: tuple[str, ...]
    fit: Fit
    regressor: str

    @property
    def controls(self) -> tuple[str, ...]:
        """All that were selected."""
        return tuple(dict.fromkeys((*self.of_outcome, *self.of_regressor)))

    def to_frame(self) -> pd.DataFrame:
        """Coefficients of the final regression."""
        return self.fit.coefficients

    @property
    def text(self) -> str:
        """The coefficient and what it stands beside."""
        beside = ", ".join(self.controls) or "nothing else"
        return f"{self.regressor}: {self.estimate.short}, beside {beside}."


def double_lasso(
    frame: pd.DataFrame, *, outcome: str, regressor: str, controls: Sequence[str],
    fixed_effects: str | Sequence[str] = (), cluster: str | None = None, level: float = 0.95,
) -> DoubleLasso:  # fmt: skip
    """Select the controls that foretell the outcome, and those that foretell the regressor; fit beside both.

    A control that moves the regressor is kept even if it hardly shows in the outcome: leaving it out is what biases
    estimates after selecting once. Penalties come from theory, not from cross-validation, with loadings that allow
    for clusters.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows without missing values.
    outcome, regressor, controls : str
        Columns.
    fixed_effects : str or sequence of str
        Taken out of everything beforehand, never selected away.
    cluster : str, optional
        Column in which errors go together.
    level : float
        Of the interval.

    Raises
    ------
    UnknownName
        A column that is not there.
    ContractError
        Missing values.
    InvalidValue
        No controls, or the regressor among them.

    References
    ----------
    Belloni, Chernozhukov and Hansen (2014), "Inference on treatment effects after selection among high-dimensional
    controls", Review of Economic Studies 81(2); Belloni, Chernozhukov, Hansen and Kozbur (2016), "Inference in
    high-dimensional panel models with an application to gun control", Journal of Business & Economic Statistics 34(4),
    for fixed effects and clusters.
    """
    names = [fixed_effects] if isinstance(fixed_effects, str) else list(fixed_effects)
    _check(frame, outcome, regressor, list(controls), [*names, *([cluster] if cluster else [])])
    within = _within(frame, [outcome, regressor, *controls], names)
    codes = frame[cluster].astype("category").cat.codes.to_numpy() if cluster else np.arange(len(frame))
    x = within[:, 2:]
    chosen = []
    for side in (within[:, 0], within[:, 1]):
        kept = selected(x, side, codes)
        chosen.append(tuple(name for name, keep in zip(controls, kept, strict=True) if keep))
    beside = " + ".join(f"Q('{name}')" if not name.isidentifier() else name
                        for name in (regressor, *dict.fromkeys((*chosen[0], *chosen[1]))))  # fmt: skip
    found = fit(f"{outcome} ~ {beside}", frame, fixed_effects=names, cluster=cluster, level=level)
    return DoubleLasso(found.fit_of(regressor), chosen[0], chosen[1], found, regressor)


def _check(frame: pd.DataFrame, outcome: str, regressor: str, controls: list[str], others: list[str]) -> None:
    used = [outcome, regressor, *controls, *others]
    for name in used:
        if name not in frame.columns:
            raise unknown("column", name, list(frame.columns), "the frame")
    if not controls or regressor in controls:
        raise InvalidValue("controls to select from are needed, the regressor not among them")
    if frame[used].isna().to_numpy().any():
        raise ContractError("rows with missing values: leave them out first, so that all fits are of the same rows")


def _within(frame: pd.DataFrame, columns: list[str], fixed_effects: list[str]) -> np.ndarray:
    """Columns with fixed effects, or the mean, taken out."""
    from analysis_lib.regression.collinear import demeaned

    values = frame[columns].to_numpy(float)
    if not fixed_effects:
        return values - values.mean(axis=0)
    codes = np.column_stack([frame[name].astype("category").cat.codes.to_numpy() for name in fixed_effects])
    return demeaned(values, codes, np.ones(len(frame)))


def selected(x: np.ndarray, y: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Which columns the lasso keeps, its penalty from theory and its loadings from clustered scores."""
    from scipy.stats import norm  # slow to import
    from sklearn.linear_model import Lasso

    n, k = x.shape
    spread = x.std(axis=0)
    usable = spread > 1e-10 * max(float(np.abs(x).max()), 1e-300)
    kept = np.zeros(k, bool)
    if not usable.any() or float(y.std()) <= 0:
        return kept
    z = x[:, usable] / spread[usable]
    # In lasso's scale (½ mean squares + penalty), noise of clustered scores needs this much.
    reach = SLACK * norm.ppf(1 - 0.1 / np.log(n) / (2 * z.shape[1])) / np.sqrt(n)
    residual = y
    for _ in range(ROUNDS):
        loadings = _loadings(z, residual, clusters)
        model = Lasso(alpha=reach, fit_intercept=False, max_iter=20_000, tol=1e-8).fit(z / loadings, y)
        support = model.coef_ != 0
        fitted = z[:, support] @ np.linalg.lstsq(z[:, support], y, rcond=None)[0] if support.any() else np.zeros(n)
        renewed = y - fitted
        if np.allclose(renewed, residual, rtol=0, atol=1e-9 * float(np.abs(y).max())):
            break
        residual = renewed
    kept[np.flatnonzero(usable)[support]] = True
    return kept


def _loadings(z: np.ndarray, residual: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Standard deviation of each column's score, clusters as wholes."""
    scores = z * residual[:, None]
    sums = np.zeros((int(clusters.max()) + 1, z.shape[1]))
    np.add.at(sums, clusters, scores)
    found = np.sqrt(np.square(sums).sum(axis=0) / len(z))
    return np.maximum(found, 1e-12 * max(float(found.max()), 1e-300))
