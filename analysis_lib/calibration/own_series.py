"""The grade of ``causal.interrupted_series``: a campaign of which a market's own past has to tell everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, SHIPPED, draw_of
from analysis_lib.causal.interrupted_series import believed_estimate, estimated
from analysis_lib.causal.interrupted_series_days import DailySeries
from analysis_lib.errors import NotEnoughData
from analysis_lib.markets.own_series import OwnSeries, SeriesWorld
from analysis_lib.markets.own_series import simulate as series_of

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "Daily sales of one market, 112 days before a campaign of 14 days or of 3, which changes nothing or adds 0.10 to"
    " the logarithm of sales. A day's noise of 8 % is independent, or persists (a day's correlation with the next is"
    " 0.8), or is independent around a level that drifts by 2 % a day, for good. Festivals come a month apart; none of"
    " their days is in the campaign, or one begins in it, and the method is told which days they are. The model's own"
    " interval is shown for comparison on the same draws."
)

#: How a market's days differ from what is known of them.
NOISES = {
    "independent noise": SeriesWorld(),
    "persistent noise": SeriesWorld(persistence=0.8),
    "drifting level": SeriesWorld(drift=0.02),
}

#: The days of the campaign.
WINDOWS = {
    "14 days": {"days": 14},
    "14 days with a festival": {"days": 14, "festival_in_campaign": True},
    "3 days with a festival": {"days": 3, "festival_in_campaign": True},
}

WORLDS = {
    f"{noise}, {window}": replace(world, **changes)
    for noise, world in NOISES.items()
    for window, changes in WINDOWS.items()
}

EFFECTS = {"no effect": 0.0, "an effect": 0.10}

#: What is offered beside: the same model, believed.
OWN = "the model's own interval"


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Campaigns on every kind of series.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Campaigns on each kind of series and with each effect, in a round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        for scenario, world in WORLDS.items():
            progress(f"round {number - seed + 1} of {worlds}: {scenario}")
            rows += _campaigns(scenario, world, number, draws)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _campaigns(scenario: str, world: SeriesWorld, number: int, draws: int) -> Iterator[tuple]:
    """Effects as shares of the sales without the campaign."""
    for place in range(draws):
        for turn, (quantity, effect) in enumerate(EFFECTS.items()):
            # Seeds of their own: with the same days an effect would be a shift of the same errors.
            drawn = series_of(replace(world, effect=effect), seed=1_000_000 * number + 2 * place + turn)
            truth, name = float(np.expm1(effect)), f"{number}-{place}-{turn}"
            series = series_from(drawn)
            try:
                found, fit, _, _ = estimated(series, config.LEVEL)
                own = believed_estimate(series, fit, config.LEVEL)
            except NotEnoughData:
                found = own = None
            yield draw_of(scenario, quantity, name, found, truth)
            yield draw_of(COMPARISON, f"{scenario}: {SHIPPED}", name, found, truth)
            yield draw_of(COMPARISON, f"{scenario}: {OWN}", name, own, truth)


def series_from(drawn: OwnSeries) -> DailySeries:
    """The arrays that ``interrupted_series`` makes of a frame of days, without the way there."""
    names = [f"day {place + 1} of a festival" for place in range(drawn.festivals.shape[1])]
    return DailySeries(
        times=np.arange(len(drawn.log_sales)), outcome=drawn.log_sales, regressors=drawn.festivals, names=names,
        left_out=[], before=drawn.days_before, n_after=0, log=True,
    )  # fmt: skip
