"""What a chance or a count changes by, on average, when one regressor does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.regression.result import Fit
from analysis_lib.results import Estimate, Result

#: Step of the derivative by coefficients, in standard errors.
STEP = 1e-4

#: Kinds with a curve between terms and outcome.
CURVED = ("logit", "probit", "poisson", "negative_binomial")


@dataclass(frozen=True, slots=True, eq=False)
class MarginalEffects(Result):
    """Average effects on the outcome itself.

    Attributes
    ----------
    frame : pandas.DataFrame
        term, value, se, ci_lower, ci_upper, pvalue: change of the chance (share) or of the count per unit of the term;
        for terms of 0 and 1, from 0 to 1.
    left_out : tuple of str
        Terms that cannot move alone (squares, interactions).
    unit : str
        ``pp`` for chances; empty for counts.
    level : float
        Level of the intervals.
    n : int
        Rows averaged over.
    """

    frame: pd.DataFrame
    left_out: tuple[str, ...]
    unit: str
    level: float
    n: int

    def to_frame(self) -> pd.DataFrame:
        """One row a term."""
        return self.frame.copy()

    def fit_of(self, term: str) -> Estimate:
        """One effect with its interval.

        Raises
        ------
        UnknownName
            No such term.
        """
        if term not in set(self.frame["term"]):
            raise unknown("term", term, self.frame["term"], "the marginal effects")
        row = self.frame.set_index("term").loc[term]
        return Estimate(
            value=float(row["value"]), se=float(row["se"]), ci_lower=float(row["ci_lower"]),
            ci_upper=float(row["ci_upper"]), level=self.level, unit=self.unit, n=self.n,
            method="average marginal effect, delta method",
        )  # fmt: skip

    @property
    def text(self) -> str:
        """Each effect with its interval."""
        said = "; ".join(f"{name} {self.fit_of(name).short}" for name in self.frame["term"])
        rest = f" Not told for {', '.join(self.left_out)}: no term that moves alone." if self.left_out else ""
        return f"On average over {self.n} rows, one unit more goes with: {said}.{rest}"


def marginal_effects(fit: Fit) -> MarginalEffects:
    """Average marginal effects of a logit, probit, Poisson or negative binomial regression, by the delta method.

    Raises
    ------
    InvalidValue
        Another kind: there a coefficient is the effect.

    References
    ----------
    Wooldridge (2010), "Econometric Analysis of Cross Section and Panel Data", section 15.6.
    """
    from scipy.stats import t  # slow to import

    if fit.request.kind not in CURVED:
        raise InvalidValue(f"kind='{fit.request.kind}' needs no marginal effects: its coefficients are effects already")
    alone, tangled = _moving_alone(fit)
    places = [fit.solved.sample.names.index(name) for name in alone]
    k = fit.solved.n_terms
    at = fit.solved.coefficients[:k]
    covariance = fit.errors.covariance[:k, :k]
    effects = _effects_at(fit, places)
    value = effects(at)
    steps = STEP * np.sqrt(np.diag(covariance))
    slopes = np.column_stack([
        (effects(at + step * one) - effects(at - step * one)) / (2 * step)
        for step, one in zip(steps, np.eye(k), strict=True)
    ])  # fmt: skip
    se = np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes))
    reach = t.ppf(0.5 + fit.request.level / 2, fit.errors.df) * se
    frame = pd.DataFrame({
        "term": alone, "value": value, "se": se, "ci_lower": value - reach, "ci_upper": value + reach,
        "pvalue": 2 * t.sf(np.abs(value / se), fit.errors.df),
    })  # fmt: skip
    unit = "pp" if fit.request.kind in ("logit", "probit") else ""
    return MarginalEffects(frame, tuple(tangled), unit, fit.request.level, fit.n)


def _moving_alone(fit: Fit) -> tuple[list[str], list[str]]:
    """Terms whose variable stands in no other term, and the others."""
    import formulaic  # slow to import

    holds: dict[str, set[str]] = {}
    for term in formulaic.Formula(fit.request.formula).rhs:
        for factor in term.factors:
            if str(factor) != "1":
                for variable in formulaic.Formula(str(factor)).required_variables:
                    holds.setdefault(str(variable), set()).add(str(term))
    tangled = {term for terms in holds.values() if len(terms) > 1 for term in terms}
    tangled |= {term for term in set().union(*holds.values()) if ":" in term} if holds else set()
    is_tangled = [
        name in tangled or any(name.startswith(f"{term}[") for term in tangled) or ":" in name
        for name in fit.regressors
    ]
    pairs = list(zip(fit.regressors, is_tangled, strict=True))
    return [name for name, held in pairs if not held], [name for name, held in pairs if held]


def _curve(kind: str) -> tuple[Callable, Callable]:
    """Outcome from the sum of terms, and its derivative."""
    if kind == "logit":
        from scipy.special import expit  # slow to import

        return expit, lambda eta: expit(eta) * (1 - expit(eta))
    if kind == "probit":
        from scipy.stats import norm  # slow to import

        return norm.cdf, norm.pdf
    return np.exp, np.exp


def _effects_at(fit: Fit, places: list[int]) -> Callable[[np.ndarray], np.ndarray]:
    """Average effects as a function of the coefficients; effects of fixed levels stay as they are."""
    curve, slope = _curve(fit.request.kind)
    sample, k = fit.solved.sample, fit.solved.n_terms
    design, weights, start = sample.design, sample.weights, fit.solved.coefficients[:k]
    base = np.log(fit.solved.fitted) if sample.effects.shape[1] else design @ start

    def effects(coefficients: np.ndarray) -> np.ndarray:
        eta = base + design @ (coefficients - start)
        found = []
        for place in places:
            column = design[:, place]
            if np.isin(column, (0.0, 1.0)).all():
                low = eta - column * coefficients[place]
                moved = curve(low + coefficients[place]) - curve(low)
            else:
                moved = slope(eta) * coefficients[place]
            found.append(np.average(moved, weights=weights))
        return np.array(found)

    return effects
