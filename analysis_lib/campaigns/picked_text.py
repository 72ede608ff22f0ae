"""What is said of a campaign aimed at users that somebody picked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.campaigns.refused import Make
from analysis_lib.results import format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.campaigns.effect import PickedEffect
    from analysis_lib.campaigns.result import CampaignReview

#: What each way of comparing makes alike, as the end of "against ...".
AGAINST = {
    "history": "untargeted {people} with the same history",
    "growth": "what the targeted had before, grown as the untargeted grew",
}


def who(review: CampaignReview) -> tuple[str, str]:
    """Who is counted, and how mature."""
    counted = f"{review.setting.people} in {review.campaign.market} that were known before the campaign began"
    if review.effect is not None and "returned" in review.effect.outcomes:
        return counted, f"Cancellations, refusals and refunds are taken off as known on {review.windows.last_day}."
    return counted, "Orders are taken as recorded, without later returns."


def _balance(review: CampaignReview) -> str:
    """Why weighting is needed, and what it does."""
    weights = review.effect.weights
    return (
        f"Who was targeted was not left to chance: before weighting, the groups differ by up to "
        f"{weights.worst_before:.1f} standard deviations, after it by {weights.worst_after:.2f} at most. The price is "
        f"precision: the {format_count(weights.n_untreated)} untargeted {review.setting.people} then carry as much "
        f"information as {format_count(weights.effective_n)} would."
    )


def _growth(review: CampaignReview) -> str:
    """How both groups changed."""
    people, unit = review.setting.people, review.campaign.currency
    targeted, untargeted = (row for _, row in review.effect.groups.iterrows())
    had = [format_value(float(row["before"]), unit, spread=float(row["before"])) for row in (targeted, untargeted)]
    grew = [f"{float(row['growth']):.2f}" for row in (targeted, untargeted)]
    return (
        f"Who was targeted was not left to chance: before it began they spent {had[0]} a week each, the "
        f"{format_count(int(untargeted['n_users']))} untargeted {people} {had[1]}. Such groups are not made alike by "
        f"picking a like past: a part of it was chance, and falls back. So each is compared with its own past. The "
        f"untargeted went to {grew[1]} times what they had spent before, the targeted to {grew[0]} times; without the "
        "campaign both would have changed by the same factor."
    )


def _held_out(compared: str, review: CampaignReview) -> str:
    """The checks on the weeks before, of what was ``compared`` without the last four."""
    gap = review.effect.held_out
    verdict = "they had already drifted apart, so no verdict is given" if gap.excludes_zero else "zero is inside"
    return (
        f"The weeks before are a check. {compared} a gap of "
        f"{gap.short} per targeted {review.setting.person} in those four: {verdict}.{_joint(review)}"
    )


def _joint(review: CampaignReview) -> str:
    """All weeks before together, where they were asked for."""
    if review.effect.weekly is None:
        return ""
    joint = format_percent(review.effect.weekly.pretrend_pvalue)
    allowed = format_percent(1 - review.effect.held_out.level, 0)
    return (
        f" And all weekly gaps before the start together are of a size that chance alone exceeds in {joint} of cases;"
        f" where that is under {allowed}, single weeks differed more than the errors allow, and the placebo windows"
        " below say how much that matters."
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
        f"them, where {format_percent(1 - scatter.level, 0)} would be right. {_tried(review)} Every interval in the "
        f"ledger has been widened by what these windows show. {_graded(review.effect)} Targeting may have "
        "followed the spending of those very weeks; then the windows show more error than the method makes, and the "
        "intervals are wider than they need be."
    )


def _tried(review: CampaignReview) -> str:
    """Which ways of comparing were tried, and why one was taken."""
    ways, unit, people = review.effect.ways, review.campaign.currency, review.setting.people
    against = {way: words.format(people=people) for way, words in AGAINST.items()}
    mine = ways[ways["chosen"]].iloc[0]
    other = ways[~ways["chosen"]].iloc[0]
    if other["why_not"]:
        return f"The targeted are compared with {against[mine['way']]}; the other way was refused: {other['why_not']}."
    errors = [format_value(float(row["error"]), unit, spread=float(row["error"])) for row in (mine, other)]
    aside = " and always to one side" if other["is_off"] else ""
    both = "; as it errs to one side too, no verdict is given" if mine["is_off"] else ""
    return (
        f"Two ways were tried there. Against {against[mine['way']]}, what is found is typically {errors[0]} off per "
        f"targeted {review.setting.person}; against {against[other['way']]}, {errors[1]}{aside}. The first is taken"
        f"{both}."
    )


def _graded(effect: PickedEffect) -> str:
    """Whether widening is enough, as far as windows apart from each other can tell."""
    judged, wrong = effect.grade
    if not judged:
        return "Too few of them lie apart from each other to try the widened interval in the same way."
    share = format_percent(wrong / judged, 0)
    return f"Each judged by those that do not overlap it, the widened interval excludes zero in {share} of {judged}."


SENTENCES: dict[str, dict[str, Make[str]]] = {
    "history": {
        "balance": _balance,
        "placebos": _placebos,
        "held_out": partial(_held_out, "Weights that have not seen the last four of them leave"),
    },
    "growth": {
        "balance": _growth,
        "placebos": _placebos,
        "held_out": partial(_held_out, "Growth from the weeks before the last four leaves"),
    },
}
