"""A review is put together part by part; what one part lacks does not take away the parts before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from analysis_lib.campaigns.cost import Cost
from analysis_lib.campaigns.decision import decide, refuse, what_would_tell
from analysis_lib.campaigns.effect import PickedEffect
from analysis_lib.campaigns.ledger import ledger
from analysis_lib.campaigns.lot_effect import LotEffect
from analysis_lib.campaigns.market_effect import MarketEffect
from analysis_lib.campaigns.market_series import SeriesEffect
from analysis_lib.campaigns.result import CampaignReview, Setting
from analysis_lib.campaigns.windows import Campaign
from analysis_lib.errors import NotEnoughData

COMMISSION = "share that creators are paid of all sales of its days, times the net additional sales"

NO_LEDGER = pd.DataFrame(columns=["part", "row", "meaning", "value", "ci_lower", "ci_upper"])


def refused_review(campaign: Campaign, setting: Setting, lack: str) -> CampaignReview:
    """A review of which no part could be made."""
    return CampaignReview(
        campaign=campaign, setting=setting, windows=None, reach=None, effect=None, ledger=NO_LEDGER, cost=None,
        contribution=None, decision=refuse(lack), missing=(lack,),
    )  # fmt: skip


def lacking(review: CampaignReview, lack: NotEnoughData) -> CampaignReview:
    """The review as far as it goes, with what is missing for the rest."""
    return replace(review, decision=refuse(str(lack)), missing=(str(lack),))


def with_effect(
    review: CampaignReview, effect: PickedEffect | LotEffect | MarketEffect | SeriesEffect
) -> CampaignReview:
    """The review with its effect and ledger."""
    unit = review.campaign.currency
    estimates = {outcome: effect.total(outcome, unit) for outcome in (*effect.outcomes, "total")}
    return replace(review, effect=effect, ledger=ledger(estimates))


def with_cost(review: CampaignReview, bill: Callable[[], Cost]) -> CampaignReview:
    """The review with its bill, contribution and decision, as far as the data allow."""
    spend = review.setting.spend
    try:
        found = bill()
        found = replace(found, media=spend.media(review.campaign.currency))
    except NotEnoughData as lack:
        return lacking(review, lack)
    priced = replace(review, cost=found, missing=())
    if spend.tells_commission:
        commission = replace(priced.sales.scaled(spend.creators), method=COMMISSION)
        priced = replace(priced, cost=replace(found, commission=commission))
    return _decided(priced)


def _decided(review: CampaignReview) -> CampaignReview:
    """The review with its contribution and decision."""
    setting, effect = review.setting, review.effect
    contribution = review.sales.scaled(setting.kept).shifted(-review.spent)
    # Groups made by lot differ before the start by chance alone: that is in the interval already.
    checks = {}
    if isinstance(effect, PickedEffect):
        found = effect.calibration["total"].values
        checks = {"held_out": effect.held_out, "off": float(found.mean()) if effect.judged.is_off else None}
    decision = decide(contribution, review.net_incremental_gmv, review.campaign.n_days, _advice(review), **checks)
    return replace(review, contribution=contribution, decision=decision)


def _advice(review: CampaignReview) -> str:
    """What would tell, where the data do not."""
    setting, effect = review.setting, review.effect
    if effect.KIND == "markets":
        return f"Leave one in five {setting.people} out by lot next time: whole markets are too few to tell."
    if setting.kept <= 0:
        return "Creators are paid more of each sale than the margin: no additional sales pay for it."
    break_even = review.spent / setting.kept / effect.n_targeted
    return what_would_tell(effect.residual_sd, break_even, effect.n_targeted, review.campaign.currency, setting.people)
