"""What a review tells beyond its verdict: pace, new buyers, and where a lot was drawn, where and for whom it paid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_lib.campaigns.lot_parts import lot_parts
from analysis_lib.campaigns.newcomers import newcomers
from analysis_lib.campaigns.observed import observed
from analysis_lib.campaigns.pace import pace
from analysis_lib.campaigns.segments import segments
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    import ibis

    from analysis_lib.campaigns.result import CampaignReview
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse


def detailed(
    wh: Warehouse, review: CampaignReview, windows: Windows, users: ibis.Table | None = None
) -> CampaignReview:
    """The review with its details; each asks the engine once.

    Parameters
    ----------
    windows : Windows
        As planned, the campaign in its market's own currency (a review against other markets is in USD).
    users : ibis.Table, optional
        Users of the lot, from ``lot_users``, where they have been worked out already.
    """
    setting = review.setting
    found = replace(review, newcomers=newcomers(wh, windows, level=setting.level), pace=pace(wh, windows))
    if review.effect is None or review.effect.KIND != "lot":
        return found
    parts = lot_parts(wh, windows, setting.measure, level=setting.level)
    beside = observed(wh, windows, setting.measure, review.effect, level=setting.level)
    found = replace(found, parts=parts, observed=beside)
    try:
        return replace(found, segments=segments(wh, windows, setting, users))
    except NotEnoughData:
        # Too few users for two kinds of them: the page says so in the place of the segments.
        return found
