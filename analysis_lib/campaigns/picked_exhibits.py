"""The figures of a campaign aimed at users that somebody picked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns import drawings
from analysis_lib.campaigns.comparison import HISTORY as COVARIATES
from analysis_lib.results import Exhibit

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview


def _balance(review: CampaignReview) -> Exhibit:
    """How alike the groups are."""
    weights = review.effect.weights
    frame = weights.balance.assign(covariate=weights.balance["covariate"].map(COVARIATES))
    return Exhibit(
        title="Weighting makes the untargeted group look like the targeted one",
        subtitle=f"{review.setting.people.capitalize()} before the campaign; distance from the targeted group's mean",
        frame=frame,
        units={column: "" for column in frame.columns if column != "covariate"},
        draw=partial(drawings.draw_balance, balance=frame),
        height=0.8,
    )


def _growth(review: CampaignReview) -> Exhibit:
    """How both groups changed from their own past."""
    frame, unit = review.effect.groups, review.campaign.currency
    targeted, untargeted = (float(growth) for growth in frame["growth"])
    more = "more" if targeted > untargeted else "less"
    return Exhibit(
        title=f"The targeted grew {more} than the untargeted: {targeted:.2f} against {untargeted:.2f} times",
        subtitle=f"Spending per {review.setting.person} and week, {unit.upper()}; window: campaign and weeks after",
        frame=frame,
        units={"n_users": "", "before": unit, "window": unit, "growth": ""},
        draw=partial(drawings.draw_growth, groups=frame, unit=unit),
        height=0.55,
    )


def _placebos(review: CampaignReview) -> Exhibit:
    """What the method finds where nothing happened."""
    effect, unit = review.effect, review.campaign.currency
    runs = effect.placebos
    estimate = effect.per_buyer("total")
    bigger = int((runs["total"].abs() >= abs(estimate.value)).sum())
    frame = pd.DataFrame(
        {
            "window_starts": [f"{abs(week)} weeks {'before' if week < 0 else 'after'}" for week in runs["week"]],
            "group": ["its own" if own else "another campaign's" for own in runs["own"]],
            "value": runs["total"],
            "se": runs["se_total"],
        }
    )
    return Exhibit(
        title=f"{bigger} of {len(runs)} windows without the campaign show a difference as large as this one",
        subtitle=f"Net sales per targeted {review.setting.person}, {unit.upper()}, same method and window lengths",
        frame=frame,
        units={"value": unit, "se": unit},
        draw=partial(drawings.draw_placebos, placebos=frame, estimate=estimate),
    )


HISTORY = {"balance": _balance, "placebos": _placebos}

GROWTH = {"balance": _growth, "placebos": _placebos}
