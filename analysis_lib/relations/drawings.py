"""How a relation is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.drawings import percent_axis

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.results import Estimate

SUBJECT, CONTEXT = PALETTE["subject"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]


def draw_curve(axes: Any, frame: pd.DataFrame) -> None:
    """Coefficients sorted, with intervals; those that leave out 0 in colour.

    Parameters
    ----------
    frame
        value, ci_lower, ci_upper, sorted by value.
    """
    places = np.arange(len(frame))
    apart = ((frame["ci_lower"] > 0) | (frame["ci_upper"] < 0)).to_numpy()
    axes.axhline(0, color="black", lw=1)
    for flags, colour, word in ((~apart, CONTEXT, "interval holds 0"), (apart, SUBJECT, "interval leaves out 0")):
        rows = frame[flags]
        axes.vlines(places[flags], rows["ci_lower"], rows["ci_upper"], color=colour, lw=1.6, alpha=0.6)
        axes.scatter(places[flags], rows["value"], color=colour, s=18, zorder=3, label=word if len(rows) else None)
    axes.legend(frameon=False, loc="upper left")
    axes.set_xticks([])
    percent_axis(axes.yaxis)
    axes.set_xlabel("ways to estimate it, sorted")


def draw_influence(axes: Any, frame: pd.DataFrame, whole: Estimate) -> None:
    """The coefficient without each unit, beside that with all.

    Parameters
    ----------
    frame
        without, value.
    whole
        With all units.
    """
    rows = frame.sort_values("value", ignore_index=True)
    places = np.arange(len(rows))
    axes.axvspan(whole.ci_lower, whole.ci_upper, color=PALETTE["sky"], alpha=0.18, lw=0)
    axes.axvline(whole.value, color=SUBJECT, lw=1.4)
    axes.axvline(0, color="black", lw=1)
    axes.scatter(rows["value"], places, color=CONTEXT_TEXT, s=36, zorder=3)
    axes.set_yticks(places, [f"without {name}" for name in rows["without"]])
    percent_axis(axes.xaxis)
    axes.set_ylim(len(rows) - 0.4, -0.6)


def draw_residuals(axes: Any, frame: pd.DataFrame) -> None:
    """Mean residual by bins of the fitted value, with the usual size of residuals around 0.

    Parameters
    ----------
    frame
        fitted, residual, size (mean square), one row a bin.
    """
    spread = np.sqrt(frame["size"])
    axes.fill_between(frame["fitted"], -spread, spread, color=CONTEXT, alpha=0.22, lw=0)
    axes.axhline(0, color="black", lw=1)
    axes.plot(frame["fitted"], frame["residual"], color=SUBJECT, lw=1.6, marker="o", ms=4)
    axes.set_xlabel("expected")
    axes.set_ylabel("left, on average")
