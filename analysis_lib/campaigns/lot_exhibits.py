"""Figures and tables of a campaign that left some out by lot."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
from scipy.stats import norm

from analysis_lib.campaigns import drawings
from analysis_lib.results import Exhibit, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview


def _balance(review: CampaignReview) -> Exhibit:
    """How far the groups stood apart before."""
    frame = review.effect.history
    outside = int(((frame["ci_lower"] > 0) | (frame["ci_upper"] < 0)).sum())
    told = "no difference that chance does not explain" if not outside else f"{outside} differences beyond chance"
    return Exhibit(
        title=f"Before it began, {len(frame)} sides of history show {told}",
        subtitle=f"Reached less left out, standard deviations, {format_percent(review.setting.level, 0)} intervals",
        frame=frame,
        units={column: "" for column in frame.columns if column != "covariate"},
        draw=partial(drawings.draw_history, history=frame),
        height=0.5,
    )


def _placebos(review: CampaignReview) -> Exhibit:
    """Whether the lot fell as lots do."""
    effect, gap = review.effect, review.effect.held_out
    seen = effect.n_held_out / (effect.n_targeted + effect.n_held_out)
    rows = [
        ("left out, of all in the lot", format_percent(seen), f"{format_percent(effect.planned_share)} planned",
         effect.split_pvalue),
        ("spent in the last four weeks before, reached less left out", gap.short, "zero is right",
         2 * norm.sf(abs(gap.value) / gap.se) if gap.se > 0 else 1.0),
        ("all weeks before the start together", "", "zero is right", effect.weekly.pretrend_pvalue),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["check", "seen", "wanted", "chance"])
    bad = int((frame["chance"] < 1 - review.setting.level).sum())
    return Exhibit(
        title="The lot fell as lots do" if not bad else f"{bad} of {len(frame)} checks would seldom fall so by chance",
        subtitle="Checks of the lot; chance: how often a lot strays at least as far",
        frame=frame,
        units={"chance": "share"},
    )


EXHIBITS = {"balance": _balance, "placebos": _placebos}
