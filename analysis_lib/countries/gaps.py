"""What a market would gain at its peers' level, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.profile_cells import ProfileCells
from analysis_lib.metrics.splitting import interval, replicates
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Step:
    """A rate that sales are in proportion to.

    Attributes
    ----------
    name, title : str
        What it is.
    above, below : str
        Quantities of ``ProfileCells``.
    unit : str
        share, units, usd or days.
    owner : str
        Who can move it.
    advice : str
        What to do where it lies below the peers'.
    """

    name: str
    title: str
    above: str
    below: str
    unit: str
    owner: str
    advice: str


#: From a visit to goods: the product of the five is units per visit. What a unit costs follows incomes, and is no gap.
FUNNEL = (
    Step("view_rate", "views per visit", "views", "visits", "share", "Feed lead",
         "show products that fit earlier in the visit"),
    Step("cart_rate", "carts per view", "carts", "views", "share", "Category lead",
         "look at prices, sizes and reviews on product pages"),
    Step("checkout_rate", "checkouts per cart", "checkouts", "carts", "share", "Product manager of the checkout",
         "shorten the way from cart to checkout, show shipping early"),
    Step("order_rate", "orders per checkout", "orders", "checkouts", "share", "Payments lead",
         "offer the payment methods that peers' buyers use, and retry failed payments"),
    Step("basket", "units per order", "units", "orders", "units", "Category lead",
         "bundle, and set the threshold of free shipping just above the usual basket"),
)  # fmt: skip

#: Beside the funnel: told, not priced by itself, as it is in the funnel or after it.
BESIDE = (
    Step("payment_success", "payments that succeed", "paid", "attempts", "share", "Payments lead", ""),
    Step("kept", "sales kept after returns and refusals", "net", "gmv", "share", "Quality lead",
         "find the merchants and goods that come back"),
    Step("unit_price", "sales per unit", "gmv", "units", "usd", "Pricing lead", ""),
    Step("delivery", "days to delivery", "delivery_days", "delivered", "days", "Logistics lead", ""),
)  # fmt: skip

METHOD = "market against the median of its peers; infinitesimal jackknife over groups of users"


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """A market beside its peers.

    Attributes
    ----------
    country : str
        Which market.
    peers : list of str
        Its peers.
    rates : dict of str to Estimate
        The market's own rates, by step.
    levels : dict of str to float
        Medians of the peers.
    of_peers : pandas.DataFrame
        Rates of each peer: step, country, value.
    worth : dict of str to Estimate
        Sales a month in USD at the peers' level beyond today's; below zero where the market is ahead.
    sure : dict of str to bool
        Whether the gap is there beyond doubt, all steps taken together (Bonferroni).
    """

    country: str
    peers: list[str]
    rates: dict[str, Estimate]
    levels: dict[str, float]
    of_peers: pd.DataFrame
    worth: dict[str, Estimate]
    sure: dict[str, bool]


def gaps(cells: ProfileCells, country: str, peers: list[str], *, level: float) -> Gaps:
    """Rates of a market and its peers, and what each gap is worth.

    Sales are the product of the steps: with one of them at the peers' median and the others as they are, they change
    by the ratio of the two rates. The interval is over users, of the market and of the peers; that peers are peers is
    taken as given.
    """
    import pandas as pd

    made = {name: replicates(by_group) for name, by_group in cells.values.items()}
    own, others = cells.markets.index(country), [cells.markets.index(code) for code in peers]
    month = made["gmv"][:, own] * 30.0 / cells.n_days
    rates, levels, worth, sure, rows = {}, {}, {}, {}, []
    priced = [step for step in (*FUNNEL, *BESIDE) if step.advice]
    for step in (*FUNNEL, *BESIDE):
        with np.errstate(divide="ignore", invalid="ignore"):
            values = made[step.above] / made[step.below]
        peer = np.median(values[:, others], axis=1)
        rates[step.name], levels[step.name] = _estimate(values[:, own], level, step.unit), float(peer[0])
        rows += [(step.name, code, float(values[0, place])) for code, place in zip(peers, others, strict=True)]
        if step in priced:
            gain = month * (peer / values[:, own] - 1.0)
            worth[step.name] = _estimate(gain, level, "usd")
            stricter = _estimate(gain, 1 - (1 - level) / len(priced), "usd")
            sure[step.name] = stricter.ci_lower > 0
    return Gaps(country, peers, rates, levels, pd.DataFrame(rows, columns=["step", "country", "value"]), worth, sure)


def _estimate(values: np.ndarray, level: float, unit: str) -> Estimate:
    se, low, high = (float(bound[0]) for bound in interval(values[:, None], level))
    return Estimate(float(values[0]), se, low, high, level, unit, len(values) - 1, METHOD)
