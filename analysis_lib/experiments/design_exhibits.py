"""The figures and tables of a design."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.experiments import design_text
from analysis_lib.experiments.design_power import WEEK, detectable
from analysis_lib.experiments.design_switchback import point_variance
from analysis_lib.experiments.readout_drawings import CONTEXT_TEXT, apart
from analysis_lib.results import Exhibit, format_count, format_percent, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.design_result import Design

SUBJECT, SECOND = PALETTE["subject"], PALETTE["second"]

#: Room between two labels, as a share of the axis.
_GAP = 0.075


def curve(one: Design) -> Exhibit:
    """Smallest effect by length, with and without adjustment, and the wanted effect."""
    frame = _drawn(one)
    if len(frame) < 2:
        return nothing_to_show("Smallest effect by length", "only one length could be measured")
    return Exhibit(
        title=design_text.effect(one).rstrip("."),
        subtitle=f"{one.metric.title}: smallest change found with a chance of {format_percent(one.asked.power, 0)}, by"
        " days of the test",
        frame=frame,
        units=dict.fromkeys(("mde", "mde_cuped"), "share"),
        draw=partial(draw_curve, frame=frame, wanted=_line(one), planned=one.planned_days, found=one.mde),
        height=0.56,
    )  # fmt: skip


def _line(one: Design) -> float | None:
    """The wanted effect, unless nobody asked for it."""
    return None if one.asked.days is not None else one.asked.wanted


def _drawn(one: Design) -> pd.DataFrame:
    """The curve by whole weeks."""
    import pandas as pd

    days = range(-(-one.history.days[0] // WEEK) * WEEK, one.history.days[-1] + 1, WEEK)
    return pd.DataFrame(
        {
            "days": list(days), "mde": [one.mde_in(at, adjusted=False) for at in days],
            "mde_cuped": [one.mde_in(at) if one.history.is_adjusted else float("nan") for at in days],
        }
    )  # fmt: skip


def draw_curve(axes: Any, frame: pd.DataFrame, wanted: float | None, planned: float, found: float) -> None:
    """Smallest effects falling with the days, the wanted one as a line, the planned days marked.

    Parameters
    ----------
    frame
        days, mde, mde_cuped.
    wanted, planned, found
        The wanted effect, the planned days, and the smallest effect that they find.
    """
    top, both = float(frame["mde"].max()), frame["mde_cuped"].notna().all()
    axes.plot(frame["days"], frame["mde"], color=CONTEXT_TEXT if both else SUBJECT, lw=1.6 if both else 2.6)
    ends = [(float(frame["mde"].iloc[-1]), "not adjusted" if both else "found", CONTEXT_TEXT if both else SUBJECT)]
    if both:
        axes.plot(frame["days"], frame["mde_cuped"], color=SUBJECT, lw=2.6)
        ends.append((float(frame["mde_cuped"].iloc[-1]), "adjusted", SUBJECT))
    if wanted is not None:
        axes.hlines(wanted, frame["days"].iloc[0], frame["days"].iloc[-1], color=SECOND, lw=1.4, ls="--")
        ends.append((wanted, f"wanted {format_percent(wanted)}", SECOND))
        top = max(top, wanted)
    axes.vlines(planned, 0, 1.14 * top, color=SUBJECT, lw=1.2, ls=":")
    axes.scatter([planned], [found], color=SUBJECT, s=60, zorder=4)
    axes.set_ylim(0, 1.28 * top)
    last, first = float(frame["days"].iloc[-1]), float(frame["days"].iloc[0])
    axes.text(
        planned,
        1.16 * top,
        f"{planned:.0f} days: from {format_percent(found)} on",
        color=SUBJECT,
        va="bottom",
        ha="left" if planned < (first + last) / 3 else "right" if planned > (first + 2 * last) / 3 else "center",
    )
    for place, text, colour in apart(ends, _GAP * 1.28 * top):
        axes.annotate(text, (last, place), xytext=(10, 0), textcoords="offset points", va="center", color=colour)
    axes.set_xlabel("days of the test")
    step = WEEK * max(1, round(len(frame) / 6))
    axes.set_xticks(np.arange(step, last + 1, step))
    axes.yaxis.set_major_formatter(lambda value, _: format_percent(value, 0 if top > 0.04 else 1))


def days(one: Design) -> Exhibit:
    """Units and smallest effects by length."""
    frame = one.curve.drop(columns="value").round({"n_units": 0})
    if not one.history.is_adjusted:
        frame = frame.drop(columns="mde_cuped")
    frame["days"] = [f"{at} days" for at in frame["days"]]
    names = {"days": "row", "n_units": design_text.counted_units(one), "mde": "not adjusted", "mde_cuped": "adjusted",
             "days_to_read": "days until it can be read"}  # fmt: skip
    frame = frame.rename(columns=names)
    return Exhibit(design_text.curve(one).rstrip("."), _subtitle(one), frame,
                   dict.fromkeys(("not adjusted", "adjusted"), "share")
                   | dict.fromkeys((names["n_units"], "days until it can be read"), ""))  # fmt: skip


def guardrails(one: Design) -> Exhibit:
    """Margins, and those that can be shown."""
    frame = one.guardrails
    if frame.empty:
        return nothing_to_show("Guardrails", "none were asked for")
    needed = [f"{days:.0f} days" if days == days else f"more than {one.history.days[-1]} days"
              for days in frame["days_needed"].astype(float)]  # fmt: skip
    frame = frame.assign(
        n_units=frame["n_units"].round(),
        metric=[guard.metric.title for guard in one.guards],
        days_needed=needed,
        can_be_shown=frame["can_be_shown"].map({True: "yes", False: "no"}),
    )
    names = {
        "metric": "row",
        "smallest_margin": "smallest margin that can be shown",
        "can_be_shown": "shown",
        "days_needed": "needs",
        "n_units": "units",
        "days_to_read": "days until it can be read",
    }
    frame = frame.rename(columns=names)
    able = sum(guard.can_be_shown for guard in one.guards)
    return Exhibit(f"{able} of {len(one.guards)} margins can be shown in {one.planned_days} days",
                   "Margins as shares of control; shown with the planned chance if the metric does not change", frame,
                   {"margin": "share", "smallest margin that can be shown": "share", "units": "",
                    "days until it can be read": ""})  # fmt: skip


def segments(one: Design) -> Exhibit:
    """Smallest effects by segment."""
    frame = one.segments
    if frame.empty:
        return nothing_to_show("Smallest effect by segment", "no segments were asked for, or none is large enough")
    frame = frame.drop(columns=["value"] + ([] if one.history.is_adjusted else ["mde_cuped"]))
    names = {"segment": "row", "n_units": "units", "mde": "not adjusted", "mde_cuped": "adjusted"}
    return Exhibit(design_text.segments(one).rstrip("."), _subtitle(one), frame.rename(columns=names),
                   {"units": "", "not adjusted": "share", "adjusted": "share"})  # fmt: skip


def weekdays(one: Design) -> Exhibit:
    """The metric by weekday."""
    frame = one.weekdays
    if frame.empty:
        return nothing_to_show("Weekdays", "less than two weeks of history")
    frame = frame[["weekday", "rel_difference"]].rename(
        columns={"weekday": "row", "rel_difference": "against the mean"}
    )
    return Exhibit(design_text.weeks(one).rstrip("."), f"{one.metric.title}, last weeks of the history", frame,
                   {"against the mean": "share"})  # fmt: skip


def periods(one: Design) -> Exhibit:
    """Switched markets by the length of a period."""
    import pandas as pd

    found = one.switchback
    if found is None:
        return nothing_to_show("Markets that are switched", f"each {one.asked.unit} stays in one arm")
    rows, m = [], len(found.markets)
    for period in found.periods:
        n = one.planned_days // period.days
        if n < 2:
            continue
        variance = point_variance(period, m, n, one.asked)
        smallest = detectable(variance, m * n, one.asked.shares, one.reach, one.asked.power)
        rows.append((f"{format_count(period.days)} days", n, period.autocorrelation, smallest))
    columns = ["row", "periods of a market", "goes with the next by", "smallest effect"]
    return Exhibit(f"Switching every {found.chosen.days} days", f"{m} markets, {one.planned_days} days",
                   pd.DataFrame(rows, columns=columns),
                   {"periods of a market": "", "goes with the next by": "", "smallest effect": "share"})  # fmt: skip


def plan(one: Design) -> Exhibit:
    """The plan, field by field, as it would be saved."""
    import pandas as pd

    if one.asked.days is None and one.days_needed is None:
        return nothing_to_show("Plan", "the wanted effect cannot be found in any length that was measured")
    held = one.plan("name_of_the_test").model_dump(mode="json", exclude_defaults=True)
    rows = [(name, _written(value)) for name, value in held.items()]
    return Exhibit("The plan as it would be saved", "Fields of the file that the readout holds itself to",
                   pd.DataFrame(rows, columns=["row", "what"]))  # fmt: skip


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_written(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _subtitle(one: Design) -> str:
    return (
        f"Smallest change of {one.metric.title} found with a chance of {format_percent(one.asked.power, 0)}; two-sided"
        f" error {format_percent(one.asked.alpha, 0)}"
    )


EXHIBITS = {
    "curve": curve, "days": days, "guardrails": guardrails, "segments": segments, "weekdays": weekdays,
    "periods": periods, "plan": plan,
}  # fmt: skip
