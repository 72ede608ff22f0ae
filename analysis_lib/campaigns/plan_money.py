"""What a planned campaign costs, and the additional sales from which on it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns.plan_asking import Asked
from analysis_lib.campaigns.plan_markets import LATEST
from analysis_lib.pipelines import mart
from analysis_lib.results import format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Money:
    """The bill, what has to come in for it, and what is sold anyway.

    Attributes
    ----------
    cost_usd : float | None
        Cost of the planned days if nobody were left out; None where nothing says it.
    is_fixed : bool
        Whether the cost is a budget, which is spent on whoever is reached.
    how : str
        Where the cost comes from, as a clause.
    sales_usd : float
        Sales of the market on as many days as planned, if they go on as in the last weeks.
    asked : Asked
        What was asked.
    """

    cost_usd: float | None
    is_fixed: bool
    how: str
    sales_usd: float
    asked: Asked

    def cost(self, share: float, days: int) -> float:
        """Cost with a share left out; other lengths spend as much a day. Missing where it is not known."""
        if self.cost_usd is None:
            return float("nan")
        return self.cost_usd * days / self.asked.days * (1.0 if self.is_fixed else 1.0 - share)

    def pays(self, share: float, days: int) -> float:
        """Additional sales, USD, from which on the campaign pays for itself."""
        cost = self.cost(share, days)
        # What buyers paid is short of the coupons already: charged once.
        return cost / self.asked.margin - (cost if self.asked.metric == "paid" else 0.0)


def money_of(wh: Warehouse, asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> Money:
    """The bill of a planned campaign: a budget, a share of sales, or what past campaigns gave.

    Parameters
    ----------
    sales, campaigns : pandas.DataFrame
        From ``market_sales`` and ``campaign_rows``.
    """
    sold = float(sales[asked.country].tail(LATEST).mean()) * asked.days
    if asked.budget_usd is not None:
        told = f"the {format_value(asked.budget_usd, 'usd')} set aside for it"
        return Money(float(asked.budget_usd), True, told, sold, asked)
    if asked.coupon_share is not None:
        told = f"coupons of {format_percent(asked.coupon_share)} of what the reached buy on its days"
        return Money(asked.coupon_share * sold, False, told, sold, asked)
    shares = past_coupon_shares(wh, asked, sales, campaigns)
    if shares.empty:
        return Money(None, False, "", sold, asked)
    share = float(shares["share"].median())
    told = (
        f"coupons of {format_percent(share)} of sales on its days, as in {format_count(len(shares))} past campaigns"
        f" ({', '.join(shares['campaign_id'] + ' ' + shares['country'])})"
    )
    return Money(share * sold, False, told, sold, asked)


def past_coupon_shares(wh: Warehouse, asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """What coupons of past campaigns took of the sales of their market on their days.

    Those of the planned market, or, where it had none, those of all.

    Returns
    -------
    DataFrame
        campaign_id, country, share; campaigns without a coupon on an order line are left out.
    """
    past = campaigns[campaigns["ends_on"] <= pd.Timestamp(asked.last_day)]
    if asked.mechanic:
        past = past[past["mechanic"] == asked.mechanic]
    facts, coupons = mart(wh, "order_facts"), wh.table("coupons").select("coupon_id", "campaign_id").distinct()
    facts = facts.filter(facts.day <= asked.last_day, facts.coupon_id.notnull()).inner_join(coupons, "coupon_id")
    given = wh.query(facts.group_by("campaign_id", "country").agg(given=facts.subsidy_usd.cast("float64").sum()))
    past = past.merge(given, on=["campaign_id", "country"])
    past = past[past["given"] > 0]
    if (past["country"] == asked.country).any():
        past = past[past["country"] == asked.country]
    sold = [float(sales.loc[row.starts_on : row.ends_on, row.country].sum()) for row in past.itertuples()]
    past = past.assign(share=past["given"] / pd.Series(sold, index=past.index, dtype=float))
    return past.loc[past["share"].between(0, 1), ["campaign_id", "country", "share"]].reset_index(drop=True)
