"""Which markets are like one another, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import ContractError, NotEnoughData
from analysis_lib.results import Result, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Peers of a market, and draws that say how stable they are.
N_PEERS, DRAWS = 3, 400

#: What markets are compared by: what they are like, nothing that the marketplace does there.
TRAITS = ("population", "gdp_per_capita_ppp", "internet_share", "card_share", "cod_share")

#: Traits whose logarithm is taken.
LOGS = ("population", "gdp_per_capita_ppp")


@dataclass(frozen=True, slots=True, eq=False)
class Peers(Result):
    """The markets most like one.

    Attributes
    ----------
    country : str
        Whose peers.
    rows : pandas.DataFrame
        country, distance (standard deviations of traits, mean square), share (of draws of traits in which it is among
        the peers), is_peer; nearest first.
    traits : tuple of str
        What they are compared by.
    """

    country: str
    rows: pd.DataFrame
    traits: tuple[str, ...]

    @property
    def codes(self) -> list[str]:
        """Codes of the peers, nearest first."""
        return list(self.rows.loc[self.rows["is_peer"], "country"])

    def to_frame(self) -> pd.DataFrame:
        """All other markets."""
        return self.rows.copy()

    @property
    def text(self) -> str:
        """Peers with how often they stay peers."""
        rows = self.rows[self.rows["is_peer"]]
        told = [f"{row.country} ({format_percent(row.share, 0)})" for row in rows.itertuples()]
        names = ", ".join(name.replace("_", " ") for name in self.traits)
        return (
            f"Peers are the markets most alike in {names}: {', '.join(told)}; in brackets, how often each stays one of"
            f" {N_PEERS} when traits are drawn anew."
        )


def find_peers(wh: Warehouse, country: str, *, seed: int = 1) -> Peers:
    """Peers by traits of the last twelve months.

    Raises
    ------
    ContractError
        The source has no traits of markets.
    NotEnoughData
        Fewer than four other markets, or none of the traits of this one.
    """
    if not wh.has("country_factors", "country", "month"):
        raise ContractError(f"source '{wh.name}' has no table country_factors by country and month")
    table = wh.query(wh.table("country_factors"))
    traits = tuple(name for name in TRAITS if name in table.columns)
    recent = table[table["month"].isin(sorted(table["month"].unique())[-12:])]
    means = recent.groupby("country")[list(traits)].mean().dropna()
    if country not in means.index or len(means) <= N_PEERS + 1:
        raise NotEnoughData(f"traits of {country} and of at least {N_PEERS + 1} other markets are needed to find peers")
    return peers_of(means, country, seed=seed)


def peers_of(means: pd.DataFrame, country: str, *, seed: int = 1) -> Peers:
    """Peers from traits, one row a market.

    Stability is over which traits are looked at: they are drawn with replacement, as choosing them is arbitrary.
    """
    values = means.copy()
    for name in LOGS:
        if name in values:
            values[name] = np.log(values[name])
    scaled = ((values - values.mean()) / values.std(ddof=0).replace(0.0, 1.0)).to_numpy()
    place = list(values.index).index(country)
    squares = np.square(scaled - scaled[place])
    others = np.arange(len(values)) != place
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, squares.shape[1], (DRAWS, squares.shape[1]))
    hits = np.zeros(len(values))
    for picks in drawn:
        far = np.where(others, squares[:, picks].mean(axis=1), np.inf)
        hits[np.argsort(far, kind="stable")[:N_PEERS]] += 1
    rows = values.index.to_frame(index=False, name="country").assign(
        distance=np.sqrt(squares.mean(axis=1)), share=hits / DRAWS
    )
    rows = rows[others].sort_values("distance", ignore_index=True)
    return Peers(country, rows.assign(is_peer=rows.index < N_PEERS), tuple(means.columns))
