"""What a campaign that reached everybody changed, told from its market's own past: no other market is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from analysis_lib.campaigns.market_days import busy_markets
from analysis_lib.campaigns.market_effect import money_of, rest_of
from analysis_lib.campaigns.market_kinds import known_days
from analysis_lib.causal import InterruptedSeries, interrupted_series
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    from datetime import date

    from analysis_lib.campaigns.windows import Campaign, Windows
    from analysis_lib.results import Estimate
    from analysis_lib.warehouse import Warehouse

METHOD = "structural time series of the market's own days; interval from pseudo-campaigns"

#: Days of the windows that the method is graded for: it reached its grade with the long ones and missed it with the
#: short ones. What lies between is taken for short.
REACHED, MISSED = 14, 3


@dataclass(frozen=True, slots=True, eq=False)
class OwnDays:
    """What a market sold, day by day, and what is known of its days.

    Attributes
    ----------
    campaign : Campaign
        What is reviewed.
    sold : pandas.Series
        USD by day, since the last day before the campaign on which nothing was sold.
    earlier : pandas.DataFrame
        Campaigns of the market before this one: title, starts_on, ends_on.
    """

    campaign: Campaign
    sold: pd.Series
    earlier: pd.DataFrame

    @property
    def starts_on(self) -> pd.Timestamp:
        """First day of the campaign."""
        return pd.Timestamp(self.campaign.starts_on)

    def from_start(self, last: date) -> float:
        """USD sold from the first day of the campaign to a day."""
        return float(self.sold.loc[self.starts_on : pd.Timestamp(last)].sum())

    def kinds(self, last: date) -> pd.DataFrame:
        """Kinds of days up to a day, as ``known_days`` has them."""
        return known_days(self.campaign, self.sold.loc[: pd.Timestamp(last)].index, self.earlier)

    def told(self, last: date, level: float) -> InterruptedSeries:
        """The days from the start of the campaign to a day, as the days before foretell them.

        Raises
        ------
        NotEnoughData
            Nothing was sold on some of them, a kind of day is new, or the past is too short.
        """
        kinds = self.kinds(last)
        during = (kinds.index >= self.starts_on).astype(int)
        frame = kinds.assign(day=kinds.index, sold=self.sold.reindex(kinds.index), treated=during)
        if not (frame.loc[frame["treated"] == 1, "sold"] > 0).all():
            raise NotEnoughData(f"{self.campaign.market} sold nothing at all on some of these days")
        return interrupted_series(
            frame, outcome="sold", time="day", treated="treated", regressors=list(kinds.columns), level=level
        )


@dataclass(frozen=True, slots=True, eq=False)
class SeriesEffect:
    """The effect on a whole market that its own past alone tells, in USD.

    Attributes
    ----------
    during, whole : InterruptedSeries
        On the days of the campaign, and on these and the weeks after together.
    effects : dict of str to Estimate
        As ``MarketEffect`` has them.
    days : OwnDays
        Sales, and what is known of the days.
    instead : str
        Why other markets could not stand for it.
    """

    KIND: ClassVar[str] = "markets"

    during: InterruptedSeries
    whole: InterruptedSeries
    effects: dict[str, Estimate]
    days: OwnDays
    instead: str

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Rows of the ledger, without the total."""
        return tuple(name for name in self.effects if name != "total")

    @property
    def grade_text(self) -> str:
        """How far the interval can be trusted, in one or two sentences."""
        said = "It takes for granted that nothing else began in this market on these days."
        return f"{graded(self.during.n_days, self.whole.n_days)} {said}"

    def total(self, outcome: str, unit: str) -> Estimate:
        """Effect on the market; ``unit`` is USD."""
        return self.effects[outcome].scaled(1.0, unit)


def graded(*lengths: int) -> str:
    """What the grade of the method says of windows of such lengths, in days."""
    said = (
        "The market's own past is graded in simulated markets as causal.interrupted_series: windows of"
        f" {REACHED} days reach the grade, those of {MISSED} days miss it, since their intervals hold the truth less"
        " often than they say."
    )
    short = [f"{n_days}" for n_days in dict.fromkeys(lengths) if n_days < REACHED]
    if not short:
        return said
    return f"{said} Take the interval of the {' and '.join(short)} days looked at here for wider than it is drawn."


def own_days(wh: Warehouse, windows: Windows, sales: pd.DataFrame) -> OwnDays:
    """Daily sales of the campaign's market, and its campaigns before.

    Parameters
    ----------
    sales : pandas.DataFrame
        From ``daily_sales``.

    Raises
    ------
    NotEnoughData
        Another campaign ran in the market on days looked at.
    """
    busy_markets(wh, windows)
    campaign, table = windows.campaign, wh.table("campaigns")
    rows = wh.query(table.filter(table.country == campaign.country, table.ends_on < campaign.starts_on))
    sold = sales[campaign.country]
    before = sold.loc[: pd.Timestamp(campaign.starts_on) - pd.Timedelta(days=1)]
    empty = before.index[before <= 0]
    earlier = rows.rename(columns={"name": "title"})[["title", "starts_on", "ends_on"]].sort_values("starts_on")
    return OwnDays(campaign, sold if empty.empty else sold.loc[empty[-1] + pd.Timedelta(days=1) :], earlier)


def series_effect(days: OwnDays, windows: Windows, *, level: float, instead: str) -> SeriesEffect:
    """Effects on the market during the campaign and in all, from its own past alone.

    Parameters
    ----------
    days : OwnDays
        Sales, and what is known of the days.
    windows : Windows
        As planned.
    level : float
        Level of the intervals.
    instead : str
        Why other markets could not stand for it.

    Raises
    ------
    NotEnoughData
        As ``OwnDays.told``.
    """
    during = days.told(windows.campaign.ends_on, level)
    first = in_money(during, days.from_start(windows.campaign.ends_on))
    if not windows.weeks_after:
        return SeriesEffect(during, during, {"during": first, "total": first}, days, instead)
    whole = days.told(windows.ends_on, level)
    total = in_money(whole, days.from_start(windows.ends_on))
    after = replace(rest_of(total, first), method=METHOD)
    return SeriesEffect(during, whole, {"during": first, "after": after, "total": total}, days, instead)


def in_money(series: InterruptedSeries, sold: float) -> Estimate:
    """What was sold because of it, of ``sold``, in USD; formed as it is from other markets."""
    return replace(money_of(series.estimate, sold), method=METHOD)
