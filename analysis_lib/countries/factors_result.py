"""What a metric goes with, as it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.countries import factors_exhibits, factors_text
from analysis_lib.countries.market_panel import alone
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.convergence import Convergence
    from analysis_lib.countries.market_panel import Factor, MarketPanel
    from analysis_lib.countries.slopes import Slopes
    from analysis_lib.regression import DoubleLasso, Fit, ModelAverage


@dataclass(frozen=True, slots=True, eq=False)
class CountryFactors(Finding):
    """What goes with a metric within markets.

    Attributes
    ----------
    panel : MarketPanel
        Rows by market and month.
    fit : Fit
        All factors at once, with effects of market and month.
    lassos : dict of str to DoubleLasso
        Each factor beside those of the others that were selected.
    average : ModelAverage
        All models of the factors.
    slopes : Slopes | None
        The surest factor market by market.
    pooled : dict of str to Slopes
        The same of every factor.
    convergence : Convergence
        Whether markets come closer to each other.
    level : float
        Level of the intervals.
    source : str
        Name of the source.
    gmv : dict of str to float
        Dollars sold in the last month, by market.
    """

    SENTENCES = factors_text.SENTENCES
    EXHIBITS = factors_exhibits.EXHIBITS
    CALLED = "a look at factors"
    PLOTTED = "effects"

    panel: MarketPanel
    fit: Fit
    lassos: dict[str, DoubleLasso]
    average: ModelAverage
    slopes: Slopes | None
    pooled: dict[str, Slopes]
    convergence: Convergence
    level: float
    source: str
    gmv: dict[str, float]

    def effect(self, factor: str) -> Estimate:
        """Log points of the metric per unit (or log point) of a factor."""
        return self.fit.fit_of(factor, "log_points")

    def alone(self, factor: str) -> pd.DataFrame:
        """country, month, y, x: the metric and a factor with all else taken out."""
        others = [one.name for one in self.panel.moving if one.name != factor]
        return alone(self.panel, factor, others)

    def typical(self, factor: Factor) -> Estimate:
        """Relative change of the metric that goes with one typical movement of the factor's own."""
        return self.fit.fit_of(factor.name, "share").scaled(factor.own, "share")

    @property
    def table(self) -> pd.DataFrame:
        """One row a factor: term, value, se, ci_lower, ci_upper, pvalue, inclusion, lasso, typical."""
        table = self.fit.coefficients.merge(
            self.average.terms[["term", "inclusion"]], on="term", how="left", validate="one_to_one"
        )
        lasso = {name: found.estimate.value for name, found in self.lassos.items()}
        moves = {factor.name: factor.own for factor in self.panel.moving}
        return table.assign(lasso=table["term"].map(lasso), typical=table["value"] * table["term"].map(moves))

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """Which lever to pull first, if any is sure."""
        return factors_text.decide(self)

    @property
    def text(self) -> str:
        """What it goes with, and what to do."""
        return f"{factors_text.headline(self)} {self.decision.text}"

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return factors_text.answer(self)
