"""What is said of a campaign for everybody that its market's own past alone tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.results import format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview


def kinds(review: CampaignReview) -> pd.DataFrame:
    """Kinds of days that are known, with how many days of each came before, in and after the campaign.

    Returns
    -------
    pandas.DataFrame
        kind, n_days_before (those with a campaign are counted as its days alone), n_days_during, n_days_after; those
        of the campaign and the weeks after it first.
    """
    days = review.effect.days
    flags = days.kinds(review.windows.ends_on)
    flags = flags[[name for name in flags if name in review.effect.whole.regressors]].copy()
    ran = [name for name in flags if name in set(days.earlier["title"])]
    flags.loc[flags[ran].any(axis=1), [name for name in flags if name not in ran]] = 0.0
    starts, ends = (pd.Timestamp(day) for day in (review.campaign.starts_on, review.campaign.ends_on))
    parts = {
        "n_days_before": flags.index < starts, "n_days_during": (flags.index >= starts) & (flags.index <= ends),
        "n_days_after": flags.index > ends,
    }  # fmt: skip
    counts = {name: flags[inside].sum().astype(int) for name, inside in parts.items()}
    frame = pd.DataFrame(counts).rename_axis("kind").reset_index()
    asked = frame["n_days_during"] + frame["n_days_after"]
    return frame.assign(asked=asked).sort_values("asked", ascending=False, kind="stable").drop(columns="asked")


def _balance(review: CampaignReview) -> str:
    """Why its own past is asked, and what is known of its days."""
    effect, known = review.effect, kinds(review)
    touching = known[(known["n_days_during"] + known["n_days_after"]) > 0]
    named = "; ".join(f"{row.kind} ({format_count(row.n_days_before)})" for row in touching.itertuples())
    met = f" Kinds that fall on days looked at, and days before without a campaign that tell of them: {named}."
    return (
        f"Other markets cannot stand for it: {effect.instead.rstrip('.')}. So the past of"
        f" {review.campaign.market} alone decides: {format_count(effect.whole.n_before)} days before are carried"
        f" forward with their weekdays and {format_count(len(known))} kinds of days that are known beforehand."
        f"{met if named else ''} A day is taken to add what others of its kind added, however near the feast. Whatever"
        " else began on these days counts as effect."
    )


def _held_out(review: CampaignReview) -> str:
    """What the last pseudo-campaign would have been said to bring, and what the days leave unexplained."""
    one = review.effect.whole
    last = one.pseudo.iloc[0]
    return (
        f"A campaign of the same length pretended on the days from {last['time']:%-d %B %Y} on, foretold from the days"
        f" before it alone, would have been said to change sales by {format_percent(float(last['effect']))}."
    )


def _placebos(review: CampaignReview) -> str:
    """What the interval rests on, and its grade."""
    one = review.effect.whole
    mean = format_percent(float(one.pseudo["effect"].mean()))
    told = (
        f"{len(one.pseudo)} such pretended campaigns fit into its past ({one.n_apart} side by side). They are off by"
        f" {format_percent(one.typical_error)} of sales, typically (on average by {mean}), which is {one.stretch:.1f}"
        " times what the model expects of itself; the interval is made of that."
    )
    return " ".join(part for part in (told, one.note, review.effect.grade_text) if part)


SENTENCES = {"balance": _balance, "held_out": _held_out, "placebos": _placebos}
