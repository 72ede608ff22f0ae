"""How a launch review is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.drawings import name_rows, percent_axis
from analysis_lib.results import format_interval, format_value

if TYPE_CHECKING:
    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]


def draw_calendar(axes: Any, frame: pd.DataFrame, until: pd.Timestamp, first: pd.Timestamp) -> None:
    """One line per market: not live, announced, live; planned days as open marks.

    Parameters
    ----------
    frame
        country, announced_on, live_on (missing for never).
    until, first
        Last day that is known, and the first that is drawn.
    """
    import pandas as pd
    from matplotlib.dates import DateFormatter  # slow to import
    from matplotlib.ticker import MaxNLocator

    end = until
    for place, row in enumerate(frame.itertuples()):
        axes.plot([first, until], [place, place], color="#d9d9d9", lw=5, solid_capstyle="butt")
        if pd.notna(row.announced_on) and row.announced_on <= until:
            told = min(row.live_on, until)
            axes.plot([row.announced_on, told], [place, place], color=SECOND, lw=5, solid_capstyle="butt")
        if pd.notna(row.live_on) and row.live_on <= until:
            axes.plot([row.live_on, until], [place, place], color=SUBJECT, lw=5, solid_capstyle="butt")
        elif pd.notna(row.live_on):
            axes.scatter([row.live_on], [place], facecolor="white", edgecolor=CONTEXT_TEXT, s=46, zorder=3)
            end = max(end, row.live_on)
        axes.text(-0.015, place, row.country, transform=axes.get_yaxis_transform(), ha="right", va="center",
                  color=CONTEXT_TEXT)  # fmt: skip
    axes.set_xlim(first, end + (end - first) * 0.03)
    axes.set_ylim(len(frame) - 0.4, -0.6)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))


def draw_growth(axes: Any, frame: pd.DataFrame, learning: int) -> None:
    """Effects by weeks since the launch, with intervals; grey before, where there can be none.

    Parameters
    ----------
    frame
        event_time, value, ci_lower, ci_upper.
    learning
        Weeks in which the effect may still grow: shaded.
    """
    before, after = frame[frame["event_time"] < 0], frame[frame["event_time"] >= 0]
    axes.axhline(0, color="black", lw=1)
    if learning:
        axes.axvspan(-0.5, learning - 0.5, color=PALETTE["sky"], alpha=0.18, lw=0)
    for rows, colour in ((before, CONTEXT), (after, SUBJECT)):
        axes.fill_between(rows["event_time"], rows["ci_lower"], rows["ci_upper"], color=colour, alpha=0.22, lw=0)
        axes.plot(rows["event_time"], rows["value"], color=colour, lw=2, marker="o", ms=4)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.14 * (high - low))
    top = axes.get_ylim()[1]
    if len(before):
        axes.text(-0.8, top, "before", ha="right", va="top", color=CONTEXT_TEXT)
    if learning:
        axes.text(learning / 2 - 0.5, top, "learning", ha="center", va="top", color=SUBJECT)
    axes.set_xlabel("weeks since it went live")
    percent_axis(axes.yaxis)


def draw_markets(axes: Any, frame: pd.DataFrame) -> None:
    """Effects by market drawn towards each other, with intervals; what each market's own data say as a small dot.

    Parameters
    ----------
    frame
        country, own (missing without), effect, ci_lower, ci_upper.
    """
    places = np.arange(len(frame), dtype=float)
    colours = [SUBJECT if told else CONTEXT for told in frame["own"].notna()]
    axes.axvline(0, color="black", lw=1)
    axes.hlines(places, frame["ci_lower"], frame["ci_upper"], color=colours, lw=2.4)
    axes.scatter(frame["effect"], places, color=colours, s=46, zorder=3)
    axes.scatter(frame["own"], places, facecolor="white", edgecolor=SECOND, s=30, zorder=4, linewidths=1.6)
    name_rows(axes, frame["country"], [
        format_interval(row.effect, row.ci_lower, row.ci_upper, "share") for row in frame.itertuples()
    ], above=0.22)  # fmt: skip
    percent_axis(axes.xaxis)


def draw_money(axes: Any, frame: pd.DataFrame) -> None:
    """Money by market with intervals.

    Parameters
    ----------
    frame
        row, value, ci_lower, ci_upper, is_strong.
    """
    places = np.arange(len(frame), dtype=float)
    colours = [SUBJECT if strong else CONTEXT for strong in frame["is_strong"]]
    axes.axvline(0, color="black", lw=1)
    axes.hlines(places, frame["ci_lower"], frame["ci_upper"], color=colours, lw=2.4)
    axes.scatter(frame["value"], places, color=colours, s=46, zorder=3)
    name_rows(axes, frame["row"], [
        format_interval(row.value, row.ci_lower, row.ci_upper, "usd") for row in frame.itertuples()
    ], above=0.22)  # fmt: skip
    axes.xaxis.set_major_formatter(lambda value, _: _dollars(value))
    axes.locator_params(axis="x", nbins=5)


def _dollars(value: float) -> str:
    """A round amount on an axis.

    Examples
    --------
    >>> _dollars(0.0), _dollars(2500.0), _dollars(20000.0)
    ('$0', '$2,500', '$20 k')
    """
    return format_value(value, "usd", spread=100 * abs(value) or 100)
