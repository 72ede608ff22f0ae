"""A fitted regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib.errors import unknown
from analysis_lib.regression.request import Request
from analysis_lib.regression.solved import Solved
from analysis_lib.regression.variance import WORDS, Variance
from analysis_lib.results import Estimate, Result, format_count, format_percent

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Result):
    """Coefficients with errors, and how both came about.

    Attributes
    ----------
    request : Request
        What was asked for.
    solved : Solved
        Scores, residuals and the rows used.
    errors : Variance
        The covariance and the rule that chose it.
    frame : pandas.DataFrame
        The frame as it was given.
    """

    request: Request
    solved: Solved
    errors: Variance
    frame: pd.DataFrame

    @property
    def coefficients(self) -> pd.DataFrame:
        """One row a term.

        Returns
        -------
        pandas.DataFrame
            term, value, se, ci_lower, ci_upper, pvalue; in the outcome's unit per unit of the term (for logit, probit
            and counts on the scale of the link).
        """
        from scipy.stats import t  # slow to import

        k = self.solved.n_terms
        value, se = self.solved.coefficients[:k], np.sqrt(np.diag(self.errors.covariance))[:k]
        reach = t.ppf(0.5 + self.request.level / 2, self.errors.df) * se
        bounds = np.column_stack([value - reach, value + reach])
        with np.errstate(divide="ignore", invalid="ignore"):
            pvalue = 2 * t.sf(np.abs(value / se), self.errors.df)
        if self.errors.intervals is not None:
            bounds, pvalue = self.errors.intervals, self.errors.pvalues
        return pd.DataFrame({
            "term": self.solved.sample.names, "value": value, "se": se, "ci_lower": bounds[:, 0],
            "ci_upper": bounds[:, 1], "pvalue": pvalue,
        })  # fmt: skip

    @property
    def n(self) -> int:
        """Rows that were used."""
        return self.solved.sample.n

    @property
    def n_clusters(self) -> int | None:
        """Clusters, of the column that has fewest; None where errors are not clustered."""
        return self.errors.n_clusters

    @property
    def dropped(self) -> pd.DataFrame:
        """What was left out: reason, name, n (rows; missing for terms)."""
        return self.solved.sample.dropped

    @property
    def variance(self) -> str:
        """How errors are measured, in words."""
        return WORDS[self.errors.name]

    @property
    def reason(self) -> str:
        """Why errors are measured so."""
        return self.errors.reason

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the coefficients, by term."""
        k, names = self.solved.n_terms, list(self.solved.sample.names)
        return pd.DataFrame(self.errors.covariance[:k, :k], index=names, columns=names)

    @property
    def facts(self) -> Mapping[str, float]:
        """R², first-stage F, dispersion and the like, as the kind has them."""
        return self.solved.facts

    @property
    def outcome(self) -> str:
        """The left side of the formula."""
        return self.request.formula.split("~", 1)[0].strip()

    @property
    def regressors(self) -> tuple[str, ...]:
        """Terms without the constant."""
        return tuple(name for name in self.solved.sample.names if name != "Intercept")

    def fit_of(self, term: str, unit: str = "") -> Estimate:
        """One coefficient with its interval.

        Raises
        ------
        UnknownName
            No such term; the message names the nearest.
        """
        names = list(self.solved.sample.names)
        if term not in names:
            raise unknown("term", term, names, f"the regression {self.request.formula}")
        row = self.coefficients.iloc[names.index(term)]
        return Estimate(
            value=float(row["value"]), se=float(row["se"]), ci_lower=float(row["ci_lower"]),
            ci_upper=float(row["ci_upper"]), level=self.request.level, unit=unit, n=self.n,
            method=f"{self.request.kind.replace('_', ' ')}, {self.variance}",
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """As ``coefficients``."""
        return self.coefficients

    @property
    def left_out(self) -> str:
        """What was left out, in words; empty if nothing was."""
        said = []
        for row in self.dropped.itertuples():
            if row.reason in ("collinear", "absorbed"):
                why = (
                    "is a sum of terms before it" if row.reason == "collinear" else "does not vary within fixed effects"
                )
                said.append(f"{row.name} {why}")
            else:
                rows = format_count(row.n, "rows" if row.n > 1 else "row")
                said.append(f"{rows}: {row.name} {_WHY[row.reason]}")
        return f"Left out: {'; '.join(said)}." if said else ""

    @property
    def text(self) -> str:
        """Each coefficient with its interval, what errors allow for, and what was left out."""
        table = self.coefficients.set_index("term")
        told = [name for name in self.regressors if np.isfinite(table.loc[name, ["ci_lower", "ci_upper"]]).all()]
        terms = "; ".join(f"{name} {self.fit_of(name).short}" for name in told)
        said = f"{self.outcome} on {terms} ({format_percent(self.request.level, 0)} intervals)."
        errors = f"Errors are {self.variance}: {self.reason}."
        return f"{said} {format_count(self.n, 'rows')}. {errors} {self.left_out}".strip()


_WHY = {
    "missing": "is missing", "singleton": "has a level of one row", "outcome always 0": "has a level in which all is 0",
    "no period before": "without the period before",
}  # fmt: skip
