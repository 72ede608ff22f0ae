"""Days on which a campaign of the market ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse.connection import Warehouse


def in_campaign(warehouse: Warehouse, days: pd.DataFrame) -> pd.Series:
    """Whether a campaign of the market ran on the day; never, where the source has none.

    Parameters
    ----------
    days : pandas.DataFrame
        country, day (market-local).

    Returns
    -------
    Series
        Booleans in the order of the frame.
    """
    import pandas as pd

    hit = pd.Series(False, index=days.index)
    if not warehouse.has("campaigns", "starts_on", "ends_on"):
        return hit
    table = warehouse.table("campaigns").select("country", "starts_on", "ends_on")
    for one in warehouse.query(table.distinct()).itertuples():
        running = days["day"].between(pd.Timestamp(one.starts_on), pd.Timestamp(one.ends_on))
        hit |= (days["country"] == one.country) & running
    return hit
