"""A second opinion on a campaign for everybody: its market's own past beside what other markets say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.campaigns.market_series import OwnDays, in_money
from analysis_lib.causal.interrupted_series import FEWEST_WINDOWS
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from datetime import date

    from analysis_lib.campaigns.market_effect import MarketEffect
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.causal import InterruptedSeries, OneTreated

METHOD = "own past less other markets; interval from how far they differed in the same pseudo-campaigns"


@dataclass(frozen=True, slots=True, eq=False)
class SecondOpinion:
    """What the market's own past says of the campaign; it is shown, and does not decide.

    Attributes
    ----------
    series : dict of str to InterruptedSeries
        By part: ``during``, ``total``; those that the past can tell.
    effects : dict of str to Estimate
        The same in USD.
    gaps : dict of str to Estimate
        The same less what other markets say, USD. Both stand on the sales of the campaign's own days, so their errors
        go together; how far they differ by chance is taken from windows before it, in which both were tried. Missing
        where fewer than ``FEWEST_WINDOWS`` such windows fit side by side.
    lacks : dict of str to str
        Why a part is not told.
    """

    series: dict[str, InterruptedSeries]
    effects: dict[str, Estimate]
    gaps: dict[str, Estimate]
    lacks: dict[str, str]

    @property
    def contradicts(self) -> bool:
        """Whether the two differ by more than chance makes, where they are compared over all days looked at."""
        return "total" in self.gaps and self.gaps["total"].excludes_zero


def second_opinion(days: OwnDays, windows: Windows, effect: MarketEffect, *, level: float) -> SecondOpinion:
    """The market's own past, part by part as far as it tells.

    Parameters
    ----------
    days : OwnDays
        Sales, and what is known of the days.
    windows : Windows
        As planned.
    effect : MarketEffect
        What other markets say.
    level : float
        Level of the intervals.
    """
    asked: dict[str, tuple[date, OneTreated]] = {"during": (windows.campaign.ends_on, effect.during)}
    asked |= {"total": (windows.ends_on, effect.whole)} if windows.weeks_after else {}
    found = SecondOpinion({}, {}, {}, {})
    for part, (last, others) in asked.items():
        try:
            series = days.told(last, level)
        except NotEnoughData as lack:
            found.lacks[part] = str(lack)
            continue
        sold = days.from_start(last)
        found.series[part], found.effects[part] = series, in_money(series, sold)
        gap = gap_of(series, others, sold)
        found.gaps.update({} if gap is None else {part: gap})
    return found


def gap_of(series: InterruptedSeries, others: OneTreated, sold: float) -> Estimate | None:
    """By how much more the own past says than other markets do, USD; None with too few windows that both tried.

    Parameters
    ----------
    series, others
        The two, over the same days.
    sold : float
        USD sold on these days.
    """
    pairs = series.pseudo.merge(others.pseudo, on="time", suffixes=("", "_others"))
    apart = _side_by_side(pairs["time"], series.n_days)
    if apart < FEWEST_WINDOWS:
        return None
    before = np.log1p(pairs["effect"].to_numpy()) - np.log1p(pairs["effect_others"].to_numpy())
    usual, level = float(np.sqrt(np.mean(before**2))), series.estimate.level
    value = float(np.log1p(series.estimate.value) - np.log1p(others.estimate.value))
    reach = float(student.ppf(0.5 + level / 2, apart - 1)) * usual
    # What other markets say would have been sold without it, and the share of it that the own past says less.
    without = sold / (1.0 + others.estimate.value)
    money, low, high = (without * -np.expm1(-one) for one in (value, value - reach, value + reach))
    return Estimate(float(money), usual * without, float(low), float(high), level, "usd", apart, METHOD)


def _side_by_side(starts: pd.Series, n_days: int) -> int:
    """How many windows fit without overlap, latest first."""
    count, free = 0, None
    for start in sorted(pd.to_datetime(starts), reverse=True):
        if free is None or start + pd.Timedelta(days=n_days) <= free:
            count, free = count + 1, start
    return count
