"""Figures and tables of a campaign that reached everybody in its market."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns import drawings
from analysis_lib.campaigns.market_series import SeriesEffect
from analysis_lib.campaigns.series_text import kinds
from analysis_lib.results import Estimate, Exhibit, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview

#: Days before the start that are drawn.
DAYS_SHOWN = 56


def _weekly(review: CampaignReview) -> Exhibit:
    """Sales by day, and what the other markets or its own past say they would have been."""
    one, market = review.effect.whole, review.campaign.market
    path = one.path.iloc[max(0, one.n_before - DAYS_SHOWN) :]
    during = path[path["time"] <= pd.Timestamp(review.campaign.ends_on)]
    during = during[during["during"]]
    above = int((during["effect"] > 0).sum())
    alone = isinstance(review.effect, SeriesEffect)
    said, others = ("its own past lets", "its own past says") if alone else ("the other markets let", _OTHERS)
    return Exhibit(
        title=f"On {above} of {len(during)} campaign days {market} sold more than {said} expect",
        subtitle=f"Sales by day in {market}, USD, and what {others}",
        frame=path[["time", "actual", "without", "effect"]].assign(time=path["time"].dt.strftime("%Y-%m-%d")),
        units=dict.fromkeys(("actual", "without", "effect"), "usd"),
        draw=partial(drawings.draw_days, path=path, last=pd.Timestamp(review.campaign.ends_on)),
    )


_OTHERS = "weighted markets without the campaign say"


def _balance(review: CampaignReview) -> Exhibit:
    """The markets that stand for it, or the kinds of days that its own past knows."""
    if isinstance(review.effect, SeriesEffect):
        return _kinds(review)
    one = review.effect.whole
    frame = one.donors.rename(columns={"unit": "market", "effect_without": "change_without_it"})
    widest = frame["change_without_it"]
    return Exhibit(
        title=f"Leaving out one market gives changes of sales from {format_percent(widest.min())} to"
        f" {format_percent(widest.max())}",
        subtitle="Markets without the campaign, their weight, and the change of sales if one of them is left out",
        frame=frame,
        units={"weight": "share", "change_without_it": "share"},
    )


def _kinds(review: CampaignReview) -> Exhibit:
    frame, before = kinds(review), review.effect.whole.n_before
    return Exhibit(
        title=f"{format_count(before)} days of its own past, with {len(frame)} kinds of days beside weekdays",
        subtitle=(
            "Kinds of days that are known beforehand, and how many days of each came before, in and after it; days of"
            " earlier campaigns count as theirs alone"
        ),
        frame=frame,
        units=dict.fromkeys(("n_days_before", "n_days_during", "n_days_after"), ""),
    )


def _placebos(review: CampaignReview) -> Exhibit:
    """What the method finds where there was no campaign."""
    one = review.effect.whole
    estimate: Estimate = one.estimate
    bigger = int((one.pseudo["effect"].abs() >= abs(estimate.value)).sum())
    frame = pd.DataFrame({"begins": one.pseudo["time"].dt.strftime("%Y-%m-%d"), "value": one.pseudo["effect"]})
    return Exhibit(
        title=f"{bigger} of {format_count(len(frame))} pretended campaigns show a change as large as this one",
        subtitle="Change of sales, share; the same method on windows of the same length before it",
        frame=frame,
        units={"value": "share"},
        draw=partial(drawings.draw_placebos, placebos=frame, estimate=estimate),
    )


def second(review: CampaignReview) -> Exhibit | None:
    """Other markets and the market's own past, side by side; None where only one of them tells."""
    opinion = getattr(review.effect, "second", None)
    if opinion is None or not opinion.effects:
        return None
    told = {"other markets": review.effect.effects, "its own past": opinion.effects}
    parts = list(_PARTS) if review.windows.weeks_after else ["during"]
    rows = [_told(part, whose, found[part]) for part in parts for whose, found in told.items() if part in found]
    gap = next(reversed(opinion.gaps.values()), None)
    same = "may agree" if gap is None else "contradict each other" if gap.excludes_zero else "agree"
    return Exhibit(
        title=f"Other markets and the market's own past {same} on what it brought",
        subtitle=f"Additional sales, USD, {format_percent(review.setting.level, 0)} intervals; other markets decide",
        frame=pd.DataFrame(rows),
        units=dict.fromkeys(("value", "ci_lower", "ci_upper"), "usd"),
        draw=partial(drawings.draw_ways, rows=pd.DataFrame(rows), unit="usd"),
        height=0.5,
    )


_PARTS = {"during": "During", "total": "In all"}


def _told(part: str, whose: str, found: Estimate) -> dict[str, object]:
    return {
        "part": _PARTS[part], "told_by": whose, "value": found.value, "ci_lower": found.ci_lower,
        "ci_upper": found.ci_upper,
    }  # fmt: skip


EXHIBITS = {"weekly": _weekly, "balance": _balance, "placebos": _placebos}
