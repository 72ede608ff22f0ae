"""Trade between markets as it was told apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.countries import flows_exhibits, flows_text
from analysis_lib.countries.flows_levers import Levers
from analysis_lib.countries.gravity_cells import FlowCells, sides
from analysis_lib.countries.gravity_fit import Coefficients
from analysis_lib.errors import unknown
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

#: A change of the rate that effects are told for: the currency loses a tenth.
LOSS = 0.10

#: Months of a year's comparison.
YEAR = 12

#: What a change over time can be told of.
OUTCOMES = ("units", "gmv_usd")


@dataclass(frozen=True, slots=True, eq=False)
class CountryFlows(Finding):
    """Who sells where, what borders, currencies and delivery do to it, and what faster delivery is worth.

    Attributes
    ----------
    cells : FlowCells
        What was counted.
    is_structural : bool
        Whether origins have effects of their own in the regression of the border.
    border : Coefficients or None
        Of is_home (and log_merchants, where origins have no effects) on sales in USD.
    changes : dict of str to Coefficients
        By outcome (``OUTCOMES``): of log_rate and log_days; without those that were refused.
    levers : Levers
        What faster delivery is worth.
    expected : pandas.DataFrame
        From ``flows_expected.expected_shares``; empty if refused.
    refused : dict of str to str
        What could not be told, with the reason.
    level : float
        Level of the intervals.
    source : str
        Name of the source.
    """

    SENTENCES = flows_text.SENTENCES
    EXHIBITS = flows_exhibits.EXHIBITS
    CALLED = "an account of flows"
    PLOTTED = "matrix"

    cells: FlowCells
    is_structural: bool
    border: Coefficients | None
    changes: dict[str, Coefficients]
    levers: Levers
    expected: pd.DataFrame
    refused: dict[str, str]
    level: float
    source: str

    @property
    def markets(self) -> dict[str, str]:
        """Names of destinations by code."""
        return self.cells.markets

    def border_ratio(self) -> Estimate | None:
        """Sales of a merchant at home for each 1 of a merchant abroad, in the same market and month."""
        return None if self.border is None else _through(self.border.values["is_home"], np.exp, "times")

    def currency(self, outcome: str = "units") -> Estimate | None:
        """Change of what is bought abroad against home when a market's currency loses a tenth; None if refused."""
        return self._change(outcome, "log_rate", float(np.log(1 - LOSS)))

    def delivery(self, outcome: str = "units") -> Estimate | None:
        """Change of what is bought abroad against home when delivery takes a tenth more days; None if refused."""
        return self._change(outcome, "log_days", float(np.log(1 + LOSS)))

    def _change(self, outcome: str, term: str, by: float) -> Estimate | None:
        if outcome not in OUTCOMES:
            raise unknown("outcome", outcome, OUTCOMES, "what gravity is told of")
        if outcome not in self.changes or term not in self.changes[outcome].values:
            return None
        return _through(self.changes[outcome].values[term], lambda x: np.expm1(x * by), "share")

    @property
    def matrix(self) -> pd.DataFrame:
        """Trade by origin and destination.

        Returns
        -------
        DataFrame
            origin, country, gmv_usd, rel_of_market (share of the destination's sales). Missing where fewer buyers
            than the privacy threshold bought; 0 where nobody did.
        """
        flows = self.cells.flows.groupby(["origin", "country"], as_index=False)["gmv_usd"].sum()
        flows["rel_of_market"] = flows["gmv_usd"] / flows.groupby("country")["gmv_usd"].transform("sum")
        flows = flows.merge(self.cells.buyers, on=["origin", "country"], how="left")
        few = (flows["gmv_usd"] != 0) & (flows["n_buyers"].fillna(0) < PRIVACY_THRESHOLD)
        flows.loc[few, ["gmv_usd", "rel_of_market"]] = np.nan
        return flows.drop(columns="n_buyers")

    @property
    def table(self) -> pd.DataFrame:
        """Home against abroad, by market.

        Returns
        -------
        DataFrame
            country, rel_abroad (share of sales in USD); and of each side (_home, _abroad): gmv_usd, rel_growth (the
            last 12 months against the 12 before; missing with fewer), delivery_days, rel_returned (of delivered
            lines), usd_per_unit, shipping_usd (per line).
        """
        import pandas as pd

        sums = sides(self.cells).groupby(["country", "is_abroad"]).sum(numeric_only=True)
        found = {"rel_abroad": _side(sums, "gmv_usd", True) / sums["gmv_usd"].groupby("country").sum()}
        growth = self._growth()
        ratios = {
            "delivery_days": ("delivery_days", "n_delivered"), "rel_returned": ("n_returned", "n_settled"),
            "usd_per_unit": ("gmv_usd", "units"), "shipping_usd": ("shipping_usd", "n_lines"),
        }  # fmt: skip
        for word, abroad in (("home", False), ("abroad", True)):
            found[f"gmv_usd_{word}"] = _side(sums, "gmv_usd", abroad)
            found[f"rel_growth_{word}"] = _side(growth, "rel_growth", abroad)
            for name, (part, whole) in ratios.items():
                over = _side(sums, whole, abroad)
                found[f"{name}_{word}"] = _side(sums, part, abroad) / over.where(over > 0)
        return pd.DataFrame(found).rename_axis("country").reset_index()

    def _growth(self) -> pd.DataFrame:
        months = self.cells.months
        frame = sides(self.cells)
        if len(months) < 2 * YEAR:
            return frame.groupby(["country", "is_abroad"])[["gmv_usd"]].sum().assign(rel_growth=np.nan)
        late = frame["month"] >= months[-YEAR]
        early = (frame["month"] >= months[-2 * YEAR]) & ~late
        by = ["country", "is_abroad"]
        after, before = (frame[part].groupby(by)["gmv_usd"].sum() for part in (late, early))
        return (after / before.where(before > 0) - 1).to_frame("rel_growth")

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """Whether to speed up delivery from abroad, and where."""
        return flows_text.decide(self)

    @property
    def text(self) -> str:
        """What flows, what holds it back, and what to do."""
        return f"{flows_text.headline(self)} {self.decision.text}"

    def answer(self, *, grade: str = "") -> Answer:
        """The first screen of the page; ``grade`` is how far the method can be trusted, from ``calibration.told``."""
        return flows_text.answer(self, grade)


def _side(sums: pd.DataFrame, name: str, abroad: bool) -> pd.Series:
    """A column of one side by market; 0 where the side sold nothing."""
    wide = sums[name].unstack("is_abroad")
    return wide[abroad] if abroad in wide else wide.iloc[:, 0] * 0.0


def _through(one: Estimate, of, unit: str) -> Estimate:
    """A monotone function of an estimate; the error by the delta method."""
    low, high = sorted((float(of(one.ci_lower)), float(of(one.ci_upper))))
    step = 1e-5
    slope = abs(float(of(one.value + step)) - float(of(one.value - step))) / (2 * step)
    return replace(one, value=float(of(one.value)), se=one.se * slope, ci_lower=low, ci_upper=high, unit=unit)
