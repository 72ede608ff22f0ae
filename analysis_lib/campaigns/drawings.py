"""How the figures of a review are drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from analysis_lib.config import PALETTE
from analysis_lib.results import Estimate, format_interval, format_value

SUBJECT, CONTEXT = PALETTE["subject"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]

#: A white ground under labels, so that lines end before the text begins.
GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def draw_weekly(axes, *, effects: pd.DataFrame, n_weeks: float, unit: str) -> None:
    """Weekly effect with its interval; the campaign's weeks shaded."""
    from matplotlib.ticker import MaxNLocator  # slow to import

    axes.axvspan(-0.5, n_weeks - 0.5, color=PALETTE["sky"], alpha=0.18, lw=0)
    axes.axhline(0, color=CONTEXT, lw=1)
    axes.fill_between(effects["period"], effects["ci_lower"], effects["ci_upper"], color=SUBJECT, alpha=0.22, lw=0)
    axes.plot(effects["period"], effects["value"], color=SUBJECT, marker="o", ms=4)
    top = axes.get_ylim()[1]
    axes.text(n_weeks / 2 - 0.5, top, "campaign", ha="center", va="top", color=SUBJECT)
    axes.text(effects["period"].min(), top, "before", ha="left", va="top", color=CONTEXT_TEXT)
    if effects["period"].max() > n_weeks:
        axes.text(effects["period"].max(), top, "after", ha="right", va="top", color=CONTEXT_TEXT)
    axes.set_xlabel("weeks from the campaign's first day")
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.yaxis.set_major_formatter(partial(_tick, unit))


def draw_days(axes, *, path: pd.DataFrame, last: pd.Timestamp) -> None:
    """Sales by day, and without the campaign; the campaign's days shaded."""
    from matplotlib.dates import DateFormatter  # slow to import
    from matplotlib.ticker import MaxNLocator

    first = path.loc[path["during"], "time"].iloc[0]
    axes.axvspan(first, last + pd.Timedelta(days=1), color=PALETTE["sky"], alpha=0.18, lw=0)
    axes.plot(path["time"], path["without"], color=CONTEXT, lw=1.6)
    axes.plot(path["time"], path["actual"], color=SUBJECT, lw=2)
    axes.set_ylim(bottom=0, top=1.18 * float(path[["actual", "without"]].to_numpy().max()))
    top = axes.get_ylim()[1]
    axes.text(first, top, " campaign", ha="left", va="top", color=SUBJECT)
    axes.text(path["time"].iloc[0], top, "sold", ha="left", va="top", color=SUBJECT)
    axes.text(path["time"].iloc[0], 0.92 * top, "expected without it", ha="left", va="top", color=CONTEXT_TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b"))
    axes.yaxis.set_major_formatter(partial(_tick, "usd"))


def draw_reach(axes, *, steps: pd.DataFrame) -> None:
    """Funnel as bars from the top, each with its count and share."""
    places = np.arange(len(steps))[::-1]
    colours = [CONTEXT] * (len(steps) - 1) + [SUBJECT]
    axes.barh(places, steps["n_users"], color=colours, height=0.42)
    for place, row in zip(places, steps.itertuples(), strict=True):
        share = f" ({format_value(row.share_of_targeted, 'share')})" if row.share_of_targeted >= 0 else ""
        axes.text(0, place + 0.3, f"{row.step}: {row.label}{share}", ha="left", va="bottom", bbox=GROUND)
    axes.set_ylim(-0.5, len(steps) - 0.2)
    axes.axis("off")


def draw_balance(axes, *, balance: pd.DataFrame) -> None:
    """Standardised differences before (grey) and after (blue) weighting."""
    places = np.arange(len(balance))[::-1]
    axes.axvline(0, color=CONTEXT, lw=1)
    axes.scatter(balance["difference_before"], places, color=CONTEXT, s=60, zorder=3)
    axes.scatter(balance["difference_after"], places, color=SUBJECT, s=60, zorder=4)
    for place, row in zip(places, balance.itertuples(), strict=True):
        axes.text(0.04, place + 0.2, row.covariate, ha="left", va="bottom")
    first = balance.iloc[0]
    axes.annotate("before weighting", (first["difference_before"], places[0]), xytext=(8, 0),
                  textcoords="offset points", va="center", color=CONTEXT_TEXT)  # fmt: skip
    axes.annotate("after", (0, places[0]), xytext=(-8, 0), textcoords="offset points", va="center", ha="right",
                  color=SUBJECT)  # fmt: skip
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -0.25 * high), high + 0.35 * (high - low))
    axes.set_ylim(-0.6, len(balance) - 0.2)
    axes.set_yticks([])
    axes.set_xlabel("difference, in standard deviations")


