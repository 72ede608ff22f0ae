"""A campaign aimed at users picked by somebody, reviewed: two ways of comparing, and the windows without it decide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns import cells, cost, reach
from analysis_lib.campaigns.assembling import lacking, refused_review, with_cost, with_effect
from analysis_lib.campaigns.comparison import exposure
from analysis_lib.campaigns.course import weekly_course
from analysis_lib.campaigns.effect import HistoryEffect
from analysis_lib.campaigns.picked_effect import picked_effect
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview, Setting
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse


def review_by_picking(wh: Warehouse, windows: Windows, setting: Setting, *, details: bool = True) -> CampaignReview:
    """The targeted against untargeted users.

    Nobody knows how users were picked. If for what they had bought of late, users with the same history show
    what would have been; if for a lasting trait, such users fall back to their habit, and the growth of the
    untargeted shows it. Both ways are tried in windows without the campaign, and the one that errs less there is
    taken, with its errors in the interval.

    Parameters
    ----------
    windows : Windows
        As planned.
    setting : Setting
        Measure, level and assumptions.
    details : bool
        False leaves out the course by week.
    """
    campaign = windows.campaign
    panel = cells.spending(wh, windows, setting.measure)
    seen = exposure(cells.targets(wh, campaign.country), panel, windows)
    treated = seen.reached.treated(campaign.campaign_id)
    redeemed = cost.redemptions(wh, windows)
    funnel = reach.reach(panel, treated, redeemed.users, windows, seen.n_targeted(campaign.campaign_id))
    partial_review = replace(refused_review(campaign, setting, ""), windows=windows, reach=funnel)
    try:
        effect = picked_effect(panel, seen, windows, level=setting.level)
    except NotEnoughData as lack:
        return lacking(partial_review, lack)
    if details:
        effect = replace(effect, weekly=weekly_course(panel, seen, windows, effect, level=setting.level))
    untargeted = panel.users[treated == 0]
    known = effect.weights.weights[treated == 0] if isinstance(effect, HistoryEffect) else 1.0 / len(untargeted)
    weights = pd.Series(known, index=untargeted)
    return with_cost(
        with_effect(partial_review, effect),
        lambda: cost.campaign_cost(wh, windows, redeemed, untargeted=weights, level=setting.level),
    )
