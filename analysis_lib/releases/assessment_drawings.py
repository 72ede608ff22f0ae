"""How an assessment is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.drawings import percent_axis

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]


def draw_adoption(axes: Any, frame: pd.DataFrame, name: str) -> None:
    """Share of visits on a version by day, with the share of users it was offered to.

    Parameters
    ----------
    frame
        As ``adoption_by_day``.
    name
        Of the version.
    """
    days = np.arange(len(frame))
    last = len(frame) - 1
    labels = [(float(frame["share"].iloc[-1]), f"visits on {name}", SUBJECT)]
    if frame["offered"].notna().all():
        offered = frame["offered"].astype(float)
        axes.step(days, offered, where="post", color=CONTEXT_TEXT, lw=1.6)
        labels.append((float(offered.iloc[-1]), "users offered it", CONTEXT_TEXT))
    axes.plot(days, frame["share"], color=SUBJECT, lw=2.6)
    axes.set_ylim(0, 1.12)
    if len(labels) == 2 and abs(labels[0][0] - labels[1][0]) < 0.1:
        upper = max(label[0] for label in labels)
        labels = [(upper + 0.03, *labels[1][1:]), (upper - 0.07, *labels[0][1:])]
    for place, text, colour in labels:
        axes.annotate(text, (last, place), xytext=(8, 0), textcoords="offset points", va="center", color=colour)
    _day_ticks(axes, list(frame["day"]))
    percent_axis(axes.yaxis)


def draw_looks(axes: Any, frame: pd.DataFrame) -> None:
    """A difference as it stood each day, its interval, what is tolerated, and where the bound for harm lay.

    Parameters
    ----------
    frame
        day, rel_value, rel_ci_lower, rel_ci_upper, rel_limit, is_alarm.
    """
    days = np.arange(len(frame))
    axes.axhline(0, color="black", lw=1)
    axes.fill_between(days, frame["rel_ci_lower"], frame["rel_ci_upper"], color=SUBJECT, alpha=0.22, lw=0)
    axes.plot(days, frame["rel_value"], color=SUBJECT, lw=2.4)
    axes.plot(days, frame["rel_limit"], color=SECOND, lw=1.6, ls="--")
    axes.annotate("tolerated", (days[-1], frame["rel_limit"].iloc[-1]), xytext=(8, 0), textcoords="offset points",
                  va="center", color=SECOND)  # fmt: skip
    alarms = np.flatnonzero(frame["is_alarm"].to_numpy(dtype=bool))
    if len(alarms):
        first = alarms[0]
        axes.scatter([first], [frame["rel_value"].iloc[first]], color=SECOND, s=90, zorder=4)
        axes.annotate("alarm", (first, frame["rel_value"].iloc[first]), xytext=(0, 12), textcoords="offset points",
                      ha="center", va="bottom", color=SECOND)  # fmt: skip
    # The first days are known so badly that they would hide the others.
    settled = frame.iloc[len(frame) // 4 :]
    low = min(settled["rel_ci_lower"].min(), settled["rel_limit"].min(), 0.0)
    high = max(settled["rel_ci_upper"].max(), settled["rel_limit"].max(), 0.0)
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    _day_ticks(axes, list(frame["day"]))
    percent_axis(axes.yaxis)


def _day_ticks(axes: Any, days: list[date]) -> None:
    places = list(range(0, len(days), 7)) if len(days) > 7 else list(range(0, len(days), 2))
    axes.set_xticks(places, [f"{days[place]:%-d %b}" for place in places])
