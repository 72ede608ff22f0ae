"""What to do about a change: where to look first, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scipy.stats import norm

from analysis_lib.metrics.explanation_text import change, inside, period, subject
from analysis_lib.results import Answer, Decision, Estimate, format_percent, format_value

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics.explanation import Explanation

RULE = (
    "Leave out the parts that nobody here can change (days, exchange rates). Of the others, look into the largest that"
    " moved the metric the wrong way (any way, where neither is better), if its interval, widened for the number of"
    " parts looked at (Bonferroni), does not hold zero, and it is no smaller than the smallest change worth looking"
    " for. If no part stands out so but all of them together do, look into the largest of them. Otherwise leave it"
    " alone."
)

DAYS_OF_A_MONTH = 30.0


def decide(one: Explanation) -> Decision:
    """The verdict by the printed rule."""
    owner = one.metric.owner
    if not one.unit:
        reason = "No interval could be made, so nothing can be told from chance."
        return Decision("Cannot tell", RULE, reason, None, owner, "Ask for a metric whose rows name their user.")
    cells = one.cells[one.cells["kind"] != "given"]
    suspects = _suspects(one, cells)
    if len(suspects):
        return _look_into(one, suspects, _estimate)
    if _is_wrong(one, one.own_change.ci_lower, one.own_change.ci_upper) and _is_enough(one, one.own_change.value):
        return _look_into(one, cells, lambda *_: one.own_change)
    reason = "No part that moved the wrong way stands out of chance and is large enough to matter."
    return Decision("Leave alone", RULE, reason, None, owner, "Nothing; look again when the next period is over.")


def _look_into(
    one: Explanation, cells: pd.DataFrame, estimate_of: Callable[[Explanation, pd.Series], Estimate]
) -> Decision:
    """The verdict that names a part: the one that went the wrong way most."""
    sign = {"up": -1, "down": 1}.get(one.metric.better, 0)
    wrong = cells["contribution"] * sign if sign else cells["contribution"].abs()
    worst = cells.loc[wrong.idxmax()]
    estimate = estimate_of(one, worst)
    where = " / ".join(str(worst[name]) for name in one.by)
    named = f"{inside(str(worst['part']))} in {where}" if where else inside(str(worst["part"]))
    if estimate is one.own_change:
        share = format_value(float(worst["contribution"]), one.money_unit)
        reason = f"All parts together moved it by {estimate.short}; {named} is the largest of them ({share})."
    else:
        reason = f"{named[0].upper()}{named[1:]} moved it by {estimate.short}, the most of what went the wrong way."
    step = f"Find out what happened to {named} between {period(one.before)} and {period(one.after)}."
    return Decision("Look into", RULE, reason, _per_month(one, estimate), one.metric.owner, step)


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


def _suspects(one: Explanation, cells: pd.DataFrame) -> pd.DataFrame:
    """Parts that went the wrong way, stand out of chance among all that were looked at, and are worth looking for."""
    wider = _widening(int(cells["contribution_ci_lower"].notna().sum()), one.change.level)
    low, high = (
        cells["contribution"] + wider * (cells[f"contribution_ci_{end}"] - cells["contribution"])
        for end in ("lower", "upper")
    )
    return cells[_is_wrong(one, low, high) & _is_enough(one, cells["contribution"])]


def _is_wrong(one: Explanation, low: Any, high: Any) -> Any:
    """Whether intervals lie where the metric should not have gone."""
    return {"up": high < 0, "down": low > 0}.get(one.metric.better, (high < 0) | (low > 0))


def _is_enough(one: Explanation, value: Any) -> Any:
    return abs(value) >= one.metric.min_detectable_rel * abs(one.value_before)


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
