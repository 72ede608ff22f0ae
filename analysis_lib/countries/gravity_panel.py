"""The frames that gravity is fitted to: who sells where, at which rate, and how fast it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.gravity_cells import FlowCells, sides

if TYPE_CHECKING:
    import pandas as pd

#: What merchants at home are called where all markets' are one origin.
HOME = "home"

#: Fewest origins that sell at home and abroad from which on each origin has effects of its own.
FEWEST_BOTH = 3


def sells_both_ways(flows: pd.DataFrame) -> list[str]:
    """Origins whose merchants sell at home and abroad."""
    sold = flows[flows["gmv_usd"] > 0]
    at_home = set(sold.loc[sold["origin"] == sold["country"], "origin"])
    abroad = set(sold.loc[sold["origin"] != sold["country"], "origin"])
    return sorted(at_home & abroad)


def is_structural(flows: pd.DataFrame) -> bool:
    """Whether a border can be told with effects of origins: enough of them sell on both sides of it."""
    return len(sells_both_ways(flows)) >= FEWEST_BOTH


def trading(cells: FlowCells) -> pd.DataFrame:
    """Rows of origins and destinations that are fitted, with their effects.

    Where merchants of a market sell at home only, an effect of each such origin and month would take up its one flow
    whole: then merchants at home are one origin, ``home``, in every market, and origins that sell nothing abroad have
    no flows abroad to explain.

    Returns
    -------
    DataFrame
        ``cells.flows`` with side (origin, or ``home``), is_home (1 or 0), pair, origin_month, destination_month.
    """
    flows = cells.flows.copy()
    flows["is_home"] = (flows["origin"] == flows["country"]).astype(float)
    flows["side"] = flows["origin"]
    if not is_structural(flows):
        abroad = set(flows.loc[(flows["is_home"] == 0) & (flows["gmv_usd"] > 0), "origin"])
        flows = flows[(flows["is_home"] == 1) | flows["origin"].isin(abroad)].reset_index(drop=True)
        flows["side"] = flows["origin"].where(flows["is_home"] == 0, HOME)
    month = flows["month"].dt.strftime("%Y-%m")
    return flows.assign(
        pair=flows["side"] + " " + flows["country"], origin_month=flows["side"] + " " + month,
        destination_month=flows["country"] + " " + month,
    )  # fmt: skip


def border_panel(cells: FlowCells) -> pd.DataFrame:
    """``trading`` with log_merchants: of the origin, that sold anything in the month."""
    rows = trading(cells).merge(cells.merchants, on=["origin", "month"], how="left")
    with np.errstate(divide="ignore"):
        counted = np.log(rows["n_merchants"].to_numpy(float))
    return rows.assign(log_merchants=np.where(np.isfinite(counted), counted, np.nan))


def change_panel(cells: FlowCells) -> pd.DataFrame:
    """``trading`` with what moves over time: the rate of the market's currency and days of delivery, abroad.

    Returns
    -------
    DataFrame
        log_rate (log USD per unit of the market's currency, 0 at home), log_days (log mean days of delivery of the
        market's side and month: single origins have too few parcels), pair (anew when a market changes its currency).
    """
    rows = trading(cells).merge(cells.rates, on=["country", "month"], how="left")
    by = sides(cells).assign(is_home=lambda f: (~f["is_abroad"].astype(bool)).astype(float))
    by = by.assign(log_days=logged(by["delivery_days"] / by["n_delivered"].where(by["n_delivered"] > 0)))
    rows = rows.merge(by[["country", "month", "is_home", "log_days"]], on=["country", "month", "is_home"], how="left")
    rate = logged(rows["usd_per_unit"]) * (1 - rows["is_home"])
    pair = rows["pair"] + " " + rows["currency"].fillna("")
    return rows.assign(log_rate=rate, pair=pair)


def logged(values: pd.Series) -> pd.Series:
    """Logarithms; missing where there is none."""
    return np.log(values.where(values > 0))


def currency_changes(rates: pd.DataFrame) -> dict[str, list[str]]:
    """Markets whose prices changed their currency: code to the currencies, in order."""
    ordered = rates.sort_values("month").groupby("country")["currency"].unique()
    return {str(code): [str(name) for name in names] for code, names in ordered.items() if len(names) > 1}
