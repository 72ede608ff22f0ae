"""How the figures of a campaign plan are drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis_lib.campaigns.drawings import CONTEXT, CONTEXT_TEXT, GROUND, SUBJECT
from analysis_lib.config import PALETTE
from analysis_lib.results import format_percent, format_value

SECOND = PALETTE["second"]


def draw_smallest(axes: Any, *, frame: pd.DataFrame, x: str, planned: float, unit: str, label: str) -> None:
    """Smallest effects with their range over the windows, what pays as a line, the planned design as a dot.

    Parameters
    ----------
    frame : pandas.DataFrame
        Column ``x``, smallest, ci_lower, ci_upper, pays (may be missing).
    """
    at = frame[x].to_numpy(float)
    axes.fill_between(at, frame["ci_lower"], frame["ci_upper"], color=SUBJECT, alpha=0.18, lw=0)
    axes.plot(at, frame["smallest"], color=SUBJECT, lw=2.4)
    own = frame[np.isclose(at, planned)].iloc[0]
    axes.scatter([planned], [own["smallest"]], color=SUBJECT, s=60, zorder=4)
    top = 1.35 * float(frame[["ci_upper", "pays"]].max().max())
    axes.set_ylim(0, top)
    axes.vlines(planned, 0, 0.9 * top, color=SUBJECT, lw=1.2, ls=":")
    axes.text(planned, 0.92 * top, f"planned: {format_value(float(own['smallest']), unit)}", color=SUBJECT, va="bottom",
              ha="left" if planned < at.mean() else "right")  # fmt: skip
    axes.annotate("smallest effect seen", (at[-1], float(frame["ci_upper"].iloc[-1])), xytext=(0, 6), ha="right",
                  va="bottom", textcoords="offset points", color=SUBJECT)  # fmt: skip
    if frame["pays"].notna().all():
        axes.plot(at, frame["pays"], color=SECOND, lw=1.8, ls="--")
        _name_what_pays(axes, at, frame["pays"].to_numpy(), top)
    axes.set_xlabel(label)
    axes.set_ylabel("")
    if x == "share":
        axes.xaxis.set_major_formatter(lambda value, _: format_percent(value, 0))
    axes.yaxis.set_major_formatter(partial(_money, unit.split("_per_")[0]))


def _name_what_pays(axes: Any, at: np.ndarray, pays: np.ndarray, top: float) -> None:
    """Beside the line: under a steep one where it is high, else over its beginning."""
    steep = pays[-1] > max(2 * pays[0], 0.2 * top)
    place = (at[-1], float(pays[-1])) if steep else (at[0], float(pays[0]))
    axes.annotate("what pays", place, xytext=(0, -26 if steep else 5), textcoords="offset points", color=SECOND,
                  ha="right" if steep else "left", va="top" if steep else "bottom")  # fmt: skip


def draw_markets(axes: Any, *, pretended: pd.DataFrame, smallest: float) -> None:
    """What pretended campaigns found where there was nothing, by their first day; the smallest effect as lines."""
    from matplotlib.dates import DateFormatter  # slow to import
    from matplotlib.ticker import MaxNLocator

    days = pd.to_datetime(pretended["starts_on"])
    colours = [SUBJECT if clean else CONTEXT for clean in pretended["clean"]]
    axes.axhline(0, color="black", lw=1)
    for line in (smallest, -smallest):
        axes.axhline(line, color=SECOND, lw=1.4, ls="--")
    axes.scatter(days, pretended["effect"], color=colours, s=60, zorder=3)
    reach = 1.3 * max(smallest, float(pretended["effect"].abs().max()))
    axes.set_ylim(-reach, reach)
    axes.annotate(f"seen from {format_percent(smallest, 0)} on", (days.min(), smallest), xytext=(0, 4),
                  textcoords="offset points", ha="left", va="bottom", color=SECOND)  # fmt: skip
    axes.text(0.0, 0.02, "grey: a festival or campaign fell into it", transform=axes.transAxes, color=CONTEXT_TEXT,
              ha="left", va="bottom", bbox=GROUND)  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))
    axes.yaxis.set_major_formatter(lambda value, _: format_percent(value, 0))


def _money(unit: str, value: float, _position: int) -> str:
    return format_value(value, unit, spread=0.5 if abs(value) < 5 else 20) if value else "0"
