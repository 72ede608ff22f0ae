"""The largest fall of a currency, and what was bought abroad around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.gravity_cells import FlowCells, sides
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

#: A fall from one month to the next that is told.
LARGE = 0.05

#: Months on either side of it.
AROUND = 3


@dataclass(frozen=True, slots=True)
class Move:
    """A fall of a currency between two months.

    Attributes
    ----------
    country, currency : str
        The market and its currency.
    before, after : pandas.Timestamp
        The months.
    change : float
        Relative change of USD per unit.
    """

    country: str
    currency: str
    before: pd.Timestamp
    after: pd.Timestamp
    change: float


def largest_move(cells: FlowCells) -> Move | None:
    """The largest fall within one currency from a month to the next; None if none is large."""
    rates = cells.rates.sort_values(["country", "currency", "month"])
    by = rates.groupby(["country", "currency"])
    changes = by["usd_per_unit"].pct_change()
    if changes.notna().sum() == 0 or changes.min() > -LARGE:
        return None
    row = rates.loc[changes.idxmin()]
    before = by["month"].shift().loc[row.name]
    return Move(str(row["country"]), str(row["currency"]), before, row["month"], float(changes.min()))


def units_by_month(cells: FlowCells, country: str) -> pd.DataFrame:
    """Shares from abroad of one market: month, units and rel_units, rel_usd."""
    frame = sides(cells)
    frame = frame[frame["country"] == country]
    wide = frame.pivot(index="month", columns="is_abroad", values=["units", "gmv_usd"]).fillna(0.0)
    found = wide["units"].sum(axis=1).rename("units").to_frame()
    found["rel_units"] = wide["units"][True] / found["units"]
    found["rel_usd"] = wide["gmv_usd"][True] / wide["gmv_usd"].sum(axis=1)
    return found.reset_index()


def units_abroad(cells: FlowCells, move: Move, level: float) -> tuple[float, float, Estimate]:
    """Shares of units from abroad before and from the fall on, and their difference; units count as independent."""
    from scipy.stats import norm  # slow to import

    frame = units_by_month(cells, move.country)
    place = int(np.flatnonzero(frame["month"] == move.after)[0])
    sizes, shares = [], []
    for part in (frame.iloc[max(0, place - AROUND) : place], frame.iloc[place : place + AROUND]):
        sizes.append(float(part["units"].sum()))
        shares.append(float((part["units"] * part["rel_units"]).sum() / part["units"].sum()))
    gap = shares[1] - shares[0]
    se = float(np.sqrt(sum(share * (1 - share) / size for share, size in zip(shares, sizes, strict=True))))
    far = float(norm.ppf(0.5 + level / 2)) * se
    return *shares, Estimate(gap, se, gap - far, gap + far, level, "pp", int(sum(sizes)), "difference of two shares")
