"""What is said of a campaign that reached everybody in its market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.campaigns import series_text
from analysis_lib.campaigns.market_series import REACHED, SeriesEffect, graded
from analysis_lib.results import Estimate, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.market_second import SecondOpinion
    from analysis_lib.campaigns.result import CampaignReview


def who(review: CampaignReview) -> tuple[str, str]:
    """Who is counted, and how mature."""
    alone = isinstance(review.effect, SeriesEffect)
    return (
        f"everybody who bought in {review.campaign.market}{'' if alone else ', and in the markets that stand for it'}",
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
    """What the interval rests on, and the second opinion."""
    one = review.effect.whole
    said = (
        f"{len(one.pseudo)} such pretended campaigns fit into the days before ({one.n_apart} side by side). They are"
        f" off by {format_percent(one.typical_error)} of sales, typically; the interval is made of that. Something that"
        f" happened to {review.campaign.market} alone on the same days cannot be told from the campaign. {one.note}"
    ).strip()
    return f"{said} {_second(review)}".strip()


def _second(review: CampaignReview) -> str:
    """What the market's own past says, whether it agrees, and which of the two decides."""
    second = review.effect.second
    if second is None:
        return ""
    lacks = " ".join(_lack(part, lack) for part, lack in second.lacks.items())
    if not second.series:
        return f"The market's own past gives no second opinion. {lacks}"
    longest = next(reversed(second.series.values()))
    said = "; ".join(_said(part, found, review.effect.effects[part]) for part, found in second.effects.items())
    told = (
        f"A second opinion is the past of {review.campaign.market} alone, carried forward with its weekdays, paydays,"
        f" holidays, festivals and earlier campaigns ({format_count(longest.n_before)} days): {said}."
    )
    return " ".join(part for part in (told, lacks, _agree(second), _decides(second), _missed(second)) if part)


def _missed(second: SecondOpinion) -> str:
    """What must be known of the grade where windows are short."""
    lengths = [one.n_days for one in second.series.values()]
    return graded(*lengths) if min(lengths) < REACHED else ""


def _lack(part: str, lack: str) -> str:
    asked = "the days of the campaign" if part == "during" else "the campaign and the weeks after it together"
    return f"Of {asked} it cannot tell: {lack}."


def _said(part: str, own: Estimate, others: Estimate) -> str:
    return f"{_WINDOW[part]} {own.short}, where other markets say {others.short}"


_WINDOW = {"during": "during the campaign", "total": "in all"}


def _agree(second: SecondOpinion) -> str:
    """Whether the two agree, from windows in which both were tried."""
    if not second.gaps:
        return "Too few windows were tried with both to say how far they may differ by chance."
    part, gap = next(reversed(second.gaps.items()))
    verdict = "contradict each other" if gap.excludes_zero else "agree"
    return (
        f"The two {verdict}: {_WINDOW[part]}, own past less other markets is {gap.short}. Both use the sales of these"
        f" days, so that interval is not made of theirs but of how far they differed where both were tried before it"
        f" ({gap.n} windows side by side)."
    )


def _decides(second: SecondOpinion) -> str:
    if second.contradicts:
        return "So no verdict is given."
    return (
        "Other markets decide, whichever interval is narrower: what moves all markets on the same days falls out of"
        " theirs, and counts as effect in the own past."
    )


_MARKETS = {"balance": _balance, "held_out": _held_out, "placebos": _placebos}


def _of_way(name: str):
    def said(review: CampaignReview) -> str:
        kinds = series_text.SENTENCES if isinstance(review.effect, SeriesEffect) else _MARKETS
        return kinds[name](review)

    return said


SENTENCES = {name: _of_way(name) for name in _MARKETS}
