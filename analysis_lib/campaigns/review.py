"""The campaign review: from a warehouse to a decision."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from analysis_lib.campaigns import cells
from analysis_lib.campaigns.assembling import refused_review
from analysis_lib.campaigns.details import detailed
from analysis_lib.campaigns.lot_cells import lot_users, weeks_of
from analysis_lib.campaigns.lot_review import review_by_lot
from analysis_lib.campaigns.market_review import review_by_markets
from analysis_lib.campaigns.picked_review import review_by_picking
from analysis_lib.campaigns.plan_written import reviewed_as_planned
from analysis_lib.campaigns.result import CampaignReview, Setting
from analysis_lib.campaigns.spend import Spend, spend_of
from analysis_lib.campaigns.windows import FEWEST_WEEKS_BEFORE, Windows, find_campaign, plan_windows
from analysis_lib.config import LEVEL
from analysis_lib.errors import InvalidValue, NotEnoughData, check_level, unknown
from analysis_lib.warehouse.scratch import Scratch

#: Tables a review reads, for the book's page on where reports come from.
READS = (
    "campaigns", "campaign_targets", "countries", "coupon_events", "coupon_products", "coupons", "orders", "users",
)  # fmt: skip


# Matrices of ten columns: more maths threads than one wait for each other, up to three times as long as the work takes.
@threadpool_limits.wrap(limits=1, user_api="blas")
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
    plan: str = "",
    details: bool = True,
) -> CampaignReview:
    """What a campaign brought, what it cost, and what to do next.

    The estimand is the effect of being targeted on the spending of the targeted, over the campaign
    and the weeks after it, other campaigns being as they were. Where the campaign left some users out
    by lot (``campaigns.targeting`` is ``holdout``), these show what would have been sold anyway, and
    nothing more needs to be believed. Where it was for everybody in its market (``all``), other markets
    without a campaign stand for it, and its own past gives a second opinion; where other markets cannot, as on a
    festival, its own past alone is asked, unless the market never had such days without a campaign. Elsewhere somebody
    picked users, and two ways are tried: against untargeted users with the same history of spending, of purchases
    of the promoted products and of other campaigns (weights that balance it, and regression on it), and
    against how much the untargeted grew from their own past. The one that errs less in windows without the
    campaign is taken, and the interval is widened by as much as they scatter.

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
    plan : str
        Name of a plan in ``data/plans/campaigns``: its weeks, metric, margin and level are taken instead of those given
        here, and ``sentence("planned")`` says whether the effect that was worth the money was reached.
    details : bool
        False leaves out what money and return do not need: the course by week of a picked campaign, the pace, new
        buyers, parts and segments, and the second opinion of a market's own past, without which there is no verdict on
        a campaign for everybody. A league asks so.

    Returns
    -------
    CampaignReview
        Refused parts are None; ``missing`` says why.

    Raises
    ------
    UnknownName
        Unknown campaign, market, metric or plan.
    InvalidValue
        A window that leaves the data, a level or margin out of range, or a plan of another campaign than ran.
    ContractError
        A table or column is missing.

    References
    ----------
    See ``causal.randomised_difference``, ``causal.one_treated``, ``causal.interrupted_series``,
    ``causal.entropy_balance``, ``causal.adjusted_difference``, ``causal.proportional_difference`` and
    ``causal.calibrate``.
    """
    _check_options(metric, level, margin, contact_cost)
    wh.require(cells.REQUIRED)
    if plan:
        return reviewed_as_planned(wh, plan, campaign_id, country, review, contact_cost=contact_cost)
    campaign = find_campaign(wh, campaign_id, country)
    setting = _setting(wh, metric, level, margin, contact_cost, spend_of(wh, campaign))
    fewest = FEWEST_WEEKS_BEFORE if campaign.targeting == "segment" else 0
    try:
        days = cells.days_with_orders(wh, campaign)
        windows = plan_windows(campaign, days, weeks_before, weeks_after, fewest=fewest)
    except NotEnoughData as lack:
        return refused_review(campaign, setting, str(lack))
    return _BY[campaign.targeting](wh, windows, setting, details)


def _by_markets(wh, windows: Windows, setting: Setting, details: bool) -> CampaignReview:
    found = review_by_markets(wh, windows, setting, details=details)
    return detailed(wh, found, windows) if details else found


def _by_lot(wh, windows: Windows, setting: Setting, details: bool) -> CampaignReview:
    if not details:
        return review_by_lot(wh, windows, setting)
    # The users of the lot are asked for twice, and worked out once.
    with Scratch(wh.table("users")) as scratch:
        users = scratch.keep(lot_users(wh, windows, setting.measure, weeks_of(windows)))
        return detailed(wh, review_by_lot(wh, windows, setting, users), windows, users)


def _by_picking(wh, windows: Windows, setting: Setting, details: bool) -> CampaignReview:
    found = review_by_picking(wh, windows, setting, details=details)
    return detailed(wh, found, windows) if details else found


_BY = {"all": _by_markets, "holdout": _by_lot, "segment": _by_picking}


def _setting(wh, metric: str, level: float, margin: float, contact_cost: float, spend: Spend) -> Setting:
    source = wh.source
    return Setting(
        source=wh.name, caveat=source.caveat if source else "", people=source.units_called if source else "users",
        measure=metric, level=level, margin=margin, contact_cost=contact_cost, spend=spend,
    )  # fmt: skip


def _check_options(metric: str, level: float, margin: float, contact_cost: float) -> None:
    if metric not in cells.MEASURES:
        raise unknown("metric", metric, cells.MEASURES, "the measures of a campaign review")
    check_level(level)
    if not 0 < margin <= 1:
        raise InvalidValue(f"margin={margin}: a share between 0 and 1 is needed, for example 0.25")
    if not 0 <= contact_cost < float("inf"):
        raise InvalidValue(f"contact_cost={contact_cost}: a cost of 0 or more is needed")
