"""What a launch is worth a month: where it is live, and where it is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from analysis_lib.launches.effect import LaunchEffect
    from analysis_lib.launches.launch import Launch

#: Days of a month, and days whose sales stand for it.
MONTH, SALES_DAYS = 30.0, 28

#: Metrics with which sales rise and fall in proportion: steps on the way to a paid order, and sales themselves.
IN_PROPORTION = (
    "view_rate", "cart_rate", "checkout_rate", "visit_conversion", "orders", "gmv", "net_gmv", "view_to_payment_30m",
)  # fmt: skip

METHOD = "relative change of the metric, times sales of the last four weeks"


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """Money by market.

    Attributes
    ----------
    markets : pandas.DataFrame
        country, is_live, sales (USD in 30 days, as sold), value, ci_lower, ci_upper (USD in 30 days: what it brings
        where it is live; what it would bring elsewhere, with the uncertainty of a market that has not had it), chance
        (that it is above 0). One row per market that is told.
    effect : LaunchEffect
        What it rests on.
    level : float
        Of the intervals.
    """

    markets: pd.DataFrame
    effect: LaunchEffect
    level: float

    def total(self, countries: Iterable[str]) -> Estimate | None:
        """USD in 30 days over some markets together; None if none of them is told."""
        chosen = self.markets["country"].isin(set(countries)).to_numpy()
        if not chosen.any():
            return None
        rows = self.markets
        means = self.effect.found.units["shrunk"].to_numpy()
        # Near its mean, what a market brings moves with the logarithm of the effect by this much.
        slopes = rows["sales"].to_numpy() * np.exp(np.where(rows["is_live"], -means, means))
        middle, se, low, high = self.effect.found.spread.sum(np.where(chosen, slopes, 0.0), self.level)
        value = float(rows.loc[chosen, "value"].sum())
        return Estimate(
            value, se, value + low - middle, value + high - middle, self.level, "usd", int(chosen.sum()), METHOD
        )

    @property
    def live(self) -> Estimate | None:
        """What it brings where it is live."""
        return self.total(self.markets.loc[self.markets["is_live"], "country"])


def worth_of(effect: LaunchEffect, launch: Launch, sales: pd.Series, *, level: float) -> Worth | None:
    """Money by market; None for a metric with which sales do not move in proportion.

    Parameters
    ----------
    sales : pandas.Series
        USD sold in ``SALES_DAYS`` days, by market.
    """
    if effect.metric.name not in IN_PROPORTION:
        return None
    units = effect.found.units
    live = units["unit"].isin(launch.live)
    month = units["unit"].map(sales).fillna(0.0).to_numpy(dtype=float) * MONTH / SALES_DAYS
    found = {
        name: month * np.where(live, -np.expm1(-units[column]), np.expm1(units[column]))
        for name, column in (("value", "shrunk"), ("ci_lower", "shrunk_ci_lower"), ("ci_upper", "shrunk_ci_upper"))
    }
    markets = units[["unit", "chance"]].rename(columns={"unit": "country"})
    return Worth(markets.assign(is_live=live, sales=month, **found), effect, level)
