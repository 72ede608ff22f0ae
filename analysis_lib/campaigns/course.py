"""The effect of a campaign aimed at some users week by week: a picture of it, and of the weeks before."""

from __future__ import annotations

import numpy as np

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.effect import HistoryEffect, PickedEffect
from analysis_lib.campaigns.exposed import Exposure
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import EventStudy, balanced_event_study


def weekly_course(panel: Panel, seen: Exposure, windows: Windows, effect: PickedEffect, *, level: float) -> EventStudy:
    """Effects by week: buyer and week effects, groups made alike as in the effect, other campaigns held fixed.

    Parameters
    ----------
    effect : PickedEffect
        Whose way of comparing is taken: its weights, or the untargeted brought to the targeted's level before.
    """
    group = windows.campaign.campaign_id
    weeks = np.arange(-windows.weeks_before, min(windows.weeks_touched, panel.first_week + panel.n_weeks))
    treated = seen.reached.treated(group)
    weights, scale = _evened(panel, windows, effect, treated == 1)
    others = np.column_stack([seen.reached.others(group, 7 * week, 7 * week + 7) for week in weeks])
    return balanced_event_study(
        panel.weekly(weeks[0], weeks[-1] + 1) * scale[:, None], treated=treated, weights=weights, periods=weeks,
        # Where no other campaign ran there is nothing to hold fixed.
        control=others if np.ptp(others) > 0 else None, level=level,
    )  # fmt: skip


def _evened(
    panel: Panel, windows: Windows, effect: PickedEffect, targeted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of each buyer, and what the spending is multiplied by before the groups are compared."""
    if isinstance(effect, HistoryEffect):
        return effect.weights.weights, np.ones(len(targeted))
    before = panel.weekly(-windows.weeks_before, 0).mean(axis=1)
    level_up = before[targeted].mean() / before[~targeted].mean()
    even = np.where(targeted, 1.0 / targeted.sum(), 1.0 / (~targeted).sum())
    return even, np.where(targeted, 1.0, level_up)
