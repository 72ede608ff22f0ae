"""What a planned campaign costs, and the additional sales from which on it pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns.plan_asking import Asked
from analysis_lib.campaigns.plan_markets import LATEST
from analysis_lib.campaigns.spend import commission_rate
from analysis_lib.errors import InvalidValue
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
    creators : float
        What creators are paid of each unit of sales, over the last weeks; 0 where the source does not tell.
    """

    cost_usd: float | None
    is_fixed: bool
    how: str
    sales_usd: float
    asked: Asked
    creators: float = 0.0

    def cost(self, share: float, days: int) -> float:
        """Cost with a share left out; other lengths spend as much a day. Missing where it is not known."""
        if self.cost_usd is None:
            return float("nan")
        return self.cost_usd * days / self.asked.days * (1.0 if self.is_fixed else 1.0 - share)

    def pays(self, share: float, days: int) -> float:
        """Additional sales, USD, from which on the campaign pays for itself."""
        cost = self.cost(share, days)
        # Creators have their share of what is sold more, too. What buyers paid is short of the coupons already: charged
        # once.
        return cost / (self.asked.margin - self.creators) - (cost if self.asked.metric == "paid" else 0.0)


def money_of(wh: Warehouse, asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> Money:
    """The bill of a planned campaign: a budget, a share of sales, or what past campaigns gave and spent on media.

    Parameters
    ----------
    sales, campaigns : pandas.DataFrame
        From ``market_sales`` and ``campaign_rows``.

    Raises
    ------
    InvalidValue
        The margin is no more than what creators are paid: nothing would pay.
    """
    sold = float(sales[asked.country].tail(LATEST).mean()) * asked.days
    creators = _creators(wh, asked)
    if asked.budget_usd is not None:
        told = f"the {format_value(asked.budget_usd, 'usd')} set aside for it"
        return Money(float(asked.budget_usd), True, told, sold, asked, creators)
    if asked.coupon_share is not None:
        told = f"coupons of {format_percent(asked.coupon_share)} of what the reached buy on its days"
        return Money(asked.coupon_share * sold, False, told, sold, asked, creators)
    shares = past_coupon_shares(wh, asked, sales, campaigns)
    if shares.empty:
        return Money(None, False, "", sold, asked, creators)
    share, media = float(shares["share"].median()), float(shares["media"].median())
    told = (
        f"coupons of {format_percent(share)}{f' and media of {format_percent(media)}' if media else ''} of sales on its"
        f" days, as in {format_count(len(shares))} past campaigns"
        f" ({', '.join(shares['campaign_id'] + ' ' + shares['country'])})"
    )
    return Money((share + media) * sold, False, told, sold, asked, creators)


def _creators(wh: Warehouse, asked: Asked) -> float:
    """What creators were paid of each unit of sales over the last weeks."""
    first = max(asked.first_day, asked.last_day - timedelta(days=LATEST - 1))
    found = commission_rate(wh, asked.country, asked.timezone, (first, asked.last_day))
    creators = found if found == found else 0.0
    if asked.margin <= creators:
        raise InvalidValue(
            f"margin={asked.margin:g}: creators are paid {format_percent(creators)} of sales in {asked.market}, so that"
            " no campaign pays; a larger margin is needed."
        )
    return creators


def past_coupon_shares(wh: Warehouse, asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """What coupons of past campaigns took of the sales of their market on their days.

    Those of the planned market, or, where it had none, those of all.

    Returns
    -------
    DataFrame
        campaign_id, country, share, media (as a share of the same sales); campaigns without a coupon on an order line
        are left out.
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
    sold = pd.Series(sold, index=past.index, dtype=float)
    past = past.assign(share=past["given"] / sold, media=past["media_usd"] / sold)
    return past.loc[past["share"].between(0, 1), ["campaign_id", "country", "share", "media"]].reset_index(drop=True)