def draw_growth(axes, *, groups: pd.DataFrame, unit: str) -> None:
    """A slope for each group, from its level before to that in the window."""
    colours = {"targeted": SUBJECT, "untargeted": CONTEXT}
    for row in groups.itertuples():
        index = 100.0 * row.growth
        axes.plot([0, 1], [100, index], color=colours[row.group], lw=2.4, marker="o", ms=7)
        money = [format_value(value, unit, spread=value) for value in (row.before, row.window)]
        axes.annotate(f"{row.group}: {money[0]} to {money[1]}", (1, index), xytext=(8, 0), textcoords="offset points",
                      va="center", color=SUBJECT if row.group == "targeted" else CONTEXT_TEXT)  # fmt: skip
    axes.set_xlim(-0.1, 2.1)
    axes.set_xticks([0, 1], ["before = 100", "window"])


def draw_newcomers(axes, *, rows: pd.DataFrame) -> None:
    """Shares that came back, by horizon: through the campaign, and beside it."""
    horizons = sorted(rows["horizon"].unique(), reverse=True)
    colours = {"through": (SUBJECT, SUBJECT, 0.14), "beside": (CONTEXT, CONTEXT_TEXT, -0.14)}
    for row in rows.itertuples():
        dot, words, offset = colours[row.group]
        place = horizons.index(row.horizon) + offset
        reach = [[row.share - row.ci_lower], [row.ci_upper - row.share]]
        axes.errorbar([row.share], [place], xerr=reach, fmt="o", ms=8, color=dot, elinewidth=2.2, capsize=4)
        said = f"{row.group} it: {format_value(row.share, 'share')}"
        axes.annotate(said, (row.ci_upper, place), xytext=(8, 0), textcoords="offset points", va="center", color=words)
    low, high = float(rows["ci_lower"].min()), float(rows["ci_upper"].max())
    axes.set_xlim(low - 0.05 * (high - low), high + 0.5 * (high - low))
    axes.set_ylim(-0.5, len(horizons) - 0.5)
    axes.set_yticks(range(len(horizons)), [f"within {days} days" for days in horizons])
    axes.xaxis.set_major_formatter(partial(_tick, "share"))


def draw_parts(axes, *, rows: pd.DataFrame, unit: str) -> None:
    """Additional sales of each part with their interval, one dimension below the other."""
    from matplotlib.ticker import MaxNLocator  # slow to import

    places = np.arange(len(rows))[::-1] - 0.8 * rows["dimension"].ne(rows["dimension"].shift()).cumsum().to_numpy()
    axes.axvline(0, color=CONTEXT, lw=1)
    reach = [rows["value"] - rows["ci_lower"], rows["ci_upper"] - rows["value"]]
    axes.errorbar(rows["value"], places, xerr=reach, fmt="o", ms=6, color=SUBJECT, elinewidth=1.8, capsize=3)
    left = float(rows["ci_lower"].min())
    for place, row in zip(places, rows.itertuples(), strict=True):
        axes.text(left, place + 0.3, str(row.part), ha="left", va="center", fontsize="small", bbox=GROUND)
    for name, own in rows.assign(place=places).groupby("dimension", sort=False):
        axes.text(left, own["place"].max() + 0.95, name, ha="left", va="center", color=CONTEXT_TEXT, weight="bold")
    axes.set_yticks([])
    axes.set_ylim(places.min() - 0.6, places.max() + 1.4)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(partial(_tick, unit))


def draw_pace(axes, *, used: pd.DataFrame, first: date, last: date) -> None:
    """Share of the coupons used until each day; the campaign's days shaded, an even pace in grey."""
    from matplotlib.dates import DateFormatter  # slow to import
    from matplotlib.ticker import MaxNLocator

    start, end = pd.Timestamp(first), pd.Timestamp(last) + pd.Timedelta(days=1)
    ends = used["day"] + pd.Timedelta(days=1)
    axes.axvspan(start, end, color=PALETTE["sky"], alpha=0.18, lw=0)
    axes.plot([start, end], [0, 1], color=CONTEXT, lw=1.4, ls="--")
    axes.step([start, *ends], [0.0, *used["share_used"]], where="pre", color=SUBJECT, lw=2.2)
    axes.annotate("even pace", (start + (end - start) / 2, 0.5), xytext=(6, -12), textcoords="offset points",
                  color=CONTEXT_TEXT)  # fmt: skip
    axes.text(start, 1.04, "campaign", ha="left", va="bottom", color=SUBJECT)
    axes.set_ylim(0, 1.18)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b"))
    axes.yaxis.set_major_formatter(partial(_tick, "share"))


def draw_changes(axes, *, rows: pd.DataFrame, unit: str) -> None:
    """What each change is worth: a dot with its interval, bounds alone as a line."""
    from matplotlib.ticker import MaxNLocator  # slow to import

    places = np.arange(len(rows))[::-1]
    axes.axvline(0, color=CONTEXT, lw=1)
    axes.hlines(places, rows["ci_lower"], rows["ci_upper"], color=SUBJECT, lw=2.4)
    axes.scatter(rows["value"], places, color=SUBJECT, s=60, zorder=3)
    left = min(0.0, float(rows["ci_lower"].min()))
    for place, row in zip(places, rows.itertuples(), strict=True):
        axes.text(left, place + 0.2, row.label, ha="left", va="bottom", bbox=GROUND)
    axes.set_ylim(-0.5, len(rows) - 0.2)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(partial(_tick, unit))


