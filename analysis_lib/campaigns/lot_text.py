"""What is said of a campaign that left some out by lot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.results import format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview


def who(review: CampaignReview) -> tuple[str, str]:
    """Who is counted, and how mature."""
    counted = f"all {review.setting.people} of {review.campaign.market} in the lot, also those who bought nothing"
    return counted, f"Cancellations, refusals and refunds are taken off as far as known on {review.windows.last_day}."


def _balance(review: CampaignReview) -> str:
    """How the lot fell, and how alike it made the groups."""
    effect, people = review.effect, review.setting.people
    seen = effect.n_held_out / (effect.n_targeted + effect.n_held_out)
    planned = f"; {format_percent(effect.planned_share)} were planned" if effect.planned_share > 0 else ""
    worst = effect.history["difference"].abs().max()
    return (
        f"Who was left out was drawn by lot: {format_count(effect.n_held_out)} of"
        f" {format_count(effect.n_targeted + effect.n_held_out)} {people} ({format_percent(seen)}{planned}). Before it"
        f" began the two groups differed by at most {worst:.2f} standard deviations; what they did before is taken"
        " into account."
    )


def _held_out(review: CampaignReview) -> str:
    """How far the groups stood apart before it began."""
    gap = review.effect.held_out
    joint = format_percent(review.effect.weekly.pretrend_pvalue)
    verdict = "more than chance would make in nineteen of twenty lots" if gap.excludes_zero else "zero is inside"
    return (
        f"In the last four weeks before it began the groups differed by {gap.short} per {review.setting.person}:"
        f" {verdict}. All weekly gaps before the start together are of a size that chance alone exceeds in {joint}"
        " of lots."
    )


def _placebos(review: CampaignReview) -> str:
    """What a lot promises, and what it does not."""
    split = format_percent(review.effect.split_pvalue, 0)
    return (
        "The lot makes the groups alike in everything, also in what nobody has measured, and the interval says how far"
        f" chance can still take them apart. A split at least as far from the plan happens in {split} of lots. The"
        " effect is that on the reached, over the campaign and the weeks after; what the campaign did to those who were"
        f" left out (prices, stock, talk) is not in it. {_observed(review)}"
    )


def _observed(review: CampaignReview) -> str:
    """What would have been found without the lot."""
    beside = review.observed
    if beside is None:
        return "Other markets could not stand for this one in these days: without the lot there would be no number."
    verdict = (
        "are not further apart than their errors allow" if not beside.gap.excludes_zero else "contradict each other"
    )
    return (
        f"Without the lot, other markets would have put the additional sales before returns at {beside.markets.short};"
        f" the lot puts them at {beside.lot.short}. The two {verdict} (difference {beside.gap.short})."
    )


SENTENCES = {"balance": _balance, "held_out": _held_out, "placebos": _placebos}
