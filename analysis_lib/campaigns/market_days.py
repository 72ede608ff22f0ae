"""Sales by market and day around a campaign that reached everybody, and which other markets can stand for its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.calendar import load_calendar
from analysis_lib.campaigns.windows import Campaign, Windows
from analysis_lib.causal import FEWEST_DAYS, FEWEST_DONORS
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Windows of the campaign's length that the days before it should hold; as many as the interval was graded with.
WINDOWS_BEFORE = 6

#: Column of what was sold, by measure.
MEASURED = {"gmv": "gmv_usd", "paid": "paid_usd"}


@dataclass(frozen=True, slots=True, eq=False)
class MarketDays:
    """Sales of a campaign's market and of those that stand for it.

    Attributes
    ----------
    sales : pandas.DataFrame
        USD sold, one row per day, one column per market; the campaign's own first.
    starts_on : date
        First day of the campaign.
    left_out : dict of str to str
        Markets that cannot stand for it, and why.
    """

    sales: pd.DataFrame
    starts_on: date
    left_out: dict[str, str]

    @property
    def market(self) -> str:
        """The campaign's own market."""
        return str(self.sales.columns[0])

    def sold(self, last: date) -> float:
        """USD sold in the market from the start of the campaign to a day."""
        return float(self.sales.loc[pd.Timestamp(self.starts_on) : pd.Timestamp(last), self.market].sum())

    def long(self, last: date) -> pd.DataFrame:
        """One row per market and day, with ``treated``, up to a day; as far back as so many days need.

        Markets that sold nothing on some day cannot stand for it: a change is a share of what was sold.

        Raises
        ------
        NotEnoughData
            The campaign's own market is such a one.
        """
        n_days = (last - self.starts_on).days + 1
        first = self.starts_on - timedelta(days=max(14, 2 * n_days) + WINDOWS_BEFORE * n_days)
        kept = self.sales.loc[pd.Timestamp(first) : pd.Timestamp(last)]
        if not (kept[self.market] > 0).all():
            raise NotEnoughData(
                f"{self.market} sold nothing at all on some days since {kept.index[0]:%-d %b %Y}: it is too small for"
                " its days to be compared with those of other markets"
            )
        usable = [name for name in kept.columns if name == self.market or bool((kept[name] > 0).all())]
        rows = kept[usable].rename_axis(index="day", columns="market").stack().rename("sold").reset_index()
        during = rows["day"] >= pd.Timestamp(self.starts_on)
        return rows.assign(treated=((rows["market"] == self.market) & during).astype(int))


def market_days(
    wh: Warehouse, windows: Windows, measure: str, *, table: pd.DataFrame | None = None,
    left_out: dict[str, str] | None = None,
) -> MarketDays:  # fmt: skip
    """Daily sales of the campaign's market and of the markets that can stand for it.

    Parameters
    ----------
    table : pandas.DataFrame, optional
        From ``daily_sales``; read if it is not given.
    left_out : dict of str to str, optional
        From ``busy_markets``; asked for if it is not given.

    Raises
    ------
    NotEnoughData
        A festival or holiday of the market alone fell on the campaign; too few markets had no campaign; the campaign
        lasted a day; or its market sold nothing on some day.
    """
    campaign = windows.campaign
    if campaign.n_days < FEWEST_DAYS:
        raise NotEnoughData("a campaign of a single day cannot be told from that day")
    _refuse_festivals(campaign)
    left_out = busy_markets(wh, windows) if left_out is None else left_out
    table = daily_sales(wh, windows, measure) if table is None else table
    others = [name for name in sorted(table.columns) if name != campaign.country and name not in left_out]
    if len(others) < FEWEST_DONORS:
        raise NotEnoughData(
            f"{len(others)} other markets had no campaign on these days; {FEWEST_DONORS} are needed to stand for"
            f" {campaign.market}. Look at fewer weeks after it, or leave some users out by lot next time"
        )
    return MarketDays(table[[campaign.country, *others]], campaign.starts_on, left_out)


def daily_sales(wh: Warehouse, windows: Windows, measure: str) -> pd.DataFrame:
    """USD sold, one row per day from the first in the data to the end of the weeks after, one column per market."""
    facts = mart(wh, "order_facts")
    facts = facts.filter(facts.country.notnull(), facts.day.between(windows.first_day, windows.ends_on))
    sums = facts.group_by("day", "country").agg(sold=facts[MEASURED[measure]].cast("float64").sum())
    table = wh.query(sums).pivot(index="day", columns="country", values="sold")
    table.index = pd.to_datetime(table.index)
    # Days on which nobody bought anything anywhere are days all the same.
    return table.reindex(pd.date_range(windows.first_day, windows.ends_on)).fillna(0.0)


def _refuse_festivals(campaign: Campaign) -> None:
    """A festival sells by itself: nothing tells it from a campaign on the same days."""
    calendar = load_calendar()
    if campaign.country not in calendar.countries:
        return
    held = calendar.festivals(campaign.starts_on, campaign.ends_on, campaign.country)
    if held:
        names = " and ".join(dict.fromkeys(one.title for one in held))
        raise NotEnoughData(
            f"the campaign fell on {names}, when {campaign.market} buys more anyway, and other markets do not show"
            " by how much"
        )


def busy_markets(wh: Warehouse, windows: Windows) -> dict[str, str]:
    """Markets with a campaign of their own in the window, and its name.

    Raises
    ------
    NotEnoughData
        The campaign's own market had another one then.
    """
    campaign, table = windows.campaign, wh.table("campaigns")
    rows = wh.query(
        table.filter(table.starts_on <= windows.ends_on, table.ends_on >= campaign.starts_on).select(
            "country", "name", "campaign_id"
        )
    )
    own = rows[(rows["country"] == campaign.country) & (rows["campaign_id"] != campaign.campaign_id)]
    if len(own):
        raise NotEnoughData(
            f"{own['name'].iloc[0]} ran in {campaign.market} on some of these days too: nothing tells the two apart."
            " Look at fewer weeks after it"
        )
    others = rows[rows["country"] != campaign.country]
    return {str(row.country): f"had {row.name_} then" for row in others.rename(columns={"name": "name_"}).itertuples()}
