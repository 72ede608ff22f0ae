"""``campaigns.plan``: whether the effect of a campaign that is planned could be told, and how."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns.plan_asking import Asked, asked_of
from analysis_lib.campaigns.plan_lots import lot_power
from analysis_lib.campaigns.plan_markets import (
    campaign_rows,
    festivals_on,
    market_power,
    market_sales,
)
from analysis_lib.campaigns.plan_money import money_of
from analysis_lib.campaigns.plan_result import CampaignPlan
from analysis_lib.campaigns.plan_users import past_users
from analysis_lib.config import LEVEL
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Tables and columns that a plan reads.
REQUIRED = {
    "orders": ["order_id", "ordered_at", "user_id", "country", "quantity", "price_local", "currency"],
    "users": ["user_id", "country", "signed_up_at"],
    "countries": ["country", "name", "currency", "timezone"],
    "campaigns": ["campaign_id", "name", "country", "starts_on", "ends_on", "mechanic"],
    "coupons": ["coupon_id", "campaign_id"],
}  # fmt: skip


def plan(
    wh: Warehouse,
    country: str,
    *,
    starts_on: date | str | None = None,
    days: int = 14,
    holdout_share: float = 0.1,
    weeks_before: int = 16,
    weeks_after: int = 4,
    budget_usd: float | None = None,
    coupon_share: float | None = None,
    mechanic: str = "",
    margin: float = 0.25,
    audience: float = 1.0,
    lift: float = 0.1,
    metric: str = "gmv",
    level: float = LEVEL,
    power: float = 0.8,
    campaign_id: str = "",
    lots: int = 100,
    seed: int = 1,
) -> CampaignPlan:
    """Whether the effect of a planned campaign could be told, from its market's own past.

    Where some are left out by lot: on windows of the past as long as the campaign and the weeks after, lots are dealt
    among the users known then, and each is read as the review reads a campaign. As nothing was done to anybody, what a
    lot finds is its error; the smallest effect is the one that, added to the reached, the wanted share of lots would
    have told from zero. From other markets: campaigns are pretended in the past of the market, each read from what came
    before it alone. Both are set against the additional sales from which on the campaign pays. Only days before the
    planned start are used.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    country : str
        Market.
    starts_on : date or ISO text, optional
        Planned first day; by default the day after the data end.
    days : int
        Length, 1 to 90.
    holdout_share : float
        Share of the lot to be left out, 0.01 to 0.5.
    weeks_before, weeks_after : int
        Whole weeks of history (4 to 52) and of aftermath (0 to 12).
    budget_usd : float, optional
        Money set aside, USD, spent on whoever is reached.
    coupon_share : float, optional
        Instead: what coupons take of what the reached buy on its days. Without either it is what past campaigns of
        this market (or, where it had none, of any) gave.
    mechanic : str
        Only past campaigns of this mechanic; empty: of any.
    margin : float
        Gross margin: an assumption that turns sales into earnings.
    audience : float
        Share of the known users that is in the lot.
    lift : float
        Assumed effect, as a share of what users spend, that says what leaving users out costs.
    metric : {"gmv", "paid"}
        Value of goods before coupons, or what buyers paid.
    level : float
        Level of the intervals, 0.5 to 0.999.
    power : float
        Wanted chance to find an effect, 0.5 to 0.99.
    campaign_id : str
        Name of the campaign, if the source lists it already: it is not in its own way.
    lots, seed : int
        Lots dealt in each window (20 to 5,000), and of which random numbers.

    Returns
    -------
    CampaignPlan
        ``.table`` (ways to read it), ``.by_share``, ``.by_days``, ``.markets``, ``.decision``, ``.plan(name)``.

    Raises
    ------
    UnknownName
        A market, metric, mechanic or campaign that does not exist; the message names the nearest.
    InvalidValue
        Values that are not allowed or exclude each other.
    NotEnoughData
        There are no orders before the start.
    ContractError
        A table or column is missing.

    References
    ----------
    Gelman and Hill (2007), "Data analysis using regression and multilevel/hierarchical models", chapter 20: the 2.8
    standard errors of 80 % power, which the lots are compared with. See ``causal.randomised_difference`` and
    ``causal.one_treated`` for what is simulated.
    """
    wh.require(REQUIRED)
    asked = asked_of(wh, country, {
        "starts_on": starts_on, "days": days, "holdout_share": holdout_share, "weeks_before": weeks_before,
        "weeks_after": weeks_after, "budget_usd": budget_usd, "coupon_share": coupon_share, "mechanic": mechanic,
        "margin": margin, "audience": audience, "lift": lift, "metric": metric, "level": level, "power": power,
        "campaign_id": campaign_id, "lots": lots, "seed": seed,
    })  # fmt: skip
    sales, rate = market_sales(wh, asked)
    campaigns, source = campaign_rows(wh), wh.source
    try:
        found, missing = lot_power(past_users(wh, asked), asked), ()
    except NotEnoughData as lack:
        found, missing = None, (str(lack),)
    return CampaignPlan(
        asked=asked, lots=found, markets=market_power(asked, sales, campaigns),
        money=money_of(wh, asked, sales, campaigns), usd_per_unit=rate, calendar=_calendar(wh, asked, campaigns),
        source=wh.name, people=source.units_called if source else "users", missing=missing,
    )  # fmt: skip


def _calendar(wh: Warehouse, asked: Asked, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Festivals, other campaigns of the market and experiments on the days and in the weeks after."""
    rows = [("festival", name) for name in festivals_on(asked.country, asked.starts_on, asked.read_on)]
    first, last = pd.Timestamp(asked.starts_on), pd.Timestamp(asked.read_on)
    met = campaigns[(campaigns["starts_on"] <= last) & (campaigns["ends_on"] >= first)]
    own = met[(met["country"] == asked.country) & (met["campaign_id"] != asked.campaign_id)]
    rows += [("campaign", str(name)) for name in own["name"]]
    if wh.has("experiments", "experiment_id", "name", "starts_at", "ends_at"):
        table = wh.table("experiments").select("experiment_id", "name", "starts_at", "ends_at").distinct()
        tests = wh.query(table)
        runs = (tests["starts_at"] <= last + pd.Timedelta(days=1)) & ~(tests["ends_at"] < first)
        rows += [("experiment", str(name)) for name in sorted(set(tests.loc[runs, "name"]))]
    return pd.DataFrame(rows, columns=["kind", "name"])
