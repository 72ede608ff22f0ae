"""What to do about a change: where to look first, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scipy.stats import norm

from analysis_lib.metrics.counting_plan import CURRENCY
from analysis_lib.metrics.explanation_text import change, inside, period, subject
from analysis_lib.results import Answer, Decision, Estimate, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics.explanation import Explanation

RULE = (
    "Of the parts that moved the metric the wrong way (any way, where neither is better), leave out those that nobody"
    " here can change (days, exchange rates), those whose interval holds zero when it is widened for the number of"
    " parts looked at (Bonferroni), and those smaller than the smallest change worth looking for. If one is left, look"
    " into the largest. Otherwise leave it alone."
)

#: Parts that are what they are.
GIVEN = ("Days in the period", CURRENCY)

DAYS_OF_A_MONTH = 30.0


def decide(one: Explanation) -> Decision:
    """The verdict by the printed rule."""
    owner = one.metric.owner
    if not one.unit:
        reason = "No interval could be made, so nothing can be told from chance."
        return Decision("Cannot tell", RULE, reason, None, owner, "Ask for a metric whose rows name their user.")
    suspects = _suspects(one)
    if suspects.empty:
        reason = "No part that moved the wrong way stands out of chance and is large enough to matter."
        return Decision("Leave alone", RULE, reason, None, owner, "Nothing; look again when the next period is over.")
    worst = suspects.loc[suspects["contribution"].abs().idxmax()]
    estimate = _estimate(one, worst)
    where = " / ".join(str(worst[name]) for name in one.by)
    named = f"{worst['part']} in {where}" if where else str(worst["part"])
    reason = f"{named} moved it by {estimate.short}, the largest part that went the wrong way."
    step = f"Find out what happened to {named} between {period(one.before)} and {period(one.after)}."
    return Decision("Look into", RULE, reason, _per_month(one, estimate), owner, step)


def answer(one: Explanation, source: str, as_of: str, grade: str) -> Answer:
    """The first screen of the page."""
    share = one.rel_change
    relative = "" if one.metric.unit == "share" or share != share else f" ({format_percent(share)} against before)"
    return Answer(
        title=f"Why did {inside(subject(one))} change from {period(one.before)} to {period(one.after)}?",
        headline=change(one),
        number=one.change if one.unit else None,
        number_of=f"change of {one.metric.title}{relative}, {format_percent(one.change.level, 0)} interval",
        decision=decide(one),
        source=source,
        window=f"{period(one.before)} against {period(one.after)}",
        as_of=as_of,
        counted=_counted(one),
        grade=grade,
    )


def _counted(one: Explanation) -> str:
    money = {"usd": "US dollars at the rate of the order's day", "constant_usd": "US dollars at constant rates",
             "local": "local money"}[one.currency]  # fmt: skip
    said = [one.metric.meaning, f"Money in {money}." if one.metric.currency == "converted" else "", *one.notes]
    return " ".join(part for part in said if part)


def _suspects(one: Explanation) -> pd.DataFrame:
    """Parts that went the wrong way, stand out of chance, and are worth looking for."""
    cells = one.cells[~one.cells["part"].isin(GIVEN)]
    wider = _widening(int(cells["contribution_ci_lower"].notna().sum()), one.change.level)
    low, high = (
        cells["contribution"] + wider * (cells[f"contribution_ci_{end}"] - cells["contribution"])
        for end in ("lower", "upper")
    )
    bad = {"up": high < 0, "down": low > 0}.get(one.metric.better, (high < 0) | (low > 0))
    enough = cells["contribution"].abs() >= one.metric.min_detectable_rel * abs(one.value_before)
    return cells[bad & enough]


def _widening(n_parts: int, level: float) -> float:
    """By how much an interval is widened so that all of so many hold together."""
    tail = (1 - level) / 2
    return float(norm.isf(tail / max(n_parts, 1)) / norm.isf(tail))


def _estimate(one: Explanation, row: pd.Series) -> Estimate:
    return replace(
        one.change, value=float(row["contribution"]), se=float("nan"), ci_lower=float(row["contribution_ci_lower"]),
        ci_upper=float(row["contribution_ci_upper"]),
    )  # fmt: skip


def _per_month(one: Explanation, estimate: Estimate) -> Estimate | None:
    """Money that the part stands for in 30 days, where the metric is money."""
    if one.metric.unit != "usd" or one.currency == "local":
        return None
    days = (one.after[1] - one.after[0]).days + 1
    return estimate.scaled(DAYS_OF_A_MONTH / days)
