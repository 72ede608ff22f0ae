"""The grade of ``causal.one_treated``: a campaign in one market, with a handful of others to compare it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, SHIPPED, draw_of
from analysis_lib.causal.one_treated import estimated
from analysis_lib.causal.one_treated_candidates import CANDIDATES, Interval
from analysis_lib.causal.one_treated_panel import LonePanel
from analysis_lib.errors import NotEnoughData
from analysis_lib.markets.market_panels import MarketPanel, MarketWorld
from analysis_lib.markets.market_panels import simulate as panel_of
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "Daily sales of 6, 8, 12 or 30 markets, 112 days before a campaign of 14 in one of them, which changes nothing or"
    " adds 0.10 to the logarithm of sales. Markets alike follow the common movements alike; unlike ones differ in how"
    " far, in size and so in noise, in their weeks and festivals; in the third kind noise persists (a day's correlation"
    " with the next is 0.8). The campaign is in a market at random, or in the smallest, which is the noisiest. Other"
    " intervals are shown for comparison on the first quarter of the same draws, and what becomes of the method's own"
    " if a donor loses a quarter of its sales for ten days from a day of the campaign on."
)

#: Markets that differ in everything.
UNLIKE = MarketWorld(loading_spread=0.5, size_spread=1.0, week_spread=0.04, festival_share=0.7, festival_spread=0.4)

WORLDS = {
    "markets alike": MarketWorld(),
    "markets unlike": UNLIKE,
    "persistent noise": MarketWorld(persistence=(0.8, 0.8), loading_spread=0.25, size_spread=0.6),
    "the smallest of unlike markets": replace(UNLIKE, in_smallest=True),
}

#: What nothing in the past tells of; shown, and not wanted of the method.
SHOCK = ("a donor's own shock", replace(UNLIKE, donor_shock=True))

DONORS = (5, 7, 11, 29)

EFFECTS = {"no effect": 0.0, "an effect": 0.10}

#: One in so many draws goes to the other intervals too.
COMPARED = 4


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Campaigns in every kind of markets.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Campaigns in each kind of markets, number of donors and effect, in a round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        for n_donors in DONORS:
            for scenario, world in (*WORLDS.items(), SHOCK):
                progress(f"round {number - seed + 1} of {worlds}: {scenario}, {n_donors} donors")
                rows += _campaigns(f"{scenario}, {n_donors} donors", replace(world, n_donors=n_donors), number, draws)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _campaigns(scenario: str, world: MarketWorld, number: int, draws: int) -> Iterator[tuple]:
    """Effects as shares of the sales without the campaign."""
    compared = -(-draws // COMPARED)
    for place in range(compared if world.donor_shock else draws):
        for turn, (quantity, effect) in enumerate(EFFECTS.items()):
            # Seeds of their own: with the same days an effect would be a shift of the same errors.
            drawn = panel_of(replace(world, effect=effect), seed=1_000_000 * number + 2 * place + turn)
            panel, truth, name = panel_from(drawn), float(np.expm1(effect)), f"{number}-{place}-{turn}"
            found = _shipped(panel)
            if world.donor_shock:
                yield draw_of(COMPARISON, f"{scenario}: {SHIPPED}", name, found, truth)
                continue
            yield draw_of(scenario, quantity, name, found, truth)
            if place < compared:
                yield draw_of(COMPARISON, f"{scenario}: {SHIPPED}", name, found, truth)
                for label, interval in CANDIDATES.items():
                    other = _told(interval(panel, config.LEVEL), label)
                    yield draw_of(COMPARISON, f"{scenario}: {label}", name, other, truth)


def panel_from(drawn: MarketPanel) -> LonePanel:
    """The arrays that ``one_treated`` makes of a frame of sales, without the way there."""
    own, donors = drawn.log_sales[drawn.treated], drawn.donors
    return LonePanel(
        market="treated", names=list(range(len(donors))), times=np.arange(len(own)), treated=own, donors=donors,
        before=drawn.days_before, n_after=0, log=True,
    )  # fmt: skip


def _shipped(panel: LonePanel) -> Estimate | None:
    try:
        return estimated(panel, config.LEVEL)[0]
    except NotEnoughData:
        return None


def _told(interval: Interval, method: str) -> Estimate:
    """An interval of logarithms as one of shares."""
    value, low, high = (float(bound) for bound in np.expm1(interval))
    return Estimate(
        value=value, se=float("nan"), ci_lower=low, ci_upper=high, level=config.LEVEL, unit="share", n=1, method=method
    )
