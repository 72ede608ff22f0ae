"""How a festival's lift is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.drawings.forest import GROUND
from analysis_lib.results import format_percent

if TYPE_CHECKING:
    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]

#: Names lie on curves, which shine through.
ON_CURVES = GROUND | {"alpha": 0.85}

#: The scale of colours ends at this quantile of lifts, so that one outlier does not pale the others.
END = 0.98


def draw_steps(axes: Any, *, wide: pd.DataFrame, clear: pd.DataFrame) -> None:
    """Markets down, steps across: colour and whole per cents in the cells; bold beyond doubt.

    Parameters
    ----------
    wide, clear
        Lifts and whether they differ from none beyond doubt, markets by steps; missing where not told.
    """
    from matplotlib import colormaps  # slow to import

    values = wide.to_numpy(float)
    seen = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(seen, END)) if seen.size else 1.0
    reach = reach or 1.0
    colours = colormaps["RdBu"].with_extremes(bad="#f4f4f4")
    axes.imshow(np.ma.masked_invalid(values), cmap=colours, vmin=-reach, vmax=reach, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        axes.text(column, row, f"{round(100 * value):d}".replace("-", "−"), ha="center", va="center", fontsize="small",
                  color="white" if abs(value) > 0.6 * reach else "#222222",
                  fontweight="bold" if clear.iloc[row, column] else "normal")  # fmt: skip
    axes.set_yticks(range(len(wide)), wide.index)
    axes.set_xticks(range(wide.shape[1]), wide.columns)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def draw_curves(axes: Any, *, frame: pd.DataFrame, length: int, since: str) -> None:
    """One curve a market, one below the other on one scale, with the band of chance about none.

    Parameters
    ----------
    frame
        market, day, index (lift; missing where not told), chance.
    length
        Days of the festival: shaded.
    since
        What days are counted from.
    """
    names = list(dict.fromkeys(frame["market"]))
    seen = frame["index"].dropna().abs()
    # All but a few peaks, and every band of chance, fit into a row.
    widest = float(np.nanmax(frame["chance"])) if len(frame) else 0.0
    scale = max(float(seen.quantile(0.95)) if len(seen) else 0.1, widest, 1e-6) / 0.4
    axes.axvspan(-0.5, length - 0.5, color=PALETTE["warn"], alpha=0.12, lw=0)
    onto = axes.get_yaxis_transform()
    for row, name in enumerate(names):
        own = frame[frame["market"] == name].sort_values("day")
        band = float(own["chance"].iloc[0]) / scale
        axes.fill_between(own["day"], -row - band, -row + band, color=CONTEXT, alpha=0.16, lw=0)
        axes.axhline(-row, color=CONTEXT, lw=0.8)
        height = np.clip(own["index"].to_numpy(float) / scale, -0.55, 0.6)
        axes.plot(own["day"], -row + height, color=SUBJECT, lw=1.8)
        best = own["index"].max()
        shown = "" if not np.isfinite(best) else f"highest {format_percent(best, 0)}"
        for at, side, text, colour in ((0.005, "left", name, CONTEXT_TEXT), (0.995, "right", shown, "#222222")):
            axes.text(at, -row + 0.52, text, transform=onto, ha=side, va="center", color=colour, fontsize="small",
                      bbox=ON_CURVES)  # fmt: skip
    axes.set_yticks([])
    axes.set_ylim(-len(names) + 0.4, 0.75)
    axes.set_xlim(float(frame["day"].min()) - 0.5, float(frame["day"].max()) + 0.5)
    axes.set_xlabel(f"days from {since}")
