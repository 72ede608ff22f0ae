"""What a campaign aimed at some users changed, where targeted and untargeted would have grown alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import BUYERS, Alike
from analysis_lib.campaigns.effect import WEEKS_HELD_OUT, PickedEffect, judge
from analysis_lib.campaigns.growth import by_growth
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import proportional_difference
from analysis_lib.results import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class GrowthEffect(PickedEffect):
    """Against how untargeted buyers changed from their own past.

    Attributes
    ----------
    groups : pandas.DataFrame
        group, n_users, before (spending per user and week), window (the same in the campaign and the weeks after),
        growth (their ratio).
    """

    KIND: ClassVar[str] = "growth"

    groups: pd.DataFrame


def growth_effect(panel: Panel, windows: Windows, alike: Alike, runs: pd.DataFrame, *, level: float) -> GrowthEffect:
    """Effect on the targeted and its placebos, from how the untargeted grew; parameters as ``history_effect``.

    Raises
    ------
    NotEnoughData
        If too few of the untargeted bought, other campaigns reached the groups unlike, or too few placebo windows fit
        into the data.
    """
    frame, treated = alike.frame, alike.frame["treated"].to_numpy()[alike.place]
    return GrowthEffect(
        plain=by_growth(frame, level, windows.campaign.currency), judged=judge(runs, windows, level),
        held_out=_held_out(panel, treated, windows, level), groups=_groups(frame, windows),
    )  # fmt: skip


def _held_out(panel: Panel, treated: np.ndarray, windows: Windows, level: float) -> Estimate:
    """The 'effect' in the last weeks before the start, by growth from the weeks before those."""
    frame = pd.DataFrame(
        {
            "treated": treated,
            "held_out": panel.weekly(-WEEKS_HELD_OUT, 0).sum(axis=1),
            "before": panel.weekly(-windows.weeks_before, -WEEKS_HELD_OUT).sum(axis=1),
        }
    )
    return proportional_difference(
        frame, outcomes={"held_out": "before"}, treated="treated", total="total", level=level,
        unit=windows.campaign.currency,
    ).effects["held_out"]  # fmt: skip


def _groups(frame: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    weeks = windows.campaign.n_days / 7 + windows.weeks_after
    window = (frame["promoted_during"] + frame["other_during"] + frame["after"]) / weeks
    money = pd.DataFrame({"before": frame["all_before"], "window": window}).mul(frame[BUYERS], axis=0)
    found = money.assign(n_users=frame[BUYERS]).groupby(frame["treated"]).sum()
    found = found.assign(before=found["before"] / found["n_users"], window=found["window"] / found["n_users"])
    found = found.assign(
        n_users=found["n_users"].astype(int), growth=found["window"] / found["before"], group=["untargeted", "targeted"]
    )
    return found.iloc[::-1].reset_index(drop=True)[["group", "n_users", "before", "window", "growth"]]
