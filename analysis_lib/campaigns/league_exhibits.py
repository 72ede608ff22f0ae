"""The figures and tables of the league of campaigns."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.campaigns.league_text import WAYS
from analysis_lib.config import PALETTE
from analysis_lib.results import Exhibit, format_percent, format_value, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.campaigns.league_result import League

SUBJECT, CONTEXT, CONTEXT_TEXT = PALETTE["subject"], PALETTE["context"], PALETTE["context_text"]

PER_DOLLAR = "usd_per_usd"


def league(found: League) -> Exhibit:
    """Every campaign's return, as measured and with luck taken out."""
    told = found.told
    if told.empty:
        return nothing_to_show("The league", "fewer than three campaigns could be reviewed")
    # Each against what its own creators leave; the line is where they do on average.
    above = int((told["shrunk_ci_lower"] * (found.margin - told["creators"]) > 1).sum())
    below = int((told["shrunk_ci_upper"] * (found.margin - told["creators"]) < 1).sum())
    columns = ["name", "country", "mechanic", "way", "value", "ci_lower", "ci_upper", "shrunk", "shrunk_ci_lower",
               "shrunk_ci_upper"]  # fmt: skip
    frame = told[columns].assign(way=told["way"].map(WAYS))
    return Exhibit(
        title=f"{above} of {len(told)} campaigns earned their cost beyond doubt, {below} did not",
        subtitle=(
            "Net additional sales per dollar of cost, with luck taken out; grey: as measured; line: where it earns its"
            f" cost; {format_percent(found.level, 0)} intervals"
        ),
        frame=frame,
        units=dict.fromkeys(columns[4:], PER_DOLLAR),
        draw=partial(draw_league, rows=told, break_even=found.break_even),
        height=0.2 + 0.085 * len(told),
    )


def draw_league(axes: Any, rows: pd.DataFrame, break_even: float) -> None:
    """One row a campaign, the best on top.

    Parameters
    ----------
    rows
        name, country, value, shrunk, shrunk_ci_lower, shrunk_ci_upper.
    break_even
        Return from which a campaign earns.
    """
    places = np.arange(len(rows), dtype=float)
    axes.axvline(0, color=CONTEXT, lw=1)
    if np.isfinite(break_even):
        axes.axvline(break_even, color=CONTEXT_TEXT, lw=1.4, ls="--")
    axes.hlines(places, rows["shrunk_ci_lower"], rows["shrunk_ci_upper"], color=SUBJECT, lw=2.4)
    axes.scatter(rows["shrunk"], places, color=SUBJECT, s=44, zorder=3)
    low, high = float(rows["shrunk_ci_lower"].min()), float(rows["shrunk_ci_upper"].max())
    margin = 0.15 * (high - low)
    # A return as measured may lie far outside: it is drawn at the edge.
    axes.scatter(rows["value"].clip(low - margin, high + margin), places, color=CONTEXT, s=20, zorder=2)
    axes.set_xlim(low - 1.2 * margin, high + 1.2 * margin)
    onto = axes.get_yaxis_transform()
    for place, row in zip(places, rows.itertuples(), strict=True):
        axes.text(0, place - 0.24, f"{row.name}, {row.country}", transform=onto, va="bottom", ha="left",
                  color=CONTEXT_TEXT, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip
    axes.set_yticks([])
    axes.set_ylim(len(rows) - 0.6, -0.95)
    axes.xaxis.set_major_formatter(lambda value, _: format_value(value, PER_DOLLAR, spread=20 * abs(value) or 1.0))


def campaigns(found: League) -> Exhibit:
    """What each cost and brought, and why some are missing."""
    columns = ["name", "country", "mechanic", "way", "cost", "net", "why_not"]
    frame = found.rows[columns].assign(way=found.rows["way"].map(WAYS).fillna("not reviewed"))
    number = int(found.rows["shrunk"].isna().sum())
    return Exhibit(
        title=f"{number} of {len(frame)} campaigns could not be reviewed" if number else "All campaigns were reviewed",
        subtitle="Cost and net additional sales in USD; refused ones with the reason",
        frame=frame,
        units={"cost": "usd", "net": "usd"},
    )


EXHIBITS = {"league": league, "campaigns": campaigns}
