"""How a readout is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from analysis_lib.config import PALETTE
from analysis_lib.drawings import percent_axis
from analysis_lib.results import format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.readout import Readout
    from analysis_lib.experiments.wearing import Wearing

SUBJECT, SECOND, CONTEXT, BAND = PALETTE["subject"], PALETTE["second"], PALETTE["context"], PALETTE["sky"]

CONTEXT_TEXT = PALETTE["context_text"]

#: Level of the band in which daily shares should lie.
SHARE_LEVEL = 0.999


def bands(rows: pd.DataFrame) -> pd.DataFrame:
    """Relative effect at each look, with three intervals: ordinary, group-sequential, and a confidence sequence.

    Returns
    -------
    DataFrame
        day, n_units, rel_effect, ordinary_lower, ordinary_upper, planned_lower, planned_upper, always_lower,
        always_upper, harm.
    """
    se, value = (rows["rel_effect"] / rows["z"]).abs(), rows["rel_effect"]
    found = rows[["day", "n_units"]].assign(rel_effect=value)
    for name, reach in (("ordinary", "reach_fixed"), ("planned", "reach_group"), ("always", "reach_sequence")):
        found[f"{name}_lower"], found[f"{name}_upper"] = value - rows[reach] * se, value + rows[reach] * se
    return found.assign(harm=-rows["bound_harm"] * se).reset_index(drop=True)


def draw_looks(axes: Any, frame: pd.DataFrame) -> None:
    """The effect over time, in the band that may be looked at any day and the one that holds on the last day only."""
    days = np.arange(len(frame))
    axes.axhline(0, color="black", lw=1)
    axes.fill_between(days, frame["always_lower"], frame["always_upper"], color=CONTEXT, alpha=0.3, lw=0)
    axes.fill_between(days, frame["ordinary_lower"], frame["ordinary_upper"], color=SUBJECT, alpha=0.3, lw=0)
    for edge in ("planned_lower", "planned_upper"):
        axes.plot(days, frame[edge], color=CONTEXT_TEXT, lw=1.2, ls=":")
    axes.plot(days, frame["rel_effect"], color=SUBJECT, marker="o", ms=5)
    axes.plot(days, frame["harm"], color=SECOND, ls="--", lw=1.4)
    low = min(frame["always_lower"].iloc[1:].min(), frame["harm"].iloc[-1])
    high = frame["always_upper"].iloc[1:].max()
    axes.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))
    last = frame.iloc[-1]
    ends = [
        (last["always_upper"], "at any time", CONTEXT_TEXT), (last["planned_lower"], "at these looks", CONTEXT_TEXT),
        (last["rel_effect"], "ordinary", SUBJECT), (last["harm"], "bound for harm", SECOND),
    ]  # fmt: skip
    for place, text, colour in apart(ends, 0.07 * float(np.diff(axes.get_ylim())[0])):
        axes.annotate(text, (days[-1], place), xytext=(8, 0), textcoords="offset points", va="center", color=colour)
    axes.set_xticks(days, [f"{day:%-d %b}" for day in frame["day"]])
    if len(days) > 4:
        for place, label in enumerate(axes.get_xticklabels()):
            label.set_visible(place % 2 == (len(days) - 1) % 2)
    percent_axis(axes.yaxis)


def apart(ends: list[tuple[float, str, str]], gap: float) -> list[tuple[float, str, str]]:
    """Labels (place, text, colour) from the lowest on, moved up so that each is ``gap`` above the one below."""
    found: list[tuple[float, str, str]] = []
    for place, text, colour in sorted(ends):
        lowest = found[-1][0] + gap if found else -np.inf
        found.append((max(place, lowest), text, colour))
    return found


def draw_days(axes: Any, frame: pd.DataFrame, found: Wearing) -> None:
    """The effect by day since the exposure, with the early and late days that were compared."""
    axes.axhline(0, color="black", lw=1)
    axes.scatter(frame["day_since"], frame["rel_effect"], color=CONTEXT, s=22, zorder=2)
    late = (found.late_days[0], int(frame["day_since"].max()))
    spans = ((found.early_days, found.early, "early"), (late, found.late, "late"))
    low = min(found.early.ci_lower, found.late.ci_lower, 0.0)
    high = max(found.early.ci_upper, found.late.ci_upper, 0.0)
    room = high - low
    for (first, last), share, name in spans:
        axes.hlines(share.value, first - 0.4, last + 0.4, color=SUBJECT, lw=3, zorder=3)
        axes.fill_between([first - 0.4, last + 0.4], share.ci_lower, share.ci_upper, color=SUBJECT, alpha=0.25, lw=0)
        axes.annotate(f"{name} {format_percent(share.value, 0)}", ((first + last) / 2, high + 0.1 * room), ha="center",
                      va="bottom", color=SUBJECT)  # fmt: skip
    # Single days are noisy: those beyond the frame are in the numbers.
    axes.set_ylim(low - 0.3 * room, high + 0.4 * room)
    axes.set_xlabel("days since the first exposure")
    percent_axis(axes.yaxis)


def daily_shares(one: Readout) -> pd.DataFrame:
    """Share of newly exposed units in a treatment by day, with the plan and the band it should lie in.

    Returns
    -------
    DataFrame
        day, n_units, share, planned, band_lower, band_upper.
    """
    counts = one.health.counts
    counts = counts[counts["variant"].isin(one.plan.arms)]
    planned = one.health.planned
    counts = counts.assign(planned=counts["phase"].map(lambda phase: 1 - planned[phase][0]) * counts["n"])
    counts = counts.assign(treated=counts["n"].where(counts["variant"] != one.plan.control, 0))
    days = counts.groupby("exposed_day", as_index=False)[["n", "treated", "planned"]].sum()
    days = days[days["n"] > 0]
    share = days["planned"] / days["n"]
    reach = norm.ppf(0.5 + SHARE_LEVEL / 2) * np.sqrt(share * (1 - share) / days["n"])
    return days[["exposed_day"]].rename(columns={"exposed_day": "day"}).assign(
        n_units=days["n"].astype(int), share=days["treated"] / days["n"], planned=share,
        band_lower=(share - reach).clip(lower=0), band_upper=(share + reach).clip(upper=1),
    ).reset_index(drop=True)  # fmt: skip


def draw_shares(axes: Any, frame: pd.DataFrame) -> None:
    """Daily shares in the band of the plan."""
    outside = (frame["share"] < frame["band_lower"]) | (frame["share"] > frame["band_upper"])
    axes.fill_between(
        frame["day"], frame["band_lower"], frame["band_upper"], color=CONTEXT, alpha=0.3, lw=0, step="mid"
    )
    axes.step(frame["day"], frame["planned"], color=CONTEXT_TEXT, lw=1.2, where="mid")
    axes.scatter(frame["day"], frame["share"], color=np.where(outside, SECOND, SUBJECT), s=30, zorder=3)
    axes.annotate("planned", (frame["day"].iloc[-1], frame["planned"].iloc[-1]), xytext=(8, 0),
                  textcoords="offset points", va="center", color=CONTEXT_TEXT)  # fmt: skip
    ticks = frame["day"].iloc[:: max(1, len(frame) // 4)]
    axes.set_xticks(ticks, [f"{day:%-d %b}" for day in ticks])
    percent_axis(axes.yaxis)
