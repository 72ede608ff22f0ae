"""A campaign that reached everybody in its market, reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_lib.campaigns.assembling import lacking, refused_review, with_cost, with_effect
from analysis_lib.campaigns.cost import Cost
from analysis_lib.campaigns.decision import OWNER
from analysis_lib.campaigns.market_days import daily_sales, market_days
from analysis_lib.campaigns.market_effect import MarketEffect, market_effect
from analysis_lib.campaigns.market_second import second_opinion
from analysis_lib.campaigns.market_series import REACHED, SeriesEffect, own_days, series_effect
from analysis_lib.campaigns.windows import Windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart
from analysis_lib.results import Decision

if TYPE_CHECKING:
    import ibis

    from analysis_lib.campaigns.result import CampaignReview, Setting
    from analysis_lib.campaigns.windows import Campaign
    from analysis_lib.warehouse import Warehouse

#: Why there is no verdict where two ways that rest on different things do not agree, and where the only way missed its
#: grade.
CONTRADICTED = "the interval of the difference between other markets and the market's own past does not hold zero"
TOO_SHORT = f"the market's own past alone gives a verdict only over {REACHED} days or more, for which it is graded"

#: A market's own past may contradict the others: a verdict waits for it.
UNASKED = Decision(
    action="Cannot tell", rule="Cannot tell: the market's own past was not asked, which may contradict other markets.",
    reason="The review was asked for without details.", money_per_month=None, owner=OWNER,
    next_step="Ask for the review with its details.",
)  # fmt: skip


def review_by_markets(wh: Warehouse, windows: Windows, setting: Setting, *, details: bool = True) -> CampaignReview:
    """The campaign's market against others without one; in USD, so that markets can be compared.

    Its own past is a second opinion. Where other markets cannot stand for it, it is the only one.

    Parameters
    ----------
    windows : Windows
        As planned.
    setting : Setting
        Measure, level and assumptions.
    details : bool
        False asks for no second opinion, without which other markets give no verdict.
    """
    windows = replace(windows, campaign=replace(windows.campaign, currency="usd"))
    empty = replace(refused_review(windows.campaign, setting, ""), windows=windows)
    try:
        effect = _effect(wh, windows, setting, details)
    except NotEnoughData as lack:
        return lacking(empty, lack)
    return held_back(with_cost(with_effect(empty, effect), lambda: _cost(wh, windows)))


def _effect(wh: Warehouse, windows: Windows, setting: Setting, details: bool) -> MarketEffect | SeriesEffect:
    table = daily_sales(wh, windows, setting.measure)
    try:
        others = market_days(wh, windows, setting.measure, table=table)
        effect = market_effect(others, windows, level=setting.level)
    except NotEnoughData as lack:
        try:
            own = own_days(wh, windows, table)
            return series_effect(own, windows, level=setting.level, instead=str(lack))
        except NotEnoughData as other:
            raise NotEnoughData(_neither(str(lack), str(other))) from other
    if not details:
        return effect
    own = own_days(wh, windows, table)
    return replace(effect, second=second_opinion(own, windows, effect, level=setting.level))


def _neither(others: str, own: str) -> str:
    return others if own == others else f"{others}. Nor does its own past tell: {own}"


def held_back(review: CampaignReview) -> CampaignReview:
    """No verdict where the two ways contradict each other, one was not asked, or the only one missed its grade."""
    effect = review.effect
    if review.contribution is None:
        return review
    if isinstance(effect, SeriesEffect):
        if effect.whole.n_days >= REACHED:
            return review
        rule, reason = TOO_SHORT, f"Only its own past tells, and over {effect.whole.n_days} days not safely enough."
    elif effect.second is None:
        return replace(review, decision=UNASKED)
    elif effect.second.contradicts:
        gap = effect.second.gaps["total"].short
        rule, reason = CONTRADICTED, f"Its own past contradicts other markets: own past less other markets is {gap}."
    else:
        return review
    advice = f"Leave one in five {review.setting.people} out by lot next time: that needs neither."
    chosen = replace(
        review.decision, action="Cannot tell", rule=f"Cannot tell: {rule}.", reason=reason, next_step=advice
    )
    return replace(review, decision=chosen)


def _cost(wh: Warehouse, windows: Windows) -> Cost:
    """Discounts on the campaign's coupons; where it has none, the money set aside for it."""
    campaign = windows.campaign
    row = wh.query(_given(wh, campaign)).iloc[0]
    if row["n"] and row["given"] > 0:
        n, given = int(row["n"]), float(row["given"])
        new = float(row["given_new"]) / given
        return Cost(
            n_redemptions=n, n_recorded=n, recorded=given, total=given, always_share=None, unit="usd", new_share=new
        )
    if not campaign.budget_usd > 0:
        raise NotEnoughData("neither coupons nor a budget (campaigns.budget_usd) say what the campaign cost")
    budget = campaign.budget_usd
    return Cost(n_redemptions=0, n_recorded=0, recorded=0.0, total=budget, always_share=None, unit="usd")


def _given(wh: Warehouse, campaign: Campaign) -> ibis.Table:
    """What its coupons gave, what of it to first-time buyers, and on how many orders."""
    facts, coupons = mart(wh, "order_facts"), wh.table("coupons")
    facts = facts.filter(facts.country == campaign.country, facts.day <= campaign.ends_on)
    own = coupons.filter(coupons.campaign_id == campaign.campaign_id).select("coupon_id").distinct()
    lines = facts.filter(facts.day >= campaign.starts_on).semi_join(own, "coupon_id")
    lines = lines.select("user_id", "order_id", given=lines.subsidy_usd.cast("float64"))
    buyers = facts.semi_join(lines, "user_id")
    firsts = buyers.group_by("user_id").agg(first=buyers.day.min()).rename(buyer="user_id")
    lines = lines.left_join(firsts, lines.user_id == firsts.buyer)
    is_new = (lines.first >= campaign.starts_on).fill_null(False)
    return lines.agg(
        given=lines.given.sum(), given_new=lines.given.sum(where=is_new).fill_null(0.0), n=lines.order_id.nunique()
    )
