"""What a campaign costs beside its coupons: money for media, and what creators are paid on what it sold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis_lib.campaigns.cells import line_value
from analysis_lib.campaigns.dollars import usd_per_unit
from analysis_lib.errors import ContractError, NotEnoughData
from analysis_lib.warehouse.instants import falls_on

if TYPE_CHECKING:
    from datetime import date

    from analysis_lib.campaigns.windows import Campaign
    from analysis_lib.warehouse import Warehouse

UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Spend:
    """What the source tells of a campaign's spending beside coupons.

    Creators are paid a share of what is sold through them, so a campaign that sells more pays them more. How much
    more is not seen; it is taken to be the share that they were paid of all sales of the market in the campaign's
    days, times the net additional sales: what the campaign sold is taken to have gone through creators as often as
    everything else did then, and what is given back to lower the commission in proportion. Where a campaign moves
    sales to creators that would have been made without them, their commission on these comes on top and is not seen.

    Attributes
    ----------
    media_usd : float
        Money for reach outside the marketplace, US dollars; missing where none is known.
    usd_per_unit : float
        US dollars per unit of the market's money, mean of the campaign's days; missing where that is not known.
    commission : float
        What creators are paid of each unit of sales, 0 to 1; missing where the source does not tell.
    """

    media_usd: float = UNKNOWN
    usd_per_unit: float = UNKNOWN
    commission: float = UNKNOWN

    @property
    def tells_commission(self) -> bool:
        """Whether it is known what creators are paid."""
        return not math.isnan(self.commission)

    @property
    def tells_media(self) -> bool:
        """Whether money for media is known."""
        return not math.isnan(self.media_usd)

    @property
    def creators(self) -> float:
        """What creators are paid of each unit of sales; 0 where it is not known."""
        return self.commission if self.tells_commission else 0.0

    def media(self, unit: str) -> float:
        """Money for media in ``usd`` or in the market's money; 0 where none is known.

        Raises
        ------
        NotEnoughData
            There is no exchange rate.
        """
        if not self.tells_media or self.media_usd == 0:
            return 0.0
        if unit == "usd":
            return self.media_usd
        if math.isnan(self.usd_per_unit):
            raise NotEnoughData(f"no exchange rate of {unit.upper()} is known for its days: media cannot be converted")
        return self.media_usd / self.usd_per_unit


#: Of a source that tells neither.
NOTHING_TOLD = Spend()


def spend_of(wh: Warehouse, campaign: Campaign) -> Spend:
    """What the source tells of a campaign's spending beside coupons; at most two small queries."""
    return Spend(
        campaign.media_usd,
        rate_of(wh, campaign) if campaign.media_usd > 0 else UNKNOWN,  # nothing else has to be converted
        commission_rate(wh, campaign.country, campaign.timezone, (campaign.starts_on, campaign.ends_on)),
    )  # fmt: skip


def rate_of(wh: Warehouse, campaign: Campaign) -> float:
    """Dollars per unit of the market's money over the campaign's days; missing where there is no rate."""
    try:
        return usd_per_unit(wh, campaign.currency, (campaign.starts_on, campaign.ends_on))
    except (ContractError, NotEnoughData):
        return UNKNOWN


def commission_rate(wh: Warehouse, country: str, timezone: str, days: tuple[date, date]) -> float:
    """Commission of creators per unit of all sales of a market, coupons not taken off.

    Parameters
    ----------
    country, timezone : str
        The market.
    days : tuple of datetime.date
        First and last market-local day.

    Returns
    -------
    float
        Missing where the source does not tell commissions (``orders.commission_local``), or sold nothing.
    """
    if not wh.has("orders", "commission_local"):
        return UNKNOWN
    orders = wh.table("orders")
    told = orders.filter(orders.country == country, orders.commission_local.notnull())
    told = told.filter(falls_on(told.ordered_at, *days, timezone))
    found = wh.query(told.aggregate(paid=_sum(told.commission_local), sold=_sum(line_value(told, "gmv")))).iloc[0]
    sold = float(found["sold"])
    return float(found["paid"]) / sold if sold > 0 else UNKNOWN


def _sum(amount: Any) -> Any:
    return amount.cast("float64").sum().fill_null(0.0)
