"""What the league of campaigns returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy.stats import norm

from analysis_lib.campaigns import league_exhibits, league_text
from analysis_lib.results import Answer, Decision, Estimate, Finding

#: Columns of the league: money in dollars, ``value`` the net additional sales per unit of cost, ``creators`` what
#: creators are paid of each unit of sales.
ROWS = (
    "campaign", "name", "country", "mechanic", "way", "cost", "net", "value", "se", "ci_lower", "ci_upper", "creators",
    "why_not",
)  # fmt: skip

OWNER = "Head of campaigns"

RULES = {
    "Change": "one campaign's return, with luck taken out, lies above another's beyond doubt",
    "Repeat": "none can be told from another, and what they bring together is worth more than they cost beyond doubt",
    "Stop": "none can be told from another, and what they bring together is worth less than they cost beyond doubt",
    "Cannot tell": "none can be told from another, and together they may have earned or lost",
}


@dataclass(frozen=True, slots=True, eq=False)
class League(Finding):
    """Campaigns by what they brought for their money.

    Attributes
    ----------
    rows : pandas.DataFrame
        ``ROWS``, and ``shrunk`` with its interval: the return with luck taken out. Refused campaigns have no numbers,
        and ``why_not`` says why.
    mean : tuple of float
        Return of all, and its standard error.
    spread : float
        Standard deviation of true returns between campaigns.
    source : str
        Where the data come from.
    margin : float
        Gross margin that turns sales into earnings.
    level : float
        Of the intervals.
    """

    SENTENCES = league_text.SENTENCES
    EXHIBITS = league_exhibits.EXHIBITS
    CALLED = "a league of campaigns"
    PLOTTED = "league"

    rows: pd.DataFrame
    mean: tuple[float, float]
    spread: float
    source: str
    margin: float
    level: float

    @property
    def told(self) -> pd.DataFrame:
        """Campaigns with a return, the best first by the return with luck taken out."""
        return self.rows.dropna(subset=["shrunk"]).sort_values("shrunk", ascending=False)

    @property
    def creators(self) -> float:
        """What creators are paid of each unit of sales, mean over what the campaigns cost; 0 where it is not known."""
        told = self.told
        return float((told["creators"] * told["cost"]).sum() / told["cost"].sum()) if len(told) else 0.0

    @property
    def break_even(self) -> float:
        """Net additional sales per unit of cost from which a campaign earns; infinite if creators take the margin."""
        return 1 / (self.margin - self.creators) if self.margin > self.creators else math.inf

    @property
    def together(self) -> Estimate:
        """The mean return of all campaigns."""
        value, se = self.mean
        reach = float(norm.ppf(0.5 + self.level / 2)) * se
        return Estimate(
            value, se, value - reach, value + reach, self.level, "usd_per_usd", len(self.told), "random effects"
        )

    @property
    def decision(self) -> Decision:
        """Where the next money goes, by the printed rule."""
        told = self.told
        if told.empty:
            return Decision(
                "Cannot tell", f"Cannot tell: {RULES['Cannot tell']}.", "Fewer than three campaigns could be reviewed.",
                None, OWNER, "Leave some users out by lot in the next campaigns.",
            )  # fmt: skip
        best, worst = told.iloc[0], told.iloc[-1]
        gained = self.together.scaled(self.margin - self.creators).shifted(-1.0)
        apart = best["shrunk_ci_lower"] > worst["shrunk_ci_upper"]
        action = (
            "Change" if apart else "Repeat" if gained.ci_lower > 0 else "Stop" if gained.ci_upper < 0 else "Cannot tell"
        )
        return Decision(
            action, f"{action}: {RULES[action]}.", league_text.reason(self, apart=apart), None, OWNER,
            league_text.next_step(self, action),
        )  # fmt: skip

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        told = not self.told.empty
        return Answer(
            title="Which campaigns paid?", headline=self.sentence("headline"), number=self.together if told else None,
            number_of="net additional sales per dollar of cost, all campaigns", decision=self.decision,
            source=self.source, window="each campaign and the weeks after it, as on its own page", as_of="",
            counted=self.sentence("counted"), grade=self.sentence("grade"),
        )  # fmt: skip

    @property
    def text(self) -> str:
        """Headline and verdict."""
        return f"{self.sentence('headline')} {self.decision.text}"

    @property
    def table(self) -> pd.DataFrame:
        """All campaigns."""
        return self.rows.copy()

    def to_frame(self) -> pd.DataFrame:
        """All campaigns."""
        return self.rows.copy()
