"""How effects by market are drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis_lib.config import PALETTE
from analysis_lib.drawings import percent_axis
from analysis_lib.drawings.forest import GROUND
from analysis_lib.results import format_percent, format_value

if TYPE_CHECKING:
    import pandas as pd

SUBJECT, CONTEXT, CONTEXT_TEXT = PALETTE["subject"], PALETTE["context"], PALETTE["context_text"]


def draw_line(axes: Any, *, frame: pd.DataFrame, curve: pd.DataFrame, is_log: bool, name: str, unit: str) -> None:
    """Markets by factor and effect, with the line; those that did not run it hollow, on the line."""
    ran, others = frame[frame["ran"]], frame[~frame["ran"].astype(bool)]
    axes.axhline(0, color="black", lw=1)
    axes.fill_between(curve["x"], curve["ci_lower"], curve["ci_upper"], color=SUBJECT, alpha=0.15, lw=0)
    axes.plot(curve["x"], curve["effect"], color=SUBJECT, lw=2.0)
    axes.vlines(ran["factor"], ran["raw_ci_lower"], ran["raw_ci_upper"], color=CONTEXT, lw=1.6)
    axes.scatter(ran["factor"], ran["raw"], color=SUBJECT, s=46, zorder=3)
    axes.scatter(others["factor"], others["effect"], facecolor="white", edgecolor=SUBJECT, s=40, lw=1.6, zorder=4)
    _label(axes, others["factor"], others["effect"], others["country"], 6)
    if is_log:
        axes.set_xscale("log")
        _few_ticks(axes, curve["x"].iloc[0], curve["x"].iloc[-1])
    if unit == "share":
        axes.xaxis.set_major_formatter(lambda value, _: format_percent(value, 0))
    axes.set_xlabel(f"{name}, {unit}, on a logarithmic scale" if is_log else f"{name}, {unit}")
    percent_axis(axes.yaxis)
    low, high = curve["effect"].min(), curve["effect"].max()
    reach = max(high - low, ran["raw"].abs().max())
    # A whisker or a band of a market that says nothing would leave no room for the others.
    bottom, top = min(low, ran["raw"].min()) - 0.7 * reach, max(high, ran["raw"].max()) + 0.7 * reach
    axes.set_ylim(bottom, top)
    own = ran.sort_values("factor")
    # In turn below and above their whiskers: neighbours' names lie apart.
    room = 0.07 * (top - bottom)
    for rows, end, above in ((own[::2], "lower", -13), (own[1::2], "upper", 4)):
        at = rows[f"raw_ci_{end}"].clip(bottom + room, top - room)
        _label(axes, rows["factor"], at, rows["country"], above, onto_white=True)


def _label(axes: Any, x: pd.Series, y: pd.Series, names: pd.Series, above: int, *, onto_white: bool = False) -> None:
    for at, value, name in zip(x, y, names, strict=True):
        axes.annotate(
            name,
            (at, value),
            xytext=(0, above),
            textcoords="offset points",
            color=CONTEXT_TEXT,
            ha="center",
            zorder=5,
            bbox=GROUND if onto_white else None,
        )


def _few_ticks(axes: Any, low: float, high: float) -> None:
    """Doublings from a round number: the usual ticks of logarithms lie too close or too far."""
    from matplotlib.ticker import FixedLocator, NullLocator  # slow to import

    size = 10.0 ** len(str(int(low))) / 10 if low >= 1 else low
    ticks = [size * 2**power for power in range(12) if 0.8 * low <= size * 2**power <= 1.2 * high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: format_value(value, "", spread=value))
