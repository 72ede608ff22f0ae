"""A campaign that left some users out by lot, reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_lib.campaigns.assembling import lacking, refused_review, with_cost, with_effect
from analysis_lib.campaigns.cost import Cost, Redemptions, recorded_discount, redemptions
from analysis_lib.campaigns.lot_cells import BOUGHT, LotCells, lot_cells
from analysis_lib.campaigns.lot_effect import LotEffect, lot_effect
from analysis_lib.campaigns.reach import Reach, funnel
from analysis_lib.campaigns.windows import Windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate, format_count, format_percent

if TYPE_CHECKING:
    import ibis

    from analysis_lib.campaigns.result import CampaignReview, Setting
    from analysis_lib.warehouse import Warehouse

METHOD_ALWAYS = "floor: redeemers beyond those whom the held out show to be additional buyers"

WHY = (
    " something in those days anyway: there were no more additional buyers than the held out show. Redeemers who would"
    " have bought without a coupon may be more than that."
)


def review_by_lot(wh: Warehouse, windows: Windows, setting: Setting, users: ibis.Table | None = None) -> CampaignReview:
    """The reached against those who were left out by lot.

    Parameters
    ----------
    windows : Windows
        As planned; few weeks before do no harm.
    setting : Setting
        Measure, level and assumptions.
    users : ibis.Table, optional
        Users of the lot, from ``lot_users``, where they have been worked out already.
    """
    campaign = windows.campaign
    empty = replace(refused_review(campaign, setting, ""), windows=windows)
    redeemed = redemptions(wh, windows)
    try:
        cells = lot_cells(wh, windows, setting.measure, users)
        partial_review = replace(empty, reach=_reach(cells, redeemed))
        planned = campaign.holdout_share
        effect = lot_effect(cells, planned_share=planned, level=setting.level, unit=campaign.currency)
    except NotEnoughData as lack:
        return lacking(empty, lack)
    if effect.is_mismatched:
        return lacking(partial_review, _mismatch(effect))
    return with_cost(with_effect(partial_review, effect), lambda: _cost(redeemed, effect, campaign.currency))


def _mismatch(effect: LotEffect) -> NotEnoughData:
    seen = effect.n_held_out / (effect.n_targeted + effect.n_held_out)
    return NotEnoughData(
        f"{format_percent(seen)} were held out, {format_percent(effect.planned_share)} were planned: by chance that"
        f" happens less than once in {format_count(1 / max(effect.split_pvalue, 1e-9))} campaigns, so the groups were"
        " not made by that lot"
    )


def _reach(cells: LotCells, redeemed: Redemptions) -> Reach:
    group = cells.reached
    known = {
        name: group.mean[place] * group.n for name, place in zip(group.names, range(len(group.names)), strict=True)
    }
    return funnel(
        {
            "targeted": group.n,
            "bought before": round(known["bought_before"]),
            "bought during the campaign": round(known[BOUGHT]),
            "bought a promoted product": round(known["bought_promoted"]),
            "redeemed a coupon": len(redeemed.users),
        }
    )


def _cost(redeemed: Redemptions, effect: LotEffect, unit: str) -> Cost:
    """The bill, and the least share of it that went to buyers who would have bought anyway.

    Who would have bought without the campaign and who bought only because of it are not told apart one by one, but
    counted: additional buyers are the difference in buyers between the reached and the held out. At most they are all
    among the redeemers (Angrist, Imbens and Rubin 1996, "Identification of causal effects using instrumental
    variables", JASA 91(434): nobody is kept from buying by being targeted).
    """
    recorded = recorded_discount(redeemed)
    people = len(redeemed.users)
    more = effect.more_buyers.scaled(effect.n_targeted, "")
    low, value = (min(1.0, max(0.0, 1.0 - number / people)) for number in (more.ci_upper, more.value))
    share = Estimate(value, more.se / people, low, 1.0, more.level, "share", redeemed.n, METHOD_ALWAYS)
    return Cost(
        n_redemptions=redeemed.n, n_recorded=redeemed.n_recorded, recorded=recorded,
        total=recorded * redeemed.n / redeemed.n_recorded, always_share=share, unit=unit, why=WHY,
        new_share=redeemed.new_share,
    )  # fmt: skip
