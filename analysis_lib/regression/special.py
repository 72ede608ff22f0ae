"""Quantile regression, and mixed models with an effect by unit that is drawn at random."""

from __future__ import annotations

import warnings

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.regression.sample import Sample
from analysis_lib.regression.solved import Solved


def solve_quantile(sample: Sample, quantile: float) -> Solved:
    """Coefficients of a quantile regression; the density at the quantile by Powell's kernel.

    Raises
    ------
    NotEnoughData
        Fewer than 10 rows on either side of the quantile.

    References
    ----------
    Powell (1991), "Estimation of monotonic regression models under quantile restrictions". Parente and Santos
    Silva (2016), "Quantile regression with clustered data", Journal of Econometric Methods 5(1).
    """
    import statsmodels.api as sm  # slow to import

    if min(quantile, 1 - quantile) * sample.n < 10:
        raise NotEnoughData(
            f"{sample.n} rows leave fewer than 10 beyond the {quantile:g} quantile: take one nearer 0.5, or more rows"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = sm.QuantReg(sample.outcome, sample.design).fit(q=quantile, max_iter=5000, p_tol=1e-8)
    coefficients = np.asarray(result.params)
    residuals = sample.outcome - sample.design @ coefficients
    density = _density(residuals, quantile)
    bread = np.linalg.inv((sample.design * density[:, None]).T @ sample.design)
    scores = (quantile - (residuals < 0))[:, None] * sample.design
    cross = sample.design.T @ sample.design
    return Solved(
        sample=sample, coefficients=coefficients, bread=bread, scores=scores, residuals=residuals,
        fitted=sample.outcome - residuals, equal=quantile * (1 - quantile) * bread @ cross @ bread,
        facts={"pseudo_r2": float(result.prsquared)},
    )  # fmt: skip


def _density(residuals: np.ndarray, quantile: float) -> np.ndarray:
    """A box kernel of Hall and Sheather's width, in units of the residuals' spread."""
    from scipy.stats import norm  # slow to import

    n, z = len(residuals), norm.ppf(quantile)
    width = n ** (-1 / 3) * norm.ppf(0.975) ** (2 / 3) * (1.5 * norm.pdf(z) ** 2 / (2 * z**2 + 1)) ** (1 / 3)
    low, high = max(quantile - width, 1e-3), min(quantile + width, 1 - 1e-3)
    quarters = np.subtract(*np.percentile(residuals, [75, 25])) / 1.34
    reach = min(np.std(residuals), quarters if quarters > 0 else np.inf) * (norm.ppf(high) - norm.ppf(low))
    return (np.abs(residuals) <= reach) / (2 * reach)


def solve_mixed(sample: Sample) -> Solved:
    """Coefficients of a model with an intercept by unit drawn from a normal distribution (restricted likelihood).

    Raises
    ------
    NotEnoughData
        Fewer than 6 units, or no solution.
    """
    import statsmodels.api as sm  # slow to import

    n_units = int(sample.unit.max()) + 1
    if n_units < 6:
        raise NotEnoughData(
            f"{n_units} units: how units differ cannot be told from fewer than 6; write C(unit) instead"
        )
    result = _mixed_result(sm.MixedLM(sample.outcome, sample.design, groups=sample.unit))
    lasting = float(np.asarray(result.cov_re)[0, 0])
    covariance = _covariance(sample, lasting, float(result.scale))
    # With no difference between units there is nothing to predict of them.
    fitted = np.asarray(result.fittedvalues) if lasting > 0 else sample.design @ np.asarray(result.fe_params)
    return Solved(
        sample=sample, coefficients=np.asarray(result.fe_params), bread=covariance, scores=np.zeros_like(sample.design),
        residuals=sample.outcome - fitted, fitted=fitted, equal=covariance,
        facts={"unit_sd": lasting**0.5, "residual_sd": float(result.scale) ** 0.5},
    )  # fmt: skip


def _mixed_result(model):
    """The best of two solvers: one alone can end where the likelihood is not finite."""
    for method in (["bfgs", "cg"], ["powell"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = model.fit(reml=True, method=method)
            except (np.linalg.LinAlgError, ValueError):
                continue
        if result.converged and np.isfinite(result.llf):
            return result
    raise NotEnoughData("the mixed model does not settle: scale its columns alike, or use kind='panel'")


def _covariance(sample: Sample, lasting: float, own: float) -> np.ndarray:
    """Inverse of X'V⁻¹X, V of rows that share a draw of variance ``lasting`` by unit beside their ``own``."""
    sizes = np.bincount(sample.unit)
    share = 1 - np.sqrt(own / (own + sizes * lasting))
    sums = np.column_stack([np.bincount(sample.unit, column) for column in sample.design.T])
    left = sample.design - (share / sizes)[sample.unit, None] * sums[sample.unit]
    return own * np.linalg.inv(left.T @ left)
