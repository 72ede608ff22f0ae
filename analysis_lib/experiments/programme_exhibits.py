"""The figures and tables of a programme of tests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis_lib.config import PALETTE
from analysis_lib.drawings import draw_forest
from analysis_lib.experiments import programme_text
from analysis_lib.experiments.readout_drawings import CONTEXT_TEXT
from analysis_lib.results import Estimate, Exhibit, format_percent, format_value, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.programme_result import Programme

SUBJECT, CONTEXT = PALETTE["subject"], PALETTE["context"]

#: Steps that are named in the figure, the largest; more names would cover each other.
MOST_NAMES = 4

MEANING = {
    "won": "the rule of its page says ship",
    "rolled back": "something got worse",
    "held": "no effect worth shipping, or a doubt that is left",
    "told nothing": "nothing and an effect worth shipping are both possible",
    "still running": "not over yet",
    "not believed": "a check of its health fails",
    "not read": "it could not be read",
    "not started": "it starts later",
}


def over_time(one: Programme) -> Exhibit:
    """Money per month of what was shipped, by the start of each test."""
    frame = one.over_time
    if not one.counted():
        return nothing_to_show("Money per month over time", "nothing was shipped of which the money is known")
    units = dict.fromkeys(("plain", "corrected", "corrected_ci_lower", "corrected_ci_upper"), "usd")
    return Exhibit(
        title=programme_text.impact(one).rstrip("."),
        subtitle="USD per 30 days of all that was shipped, added up by the start of each test;"
        f" {format_percent(one.level, 0)} band",
        frame=frame,
        units=units,
        draw=partial(draw_over_time, frame=frame, end=one.data_end),
        height=0.56,
    )


def draw_over_time(axes: Any, frame: pd.DataFrame, end: Any) -> None:
    """Steps of money per month: with luck taken out, in its band, and taken at its word in grey.

    Parameters
    ----------
    frame
        As ``Programme.over_time``.
    end
        Last day that was read; None: the start of the last test.
    """
    import pandas as pd
    from matplotlib.dates import AutoDateLocator

    last = frame.iloc[-1].to_dict() | {"day": max(end or frame["day"].iloc[-1], frame["day"].iloc[-1])}
    first = {"day": frame["day"].iloc[0], "plain": 0.0, "corrected": 0.0, "corrected_ci_lower": 0.0,
             "corrected_ci_upper": 0.0}  # fmt: skip
    drawn = pd.concat([pd.DataFrame([first]), frame, pd.DataFrame([last])], ignore_index=True)
    days = pd.to_datetime(drawn["day"])
    axes.axhline(0, color="black", lw=1)
    axes.fill_between(days, drawn["corrected_ci_lower"].astype(float), drawn["corrected_ci_upper"].astype(float),
                      step="post", color=SUBJECT, alpha=0.22, lw=0)  # fmt: skip
    axes.step(days, drawn["plain"], where="post", color=CONTEXT_TEXT, lw=1.6)
    axes.step(days, drawn["corrected"], where="post", color=SUBJECT, lw=2.6)
    low = min(0.0, float(drawn["corrected_ci_lower"].min()), float(drawn["plain"].min()))
    high = max(float(drawn["corrected_ci_upper"].max()), float(drawn["plain"].max()), 0.0)
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    _name_ends(axes, days.iloc[-1], last, high - low)
    _name_steps(axes, frame, high - low)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=5))
    axes.xaxis.set_major_formatter(_month)
    axes.yaxis.set_major_formatter(lambda value, _: format_value(value, "usd", spread=high - low) if value else "$0")


def _month(value: float, _: int) -> str:
    from matplotlib.dates import num2date

    return f"{num2date(value):%-d %b}"


def _name_ends(axes: Any, day: Any, last: dict[str, Any], height: float) -> None:
    """Both lines named at their right end, apart from each other."""
    plain, corrected, gap = float(last["plain"]), float(last["corrected"]), 0.09 * height
    middle = (plain + corrected) / 2
    if abs(plain - corrected) < gap:
        up = 1 if plain >= corrected else -1
        plain, corrected = middle + up * gap / 2, middle - up * gap / 2
    ends = ((plain, "at their word", CONTEXT_TEXT), (corrected, "luck taken out", SUBJECT))
    for place, text, colour in ends:
        axes.annotate(text, (day, place), xytext=(8, 0), textcoords="offset points", va="center", color=colour)


def _name_steps(axes: Any, frame: pd.DataFrame, height: float) -> None:
    """The largest steps, each named above where it stands, and moved up where it would cover another."""
    import pandas as pd

    steps = frame["corrected"].diff().fillna(frame["corrected"])
    named = frame[frame.index.isin(steps[steps != 0].abs().nlargest(MOST_NAMES).index)]
    all_days, gap, placed = pd.to_datetime(frame["day"]), 0.09 * height, []
    for day, row in zip(pd.to_datetime(named["day"]), named.itertuples(), strict=True):
        place = max(float(row.corrected_ci_upper), float(row.plain)) + 0.03 * height
        for other in sorted(placed):
            place = other + gap if abs(place - other) < gap else place
        placed.append(place)
        side = "left" if day <= all_days.mean() else "right"
        axes.annotate(row.test, (day, place), va="bottom", ha=side, color=SUBJECT)
    low, high = axes.get_ylim()
    axes.set_ylim(low, max([high, *(place + 1.2 * gap for place in placed)]))


def effects(one: Programme) -> Exhibit:
    """The effect of every finished test, taken at its word and drawn to the others."""
    import pandas as pd

    shown = [line for line in one.finished if line.effect is not None]
    if not shown:
        return nothing_to_show("Effects", "no finished test has a relative effect")
    rows = [
        {"row": programme_text.label(line), "effect": after.value, "ci_lower": after.ci_lower,
         "ci_upper": after.ci_upper, "rel_effect": line.effect.value, "outcome": line.outcome}
        for line in shown for after in [one.effects[line.experiment_id]]
    ]  # fmt: skip
    frame = pd.DataFrame(rows).sort_values("effect", ascending=False, ignore_index=True)
    drawn = frame.assign(margin=float("nan"), role=["success" if won else "" for won in frame["outcome"] == "won"])
    return Exhibit(
        title=programme_text.curse(one).rstrip("."),
        subtitle="Relative change of the metric that decides, more being better; line: drawn to the other tests, grey"
        " dot: at its word; winners in colour",
        frame=frame,
        units=dict.fromkeys(("effect", "ci_lower", "ci_upper", "rel_effect"), "share"),
        draw=partial(draw_forest, frame=drawn),
        height=0.16 + 0.1 * len(frame),
    )


def tests(one: Programme) -> Exhibit:
    """Every test, one row each."""
    import pandas as pd

    if not one.lines:
        return nothing_to_show("Tests", "the source has none")
    rows = [
        {"row": line.name, "start": "" if line.starts_on is None else f"{line.starts_on:%-d %b %Y}",
         "outcome": line.outcome, "effect": _short(line.effect), "drawn to the others": _short(_after(one, line)),
         "money a month": _short(line.money), "money, luck taken out": _short(one.money.get(line.experiment_id)),
         "why": line.why}
        for line in one.lines
    ]  # fmt: skip
    return Exhibit(programme_text.record(one).rstrip("."), "Effects: relative change, more being better; money: USD per"
                   " 30 days if everybody had the arm", pd.DataFrame(rows))  # fmt: skip


def _after(one: Programme, line: Any) -> Estimate | None:
    return one.effects.get(line.experiment_id)


def _short(estimate: Estimate | None) -> str:
    return "" if estimate is None else estimate.short


def outcomes(one: Programme) -> Exhibit:
    """How many tests had which outcome."""
    import pandas as pd

    if not one.lines:
        return nothing_to_show("Outcomes", "the source has no tests")
    rows = [(name, len(one.having(name)), what) for name, what in MEANING.items()]
    rows.append(("total", len(one.lines), ""))
    return Exhibit(programme_text.wins(one).rstrip("."), "Every test once",
                   pd.DataFrame(rows, columns=["row", "tests", "what it means"]), {"tests": ""})  # fmt: skip


def sums(one: Programme) -> Exhibit:
    """Money per month of what was shipped and of what was rolled back, with luck taken out and at its word."""
    import pandas as pd

    rows = []
    for outcome, what, of in (("won", "brought by what was shipped", one.impact),
                              ("rolled back", "kept by rolling back", one.saved)):  # fmt: skip
        if not one.counted(outcome):
            continue
        for how, plain in (("luck taken out", False), ("at their word", True)):
            found = of(plain=plain)
            rows.append((f"{what}, {how}", found.n, found.value, found.ci_lower, found.ci_upper))
    if not rows:
        return nothing_to_show("Money per month", "nothing was shipped or rolled back of which the money is known")
    frame = pd.DataFrame(rows, columns=["row", "tests", "money", "ci_lower", "ci_upper"])
    return Exhibit(programme_text.saved(one).rstrip("."), "USD per 30 days", frame,
                   {"tests": "", "money": "usd", "ci_lower": "usd", "ci_upper": "usd"})  # fmt: skip


EXHIBITS = {"over_time": over_time, "effects": effects, "tests": tests, "outcomes": outcomes, "sums": sums}
