"""Figures and tables of the comparison of comparisons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis_lib.config import PALETTE
from analysis_lib.drawings import draw_forest
from analysis_lib.results import Exhibit, format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.campaigns.without_lot import WithoutLot

#: Classes of chances, and what they are called; none holds few people.
CLASSES = {0.0: "under 1 %", 0.01: "1 to 10 %", 0.1: "10 to 30 %", 0.3: "30 % and more"}


def ways(one: WithoutLot) -> Exhibit:
    """Every way with its interval, beside the lot."""
    from analysis_lib.campaigns.without_lot import WAYS

    rows = [
        (WAYS[way][0], it.value, it.ci_lower, it.ci_upper, WAYS[way][1], one.off(way))
        for way, it in one.effects.items()
    ]
    frame = pd.DataFrame(rows, columns=["way", "effect", "effect_ci_lower", "effect_ci_upper", "assumes", "off"])
    held = len(one.holding)
    return Exhibit(
        title=f"{format_count(held)} of {format_count(len(frame) - 1)} comparisons without a lot hold its answer",
        subtitle=f"US dollars a person and year, {format_percent(one.level, 0)} intervals; dashed: what the lot shows",
        frame=frame, units=dict.fromkeys(["effect", "effect_ci_lower", "effect_ci_upper", "off"], "usd"),
        draw=partial(_draw_ways, frame=frame, truth=one.effects["lot"].value), height=0.11 * len(frame) + 0.14,
    )  # fmt: skip


def _draw_ways(axes: Any, *, frame: pd.DataFrame, truth: float) -> None:
    rows = frame.set_axis(["row", "effect", "ci_lower", "ci_upper", "assumes", "off"], axis=1)
    roles = np.where(np.arange(len(rows)) == 0, "success", "guardrail")
    draw_forest(axes, rows.assign(role=roles, margin=float("nan")), unit="usd")
    axes.axvline(truth, color=PALETTE["subject"], lw=1, ls="--", zorder=0)


def balance(one: WithoutLot) -> Exhibit:
    """What is known of both groups, before and after weights."""
    frame = one.balance
    earned = frame[frame["quantity"].str.startswith("earnings")]
    gap = float((earned["others"] / earned["programme"]).max())
    told = frame.assign(**{side: [_told(row, row[side]) for _, row in frame.iterrows()] for side in frame.columns[1:]})
    return Exhibit(
        title=f"The others had earned up to {gap:.0f} times as much", frame=told,
        subtitle="Means; weighted: the others with weights that make the history alike", units={},
    )  # fmt: skip


def _told(row: pd.Series, value: float) -> str:
    """A mean in its unit: dollars, years, or the share of people of whom it is true."""
    if row["quantity"].startswith("earnings"):
        return format_value(value, "usd")
    return f"{value:.1f}" if row["programme"] > 1 else format_percent(value, 0)


def overlap(one: WithoutLot) -> Exhibit:
    """Chances of being in the programme, of those who were and of the others."""
    chance = one.overlap.propensity
    where = np.searchsorted(list(CLASSES), chance, side="right") - 1
    sides = {"programme": one.treated, "others": ~one.treated}
    counts = {side: np.bincount(where[rows], minlength=len(CLASSES)) for side, rows in sides.items()}
    frame = pd.DataFrame({"chance": CLASSES.values(), **counts})
    far, own = (float((chance[rows] < 0.01).mean()) for rows in (~one.treated, one.treated))
    return Exhibit(
        title=f"A chance under 1 %: {format_percent(far, 0)} of the others, {format_percent(own, 0)} of the programme",
        subtitle="Share of each group by its chance of being in the programme, told from the history",
        frame=frame, units={"programme": "people", "others": "people"}, draw=partial(_draw_overlap, frame=frame),
    )  # fmt: skip


def _draw_overlap(axes: Any, *, frame: pd.DataFrame) -> None:
    places = np.arange(len(frame))
    for shift, side, colour in ((-0.2, "programme", PALETTE["subject"]), (0.2, "others", PALETTE["context"])):
        share = frame[side] / frame[side].sum()
        axes.barh(places + shift, share, height=0.38, color=colour, label=side)
        for place, part in zip(places + shift, share, strict=True):
            axes.text(part, place, f" {format_percent(float(part), 0)}", va="center", ha="left")
    axes.set_yticks(places, frame["chance"])
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.margins(x=0.12)
    axes.legend(frameon=False, loc="center right")


EXHIBITS: dict[str, Callable[[WithoutLot], Exhibit]] = {"ways": ways, "balance": balance, "overlap": overlap}
