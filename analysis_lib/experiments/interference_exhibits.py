"""The figures and tables of tests in a market in which arms take from each other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis_lib.config import PALETTE
from analysis_lib.drawings import draw_forest, percent_axis
from analysis_lib.experiments import interference_text as words
from analysis_lib.experiments.readout_drawings import apart
from analysis_lib.results import Exhibit, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.interference_result import Interference

SUBJECT, SECOND, CONTEXT_TEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context_text"]

#: A bias beyond this is drawn at the edge: ten times the truth says no more than three times.
_MOST = 1.0


def ways(one: Interference) -> Exhibit:
    """What each test says, with the truth marked."""
    frame = one.to_frame().rename(columns={"way": "row"}).dropna(subset=["effect"]).reset_index(drop=True)
    drawn = frame.assign(
        margin=frame["truth"], role=["success" if name == words.STEADY else "" for name in frame["row"]]
    )
    return Exhibit(
        title=words.headline(one).rstrip("."),
        subtitle=f"More bookings if all had the feature; {format_percent(one.level, 0)} intervals; mark: the truth",
        frame=frame, units=dict.fromkeys(("effect", "ci_lower", "ci_upper", "truth", "off"), "share"),
        draw=partial(draw_forest, frame=drawn), height=0.7,
    )  # fmt: skip


def curve(one: Interference) -> Exhibit:
    """Bias of each test by balance."""
    names = [words.USERS, words.OFFERS, words.MIXED, words.STEADY]
    frame = one.curve[["balance", *names]]
    return Exhibit(
        title=words.curve(one).rstrip("."),
        subtitle="By how much of the true effect a test is off, in a market of endless size, by visits per offer and"
        " stay",
        frame=frame, units=dict.fromkeys(names, "share"), draw=partial(draw_curve, frame=frame, here=one.balance),
        height=0.6,
    )  # fmt: skip


def draw_curve(axes: Any, frame: pd.DataFrame, here: float) -> None:
    """Lines of bias over balance, each named at its end.

    Parameters
    ----------
    frame
        balance, then one column by test.
    here
        The balance of the page.
    """
    looks = {words.USERS: (CONTEXT_TEXT, "-"), words.OFFERS: (CONTEXT_TEXT, "--"), words.MIXED: (SECOND, "-"),
             words.STEADY: (SUBJECT, "-")}  # fmt: skip
    short = {words.USERS: "users", words.OFFERS: "offers", words.MIXED: "both, mixed", words.STEADY: "both, steady"}
    axes.axhline(0, color="black", lw=1)
    axes.axvline(here, color=CONTEXT_TEXT, lw=1, ls=":")
    ends = []
    for name, (colour, style) in looks.items():
        inside = frame[frame[name] <= _MOST]
        axes.plot(inside["balance"], inside[name], color=colour, ls=style, lw=2.4)
        if name == words.USERS:
            # It leaves the picture: named where it does.
            axes.annotate(short[name], (inside["balance"].iloc[-1], inside[name].iloc[-1]), xytext=(6, 0),
                          textcoords="offset points", va="center", color=colour)  # fmt: skip
        else:
            ends.append((float(frame[name].iloc[-1]), short[name], colour))
    for place, text, colour in apart(ends, 0.09):
        axes.annotate(text, (frame["balance"].iloc[-1], place), xytext=(8, 0), textcoords="offset points",
                      va="center", color=colour)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
    axes.minorticks_off()
    axes.set_ylim(min(-0.06, float(frame[list(looks)].min().min()) - 0.05), _MOST + 0.05)
    percent_axis(axes.yaxis)


def budgets(one: Interference) -> Exhibit:
    """Effects by the size of the budget."""
    frame = one.budgets
    return Exhibit(
        title="Where the budget runs out, a test with one budget for both arms promises what nobody can have",
        subtitle="Orders per user that a reminder brings, by the budget per user (USD); line: the truth",
        frame=frame, units={"budget_usd": "usd", **dict.fromkeys(("truth", "shared", "split"), "orders_per_user")},
        draw=partial(draw_budgets, frame=frame, here=one.budget_usd), height=0.56,
    )  # fmt: skip


def draw_budgets(axes: Any, frame: pd.DataFrame, here: float) -> None:
    """The truth as a line, both tests as dots.

    Parameters
    ----------
    frame
        budget_usd, truth, shared, split.
    here
        The budget of the page.
    """
    axes.axhline(0, color="black", lw=1)
    axes.axvline(here, color=CONTEXT_TEXT, lw=1, ls=":")
    axes.plot(frame["budget_usd"], frame["truth"], color="black", lw=1.6)
    # Named where the dots are farthest apart: one above its own, the other below.
    place = int((frame["shared"] - frame["split"]).abs().to_numpy().argmax())
    for name, colour, text, shift in (
        ("shared", SECOND, "one budget", (-8, 8)), ("split", SUBJECT, "a part for each arm", (12, -4)),
    ):  # fmt: skip
        axes.scatter(frame["budget_usd"], frame[name], color=colour, s=44, zorder=3)
        at = (frame["budget_usd"].iloc[place], frame[name].iloc[place])
        axes.annotate(text, at, xytext=shift, textcoords="offset points", va="bottom",
                      ha="right" if name == "shared" else "left", color=colour)  # fmt: skip
    axes.set_xlabel("budget per user, USD")
    axes.margins(y=0.12)


def table(one: Interference) -> Exhibit:
    """What each test says, in numbers."""
    frame = one.to_frame().rename(columns={"way": "row", "effect": "says", "ci_lower": "lower", "ci_upper": "upper"})
    frame = frame.rename(columns={"off": "off by"})
    subtitle = "More bookings if all had the feature; off by: share of the truth, in a market of endless size"
    return Exhibit("What each test says, and what is true", subtitle, frame,
                   dict.fromkeys(("says", "lower", "upper", "truth", "off by"), "share"))  # fmt: skip


EXHIBITS = {"ways": ways, "curve": curve, "budgets": budgets, "table": table}
