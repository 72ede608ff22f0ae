"""How a look at factors is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.results import format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.results import Estimate

SUBJECT, SECOND, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

#: More dots than these are drawn as pixels: as shapes they would weigh more than the rest of the page.
MANY_DOTS = 500

#: Markets up to which each dot is named; of more, half as many that lie farthest out.
FEW_NAMES = 20

CONTEXT_TEXT = PALETTE["context_text"]


def draw_inclusion(axes: Any, *, frame: pd.DataFrame) -> None:
    """Bars of probability, names above them."""
    places = np.arange(len(frame))
    colours = [SUBJECT if chance >= 0.5 else CONTEXT for chance in frame["inclusion"]]
    axes.barh(places, frame["inclusion"], color=colours, height=0.4)
    axes.axvline(0.5, color="black", lw=1, ls=":")
    for place, row in zip(places, frame.itertuples(), strict=True):
        axes.text(0.005, place - 0.4, f"{row.term}: {format_percent(row.inclusion, 0)}", ha="left", va="center",
                  color=CONTEXT_TEXT)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(len(frame) - 0.5, -0.8)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(lambda value, _: format_percent(value, 0))


def draw_alone(axes: Any, *, frame: pd.DataFrame, slope: Estimate, names: tuple[str, str]) -> None:
    """What is left of both, with the line of the regression and its interval."""
    axes.axhline(0, color=CONTEXT, lw=0.8)
    axes.axvline(0, color=CONTEXT, lw=0.8)
    axes.scatter(frame["x"], frame["y"], s=16, color=CONTEXT, alpha=0.6, rasterized=len(frame) > MANY_DOTS)
    reach = np.array([frame["x"].min(), frame["x"].max()])
    axes.fill_between(reach, slope.ci_lower * reach, slope.ci_upper * reach, color=SUBJECT, alpha=0.2, lw=0)
    axes.plot(reach, slope.value * reach, color=SUBJECT, lw=2.4)
    axes.set_xlabel(f"{names[0]}, more or less than expected")
    axes.set_ylabel(f"{names[1]}, log points", labelpad=2)


def draw_levels(axes: Any, *, frame: pd.DataFrame) -> None:
    """Markets by level at first and growth since."""
    axes.axhline(0, color=CONTEXT, lw=0.8)
    many = len(frame) > FEW_NAMES
    axes.scatter(frame["first"], frame["growth"], s=16 if many else 36, color=SUBJECT, alpha=0.6 if many else 1)
    away = (frame["growth"] - frame["growth"].median()).abs()
    named = _apart(frame.loc[away.nlargest(FEW_NAMES).index]) if many else frame
    for row in named.itertuples():
        axes.annotate(
            row.country, (row.first, row.growth), xytext=(5, 3), textcoords="offset points", color=CONTEXT_TEXT
        )
    axes.set_xlabel("level at first, log points")
    axes.set_ylabel("growth, log points", labelpad=2)
    axes.margins(0.12)


def _apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows whose names do not lie on each other's, the first ones first."""
    kept: list[int] = []
    spread = frame[["first", "growth"]].std().to_numpy()
    places = frame[["first", "growth"]].to_numpy() / spread
    for place, name in enumerate(frame["country"]):
        away = np.abs(places[kept] - places[place])
        if ((away[:, 0] > 0.15 * (len(name) + 1)) | (away[:, 1] > 0.25)).all():
            kept.append(place)
    return frame.iloc[kept]
