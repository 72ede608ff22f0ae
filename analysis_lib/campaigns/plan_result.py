"""A planned campaign: what could be seen of its effect, what would pay, and how to run it so that the two meet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import pandas as pd

from analysis_lib.campaigns import plan_exhibits, plan_text, plan_verdict
from analysis_lib.campaigns.plan_asking import Asked
from analysis_lib.campaigns.plan_lots import LotPower
from analysis_lib.campaigns.plan_markets import MarketPower
from analysis_lib.campaigns.plan_money import Money
from analysis_lib.campaigns.plan_written import WrittenPlan
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Answer, Decision, Estimate, Finding

#: Of how many campaigns the mean effect may be asked for before the plan gives up.
MOST_POOLED = 12

METHOD = "lots dealt on the market's own past; range over its windows"


@dataclass(frozen=True, slots=True, eq=False)
class CampaignPlan(Finding):
    """A planned campaign in one market; money in USD.

    Attributes
    ----------
    asked : Asked
        What was asked.
    lots : LotPower | None
        What a lot would show; None if the market is too small or its history too short.
    markets : MarketPower
        What other markets would show.
    money : Money
        Cost, and the additional sales from which on it pays.
    usd_per_unit : float
        USD per unit of the market's money, over the last weeks.
    calendar : pandas.DataFrame
        kind (festival, campaign, experiment), name: what falls on the days and the weeks after.
    source, people : str
        Name of the source, and what buyers are called there.
    missing : tuple of str
        What the data lack; empty if nothing was refused.
    """

    SENTENCES = plan_text.SENTENCES
    EXHIBITS = plan_exhibits.EXHIBITS
    CALLED = "a campaign plan"
    PLOTTED = "shares"

    asked: Asked
    lots: LotPower | None
    markets: MarketPower
    money: Money
    usd_per_unit: float
    calendar: pd.DataFrame
    source: str
    people: str
    missing: tuple[str, ...]

    @property
    def person(self) -> str:
        """One of ``people``."""
        return {"people": "person"}.get(self.people, self.people.removesuffix("s"))

    def _lots(self) -> LotPower:
        if self.lots is None:
            raise NotEnoughData("; ".join(self.missing))
        return self.lots

    def reached(self, share: float) -> float:
        """Users reached when a share of the lot is left out."""
        return self._lots().n_users * (1.0 - share)

    def smallest(self, share: float | None = None, days: int | None = None) -> float:
        """Smallest effect per reached user that a lot would show with the wanted chance, USD.

        Raises
        ------
        NotEnoughData
            No lot could be dealt; the message says why.
        """
        share, days = self._design(share, days)
        return self._lots().smallest(share, days) * self.usd_per_unit

    @property
    def smallest_in_proportion(self) -> float:
        """Smallest mean effect of the planned design if each reached user spends the same share more, USD."""
        return self._lots().in_proportion * self.usd_per_unit

    def pays(self, share: float | None = None, days: int | None = None) -> float:
        """Effect per reached user from which on the campaign pays, USD; missing where its cost is not known."""
        share, days = self._design(share, days)
        return self.money.pays(share, days) / self.reached(share)

    def chance(self, share: float | None = None, days: int | None = None) -> float:
        """Chance to tell an effect that just pays from none."""
        share, days = self._design(share, days)
        pays = self.pays(share, days)
        return self._lots().chance(pays / self.usd_per_unit, share, days) if pays == pays else float("nan")

    def spent(self, days: int | None = None) -> float:
        """Net spending of a user in the campaign and the weeks after, USD."""
        return self._lots().sales(self._design(None, days)[1]) * self.usd_per_unit

    def _design(self, share: float | None, days: int | None) -> tuple[float, int]:
        return (
            self.asked.holdout_share if share is None else share,
            self.asked.days if days is None else days,
        )  # fmt: skip

    @property
    def smallest_estimate(self) -> Estimate:
        """The smallest effect with its range over windows of the past.

        The next window keeps to the range as often as the level says, if windows are exchangeable.
        """
        lots, asked = self._lots(), self.asked
        seen = lots.by_window(asked.holdout_share, asked.days)["smallest"] * self.usd_per_unit
        level = (len(seen) - 1) / (len(seen) + 1)
        return Estimate(
            self.smallest(), float(seen.std(ddof=0)), float(seen.min()), float(seen.max()), level,
            f"usd_per_{self.person}", lots.n_users, METHOD,
        )  # fmt: skip

    @property
    def market_sales(self) -> float:
        """Sales of the market on the planned days and the weeks after, if they go on as in the last weeks; USD."""
        return self.money.sales_usd / self.asked.days * self.asked.span

    @property
    def market_smallest(self) -> float:
        """Smallest effect that other markets would show, USD over the days and the weeks after."""
        return self.markets.smallest * self.market_sales

    def pooled(self) -> tuple[int, float] | None:
        """How many such campaigns have to be read together to see an effect that pays, and with which share left out.

        Errors of campaigns are taken to be independent; None where the cost is not known.
        """
        options = [
            (math.ceil((self.smallest(share) / self.pays(share)) ** 2), share)
            for share in self._lots().shares if self.pays(share) > 0
        ]  # fmt: skip
        return min(options) if options else None

    @property
    def by_share(self) -> pd.DataFrame:
        """What leaving out more or fewer would show, and what it would cost.

        Returns
        -------
        DataFrame
            share, n_held_out, smallest (per reached user, USD), ci_lower, ci_upper (its range over the windows),
            rel_smallest (of what a user spends), pays (per reached user, USD), chance (to see an effect that just
            pays), forgone_usd (sales not made to those left out if the effect just pays), forgone_at_lift_usd (if it is
            the assumed lift).
        """
        return self._table([(share, self.asked.days) for share in self._lots().shares]).drop(columns="days")

    @property
    def by_days(self) -> pd.DataFrame:
        """The same by length of the campaign, with the planned share left out and as much spent a day."""
        return self._table([(self.asked.holdout_share, days) for days in self._lots().lengths]).drop(columns="share")

    def _table(self, designs: list[tuple[float, int]]) -> pd.DataFrame:
        lots, rows = self._lots(), []
        for share, days in designs:
            windows = lots.by_window(share, days)["smallest"] * self.usd_per_unit
            left_out, smallest, pays = lots.n_users * share, self.smallest(share, days), self.pays(share, days)
            rows.append(
                {"share": share, "days": days, "n_held_out": round(left_out), "smallest": smallest,
                 "ci_lower": windows.min(), "ci_upper": windows.max(), "rel_smallest": smallest / self.spent(days),
                 "pays": pays, "chance": self.chance(share, days), "forgone_usd": pays * left_out,
                 "forgone_at_lift_usd": self.asked.lift * self.spent(days) * left_out}
            )  # fmt: skip
        return pd.DataFrame(rows)

    @property
    def table(self) -> pd.DataFrame:
        """The ways to read it: way, smallest_usd (of all reached), rel_smallest, pays_usd, sees_what_pays, why_not."""
        return plan_verdict.ways(self)

    def to_frame(self) -> pd.DataFrame:
        """The ways to read it."""
        return self.table

    @property
    def decision(self) -> Decision:
        """The verdict by the printed rule."""
        return plan_verdict.decide(self)

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return plan_text.answer(self)

    @property
    def title(self) -> str:
        """The question, with the market and the dates in words."""
        return plan_text.title(self)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return plan_text.headline(self)

    @property
    def text(self) -> str:
        """Headline, other markets, and decision."""
        return f"{self.headline} {self.sentence('markets')} {self.decision.text}"

    def plan(
        self, campaign: str, *, way: str = "lot", share: float | None = None, written_on: date | None = None,
        owner: str = "",
    ) -> WrittenPlan:  # fmt: skip
        """The plan to be written down before the start; ``campaigns.review(…, plan=…)`` holds itself to it.

        Parameters
        ----------
        campaign : str
            Its name, as the source will have it.
        way : {"lot", "markets"}
            How it will be read.
        share : float, optional
            Share to leave out by lot; by default the one that was asked.
        written_on : date, optional
            When it is written.
        owner : str
            Who decides.

        Raises
        ------
        InvalidValue
            The cost is not known, the way is not there for this campaign, or the share was not tried.
        """
        asked = self.asked
        share = asked.holdout_share if share is None and way == "lot" else share or 0.0
        if not self.money.pays(share, asked.days) > 0:
            raise InvalidValue("no plan: nothing says what it costs. Give budget_usd, coupon_share or a mechanic.")
        if way == "markets" and self.markets.reasons:
            raise InvalidValue(f"no plan by other markets: {'; '.join(self.markets.reasons)}.")
        if way == "lot" and (self.lots is None or share not in self.lots.shares):
            raise InvalidValue(f"no plan by lot with a share of {share:g}: {'; '.join(self.missing) or 'not tried'}.")
        cost, pays = self.money.cost(share, asked.days), self.money.pays(share, asked.days)
        smallest = self.smallest(share) * self.reached(share) if way == "lot" else self.market_smallest
        return WrittenPlan(
            campaign=campaign, country=asked.country, starts_on=asked.starts_on, days=asked.days, way=way,
            holdout_share=share, weeks_before=asked.weeks_before, weeks_after=asked.weeks_after, metric=asked.metric,
            margin=asked.margin, level=asked.level, power=asked.power, cost_usd=_money(cost),
            pays_usd=_money(pays), sees_usd=_money(smallest),
            usd_per_unit=float(f"{self.usd_per_unit:.6g}"), written_on=written_on, owner=owner,
            decides=plan_verdict.DECIDES,
        )  # fmt: skip


def _money(usd: float) -> float:
    """A planned amount to cents."""
    return round(float(usd), 2)
