"""A campaign that reached everybody in its market, reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_lib.campaigns.assembling import lacking, refused_review, with_cost, with_effect
from analysis_lib.campaigns.cost import Cost
from analysis_lib.campaigns.market_days import market_days
from analysis_lib.campaigns.market_effect import market_effect
from analysis_lib.campaigns.windows import Windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview, Setting
    from analysis_lib.warehouse import Warehouse


def review_by_markets(wh: Warehouse, windows: Windows, setting: Setting) -> CampaignReview:
    """The campaign's market against others without one; in USD, so that markets can be compared.

    Parameters
    ----------
    windows : Windows
        As planned.
    setting : Setting
        Measure, level and assumptions.
    """
    windows = replace(windows, campaign=replace(windows.campaign, currency="usd"))
    empty = replace(refused_review(windows.campaign, setting, ""), windows=windows)
    try:
        effect = market_effect(market_days(wh, windows, setting.measure), windows, level=setting.level)
    except NotEnoughData as lack:
        return lacking(empty, lack)
    return with_cost(with_effect(empty, effect), lambda: _cost(wh, windows))


def _cost(wh: Warehouse, windows: Windows) -> Cost:
    """Discounts on the campaign's coupons; where it has none, the money set aside for it."""
    campaign, facts, coupons = windows.campaign, mart(wh, "order_facts"), wh.table("coupons")
    own = coupons.filter(coupons.campaign_id == campaign.campaign_id).select("coupon_id").distinct()
    lines = facts.filter(facts.country == campaign.country, facts.day.between(campaign.starts_on, campaign.ends_on))
    lines = lines.semi_join(own, "coupon_id")
    row = wh.query(lines.agg(given=lines.subsidy_usd.cast("float64").sum(), n=lines.order_id.nunique())).iloc[0]
    if row["n"] and row["given"] > 0:
        n, given = int(row["n"]), float(row["given"])
        return Cost(n_redemptions=n, n_recorded=n, recorded=given, total=given, always_share=None, unit="usd")
    if not campaign.budget_usd > 0:
        raise NotEnoughData("neither coupons nor a budget (campaigns.budget_usd) say what the campaign cost")
    budget = campaign.budget_usd
    return Cost(n_redemptions=0, n_recorded=0, recorded=0.0, total=budget, always_share=None, unit="usd")
