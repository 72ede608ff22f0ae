"""The campaign review: from a warehouse to a decision."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from analysis_lib.campaigns import cells, cost, reach
from analysis_lib.campaigns.comparison import Exposure, exposure
from analysis_lib.campaigns.decision import decide, refuse, what_would_tell
from analysis_lib.campaigns.effect import Effect, estimate_effect
from analysis_lib.campaigns.ledger import ROWS, ledger
from analysis_lib.campaigns.result import CampaignReview, Setting
from analysis_lib.campaigns.windows import Campaign, Windows, find_campaign, plan_windows
from analysis_lib.config import LEVEL
from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.results import Estimate

#: Tables a review reads, for the book's page on where reports come from.
READS = (
    "campaigns", "campaign_targets", "countries", "coupon_events", "coupon_products", "coupons", "orders", "users",
)  # fmt: skip

NO_LEDGER = pd.DataFrame(columns=["row", "meaning", "value", "ci_lower", "ci_upper"])


def review(
    wh,
    campaign_id: str,
    *,
    country: str | None = None,
    weeks_before: int = 16,
    weeks_after: int = 4,
    metric: str = "gmv",
    level: float = LEVEL,
    margin: float = 0.25,
    contact_cost: float = 0.0,
) -> CampaignReview:
    """What a campaign brought, what it cost, and what to do next.

    The estimand is the effect of being targeted on the spending of the targeted, over the campaign
    and the weeks after it, other campaigns being as they were. Targeting is taken not to depend on
    anything that also moves spending once the history of spending, of purchases of the couponed
    products and of other campaigns is held equal (weights that balance it, and regression on it).
    Where that fails, placebo windows show it, and the interval is widened by as much as they scatter.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    campaign_id : str
        Campaign in table ``campaigns``.
    country : str, optional
        Market; needed if the campaign ran in several.
    weeks_before, weeks_after : int
        Whole weeks of history (at least 8) and of aftermath.
    metric : {"gmv", "paid"}
        Value of goods before coupons, or what buyers paid.
    level : float
        Level of all intervals, between 0.5 and 0.999.
    margin : float
        Gross margin, 0 to 1: an assumption that turns sales into earnings.
    contact_cost : float
        Cost of reaching one targeted buyer, in the market's currency.

    Returns
    -------
    CampaignReview
        Refused parts are None; ``missing`` says why.

    Raises
    ------
    UnknownName
        Unknown campaign, market or metric.
    InvalidValue
        A window that leaves the data, or a level or margin out of range.
    ContractError
        A table or column is missing.

    References
    ----------
    See ``causal.entropy_balance``, ``causal.adjusted_difference`` and ``causal.calibrate``.
    """
    _check_options(metric, level, margin, contact_cost)
    wh.require(cells.REQUIRED)
    campaign = find_campaign(wh, campaign_id, country)
    setting = _setting(wh, metric, level, margin, contact_cost)
    try:
        windows = plan_windows(campaign, cells.days_with_orders(wh, campaign), weeks_before, weeks_after)
    except NotEnoughData as lack:
        return _refused(campaign, setting, str(lack))
    panel = cells.spending(wh, windows, metric)
    seen = exposure(cells.targets(wh), panel, windows)
    return _assemble(wh, windows, setting, panel, seen)


def _assemble(wh, windows: Windows, setting: Setting, panel: cells.Panel, seen: Exposure) -> CampaignReview:
    campaign = windows.campaign
    treated = seen.treated(campaign.campaign_id, len(panel.users))
    redeemed = cost.redemptions(wh, windows)
    funnel = reach.reach(panel, treated, redeemed.users, windows, seen.n_targeted(campaign.campaign_id))
    partial_review = replace(_refused(campaign, setting, ""), windows=windows, reach=funnel)
    try:
        effect = estimate_effect(panel, seen, windows, level=setting.level)
    except NotEnoughData as lack:
        return replace(partial_review, decision=refuse(str(lack)), missing=(str(lack),))
    partial_review = replace(partial_review, effect=effect, ledger=_ledger(effect, campaign.currency))
    weights = pd.Series(effect.weights.weights[treated == 0], index=panel.users[treated == 0])
    try:
        bill = cost.campaign_cost(wh, windows, redeemed, untargeted=weights, level=setting.level)
    except NotEnoughData as lack:
        return replace(partial_review, decision=refuse(str(lack)), missing=(str(lack),))
    return _decided(replace(partial_review, cost=bill, missing=()))


def _decided(review_: CampaignReview) -> CampaignReview:
    """The review with its contribution and decision."""
    setting, effect, campaign = review_.setting, review_.effect, review_.campaign
    net, total_cost = review_.net_incremental_gmv, review_.total_cost
    # What buyers paid is short of the coupons already; without adding them back they would be charged twice.
    sales = net if setting.measure == "gmv" else net.shifted(review_.cost.recorded)
    contribution = sales.scaled(setting.margin).shifted(-total_cost)
    residual = effect.plain.residual_sd["total"]
    break_even = total_cost / setting.margin / effect.n_targeted
    advice = what_would_tell(residual, break_even, effect.n_targeted, campaign.currency, setting.people)
    decision = decide(contribution, net, campaign.n_days, advice, held_out=effect.held_out)
    return replace(review_, contribution=contribution, decision=decision)


def _ledger(effect: Effect, unit: str) -> pd.DataFrame:
    estimates: dict[str, Estimate] = {outcome: effect.total(outcome, unit) for outcome in (*ROWS, "total")}
    return ledger(estimates)


def _setting(wh, metric: str, level: float, margin: float, contact_cost: float) -> Setting:
    source = wh.source
    return Setting(
        source=wh.name, caveat=source.caveat if source else "", people=source.units_called if source else "users",
        measure=metric, level=level, margin=margin, contact_cost=contact_cost,
    )  # fmt: skip


def _refused(campaign: Campaign, setting: Setting, lack: str) -> CampaignReview:
    return CampaignReview(
        campaign=campaign, setting=setting, windows=None, reach=None, effect=None, ledger=NO_LEDGER, cost=None,
        contribution=None, decision=refuse(lack), missing=(lack,),
    )  # fmt: skip


def _check_options(metric: str, level: float, margin: float, contact_cost: float) -> None:
    if metric not in cells.MEASURES:
        raise unknown("metric", metric, cells.MEASURES, "the measures of a campaign review")
    if not 0.5 <= level <= 0.999:
        raise InvalidValue(f"level={level}: a level between 0.5 and 0.999 is needed, for example 0.95")
    if not 0 < margin <= 1:
        raise InvalidValue(f"margin={margin}: a share between 0 and 1 is needed, for example 0.25")
    if not 0 <= contact_cost < float("inf"):
        raise InvalidValue(f"contact_cost={contact_cost}: a cost of 0 or more is needed")
