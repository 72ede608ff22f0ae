"""What other markets say of a campaign whose lot is drawn anew: daily sales of a market, some of its users reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis_lib.calibration.paired_campaigns import windows_in
from analysis_lib.campaigns.dollars import usd_per_unit
from analysis_lib.campaigns.market_days import MarketDays, daily_sales, market_days
from analysis_lib.campaigns.market_effect import market_effect
from analysis_lib.campaigns.observed import Observed, beside
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    from analysis_lib.calibration.paired_campaigns import Pair
    from analysis_lib.campaigns.lot_effect import LotEffect
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """A market among others in which there is no campaign.

    Attributes
    ----------
    windows : Windows
        Of the campaign.
    days : MarketDays
        Daily sales where the campaign does nothing.
    more : scipy.sparse.csr_array
        USD that each user of the lot buys more on each day if reached; shape (users, days).
    rate : float
        USD per unit of the market's money.
    """

    windows: Windows
    days: MarketDays
    more: csr_array
    rate: float

    def told(self, effect: LotEffect, held_out: np.ndarray, *, works: bool, level: float) -> Observed:
        """The lot, and what other markets would have shown.

        Raises
        ------
        NotEnoughData
            Other markets cannot stand for it.
        """
        days = self.days
        if works:
            sales = days.sales.copy()
            sales[days.market] += self.more.T @ (~held_out).astype(float)
            days = replace(days, sales=sales)
        found = market_effect(days, self.windows, level=level).effects["total"]
        return beside(effect, found, self.rate, level=level)


def beside_of(pair: Pair, name: str, country: str, users: pd.Index) -> Beside:
    """Daily sales of a campaign's market and of all others.

    Parameters
    ----------
    users : pandas.Index
        Of the lot, as its draws know them.
    """
    windows = windows_in(pair.reached, name, country, fewest=0)
    days = market_days(pair.left, windows, "gmv", table=daily_sales(pair.left, windows, "gmv"), left_out={})
    campaign = windows.campaign
    rate = usd_per_unit(pair.left, campaign.currency, (campaign.starts_on, windows.ends_on))
    reached, left = (_by_user(side, windows, users, days.sales.index) for side in (pair.reached, pair.left))
    return Beside(windows, days, csr_array(reached - left), rate)


def _by_user(wh: Warehouse, windows: Windows, users: pd.Index, days: pd.Index) -> csr_array:
    """USD sold by user of the lot and day."""
    facts = mart(wh, "order_facts")
    facts = facts.filter(facts.country == windows.campaign.country, facts.day >= windows.campaign.starts_on)
    sums = wh.query(facts.group_by("user_id", "day").agg(sold=facts.gmv_usd.cast("float64").sum()))
    who, when = users.get_indexer(sums["user_id"]), days.get_indexer(pd.to_datetime(sums["day"]))
    kept = (who >= 0) & (when >= 0)
    places = (who[kept], when[kept])
    return csr_array((sums["sold"].to_numpy(float)[kept], places), shape=(len(users), len(days)))
