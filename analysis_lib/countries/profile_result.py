"""A market as it was profiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.countries import profile_exhibits, profile_text
from analysis_lib.countries.gaps import BESIDE, FUNNEL, Gaps, Step
from analysis_lib.countries.growth_result import CountryGrowth
from analysis_lib.countries.peers import Peers
from analysis_lib.countries.profile_cells import ProfileCells
from analysis_lib.results import Answer, Decision, Finding

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class CountryProfile(Finding):
    """One market beside its peers.

    Attributes
    ----------
    country : str
        Its two letters.
    names : dict of str to str
        Names of all markets.
    cells : ProfileCells
        What was counted.
    peers : Peers
        The markets most like it.
    gaps : Gaps
        Its rates, its peers', and what the gaps are worth.
    growth : CountryGrowth | None
        Against a year before; None if that cannot be told.
    refusal : str
        Why not.
    months, payments, creators : pandas.DataFrame
        Sales by month, orders by way of paying, and how few creators sell how much; of all markets.
    level : float
        Level of the intervals.
    source : str
        Name of the source.
    """

    SENTENCES = profile_text.SENTENCES
    EXHIBITS = profile_exhibits.EXHIBITS
    CALLED = "a profile"
    PLOTTED = "funnel"

    country: str
    names: dict[str, str]
    cells: ProfileCells
    peers: Peers
    gaps: Gaps
    growth: CountryGrowth | None
    refusal: str
    months: pd.DataFrame
    payments: pd.DataFrame
    creators: pd.DataFrame
    level: float
    source: str

    @property
    def name(self) -> str:
        """The market's name."""
        return self.names[self.country]

    @property
    def actions(self) -> list[Step]:
        """Up to three steps at which it lies behind its peers: the sure ones first, then by money."""
        behind = [step for step in (*FUNNEL, *BESIDE) if step.advice and self.gaps.worth[step.name].value > 0]
        ranked = sorted(behind, key=lambda step: (not self.gaps.sure[step.name], -self.gaps.worth[step.name].value))
        return ranked[:3]

    @property
    def table(self) -> pd.DataFrame:
        """Rates beside those of the peers.

        Returns
        -------
        DataFrame
            step, value, ci_lower, ci_upper, peers (median), worth_usd, worth_usd_ci_lower, worth_usd_ci_upper (a month
            at the peers' level; missing where it is not priced).
        """
        import pandas as pd

        rows = []
        for step in (*FUNNEL, *BESIDE):
            own, worth = self.gaps.rates[step.name], self.gaps.worth.get(step.name)
            money = (float("nan"),) * 3 if worth is None else (worth.value, worth.ci_lower, worth.ci_upper)
            rows.append((step.title, own.value, own.ci_lower, own.ci_upper, self.gaps.levels[step.name], *money))
        ends = ["worth_usd", "worth_usd_ci_lower", "worth_usd_ci_upper"]
        return pd.DataFrame(rows, columns=["step", "value", "ci_lower", "ci_upper", "peers", *ends])

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """What to do first."""
        return profile_text.decide(self)

    @property
    def text(self) -> str:
        """How it stands, and what to do first."""
        return f"{profile_text.headline(self)} {self.decision.text}"

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return profile_text.answer(self)
