"""The growth of markets as it was told apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries import growth_exhibits, growth_text
from analysis_lib.countries.growth_cells import GrowthCells
from analysis_lib.countries.growth_parts import NOT_ORGANIC, PARTS, GrowthParts
from analysis_lib.countries.periods import Periods
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

METHOD = "log-mean Divisia index; infinitesimal jackknife over groups of users"

#: All markets together, where a market is asked for.
ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class CountryGrowth(Finding):
    """What each market's growth is made of.

    Attributes
    ----------
    periods : Periods
        What is compared with what.
    markets : dict of str to str
        Names by code, in the order of the axes.
    cells : GrowthCells
        What was counted.
    parts : GrowthParts
        Contributions by replicate.
    left_out : dict of str to str
        Markets that cannot be told, with the reason.
    level : float
        Level of the intervals.
    last_day : datetime.date
        Last day of the data.
    source : str
        Name of the source.
    """

    SENTENCES = growth_text.SENTENCES
    EXHIBITS = growth_exhibits.EXHIBITS
    CALLED = "a growth account"
    PLOTTED = "growth"

    periods: Periods
    markets: dict[str, str]
    cells: GrowthCells
    parts: GrowthParts
    left_out: dict[str, str]
    level: float
    last_day: date
    source: str

    def part(self, name: str, market: str = ALL, *, relative: bool = True) -> Estimate:
        """What a part contributed, relative to the sales before or in USD."""
        return self._estimate(self._pick(self.parts.values[..., PARTS.index(name)], market), market, relative)

    def reported(self, market: str = ALL, *, relative: bool = True) -> Estimate:
        """Growth in USD as it is reported."""
        return self._estimate(self._pick(self.parts.values.sum(axis=-1), market), market, relative)

    def organic(self, market: str = ALL, *, relative: bool = True) -> Estimate:
        """Growth without currency, festivals and campaigns."""
        kept = [place for place, name in enumerate(PARTS) if name not in NOT_ORGANIC]
        return self._estimate(self._pick(self.parts.values[..., kept].sum(axis=-1), market), market, relative)

    def _pick(self, values: np.ndarray, market: str) -> np.ndarray:
        return values.sum(axis=1) if market == ALL else values[:, list(self.markets).index(market)]

    def _estimate(self, change: np.ndarray, market: str, relative: bool) -> Estimate:
        values = change / self._pick(self.parts.before, market) if relative else change
        se, low, high = (float(bound[0]) for bound in self.parts.bounds(values[:, None], self.level))
        unit = "share" if relative else "usd"
        return Estimate(float(values[0]), se, low, high, self.level, unit, self.cells.n_days, METHOD)

    @property
    def table(self) -> pd.DataFrame:
        """Contributions of each market and part.

        Returns
        -------
        DataFrame
            country, part, contribution, contribution_ci_lower, contribution_ci_upper (USD), rel_contribution,
            rel_contribution_ci_lower, rel_contribution_ci_upper (of the market's sales before).
        """
        import pandas as pd

        rows = []
        for code in self.markets:
            for name in PARTS:
                money, share = self.part(name, code, relative=False), self.part(name, code)
                rows.append((code, name, money.value, money.ci_lower, money.ci_upper, share.value, share.ci_lower,
                             share.ci_upper))  # fmt: skip
        ends = ("", "_ci_lower", "_ci_upper")
        columns = [f"{kind}{end}" for kind in ("contribution", "rel_contribution") for end in ends]
        return pd.DataFrame(rows, columns=["country", "part", *columns])

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """Where to look first."""
        return growth_text.decide(self)

    @property
    def text(self) -> str:
        """How much it grew and why, and where to look."""
        return f"{growth_text.headline(self)} {self.decision.text}"

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return growth_text.answer(self)
