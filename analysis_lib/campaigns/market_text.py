"""What is said of a campaign that reached everybody in its market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.results import format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview


def who(review: CampaignReview) -> tuple[str, str]:
    """Who is counted, and how mature."""
    return (
        f"everybody who bought in {review.campaign.market}, and in the markets that stand for it",
        "Orders are taken as recorded, without later returns; converted at the rate of their day.",
    )


def _balance(review: CampaignReview) -> str:
    """Which markets stand for it, and which do not."""
    one, days = review.effect.whole, review.effect.days
    heavy = one.donors[one.donors["weight"] > 0.05]
    named = ", ".join(f"{row.unit} {format_percent(row.weight, 0)}" for row in heavy.itertuples())
    out = "; ".join(f"{market} {why}" for market, why in days.left_out.items())
    left = f" Left out: {out}." if out else ""
    return (
        f"It was for everybody, so nobody shows what would have been sold without it but other markets:"
        f" {len(one.donors)} without a campaign on these days, weighted so that together they moved as"
        f" {review.campaign.market} did before ({named}).{left}"
    )


def _held_out(review: CampaignReview) -> str:
    """How near the other markets came before, and in the last pseudo-campaign."""
    one = review.effect.whole
    last = one.pseudo.iloc[0]
    return (
        f"In the {format_count(one.n_before)} days before it the weighted markets missed {review.campaign.market} by"
        f" {format_percent(one.pre_fit, 0)} of a day's sales, typically. A campaign of the same length pretended just"
        f" before it would have been said to change sales by {format_percent(float(last['effect']))}."
    )


def _placebos(review: CampaignReview) -> str:
    """What the interval rests on."""
    one = review.effect.whole
    return (
        f"{len(one.pseudo)} such pretended campaigns fit into the days before ({one.n_apart} side by side). They are"
        f" off by {format_percent(one.typical_error)} of sales, typically; the interval is made of that. Something that"
        f" happened to {review.campaign.market} alone on the same days cannot be told from the campaign. {one.note}"
    ).strip()


SENTENCES = {"balance": _balance, "held_out": _held_out, "placebos": _placebos}