def draw_history(axes, *, history: pd.DataFrame) -> None:
    """Standardised differences of groups made by lot, with their intervals."""
    places = np.arange(len(history))[::-1]
    axes.axvline(0, color=CONTEXT, lw=1)
    whiskers = [history["difference"] - history["ci_lower"], history["ci_upper"] - history["difference"]]
    axes.errorbar(history["difference"], places, xerr=whiskers, fmt="o", ms=8, color=SUBJECT, elinewidth=2, capsize=4)
    left = min(float(history["ci_lower"].min()), -0.1)
    for place, row in zip(places, history.itertuples(), strict=True):
        axes.text(left, place + 0.28, row.covariate, ha="left", va="bottom")
    axes.set_xlim(left - 0.01, max(float(history["ci_upper"].max()), 0.1) + 0.01)
    axes.set_ylim(-0.6, len(history) - 0.2)
    axes.set_yticks([])
    axes.set_xlabel("difference, in standard deviations")


def draw_ledger(axes, *, rows: pd.DataFrame, unit: str) -> None:
    """Ledger rows as bars from zero with their intervals; the total in the strong colour."""
    from matplotlib.ticker import MaxNLocator  # slow to import

    places = np.arange(len(rows))[::-1]
    colours = [CONTEXT] * (len(rows) - 1) + [SUBJECT]
    axes.barh(places - 0.12, rows["value"], color=colours, height=0.3)
    whiskers = [rows["value"] - rows["ci_lower"], rows["ci_upper"] - rows["value"]]
    axes.errorbar(rows["value"], places - 0.12, xerr=whiskers, fmt="none", ecolor="black", elinewidth=1.6, capsize=4)
    axes.axvline(0, color="black", lw=1)
    left = axes.get_xlim()[0]
    for place, row in zip(places, rows.itertuples(), strict=True):
        shown = format_interval(row.value, row.ci_lower, row.ci_upper, unit)
        axes.text(left, place + 0.3, f"{row.label}: {shown}", ha="left", va="center", bbox=GROUND)
    axes.set_ylim(-0.5, len(rows) - 0.25)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5))  # more would touch each other on a phone
    axes.xaxis.set_major_formatter(partial(_tick, unit))


def draw_ways(axes, *, rows: pd.DataFrame, unit: str) -> None:
    """What each way says of each window, with intervals; the way that decides in the strong colour."""
    from matplotlib.ticker import MaxNLocator  # slow to import

    places = np.arange(len(rows), dtype=float)[::-1] + 0.5 * (rows["part"] == rows["part"].iloc[0]).to_numpy()
    axes.axvline(0, color=CONTEXT, lw=1)
    left = float(rows["ci_lower"].min())
    for place, row in zip(places, rows.itertuples(), strict=True):
        colour, words = (SUBJECT, SUBJECT) if row.told_by == rows["told_by"].iloc[0] else (CONTEXT, CONTEXT_TEXT)
        reach = [[row.value - row.ci_lower], [row.ci_upper - row.value]]
        axes.errorbar([row.value], [place - 0.1], xerr=reach, fmt="o", ms=8, color=colour, elinewidth=2.2, capsize=4)
        shown = format_interval(row.value, row.ci_lower, row.ci_upper, unit)
        axes.text(left, place + 0.28, f"{row.part}, {row.told_by}: {shown}", ha="left", va="center", color=words,
                  bbox=GROUND)  # fmt: skip
    axes.set_ylim(-0.5, places.max() + 0.6)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(partial(_tick, unit))


def draw_placebos(axes, *, placebos: pd.DataFrame, estimate: Estimate) -> None:
    """Placebo estimates as dots, the campaign's estimate with its interval above them."""
    axes.axvline(0, color="black", lw=1)
    height = _stack(placebos["value"].to_numpy())
    axes.scatter(placebos["value"], height, s=44, color=CONTEXT, zorder=3)
    top = height.max() + 1.6
    reach = [[estimate.value - estimate.ci_lower], [estimate.ci_upper - estimate.value]]
    axes.errorbar([estimate.value], [top], xerr=reach, fmt="o", ms=9, color=SUBJECT, elinewidth=2.4, capsize=5)
    axes.text(estimate.value, top + 0.55, f"this campaign: {estimate.short}", ha="center", va="bottom", color=SUBJECT,
              bbox=GROUND)  # fmt: skip
    label = f"{len(placebos)} windows without it"
    axes.text(placebos["value"].mean(), -0.45, label, ha="center", va="top", color=CONTEXT_TEXT, bbox=GROUND)
    axes.set_ylim(-1.5, top + 1.6)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(partial(_tick, estimate.unit))


def _stack(values: np.ndarray, bins: int = 24) -> np.ndarray:
    """Heights that pile up values falling into one of ``bins`` equal classes."""
    spread = np.ptp(values) or 1.0
    classes = np.floor((values - values.min()) / spread * bins)
    return pd.Series(classes).groupby(classes).cumcount().to_numpy(float)


def _tick(unit: str, value: float, _position: int) -> str:
    """Axis labels: round numbers, without cents or decimals of thousands."""
    return format_value(value, unit, spread=20 * abs(value)) if value else "0"
