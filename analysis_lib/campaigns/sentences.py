"""The prose of a review, built from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.campaigns import bill, lot_text, market_text, picked_text
from analysis_lib.campaigns.cells import MEASURES
from analysis_lib.campaigns.plan_written import planned
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
        f" Assumed: margin {format_percent(setting.margin, 0)}, contact cost {contact} each."
        f"{bill.counted(review)} Other costs are not in the data."
    )


_WHO = {"history": picked_text.who, "growth": picked_text.who, "lot": lot_text.who, "markets": market_text.who}


def _of_kind(name: str) -> Make[str]:
    """The sentence of that name for the way in which the campaign was compared."""
    kinds = picked_text.SENTENCES | {"lot": lot_text.SENTENCES, "markets": market_text.SENTENCES}
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


@needs("cost", _missing)
def cost(review: CampaignReview) -> str:
    """The bill, who got it, and what it returned."""
    return f"{review.cost.text} {bill.told(review)} {bill.returned(review)}"


@needs("newcomers", _missing)
def newcomers(review: CampaignReview) -> str:
    """First-time buyers, and whether they came back."""
    return review.newcomers.text


def _parts_untold(review: CampaignReview) -> str:
    if review.missing:
        return MISSING
    return "Not told apart here: only users left out by lot show what each part would have sold anyway."


@needs("parts", _parts_untold)
def parts(review: CampaignReview) -> str:
    """Where the additional sales came from."""
    return review.parts.text


def pace(review: CampaignReview) -> str:
    """Whether it ran as written down."""
    return "It had no coupons that would show its pace." if review.pace is None else review.pace.text


def _segments_untold(review: CampaignReview) -> str:
    if review.missing:
        return MISSING
    return "For whom it paid is not told apart here: only users left out by lot show what each kind earned by itself."


@needs("segments", _segments_untold)
def segments(review: CampaignReview) -> str:
    """For which kinds of users it paid."""
    return review.segments.text


@needs("next_time", _missing)
def next_time(review: CampaignReview) -> str:
    """The change that is worth most, and how to plan the next run."""
    return review.next_time.text


def decision(review: CampaignReview) -> str:
    """The verdict, the rule that chose it, and the next step."""
    chosen = review.decision
    return f"{chosen.text} Rule: {chosen.rule} Next step ({chosen.owner}): {chosen.next_step}"


def caveat(review: CampaignReview) -> str:
    """What must be known about the source."""
    return review.setting.caveat


SENTENCES = {
    "reach": reach, "windows": windows, "counted": counted, "change": change, "balance": _of_kind("balance"),
    "held_out": _of_kind("held_out"), "placebos": _of_kind("placebos"), "cost": cost, "caveat": caveat,
    "decision": decision, "newcomers": newcomers, "parts": parts, "planned": planned,
    "pace": pace, "segments": segments, "next_time": next_time,
}  # fmt: skip
