"""Figures and tables of a campaign that reached everybody in its market."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns import drawings
from analysis_lib.results import Estimate, Exhibit, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview

#: Days before the start that are drawn.
DAYS_SHOWN = 56


def _weekly(review: CampaignReview) -> Exhibit:
    """Sales by day, and what the other markets say they would have been."""
    one, market = review.effect.whole, review.campaign.market
    path = one.path.iloc[max(0, one.n_before - DAYS_SHOWN) :]
    during = path[path["time"] <= pd.Timestamp(review.campaign.ends_on)]
    during = during[during["during"]]
    above = int((during["effect"] > 0).sum())
    return Exhibit(
        title=f"On {above} of {len(during)} campaign days {market} sold more than the other markets let expect",
        subtitle=f"Sales by day in {market}, USD, and what weighted markets without the campaign say",
        frame=path[["time", "actual", "without", "effect"]].assign(time=path["time"].dt.strftime("%Y-%m-%d")),
        units=dict.fromkeys(("actual", "without", "effect"), "usd"),
        draw=partial(drawings.draw_days, path=path, last=pd.Timestamp(review.campaign.ends_on)),
    )


def _balance(review: CampaignReview) -> Exhibit:
    """The markets that stand for it."""
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


EXHIBITS = {"weekly": _weekly, "balance": _balance, "placebos": _placebos}
