"""Campaigns aimed anew: two worlds, one in which a campaign reaches all, one in which it does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib import world
from analysis_lib.calibration.passing import passing_world
from analysis_lib.campaigns import cells
from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import exposure
from analysis_lib.campaigns.exposed import Exposure
from analysis_lib.campaigns.lot_cells import LotCells, columns_of, lot_users, weeks_of
from analysis_lib.campaigns.windows import Windows, find_campaign, plan_windows
from analysis_lib.causal import GroupMoments
from analysis_lib.world.block import SCORE, segment_threshold
from analysis_lib.world.potential import activity

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: What lets a campaign reach everybody who is known when it begins, and what makes it change nothing.
REACHES_ALL = {"targeting": "segment", "reach": 1.0, "holdout_share": 0.0}
NOTHING = {"visits": 0.0, "cart": 0.0, "switch": 0.0, "pull": 0.0}

#: A campaign that would run in half of all markets in the weeks after the first of the two, which then could not stand
#: for the others: in both worlds it does nothing.
BESIDE = "nine_nine_2026"

#: As the book's own reviews: history and aftermath, in weeks.
WEEKS_BEFORE, WEEKS_AFTER = 16, 4


@dataclass(frozen=True, slots=True)
class Pair:
    """The same world twice.

    Attributes
    ----------
    reached, left : Warehouse
        With the campaigns for everybody, and with the same campaigns doing nothing.
    active : pandas.Series
        How active each user is by nature, by user_id.
    seed : int
        Of the world.
    """

    reached: Warehouse
    left: Warehouse
    active: pd.Series
    seed: int

    @property
    def countries(self) -> list[str]:
        """All markets, in which each of the campaigns runs."""
        return sorted(self.left.values("countries", "country", 100))


@contextmanager
def pair_of(names: tuple[str, ...], *, seed: int, scale: float) -> Iterator[Pair]:
    """Both worlds, for some campaigns that are far enough apart not to touch each other, in every market."""
    everywhere = {"countries": [market.country for market in world.load_settings().markets]}
    with ExitStack() as open_ones:
        found = []
        for more in ({}, NOTHING):
            settings = {"campaigns": dict.fromkeys(names, REACHES_ALL | everywhere | more) | {BESIDE: NOTHING}}
            passing = passing_world(seed=seed, scale=scale, marts=["order_facts"], settings=settings)
            found.append(open_ones.enter_context(passing))
        yield Pair(*found, activity(found[1].path).set_index("user_id")["active"], seed)


def windows_in(wh: Warehouse, name: str, country: str, *, fewest: int) -> Windows:
    """The windows of a campaign, as a review plans them."""
    campaign = find_campaign(wh, name, country)
    return plan_windows(campaign, cells.days_with_orders(wh, campaign), WEEKS_BEFORE, WEEKS_AFTER, fewest=fewest)


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """What users of a market would do, reached by a campaign and left alone: lots are drawn among them.

    Attributes
    ----------
    reached, left : pandas.DataFrame
        Columns of ``columns_of(weeks)``, one row per user, the same users in the same order.
    weeks : dict of int to str
        As in ``LotCells``.
    """

    reached: pd.DataFrame
    left: pd.DataFrame
    weeks: dict[int, str]

    def drawn(self, held_out: np.ndarray, *, works: bool) -> LotCells:
        """Moments of both groups when some are held out, of a campaign that works or does nothing."""
        other = (self.reached if works else self.left).loc[~held_out]
        return LotCells(_moments(other), _moments(self.left.loc[held_out]), self.weeks)

    def changed(self, columns: tuple[str, ...], held_out: np.ndarray) -> float:
        """What the campaign changed among the reached, in local money."""
        gap = self.reached[list(columns)].sum(axis=1) - self.left[list(columns)].sum(axis=1)
        return float(gap[~held_out].sum())


def lots_of(pair: Pair, name: str, country: str) -> Lots:
    """Users of a campaign's lot in both worlds."""
    windows = windows_in(pair.reached, name, country, fewest=0)
    weeks = weeks_of(windows)
    sides = [
        side.query(lot_users(side, windows, "gmv", weeks)).set_index("user_id").sort_index()[columns_of(weeks)]
        for side in (pair.reached, pair.left)
    ]
    return Lots(sides[0].astype(float), sides[1].astype(float), weeks)


def _moments(frame: pd.DataFrame) -> GroupMoments:
    values = frame.to_numpy()
    return GroupMoments(len(values), tuple(frame.columns), values.mean(axis=0), np.cov(values, rowvar=False))


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The same for a campaign that is aimed at a segment: panels of both worlds.

    Attributes
    ----------
    reached, left : Panel
        Of the same buyers.
    seen : Exposure
        Who was targeted by which campaign; of this one, everybody.
    windows : Windows
        Of the campaign.
    active : numpy.ndarray
        How active each buyer of the panel is.
    """

    reached: Panel
    left: Panel
    seen: Exposure
    windows: Windows
    active: np.ndarray

    def picked(self, reach: float, rng: np.random.Generator) -> np.ndarray:
        """Who is picked: the more active, by a score with as much chance in it as the world's own."""
        score = SCORE * self.active + (1 - SCORE) * rng.random(len(self.active))
        return score > segment_threshold(reach)

    def aimed(self, picked: np.ndarray, *, works: bool) -> tuple[Panel, Exposure]:
        """What the shop would have seen, had these been targeted."""
        source = self.reached if works else self.left
        changed = {
            name: np.where(picked[:, None, None], getattr(source, name), getattr(self.left, name))
            for name in ("promoted", "other", "lost")
        }
        rows, own = self.seen.rows, self.seen.rows["campaign_id"] == self.windows.campaign.campaign_id
        kept = ~own | rows["position"].map(lambda place: place >= 0 and bool(picked[place]))
        return replace(self.left, **changed), Exposure(rows[kept], len(picked))

    def changed(self, picked: np.ndarray) -> dict[str, float]:
        """What the campaign changed among the picked, by outcome, in local money."""
        parts = {}
        for name, total in (("promoted_during", "promoted"), ("other_during", "other")):
            parts[name] = self._gap(picked, lambda panel, kind=total: panel.during(0, getattr(panel, kind)))
        parts["after"] = self._gap(picked, lambda panel: panel.after(0, WEEKS_AFTER))
        parts["returned"] = -self._gap(
            picked, lambda panel: panel.during(0, panel.lost) + panel.after(0, WEEKS_AFTER, panel.lost)
        )
        return parts | {"total": sum(parts.values())}

    def _gap(self, picked: np.ndarray, of) -> float:
        return float((of(self.reached) - of(self.left))[picked].sum())


def segments_of(pair: Pair, name: str, country: str) -> Segments:
    """Panels of a campaign's market in both worlds."""
    windows = windows_in(pair.reached, name, country, fewest=WEEKS_BEFORE)
    reached, left = (cells.spending(side, windows, "gmv") for side in (pair.reached, pair.left))
    seen = exposure(cells.targets(pair.left), left, windows)
    return Segments(reached, left, seen, windows, pair.active.reindex(left.users).to_numpy(float))
