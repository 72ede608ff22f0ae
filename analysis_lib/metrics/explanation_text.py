"""An explanation in words."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.results import format_interval, format_percent, format_range, format_value

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics.explanation import Explanation

#: Parts and segments that are named; the rest is in the table.
NAMED = 3


def whole(one: Explanation) -> str:
    """The change, its parts and segments, and what speaks against them."""
    told = [change(one), parts(one), segments(one) if _has_segments(one) else "", basis(one), *one.notes]
    return " ".join(sentence for sentence in told if sentence)


def change(one: Explanation) -> str:
    """By how much the metric changed."""
    return f"{subject(one)} {moved(one)}, from {period(one.before)} to {period(one.after)}."


def subject(one: Explanation) -> str:
    """The metric, and what it was filtered by.

    Examples
    --------
    >>> from types import SimpleNamespace as Some
    >>> subject(Some(metric=Some(title="GMV"), where={"country": ("BR",), "surface": ("live", "video")}))
    'GMV in BR, surface live or video'
    """
    said = [("in " if name == "country" else f"{name.replace('_', ' ')} ") + " or ".join(map(str, values))
            for name, values in one.where.items()]  # fmt: skip
    places, others = [text for text in said if text.startswith("in ")], [text for text in said if text[:3] != "in "]
    return ", ".join([" ".join([one.metric.title, *places]), *others])


def inside(title: str) -> str:
    """A title within a sentence: small at the beginning, unless it begins with an abbreviation.

    Examples
    --------
    >>> inside("Gross merchandise value"), inside("GMV per buyer")
    ('gross merchandise value', 'GMV per buyer')
    """
    return title if title[:2].isupper() else title[0].lower() + title[1:]


def moved(one: Explanation) -> str:
    """The change, in the unit and as a share; a change that stands out of chance with its interval."""
    value = one.change.value
    if value == 0:
        return "did not change"
    word = "rose" if value > 0 else "fell"
    share = "" if one.metric.unit == "share" or not np.isfinite(one.rel_change) else f", or {_percent(one.rel_change)}"
    shown = format_value(abs(value), one.money_unit, spread=_spread(one))
    if not one.unit or not np.isfinite(one.change.se):
        return f"{word} by {shown}{share}"
    if one.change.excludes_zero:
        low, high = sorted((abs(one.change.ci_lower), abs(one.change.ci_upper)))
        return f"{word} by {format_interval(abs(value), low, high, one.money_unit)}{share}"
    band = format_range(one.change.ci_lower, one.change.ci_upper, one.money_unit)
    return f"{word} by {shown}{share}, no more than chance allows ({band})"


def _spread(one: Explanation) -> float | None:
    width = one.change.ci_upper - one.change.ci_lower
    return width if np.isfinite(width) and width > 0 else None


def _percent(share: float) -> str:
    return format_percent(abs(share), 0 if abs(share) >= 0.1 else 1)


def _amount(value: float, low: float, high: float, one: Explanation) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return format_interval(value, low, high, one.money_unit)
    return format_value(value, one.money_unit)


def parts(one: Explanation) -> str:
    """The largest parts."""
    if len(one.parts) < 2:
        return ""
    return f"Of this, {_listed(one.parts, 'part', one)}."


def segments(one: Explanation) -> str:
    """The largest segments."""
    if not _has_segments(one):
        return "It was asked of the whole, not by segments."
    named = one.segments.assign(segment=one.segments[list(one.by)].astype(str).agg(" / ".join, axis=1))
    return f"By {' and '.join(one.by)}: {_listed(named, 'segment', one)}."


def _has_segments(one: Explanation) -> bool:
    return bool(one.by) and len(one.segments) > 1


def _listed(frame: pd.DataFrame, column: str, one: Explanation) -> str:
    order = frame["contribution"].abs().sort_values(ascending=False, kind="stable").index
    rows = frame.loc[order[:NAMED]]
    said = "; ".join(f"{row[column]} {_contribution(row, one)}" for _, row in rows.iterrows())
    others = len(frame) - len(rows)
    return f"{said}; {others} other{'s' if others > 1 else ''} less" if others else said


def _contribution(row: pd.Series, one: Explanation) -> str:
    low, high = row["contribution_ci_lower"], row["contribution_ci_upper"]
    shown = _amount(row["contribution"], low, high, one)
    sign = "+" if row["contribution"] > 0 else ""
    return f"{sign}{shown}" + (" (cannot be told from zero)" if low <= 0 <= high else "")


def basis(one: Explanation) -> str:
    """What the intervals stand for."""
    if not one.unit:
        return "No range could be made: nothing says which rows belong to one user."
    return (
        f"Ranges are {format_percent(one.change.level, 0)} intervals: how far each number would vary with other"
        f" {one.unit}s in the same days, {one.unit}s being independent of each other."
    )


def notes(one: Explanation) -> str:
    """What speaks against it."""
    return " ".join(one.notes) or "Nothing that the data tell."


def decision(one: Explanation) -> str:
    """The verdict, the first step, and the rule."""
    found = one.decision
    return f"{found.text} {found.next_step} The rule: {found.rule}"


def period(days: tuple[date, date]) -> str:
    """Days in few words.

    Examples
    --------
    >>> period((date(2026, 5, 1), date(2026, 5, 31)))
    '1–31 May 2026'
    """
    first, last = days
    if first == last:
        return f"{first:%-d %b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last:%-d %b %Y}"
    return f"{first:%-d %b}{f' {first.year}' if first.year != last.year else ''} – {last:%-d %b %Y}"


SENTENCES = {
    "change": change, "parts": parts, "segments": segments, "basis": basis, "notes": notes, "decision": decision,
}  # fmt: skip
