"""How flows are drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.drawings.forest import percent_axis
from analysis_lib.results import format_interval, format_percent

if TYPE_CHECKING:
    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]

_PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}


def draw_matrix(axes: Any, *, money: pd.DataFrame, shares: pd.DataFrame) -> None:
    """Origins down, markets across: colour by sales (log), the share of the market's sales in the cell.

    Parameters
    ----------
    money, shares
        Origins by markets; 0 where nothing was sold, missing where too few bought to say.
    """
    from matplotlib import colormaps  # slow to import

    values = money.to_numpy(float)
    sold = values > 0
    logs = np.full(values.shape, np.nan)
    logs[sold] = np.log(values[sold])
    low, high = (float(np.nanmin(logs)), float(np.nanmax(logs))) if sold.any() else (0.0, 1.0)
    colours = colormaps["Blues"].with_extremes(bad="#f4f4f4")
    # A quarter of the scale is left below the smallest flow, so that it differs from none.
    reach = max(high - low, 1e-9)
    axes.imshow(np.ma.masked_invalid(logs), cmap=colours, vmin=low - reach / 4, vmax=high, aspect="auto")
    for (row, column), share in np.ndenumerate(shares.to_numpy(float)):
        text = "few" if np.isnan(share) else ("" if share == 0 else _whole(share))
        dark = sold[row, column] and logs[row, column] > low + 0.6 * reach
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "#222222", fontsize="small")
    axes.set_yticks(range(len(money)), money.index)
    axes.set_xticks(range(money.shape[1]), money.columns)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _whole(share: float) -> str:
    return "<1" if 0 < share < 0.005 else f"{round(100 * share)}"


def draw_expected(axes: Any, *, frame: pd.DataFrame) -> None:
    """What others let expect as a bar of its interval, what is bought as a dot; one row a market under its name.

    Parameters
    ----------
    frame
        market, rel_abroad, expected, expected_ci_lower, expected_ci_upper.
    """
    places = np.arange(len(frame), dtype=float)
    axes.hlines(places, frame["expected_ci_lower"], frame["expected_ci_upper"], color=CONTEXT, lw=5, alpha=0.45)
    axes.scatter(frame["expected"], places, marker="|", s=120, color=CONTEXT_TEXT, zorder=2)
    outside = (frame["rel_abroad"] < frame["expected_ci_lower"]) | (frame["rel_abroad"] > frame["expected_ci_upper"])
    axes.scatter(frame["rel_abroad"], places, s=46, color=np.where(outside, SECOND, SUBJECT), zorder=3)
    onto = axes.get_yaxis_transform()
    for place, row in zip(places, frame.itertuples(), strict=True):
        expected = format_interval(row.expected, row.expected_ci_lower, row.expected_ci_upper, "share")
        shown = f"{format_percent(row.rel_abroad, 0)}, expected {expected}"
        for at, side, text, colour in ((0, "left", row.market, CONTEXT_TEXT), (1, "right", shown, "#222222")):
            axes.text(at, place - 0.25, text, transform=onto, va="bottom", ha=side, color=colour, bbox=_PLATE)
    axes.set_yticks([])
    axes.set_ylim(len(frame) - 0.6, -0.95)
    axes.set_xlim(0, 1)
    percent_axis(axes.xaxis)


def draw_days(axes: Any, *, frame: pd.DataFrame) -> None:
    """Days at home and abroad of each market, joined, and the peers' as a stroke.

    Parameters
    ----------
    frame
        market, home, abroad, peer (missing where the market is not slower).
    """
    places = np.arange(len(frame), dtype=float)
    axes.hlines(places, frame["home"], frame["abroad"], color=CONTEXT, lw=1.6)
    axes.scatter(frame["home"], places, s=40, color=CONTEXT, zorder=3)
    axes.scatter(frame["abroad"], places, s=46, color=SUBJECT, zorder=3)
    axes.scatter(frame["peer"], places, marker="|", s=260, color=SECOND, zorder=4)
    onto = axes.get_yaxis_transform()
    for place, row in zip(places, frame.itertuples(), strict=True):
        peer = "" if np.isnan(row.peer) else f", peers {row.peer:.1f}"
        shown = f"{row.home:.1f} at home, {row.abroad:.1f} abroad{peer}"
        for at, side, text, colour in ((0, "left", row.market, CONTEXT_TEXT), (1, "right", shown, "#222222")):
            axes.text(at, place - 0.25, text, transform=onto, va="bottom", ha=side, color=colour, bbox=_PLATE)
    axes.set_yticks([])
    axes.set_ylim(len(frame) - 0.6, -0.95)
    axes.set_xlim(left=0)


def draw_shares(axes: Any, *, frame: pd.DataFrame, at: Any, called: str) -> None:
    """Shares from abroad by month, in units and in USD, with a fall of the currency marked.

    Parameters
    ----------
    frame
        month, rel_units, rel_usd.
    at, called
        Month from which the currency was weaker, and what the mark says.
    """
    from matplotlib.dates import ConciseDateFormatter  # slow to import

    for name, colour, word in (("rel_usd", CONTEXT, "of sales in USD"), ("rel_units", SUBJECT, "of units")):
        axes.plot(frame["month"], frame[name], color=colour, lw=2.2 if colour == SUBJECT else 1.6, label=word)
    axes.axvline(at, color=SECOND, lw=1.2, ls="--")
    top = 1.28 * float(frame[["rel_units", "rel_usd"]].max().max())
    axes.set_ylim(0, top)
    late = list(frame["month"]).index(at) > len(frame) / 2
    axes.annotate(called, (at, top), xytext=(-4 if late else 4, -3), textcoords="offset points", va="top",
                  ha="right" if late else "left", color=SECOND)  # fmt: skip
    axes.legend(loc="lower left", frameon=False)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    percent_axis(axes.yaxis)
