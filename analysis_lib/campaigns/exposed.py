"""Which campaigns reached which buyer, and when."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

#: Campaigns of which it is told in one integer whether each reached a buyer.
BITS = 62


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """What reached each of some buyers. Few combinations of campaigns occur, so they are kept once each.

    Attributes
    ----------
    runs : pandas.DataFrame
        campaign_id, first, last (days from the reviewed campaign's start); campaigns by the days they ran.
    combinations : numpy.ndarray
        True where a combination holds a run; shape (combinations, runs).
    pattern : numpy.ndarray
        Combination of each buyer, by its number.
    """

    runs: pd.DataFrame
    combinations: np.ndarray
    pattern: np.ndarray

    def treated(self, campaign_id: str) -> np.ndarray:
        """1 for buyers that the campaign targeted and did not hold out."""
        mine = (self.runs["campaign_id"] == campaign_id).to_numpy()
        return self.combinations[:, mine].any(axis=1).astype(float)[self.pattern]

    def others(self, campaign_id: str, start: int, end: int) -> np.ndarray:
        """Other campaigns running per day and buyer, on average over days ``start`` to ``end - 1``."""
        first, last = (self.runs[side].to_numpy(float) for side in ("first", "last"))
        days = np.clip(np.minimum(last + 1, end) - np.maximum(first, start), 0.0, None)
        days[(self.runs["campaign_id"] == campaign_id).to_numpy()] = 0.0
        return (self.combinations @ days / (end - start))[self.pattern]

    def part(self, rows: np.ndarray) -> Reached:
        """The same of some of the buyers."""
        return replace(self, pattern=self.pattern[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Which campaigns each buyer was targeted by.

    Attributes
    ----------
    rows : pandas.DataFrame
        campaign_id, user_id, is_holdout, position (row in the panel, -1: not known before), first, last (days from the
        reviewed campaign's start).
    n_users : int
        Buyers of the panel.
    reached : Reached
        What reached each of them; worked out once, as every placebo window asks for it.
    """

    rows: pd.DataFrame
    n_users: int
    reached: Reached = field(init=False)

    def __post_init__(self) -> None:
        known = self.known[~self.known["is_holdout"]]
        by_run = known.groupby(["campaign_id", "first", "last"], sort=False)
        runs = by_run.size().reset_index()[["campaign_id", "first", "last"]]
        hit = np.zeros((self.n_users, len(runs)), dtype=bool)
        hit[known["position"].to_numpy(int), by_run.ngroup().to_numpy(int)] = True
        pattern = _combined(hit)
        _, one_of = np.unique(pattern, return_index=True)
        object.__setattr__(self, "reached", Reached(runs, hit[one_of], pattern))

    def n_targeted(self, campaign_id: str) -> int:
        """Targeted and not held out, known before the campaign or not."""
        mine = self.rows[(self.rows["campaign_id"] == campaign_id) & ~self.rows["is_holdout"]]
        return int(mine["user_id"].nunique())

    @property
    def known(self) -> pd.DataFrame:
        """Rows of buyers that are in the panel."""
        return self.rows[self.rows["position"] >= 0]


def _combined(hit: np.ndarray) -> np.ndarray:
    """Rows that are alike get the same number, counted from 0."""
    found = np.zeros(len(hit), dtype=np.int64)
    for first in range(0, hit.shape[1], BITS):
        some = hit[:, first : first + BITS]
        bits, values = pd.factorize(some @ (1 << np.arange(some.shape[1], dtype=np.int64)))
        found = pd.factorize(found * len(values) + bits)[0]
    return found
