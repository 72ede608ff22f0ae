"""How a growth account is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.results import format_percent, format_value

if TYPE_CHECKING:
    import pandas as pd

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]

#: Column and row of each market on a grid that resembles the map; others are lined up below.
GRID = {
    "US": (0, 1), "MX": (0, 2), "BR": (1, 3), "GB": (2, 0), "ES": (2, 1), "SA": (3, 2), "TH": (4, 2), "VN": (5, 1),
    "MY": (4, 3), "PH": (6, 2), "SG": (5, 3), "ID": (6, 3),
}  # fmt: skip


def draw_parts(axes: Any, *, wide: pd.DataFrame) -> None:
    """A coloured table: markets down, parts across, shares in the cells."""
    values = wide.to_numpy(float)
    reach = float(np.abs(values).max()) or 1.0
    axes.imshow(values, cmap="RdBu", vmin=-reach, vmax=reach, aspect="auto")
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            dark = abs(value) > 0.55 * reach
            axes.text(column, row, f"{round(100 * value)}".replace("-", "−"), ha="center", va="center",
                      color="white" if dark else "#222222", fontsize="small")  # fmt: skip
    axes.set_yticks(range(len(wide)), wide.index)
    axes.set_xticks(range(wide.shape[1]), wide.columns, rotation=60, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def draw_bridge(axes: Any, *, frame: pd.DataFrame, before: float, after: float) -> None:
    """Steps from the level before to that after, downwards; each with its interval.

    Parameters
    ----------
    frame
        part, value, ci_lower, ci_upper.
    """
    n = len(frame)
    starts = before + frame["value"].cumsum().shift(fill_value=0.0)
    axes.barh([0, n + 1], [before, after], color=CONTEXT, height=0.5)
    colours = [SUBJECT if value > 0 else SECOND for value in frame["value"]]
    places = np.arange(1, n + 1)
    axes.barh(places, frame["value"], left=starts, color=colours, height=0.5)
    axes.hlines(places, starts + frame["ci_lower"], starts + frame["ci_upper"], color="black", lw=1.4)
    onto = axes.get_yaxis_transform()
    names = ["before", *frame["part"], "after"]
    shown = [before, *frame["value"], after]
    for place, (name, value) in enumerate(zip(names, shown, strict=True)):
        signed = "" if place in (0, n + 1) or value < 0 else "+"
        text = f"{name}: {signed}{format_value(value, 'usd', spread=abs(after - before) / 3)}"
        axes.text(0.01, place - 0.42, text, transform=onto, ha="left", va="center", color=CONTEXT_TEXT,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})  # fmt: skip
    axes.set_ylim(n + 1.5, -0.8)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(
        lambda value, _: format_value(value, "usd", spread=20 * abs(value)) if value else "0"
    )


def draw_tiles(axes: Any, *, frame: pd.DataFrame) -> None:
    """Tiles with code and growth, coloured by growth."""
    from matplotlib import colormaps  # slow to import
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.patches import FancyBboxPatch

    reach = float(frame["organic"].abs().max()) or 1.0
    norm, colours = TwoSlopeNorm(0.0, -reach, reach), colormaps["RdBu"]
    spare = iter((column, 4) for column in range(len(frame)))
    for row in frame.itertuples():
        column, line = GRID.get(row.country) or next(spare)
        tile = FancyBboxPatch((column + 0.05, -line), 0.9, 0.86, boxstyle="round,pad=0,rounding_size=0.08",
                              facecolor=colours(norm(row.organic)), edgecolor="none")  # fmt: skip
        axes.add_patch(tile)
        dark = abs(row.organic) > 0.55 * reach
        axes.text(column + 0.5, -line + 0.43, f"{row.country}\n{format_percent(row.organic, 0)}", ha="center",
                  va="center", color="white" if dark else "#222222")  # fmt: skip
    lowest = min([-3] + [-4 for code in frame["country"] if code not in GRID])
    axes.set_xlim(0, 7)
    axes.set_ylim(lowest - 0.1, 1)
    axes.axis("off")
