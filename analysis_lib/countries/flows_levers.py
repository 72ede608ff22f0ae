"""What faster delivery from abroad would be worth: fewer returns, and what demand may add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.gravity_cells import FlowCells, sides
from analysis_lib.countries.gravity_fit import Coefficients
from analysis_lib.errors import NotEnoughData
from analysis_lib.regression.fitting import fit
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

#: Fewest markets of a region besides its own that a market is held against; with fewer, all others.
FEWEST_PEERS = 2

#: Fewest delivered lines behind a market's days.
FEWEST_PARCELS = 100

#: Days by which a market is slower than its peers from which on it is worth a look.
SLOWER = 0.5

MONTH = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Levers:
    """What bringing delivery from abroad to the level of peers is worth.

    Attributes
    ----------
    per_day : Estimate or None
        Share of delivered lines that are returned more for every day of delivery; None with ``why``.
    why : str
        Why there is none.
    worth : pandas.DataFrame
        One row a slower market, the most sales at stake first: country, days, peer_days, peers (text), monthly_usd
        (sales from abroad in 30 days), returns_usd, demand_usd, total_usd, each with _se, _ci_lower and _ci_upper.
    """

    per_day: Estimate | None
    why: str
    worth: pd.DataFrame


def levers(cells: FlowCells, changes: Coefficients | None, level: float) -> Levers:
    """Value the days of each market that is slower than its peers."""
    per_day, why = None, ""
    try:
        per_day = returns_per_day(cells.parcels, level)
    except NotEnoughData as error:
        why = str(error)
    demand = changes.values.get("log_days") if changes is not None else None
    return Levers(per_day, why, _worth(slower(cells), per_day, demand, level))


def returns_per_day(parcels: pd.DataFrame, level: float) -> Estimate:
    """Share of lines returned more for each day of delivery; among lines of one origin, market and category.

    Raises
    ------
    NotEnoughData
        Too few markets or settled parcels.
    """
    abroad = parcels[(parcels["origin"] != parcels["country"]) & (parcels["n"] > 0)]
    if abroad["n"].sum() < FEWEST_PARCELS:
        raise NotEnoughData(
            f"{int(abroad['n'].sum())} parcels from abroad arrived long enough ago: {FEWEST_PARCELS} are needed"
        )
    group = abroad["origin"] + " " + abroad["country"] + " " + abroad["category"]
    rows = abroad.assign(returned=abroad["n_returned"] / abroad["n"], group=group)
    found = fit("returned ~ days", rows, fixed_effects=["group"], cluster="country", weights="n", level=level)
    return found.fit_of("days", "share")


def slower(cells: FlowCells) -> pd.DataFrame:
    """Markets whose parcels from abroad take longer than those of their peers.

    Returns
    -------
    DataFrame
        country, days, peer_days, peers, monthly_usd.
    """
    import pandas as pd

    table = sides(cells)
    abroad = table[table["is_abroad"]].groupby("country")[["n_delivered", "delivery_days", "gmv_usd"]].sum()
    abroad = abroad[abroad["n_delivered"] >= FEWEST_PARCELS]
    days = abroad["delivery_days"] / abroad["n_delivered"]
    length = sum(month.days_in_month for month in cells.months)
    rows = []
    for code in days.index:
        near = [other for other in days.index if other != code and cells.regions[other] == cells.regions[code]]
        among = near if len(near) >= FEWEST_PEERS else [other for other in days.index if other != code]
        if not among:
            continue
        called = cells.regions[code] if among is near else "all other markets"
        peer = float(days[among].median())
        if days[code] >= peer + SLOWER:
            monthly = abroad.loc[code, "gmv_usd"] * MONTH / length
            rows.append((code, float(days[code]), peer, called, float(monthly)))
    return pd.DataFrame(rows, columns=["country", "days", "peer_days", "peers", "monthly_usd"])


def _worth(table: pd.DataFrame, per_day: Estimate | None, demand: Estimate | None, level: float) -> pd.DataFrame:
    """USD a month by both ways; what is not told is missing, and so is then the total."""
    gap = (table["days"] - table["peer_days"]).to_numpy(float)
    ratio = np.log((table["peer_days"] / table["days"]).to_numpy(float))
    monthly = table["monthly_usd"].to_numpy(float)
    returns = _bounds(per_day, lambda x: monthly * gap * x)
    # With a negative elasticity fewer days mean more sales.
    sales = _bounds(demand, lambda x: monthly * np.expm1(x * ratio))
    total = returns[0] + sales[0]
    # Both are told apart from different variation: distances to the bounds add up as independent errors do.
    low = total - np.hypot(returns[0] - returns[1], sales[0] - sales[1])
    high = total + np.hypot(returns[2] - returns[0], sales[2] - sales[0])
    found = table.copy()
    for name, (value, lower, upper) in (("returns", returns), ("demand", sales), ("total", (total, low, high))):
        found[f"{name}_usd"], found[f"{name}_usd_ci_lower"], found[f"{name}_usd_ci_upper"] = value, lower, upper
    return found.sort_values("total_usd", ascending=False, ignore_index=True)


def _bounds(one: Estimate | None, of) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A monotone function of an estimate, with its bounds in order."""
    if one is None:
        missing = of(float("nan"))
        return missing, missing, missing
    low, high = of(one.ci_lower), of(one.ci_upper)
    return of(one.value), np.minimum(low, high), np.maximum(low, high)
