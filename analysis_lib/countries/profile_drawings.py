"""How a market's profile is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.drawings import money_axis, name_rows, percent_axis
from analysis_lib.results import format_interval, format_percent

if TYPE_CHECKING:
    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]


def draw_gaps(axes: Any, *, frame: pd.DataFrame, dots: pd.DataFrame, steps: list[str]) -> None:
    """A market's rates against its peers' median, one step a row; peers as small dots."""
    places = np.arange(len(frame), dtype=float)
    axes.axvline(0, color="black", lw=1)
    for place, name in zip(places, steps, strict=True):
        own = dots[dots["step"] == name]
        axes.scatter(own["gap"], np.full(len(own), place), color=CONTEXT, s=24, zorder=2)
    colours = [SECOND if row.gap_ci_upper < 0 else SUBJECT for row in frame.itertuples()]
    axes.hlines(places, frame["gap_ci_lower"], frame["gap_ci_upper"], color=colours, lw=2.4)
    axes.scatter(frame["gap"], places, color=colours, s=52, zorder=3)
    name_rows(axes, frame["step"], [
        format_interval(row.gap, row.gap_ci_lower, row.gap_ci_upper, "share") for row in frame.itertuples()
    ], above=0.3)  # fmt: skip
    percent_axis(axes.xaxis)


def draw_worth(axes: Any, *, frame: pd.DataFrame) -> None:
    """Money by step, with intervals."""
    places = np.arange(len(frame), dtype=float)
    sure = frame["worth_ci_lower"] > 0
    colours = [SUBJECT if told else CONTEXT for told in sure]
    axes.axvline(0, color="black", lw=1)
    axes.hlines(places, frame["worth_ci_lower"], frame["worth_ci_upper"], color=colours, lw=2.4)
    axes.scatter(frame["worth"], places, color=colours, s=52, zorder=3)
    name_rows(axes, frame["step"], [
        format_interval(row.worth, row.worth_ci_lower, row.worth_ci_upper, "usd") for row in frame.itertuples()
    ], above=0.3)  # fmt: skip
    money_axis(axes.xaxis)


def draw_season(axes: Any, *, index: pd.DataFrame, country: str) -> None:
    """Months of the market in colour, those of its peers in grey."""
    from matplotlib.dates import DateFormatter  # slow to import
    from matplotlib.ticker import MaxNLocator

    for code in index.columns:
        if code != country:
            axes.plot(index.index, index[code], color=CONTEXT, lw=1.1)
    axes.plot(index.index, index[country], color=SUBJECT, lw=2.4)
    axes.annotate(country, (index.index[-1], index[country].iloc[-1]), xytext=(4, 0), textcoords="offset points",
                  va="center", color=SUBJECT)  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(DateFormatter("%b %y"))


def draw_payments(axes: Any, *, frame: pd.DataFrame) -> None:
    """Shares of orders as bars, and what came back beside them."""
    places = np.arange(len(frame), dtype=float)
    axes.barh(places, frame["share"], color=SUBJECT, height=0.36)
    for place, row in zip(places, frame.itertuples(), strict=True):
        shares = f"{format_percent(row.share, 0)}, {format_percent(row.lost, 0)} came back"
        text = f"{row.payment_method.replace('_', ' ')}: {shares}"
        axes.text(0, place - 0.34, text, ha="left", va="center", color=CONTEXT_TEXT)
    axes.set_ylim(len(frame) - 0.6, -0.8)
    axes.set_yticks([])
    percent_axis(axes.xaxis)
