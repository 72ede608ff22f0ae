"""Estimates with intervals, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.results import format_interval, format_percent, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]

#: A white ground under labels, so that lines end before the text begins.
GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}


def draw_forest(axes: Any, frame: pd.DataFrame, *, unit: str = "share") -> None:
    """Effects with intervals, one row each under its name, and margins where there are some.

    Parameters
    ----------
    frame
        row, effect, ci_lower, ci_upper, role, margin; and ``rel_effect``, drawn as a dot, where there is one.
    unit
        Of the effects: ``share``, or a currency.
    """
    places = np.arange(len(frame), dtype=float)
    colours = [SUBJECT if role == "success" else CONTEXT_TEXT for role in frame["role"]]
    axes.axvline(0, color="black", lw=1)
    axes.hlines(places, frame["ci_lower"], frame["ci_upper"], color=colours, lw=2.4)
    axes.scatter(frame["effect"], places, color=colours, s=46, zorder=3)
    if "rel_effect" in frame:
        axes.scatter(frame["rel_effect"], places, color=CONTEXT, s=22, zorder=2)
    guarded = frame["margin"].notna()
    axes.scatter(frame.loc[guarded, "margin"], places[guarded], marker="|", s=320, color=SECOND, zorder=2)
    shown = [format_interval(row.effect, row.ci_lower, row.ci_upper, unit) for row in frame.itertuples()]
    name_rows(axes, frame["row"], shown, above=0.25)
    if unit == "share":
        percent_axis(axes.xaxis)
    else:
        money_axis(axes.xaxis, unit)


def draw_rows(axes: Any, *, frame: pd.DataFrame) -> None:
    """As ``draw_forest``, of results alone.

    Parameters
    ----------
    frame
        Five columns in this order, whatever they are called: name, value, both ends of its interval, and what is drawn
        as a dot beside it.
    """
    rows = frame.set_axis(["row", "effect", "ci_lower", "ci_upper", "rel_effect"], axis=1)
    draw_forest(axes, rows.assign(role="success", margin=float("nan")))


def name_rows(axes: Any, names: Iterable[str], shown: list[str], *, above: float) -> None:
    """Names above the left of each row, numbers above its right; no ticks, and room for the first.

    Parameters
    ----------
    above : float
        How far above its row a name stands, in rows.
    """
    onto = axes.get_yaxis_transform()
    for place, (name, number) in enumerate(zip(names, shown, strict=True)):
        for at, side, text, colour in ((0, "left", name, CONTEXT_TEXT), (1, "right", number, "#222222")):
            axes.text(at, place - above, text, transform=onto, va="bottom", ha=side, color=colour, bbox=GROUND)
    axes.set_yticks([])
    axes.set_ylim(len(shown) - 0.6, -0.95)
    axes.margins(x=0.04)


def percent_axis(axis: Any) -> None:
    """Shares on an axis as percentages."""
    axis.set_major_formatter(
        lambda value, _: format_percent(value, 0 if abs(value * 100 - round(value * 100)) < 1e-6 else 1)
    )


def money_axis(axis: Any, unit: str = "usd") -> None:
    """Round amounts on an axis, few of them."""
    from matplotlib.ticker import MaxNLocator  # slow to import

    axis.set_major_locator(MaxNLocator(4))
    axis.set_major_formatter(lambda value, _: format_value(value, unit, spread=100 * abs(value) or 100))
