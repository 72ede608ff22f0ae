"""What a review shows beyond its verdict: the pace, the kinds of users, the changes for next time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.campaigns import drawings
from analysis_lib.campaigns.refused import needs
from analysis_lib.campaigns.segments import DIMENSIONS
from analysis_lib.results import Exhibit, format_count, format_percent, nothing_to_show

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview

KINDS_UNTOLD = "Only users left out by lot show what each kind of user earned."


def _no_pace(review: CampaignReview) -> Exhibit:
    if review.windows is None:
        return nothing_to_show("Its coupons by day", "; ".join(review.missing))
    return Exhibit("Its coupons by day: not shown", note="It had no coupons.")


@needs("pace", _no_pace)
def pace(review: CampaignReview) -> Exhibit:
    """Coupons used until each day."""
    told = review.pace
    if not told.is_told:
        return Exhibit("Its coupons by day: not shown", note="Fewer than 20 were used.")
    if told.is_short:
        title = f"Its coupons were used on the first {format_count(told.lasted)} of {format_count(told.n_days)} days"
    elif told.n_late:
        title = "Its coupons were used after its last day too"
    else:
        title = "Its coupons were used over all its days"
    return Exhibit(
        title=title,
        subtitle="Of all its coupons that were used, share used until each day; market-local days",
        frame=told.used,
        units={"share_used": "share"},
        draw=partial(drawings.draw_pace, used=told.used, first=told.starts_on, last=told.ends_on),
        height=0.5,
    )


def _no_segments(review: CampaignReview) -> Exhibit:
    what = "For whom it paid"
    return nothing_to_show(what, "; ".join(review.missing)) if review.missing else Exhibit(
        f"{what}: not shown", note=KINDS_UNTOLD
    )  # fmt: skip


@needs("segments", _no_segments)
def segments(review: CampaignReview) -> Exhibit:
    """Earned by kind of user."""
    found, unit = review.segments, review.campaign.currency
    named = " and ".join(DIMENSIONS[name] for name in found.differing)
    rows = found.rows.rename(columns={"segment": "part"}).replace({"dimension": DIMENSIONS})
    people = review.setting.people
    creators = " and creators" if review.setting.spend.creators else ""
    return Exhibit(
        title=f"It paid differently by {named}" if named else f"No kind of {people} can be told to have paid more",
        subtitle=(
            f"Margin on additional sales less coupons{creators}, {unit.upper()}, over the {people} reached;"
            f" {format_percent(found.level, 0)} intervals of each"
        ),
        frame=found.rows,
        units={"n_users": "", **dict.fromkeys(found.rows.columns[3:], unit)},
        draw=partial(drawings.draw_parts, rows=rows, unit=unit),
        height=1.0,
    )


def _no_changes(review: CampaignReview) -> Exhibit:
    return nothing_to_show("What to change", "; ".join(review.missing) or "there is no verdict to build on")


@needs("next_time", _no_changes)
def next_time(review: CampaignReview) -> Exhibit:
    """Changes with their money and their test."""
    found, unit = review.next_time, review.campaign.currency
    if not found.changes:
        return Exhibit("What to change: not shown", note="No change can be priced from this run.")
    sure = [change for change in found.changes if change.is_sure]
    best = f"{sure[0].what}: worth {sure[0].short} a run" if sure else "No change is sure to pay: test before changing"
    rows = found.to_frame().assign(label=[f"{change.what}: {change.short}" for change in found.changes])
    return Exhibit(
        title=best,
        subtitle=f"What each change would be worth in a run like this one, {unit.upper()}",
        frame=rows.drop(columns="label"),
        units=dict.fromkeys(("value", "ci_lower", "ci_upper"), unit),
        draw=partial(drawings.draw_changes, rows=rows, unit=unit),
        height=0.2 + 0.13 * len(rows),
    )


EXHIBITS = {"pace": pace, "segments": segments, "next_time": next_time}
