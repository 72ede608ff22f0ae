"""``countries.clusters``: whether markets fall into groups, by what they are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.config import LEVEL
from analysis_lib.countries.clusters_result import MarketClusters
from analysis_lib.countries.grouping import split_of
from analysis_lib.countries.peers import LOGS, TRAITS
from analysis_lib.errors import NotEnoughData, check_level

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Months whose mean is what a market is like.
MONTHS = 12


def clusters(wh: Warehouse, *, level: float = LEVEL, seed: int = 1) -> MarketClusters:
    """Groups of markets by the traits that peers are found by, if there are any worth the name.

    Markets are joined by Ward's method on standardised traits, means of the last twelve months. There are groups if one
    cloud with the same covariance rarely gives a split as clear (gap statistic, at ``level``); they last if most of
    each group is found again when months, in blocks, and traits are drawn anew.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    level : float
        Share of clouds without groups that must be less clear.
    seed : int
        Of the draws.

    Returns
    -------
    MarketClusters
        Without a split, and with the reason, where the source has too few markets or traits.

    Raises
    ------
    InvalidValue
        A level out of range.

    Examples
    --------
    >>> countries.clusters(wh).text  # doctest: +SKIP
    """
    check_level(level)
    try:
        values, names, traits = _traits(wh)
        split = split_of(values, names, np.isin(traits, LOGS), seed=seed)
    except NotEnoughData as error:
        return MarketClusters(None, {}, (), str(error), level, wh.name)
    titles = wh.query(wh.table("countries").select("country", "name")).set_index("country")["name"]
    return MarketClusters(
        split, {code: str(titles.get(code, code)) for code in names}, tuple(traits), "", level, wh.name
    )


def _traits(wh: Warehouse) -> tuple[np.ndarray, list[str], list[str]]:
    """Traits by month, market and trait; markets with all of them only."""
    if not wh.has("country_factors", "country", "month"):
        raise NotEnoughData(f"source '{wh.name}' has no traits of markets by month")
    table = wh.query(wh.table("country_factors"))
    traits = [name for name in TRAITS if name in table.columns]
    recent = sorted(table["month"].unique())[-MONTHS:]
    table = table[table["month"].isin(recent)].dropna(subset=traits)
    whole = table.groupby("country")["month"].nunique()
    names = sorted(str(code) for code in whole.index[whole == len(recent)])
    if len(traits) < 2 or not names:
        raise NotEnoughData(f"{len(traits)} traits of {len(names)} markets are known in every month")
    table = table[table["country"].isin(names)].sort_values(["month", "country"])
    return table[traits].to_numpy(float).reshape(len(recent), len(names), len(traits)), names, traits
