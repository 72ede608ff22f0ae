"""What would have been found of a campaign without its lot: the market against others, beside what the lot shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.campaigns.dollars import usd_per_unit
from analysis_lib.campaigns.market_days import market_days
from analysis_lib.campaigns.market_effect import market_effect
from analysis_lib.errors import ContractError, NotEnoughData
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from analysis_lib.campaigns.lot_effect import LotEffect
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Sales before returns, in USD.

    Attributes
    ----------
    lot, markets : Estimate
        Additional sales by the lot, and by other markets.
    gap : Estimate
        The second less the first. Its interval takes them for independent: their errors come from the held out few
        and from other markets.
    """

    lot: Estimate
    markets: Estimate
    gap: Estimate


def observed(wh: Warehouse, windows: Windows, measure: str, effect: LotEffect, *, level: float) -> Observed | None:
    """The campaign seen from other markets, as if nobody had been left out; None where that is refused."""
    try:
        markets = market_effect(market_days(wh, windows, measure), windows, level=level).effects["total"]
        campaign = windows.campaign
        rate = usd_per_unit(wh, campaign.currency, (campaign.starts_on, windows.ends_on))
    except (NotEnoughData, ContractError):
        return None
    return beside(effect, markets, rate, level=level)


def beside(effect: LotEffect, markets: Estimate, rate: float, *, level: float) -> Observed:
    """What the lot shows, brought to what other markets show.

    Parameters
    ----------
    markets : Estimate
        Additional sales before returns, in USD.
    rate : float
        USD per unit of the market's money.
    """
    net, returned = (effect.effects[name].scaled(effect.n_targeted * rate, "usd") for name in ("total", "returned"))
    # Returns move little beside sales: the error is that of the net.
    lot = net.shifted(-returned.value)
    reach = float(norm.ppf(0.5 + level / 2))
    own = np.array([(one.ci_upper - one.ci_lower) / (2 * reach) for one in (lot, markets)])
    se, value = float(np.hypot(*own)), markets.value - lot.value
    gap = replace(markets, value=value, se=se, ci_lower=value - reach * se, ci_upper=value + reach * se)
    return Observed(lot, markets, gap)
