"""Which campaign, and which days are before, during and after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.warehouse.days import local_day
from analysis_lib.warehouse.instants import falls_on

#: With less history the comparison cannot tell a heavy buyer from a household in a heavy month.
FEWEST_WEEKS_BEFORE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """One campaign in one market.

    Attributes
    ----------
    campaign_id, name, country, market, currency, timezone, mechanic : str
        As in the contract; ``market`` is the country's name, the currency is in lower case, as the
        formatter reads units.
    starts_on, ends_on : datetime.date
        First and last market-local day.
    targeting : str
        Whom it was for: ``all``, ``segment`` (also where the source does not say), or ``holdout`` where it left some
        out by lot.
    holdout_share, budget_usd, media_usd : float
        Share that was to be left out, money set aside, and money spent on reach outside the marketplace; missing where
        the source does not say.
    """

    campaign_id: str
    name: str
    country: str
    market: str
    currency: str
    timezone: str
    mechanic: str
    starts_on: date
    ends_on: date
    targeting: str = "segment"
    holdout_share: float = float("nan")
    budget_usd: float = float("nan")
    media_usd: float = float("nan")

    @property
    def n_days(self) -> int:
        """Length in days, first and last included."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def dates(self) -> str:
        """The dates in words: ``30 October to 24 December 2017``."""
        return f"{_in_words(self.starts_on, self.ends_on.year)} to {_in_words(self.ends_on)}"


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The days a review looks at, as market-local dates.

    Attributes
    ----------
    campaign : Campaign
        What is reviewed.
    weeks_before, weeks_after : int
        Whole weeks on either side.
    first_day, last_day : datetime.date
        First and last day of the market's orders in the source.
    """

    campaign: Campaign
    weeks_before: int
    weeks_after: int
    first_day: date
    last_day: date

    @property
    def starts_on(self) -> date:
        """First day of the weeks before."""
        return self.campaign.starts_on - timedelta(weeks=self.weeks_before)

    @property
    def ends_on(self) -> date:
        """Last day of the weeks after."""
        return self.campaign.ends_on + timedelta(weeks=self.weeks_after)

    @property
    def weeks_touched(self) -> int:
        """Weeks that the campaign and its aftermath touch."""
        return -(-self.campaign.n_days // 7) + self.weeks_after

    def day_of(self, at):
        """The market-local day of a column of UTC times in the data; clock changes of other years are left out."""
        years = {"first_year": self.first_day.year, "last_year": self.last_day.year}
        return local_day(at, self.campaign.timezone, **years)

    def in_campaign(self, at):
        """Whether a column of UTC times falls on the campaign's days."""
        return falls_on(at, self.campaign.starts_on, self.campaign.ends_on, self.campaign.timezone)

    @property
    def text(self) -> str:
        """The three windows in words."""
        after = f", and the {self.weeks_after} weeks after it" if self.weeks_after > 1 else ", and the week after it"
        return (
            f"{self.weeks_before} weeks before, the {self.campaign.n_days} campaign days ({self.campaign.dates})"
            f"{after if self.weeks_after else ''}"
        )


def find_campaign(wh, campaign_id: str, country: str | None) -> Campaign:
    """The campaign in its market.

    Raises
    ------
    UnknownName
        If there is no such campaign, or not in that market.
    InvalidValue
        If it ran in several markets and none was named.
    """
    campaigns = wh.table("campaigns")
    rows = wh.query(campaigns.filter(campaigns.campaign_id == str(campaign_id)))
    if rows.empty:
        known = wh.values("campaigns", "campaign_id", 10_000)
        raise unknown("campaign", str(campaign_id), known, f"source '{wh.name}'")
    markets = sorted(rows["country"])
    if country is None and len(markets) > 1:
        raise InvalidValue(f"campaign '{campaign_id}' ran in {', '.join(markets)}: name one with country=…")
    country = country or markets[0]
    if country not in markets:
        raise unknown("country", country, markets, f"the markets of campaign '{campaign_id}'")
    row = rows[rows["country"] == country].iloc[0]
    market = _market(wh, country)
    return Campaign(
        campaign_id=str(campaign_id), name=str(row["name"]), country=country, market=str(market["name"]),
        currency=str(market["currency"]).lower(), timezone=str(market["timezone"]), mechanic=str(row["mechanic"]),
        starts_on=pd.Timestamp(row["starts_on"]).date(), ends_on=pd.Timestamp(row["ends_on"]).date(),
        targeting=str(_told(row, "targeting", "segment")), holdout_share=float(_told(row, "holdout_share")),
        budget_usd=float(_told(row, "budget_usd")), media_usd=float(_told(row, "media_usd")),
    )  # fmt: skip


def _told(row: pd.Series, column: str, otherwise: object = float("nan")) -> object:
    """What a row says in an optional column."""
    value = row.get(column)
    return otherwise if value is None or pd.isna(value) else value


def plan_windows(
    campaign: Campaign,
    days: tuple[date, date],
    weeks_before: int,
    weeks_after: int,
    *,
    fewest: int = FEWEST_WEEKS_BEFORE,
) -> Windows:
    """Check that the wanted windows lie in the data.

    Parameters
    ----------
    campaign : Campaign
        What is reviewed.
    days : tuple of datetime.date
        First and last day with orders in the market.
    weeks_before, weeks_after : int
        Wanted whole weeks.
    fewest : int
        Weeks before that are needed. With 0 (groups made by lot) as many are taken as there are, up to those wanted.

    Raises
    ------
    NotEnoughData
        If the data lack ``FEWEST_WEEKS_BEFORE`` weeks before, or end before the campaign does.
    InvalidValue
        If a wanted window leaves the data although a shorter one would fit; names the longest.
    """
    first, last = days
    if last < campaign.ends_on:
        raise NotEnoughData(f"the data end on {last}, the campaign on {campaign.ends_on}: wait for the rest of it")
    fits_before = max(0, (campaign.starts_on - first).days) // 7
    if not fewest:
        weeks_before = min(weeks_before, fits_before)
    if fits_before < fewest:
        raise NotEnoughData(
            f"the data hold {fits_before} whole weeks before the campaign (it starts on {campaign.starts_on}, the data "
            f"on {first}); {fewest} are needed to find comparable buyers"
        )
    if weeks_before < fewest:
        raise InvalidValue(f"weeks_before={weeks_before}: at least {fewest} are needed")
    if weeks_before > fits_before:
        raise InvalidValue(f"weeks_before={weeks_before} leaves the data; the longest that fits is {fits_before}")
    fits_after = (last - campaign.ends_on).days // 7
    if not 0 <= weeks_after <= fits_after:
        raise InvalidValue(f"weeks_after={weeks_after} leaves the data; the longest that fits is {fits_after}")
    return Windows(campaign, weeks_before, weeks_after, first, last)


def _market(wh, country: str) -> pd.Series:
    countries = wh.table("countries")
    rows = wh.query(countries.filter(countries.country == ibis.literal(country)))
    if rows.empty:
        raise unknown("country", country, wh.values("countries", "country", 300), "table countries")
    return rows.iloc[0]


def _in_words(day: date, year: int | None = None) -> str:
    return f"{day.day} {day:%B}" if year == day.year else f"{day.day} {day:%B %Y}"
