"""The prose of a review, built from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.campaigns import lot_text, market_text
from analysis_lib.campaigns.cells import MEASURES
from analysis_lib.campaigns.refused import Make, needs
from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.results import format_count, format_interval, format_percent, format_range, format_value

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview

#: What a section says when its part was refused; the answer card names what is missing.
MISSING = "Not shown: there is not enough data for it, as said at the top of the page."


def _missing(_review: CampaignReview) -> str:
    return MISSING


def title(review: CampaignReview) -> str:
    """The question, with the market and the dates in words."""
    campaign = review.campaign
    return f"Did {campaign.name} pay for itself? ({campaign.market}, {campaign.dates})"


def _to_whom(review: CampaignReview) -> str:
    if review.effect.KIND == "markets":
        return f"everybody in {review.campaign.market}"
    return f"the {format_count(review.effect.n_targeted)} targeted {review.setting.people}"


def headline(review: CampaignReview) -> str:
    """The answer in one sentence with number, unit, comparison and interval."""
    if review.effect is None:
        return f"Not enough data: {'; '.join(review.missing)}."
    net = review.net_incremental_gmv
    targeted = _to_whom(review)
    span = f"{format_percent(net.level, 0)} interval {format_range(net.ci_lower, net.ci_upper, net.unit)}"
    if net.excludes_zero:
        verb = "brought" if net.value > 0 else "cost"
        amount = format_value(abs(net.value), net.unit, spread=net.ci_upper - net.ci_lower)
        more = "more" if net.value > 0 else "less"
        return f"It {verb} {amount} {more} in sales to {targeted} than would have been sold without it ({span})."
    amount = format_value(net.value, net.unit, spread=net.ci_upper - net.ci_lower)
    return (
        f"Whether it raised sales cannot be told: to {targeted} the best estimate is {amount} in additional sales, "
        f"{span}."
    )


def _no_list(review: CampaignReview) -> str:
    if review.effect is not None and review.effect.KIND == "markets":
        return f"It was for everybody in {review.campaign.market}: there is no list of whom it reached."
    return MISSING


@needs("reach", _no_list)
def reach(review: CampaignReview) -> str:
    """Whom it reached and who redeemed; small groups are not counted out."""
    steps, people = review.reach.steps, review.setting.people
    targeted, _, bought, _, redeemed = (int(number) for number in steps["n_users"])
    if targeted < PRIVACY_THRESHOLD:
        return f"Fewer than {PRIVACY_THRESHOLD} {people} were targeted."
    if redeemed < PRIVACY_THRESHOLD:
        who = f"fewer than {PRIVACY_THRESHOLD} redeemed a coupon"
    else:
        who = f"{format_count(redeemed)} ({format_percent(redeemed / targeted)}) redeemed a coupon"
    few = 0 < bought < PRIVACY_THRESHOLD
    share = f"fewer than {PRIVACY_THRESHOLD}" if few else format_percent(bought / targeted, 0)
    return f"{format_count(targeted)} {people} were targeted; {share} of them bought during the campaign and {who}."


@needs("windows", _missing)
def windows(review: CampaignReview) -> str:
    """Which days."""
    if review.effect is not None and review.effect.KIND == "markets":
        days = format_count(review.effect.whole.n_before, "days")
        return f"We look at the {days} before, {review.windows.text.split(', ', 1)[1]}."
    return f"We look at the {review.windows.text}."


def counted(review: CampaignReview) -> str:
    """Small print: who is counted, in which money, how mature."""
    setting = review.setting
    currency = review.campaign.currency
    contact = format_value(setting.contact_cost, currency)
    kind = "history" if review.effect is None else review.effect.KIND
    who, mature = _WHO[kind](review)
    return (
        f"Counted: {who}. Measure: {MEASURES[setting.measure]}, in {currency.upper()}; days are market-local. {mature}"
        f" Assumed: margin {format_percent(setting.margin, 0)}, contact cost {contact} each; other costs are not in"
        " the data."
    )


def _buyers(review: CampaignReview) -> tuple[str, str]:
    """Who is counted, and how mature, where buyers with the same history are compared."""
    who = f"{review.setting.people} in {review.campaign.market} that had bought before the campaign began"
    return who, "Orders are taken as recorded, without later returns."


_WHO = {"history": _buyers, "lot": lot_text.who, "markets": market_text.who}


def _of_kind(name: str) -> Make[str]:
    """The sentence of that name for the way in which the campaign was compared."""
    kinds = {"history": _HISTORY, "lot": lot_text.SENTENCES, "markets": market_text.SENTENCES}
    return needs("effect", _missing)(lambda review: kinds[review.effect.KIND][name](review))


@needs("effect", _missing)
def change(review: CampaignReview) -> str:
    """Couponed products, the rest of the basket, the weeks after."""
    unit = review.campaign.currency
    rows = [
        f"{row.meaning} {format_interval(row.value, row.ci_lower, row.ci_upper, unit)}"
        for row in review.ledger.iloc[:-1].itertuples()
    ]
    return f"By part: {'; '.join(rows)}. The parts add up to the total of {review.net_incremental_gmv.short}."


def _balance(review: CampaignReview) -> str:
    """Why weighting is needed, and what it does."""
    weights = review.effect.weights
    return (
        f"Who was targeted was not left to chance: before weighting, the groups differ by up to "
        f"{weights.worst_before:.1f} standard deviations, after it by {weights.worst_after:.2f} at most. The price is "
        f"precision: the {format_count(weights.n_untreated)} untargeted {review.setting.people} then carry as much "
        f"information as {format_count(weights.effective_n)} would."
    )


def _held_out(review: CampaignReview) -> str:
    """The pre-trend checks."""
    gap = review.effect.held_out
    verdict = "they had already drifted apart, so no verdict is given" if gap.excludes_zero else "zero is inside"
    joint, allowed = format_percent(review.effect.weekly.pretrend_pvalue), format_percent(1 - gap.level, 0)
    return (
        "Two checks on the weeks before. Weights that have not seen the last four of them leave a gap of "
        f"{gap.short} per targeted {review.setting.person} in those four: {verdict}. And all weekly gaps before the "
        f"start together are of a size that chance alone exceeds in {joint} of cases; where that is under {allowed}, "
        "single weeks differed more than the errors allow, and the placebo windows below say how much that matters."
    )


def _placebos(review: CampaignReview) -> str:
    """What the method finds where there was no campaign."""
    runs, scatter = review.effect.placebos, review.effect.calibration["total"]
    own = int(runs["own"].sum())
    borrowed = len(runs) - own
    whose = f"{own} earlier windows of the same {review.setting.people}" if own else "no earlier window of its own"
    if borrowed:
        whose += f" and {borrowed} of those targeted by other campaigns, before theirs began"
    return (
        f"The same analysis was run in {len(runs)} windows without this campaign ({whose}). There the plain "
        f"{format_percent(scatter.level, 0)} interval excludes zero in {format_percent(scatter.share_rejected, 0)} of "
        f"them, where {format_percent(1 - scatter.level, 0)} would be right. Every interval in the ledger has "
        f"been widened by what these windows show. {_graded(review)} Targeting may have "
        "followed the spending of those very weeks; then the windows show more error than the method makes, and the "
        "intervals are wider than they need be."
    )


def _graded(review: CampaignReview) -> str:
    """Whether widening is enough, as far as windows apart from each other can tell."""
    judged, wrong = review.effect.grade
    if not judged:
        return "Too few of them lie apart from each other to try the widened interval in the same way."
    share = format_percent(wrong / judged, 0)
    return f"Each judged by those that do not overlap it, the widened interval excludes zero in {share} of {judged}."


@needs("cost", _missing)
def cost(review: CampaignReview) -> str:
    """The bill, who got it, and what it returned."""
    back = review.return_on_cost
    return f"{review.cost.text} For each unit of cost, net sales changed by {back.text}."


def decision(review: CampaignReview) -> str:
    """The verdict, the rule that chose it, and the next step."""
    chosen = review.decision
    return f"{chosen.text} Rule: {chosen.rule} Next step ({chosen.owner}): {chosen.next_step}"


def caveat(review: CampaignReview) -> str:
    """What must be known about the source."""
    return review.setting.caveat


_HISTORY = {"balance": _balance, "held_out": _held_out, "placebos": _placebos}

SENTENCES = {
    "reach": reach, "windows": windows, "counted": counted, "change": change, "balance": _of_kind("balance"),
    "held_out": _of_kind("held_out"), "placebos": _of_kind("placebos"), "cost": cost, "caveat": caveat,
    "decision": decision,
}  # fmt: skip
