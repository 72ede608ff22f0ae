"""What a campaign review returns: numbers, sentences, figures and a decision."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from analysis_lib.campaigns import exhibits, sentences
from analysis_lib.campaigns.cost import Cost
from analysis_lib.campaigns.effect import PickedEffect
from analysis_lib.campaigns.lot_effect import LotEffect
from analysis_lib.campaigns.lot_parts import LotParts
from analysis_lib.campaigns.market_effect import MarketEffect
from analysis_lib.campaigns.market_series import SeriesEffect
from analysis_lib.campaigns.newcomers import Newcomers
from analysis_lib.campaigns.next_time import NextTime, next_time
from analysis_lib.campaigns.observed import Observed
from analysis_lib.campaigns.pace import Pace
from analysis_lib.campaigns.plan_written import WrittenPlan
from analysis_lib.campaigns.reach import Reach
from analysis_lib.campaigns.segments import Segments
from analysis_lib.campaigns.spend import NOTHING_TOLD, Spend
from analysis_lib.campaigns.windows import Campaign, Windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Answer, Decision, Estimate, Exhibit, Finding, format_percent


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """Where the numbers come from and what they are called.

    Attributes
    ----------
    source, caveat : str
        Name of the source and what must be known about it.
    people : str
        What buyers are called: ``households``, ``users``.
    measure : str
        ``gmv`` or ``paid``.
    level : float
        Level of the intervals.
    margin : float
        Gross margin that turns sales into earnings, 0 to 1.
    contact_cost : float
        Cost of reaching one targeted buyer, in the market's currency.
    spend : Spend
        What the source tells of media and creators' commission.
    """

    source: str
    caveat: str
    people: str
    measure: str
    level: float
    margin: float
    contact_cost: float
    spend: Spend = NOTHING_TOLD

    @property
    def kept(self) -> float:
        """What is left of a unit of additional sales: the margin less what creators are paid."""
        return self.margin - self.spend.creators

    @property
    def person(self) -> str:
        """One of ``people``."""
        return {"people": "person"}.get(self.people, self.people.removesuffix("s"))


@dataclass(frozen=True, slots=True, eq=False)
class CampaignReview(Finding):
    """A campaign in one market, reviewed.

    Attributes
    ----------
    campaign : Campaign
        What is reviewed.
    setting : Setting
        Source, measure, level and assumptions.
    windows : Windows | None
        Days looked at; None if the data do not hold them.
    reach : Reach | None
        Funnel of the targeted buyers.
    effect : PickedEffect | LotEffect | MarketEffect | SeriesEffect | None
        The effect with its checks: against buyers with the same history or their growth, users left out by lot, other
        markets, or the market's own past; None if refused.
    ledger : pandas.DataFrame
        row, meaning, value, ci_lower, ci_upper in the market's currency; empty if refused.
    cost : Cost | None
        The bill; None if refused.
    contribution : Estimate | None
        Net sales times margin less all cost; None if refused.
    decision : Decision
        Verdict by the printed rule.
    missing : tuple of str
        What the data lack; empty if nothing was refused.
    newcomers : Newcomers | None
        First-time buyers of its days, and whether they came back; None if the days do not lie in the data.
    parts : LotParts | None
        Where the additional sales came from; only where some were left out by lot.
    observed : Observed | None
        What other markets would have shown without the lot; None where there was none, or that is refused.
    planned : WrittenPlan | None
        The plan that the review holds itself to; None if none was given.
    pace : Pace | None
        Its coupons by day; None without coupons.
    segments : Segments | None
        What it earned by kind of user; only where some were left out by lot.
    """

    SENTENCES = sentences.SENTENCES
    EXHIBITS = exhibits.EXHIBITS
    CALLED = "a review"
    PLOTTED = "weekly"

    campaign: Campaign
    setting: Setting
    windows: Windows | None
    reach: Reach | None
    effect: PickedEffect | LotEffect | MarketEffect | SeriesEffect | None
    ledger: pd.DataFrame
    cost: Cost | None
    contribution: Estimate | None
    decision: Decision
    missing: tuple[str, ...]
    newcomers: Newcomers | None = None
    parts: LotParts | None = None
    observed: Observed | None = None
    planned: WrittenPlan | None = None
    pace: Pace | None = None
    segments: Segments | None = None

    def estimate(self, outcome: str) -> Estimate:
        """Effect over all targeted buyers on promoted_during, other_during, after or total.

        Raises
        ------
        NotEnoughData
            If it was refused; the message says what is missing.
        """
        if self.effect is None:
            raise NotEnoughData("; ".join(self.missing))
        return self.effect.total(outcome, self.campaign.currency)

    @property
    def incremental_gmv(self) -> Estimate:
        """Additional sales during the campaign: of the promoted products where users are compared, else of all."""
        markets = self.effect is not None and self.effect.KIND == "markets"
        return self.estimate("during" if markets else "promoted_during")

    @property
    def net_incremental_gmv(self) -> Estimate:
        """Additional sales of all products, during the campaign and after it."""
        return self.estimate("total")

    @property
    def sales(self) -> Estimate:
        """Net additional sales, coupons not taken off: what margin and commission are shares of."""
        if self.cost is None:
            raise NotEnoughData("; ".join(self.missing))
        net = self.net_incremental_gmv
        # What buyers paid is short of the coupons already; without adding them back they would be charged twice.
        return net if self.setting.measure == "gmv" else net.shifted(self.cost.recorded)

    @property
    def return_on_cost(self) -> Estimate:
        """Net incremental sales per unit of coupons, contacts and media.

        Where users were left out by lot, sales and coupons of the same users go together, and the interval is
        Fieller's. Elsewhere the cost is counted, not estimated: the interval is that of the sales divided by it.
        Creators are paid a share of what is sold: that lowers what is left of a sale and is not put in to get it, so it
        is taken off the margin (``pays_from``) and not added below the line, where it would bend the ratio.
        """
        spent = self.spent
        per_money = self.effect.per_coupon_money if self.effect.KIND == "lot" else None
        if per_money is not None:
            # Coupons without a line of their own, contacts and media come on top.
            return per_money.scaled(self.cost.recorded / spent, per_money.unit)
        unit = f"{self.campaign.currency}_per_{self.campaign.currency}"
        return self.net_incremental_gmv.scaled(1.0 / spent, unit)

    @property
    def pays_from(self) -> float:
        """The return on cost at which nothing is left and nothing lost; infinite where creators take the margin."""
        given = 0.0 if self.setting.measure == "gmv" else self.cost.recorded / self.spent
        return 1.0 / self.setting.kept - given if self.setting.kept > 0 else math.inf

    @property
    def contacts(self) -> float:
        """Cost of reaching the targeted, in the market's currency."""
        # Whom a campaign for everybody reached is not listed: nobody was contacted one by one.
        return 0.0 if self.effect.KIND == "markets" else self.setting.contact_cost * self.effect.n_targeted

    @property
    def spent(self) -> float:
        """Coupons, contacts and media: what it cost whatever it sold, in the market's currency."""
        if self.cost is None or self.effect is None:
            raise NotEnoughData("; ".join(self.missing))
        return self.cost.total + self.contacts + self.cost.media

    @property
    def total_cost(self) -> float:
        """The same with the commission on the additional sales."""
        commission = None if self.cost is None else self.cost.commission
        return self.spent + (0.0 if commission is None else commission.value)

    @property
    def next_time(self) -> NextTime | None:
        """Changes with the money each is worth; None without a verdict."""
        return next_time(self)

    @property
    def title(self) -> str:
        """The question, with the campaign, the market and the dates in words."""
        return sentences.title(self)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return sentences.headline(self)

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        refused = self.effect is None
        return Answer(
            title=self.title,
            headline=self.headline,
            number=None if refused else self.net_incremental_gmv,
            number_of=f"additional sales, {format_percent(self.setting.level, 0)} interval",
            decision=self.decision,
            source=self.setting.source,
            window=self.campaign.dates if self.windows is None else self.windows.text,
            as_of="" if self.windows is None else str(self.windows.last_day),
            counted=self.sentence("counted"),
            grade="" if refused else self.effect.grade_text,
        )

    @property
    def checks(self) -> tuple[Exhibit, ...]:
        """Figures of how sure we are: the placebo runs and, for a campaign for everybody, the second opinion."""
        return exhibits.checks(self)

    @property
    def text(self) -> str:
        """Headline, reach, cost and decision."""
        if self.missing:
            return f"{self.decision.text} {self.sentence('reach') if self.reach else ''}".strip()
        return " ".join([self.headline, *(self.sentence(name) for name in ("reach", "cost")), self.decision.text])

    @property
    def table(self) -> pd.DataFrame:
        """The ledger."""
        return self.ledger.copy()

    def to_frame(self) -> pd.DataFrame:
        """The ledger."""
        return self.ledger.copy()
