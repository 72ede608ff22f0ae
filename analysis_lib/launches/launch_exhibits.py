"""The figures and tables of a launch review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.launches import launch_text
from analysis_lib.launches.effect import LaunchEffect
from analysis_lib.launches.launch_drawings import draw_calendar, draw_growth, draw_markets, draw_money
from analysis_lib.launches.words import likely, signed
from analysis_lib.results import Exhibit, format_percent, format_value, nothing_to_show

if TYPE_CHECKING:
    from analysis_lib.launches.result import LaunchReview

Make = Callable[["LaunchReview"], Exhibit]

_RELATIVE = dict.fromkeys(
    ("rel_effect", "rel_effect_ci_lower", "rel_effect_ci_upper", "rel_shrunk", "rel_shrunk_ci_lower",
     "rel_shrunk_ci_upper", "value", "ci_lower", "ci_upper", "own", "effect", "chance"), "share",
)  # fmt: skip

#: Weeks since the launch that are drawn.
WEEKS_SHOWN = 26


def _told(what: str) -> Callable[[Make], Make]:
    """What is missing, where the effect cannot be told."""

    def decorate(make: Make) -> Make:
        @wraps(make)
        def guarded(one: LaunchReview) -> Exhibit:
            return nothing_to_show(what, one.refusal) if one.effect is None else make(one)

        return guarded

    return decorate


def by_market(one: LaunchReview) -> pd.DataFrame:
    """Effects and money by market, as ``LaunchReview.table``."""
    if one.effect is None:
        return pd.DataFrame()
    rows = one.effect.markets
    found = pd.DataFrame({
        "country": rows["country"], "live_on": rows["country"].map(one.launch.markets.set_index("country")["live_on"]),
        "n_weeks": rows["n_periods"], "rel_effect": rows["value"], "rel_effect_ci_lower": rows["ci_lower"],
        "rel_effect_ci_upper": rows["ci_upper"], "rel_shrunk": rows["shrunk"],
        "rel_shrunk_ci_lower": rows["shrunk_ci_lower"], "rel_shrunk_ci_upper": rows["shrunk_ci_upper"],
        "chance": rows["chance"],
    })  # fmt: skip
    if one.worth is not None:
        money = one.worth.markets.rename(
            columns={"value": "value_usd", "ci_lower": "value_usd_ci_lower", "ci_upper": "value_usd_ci_upper"}
        )
        found = found.merge(money.drop(columns=["is_live", "sales", "chance"]), on="country")
    return found.sort_values(["live_on", "country"], ignore_index=True, na_position="last")


def calendar(one: LaunchReview) -> Exhibit:
    """Which market when."""
    launch = one.launch
    frame = launch.markets
    first = min(pd.Timestamp(launch.first), frame["announced_on"].dropna().min()) - timedelta(weeks=4)
    state = ["live" if name in set(launch.live) else "not live" for name in frame["country"]]
    shown = frame.assign(
        announced_on=frame["announced_on"].dt.strftime("%Y-%m-%d"), live_on=frame["live_on"].dt.strftime("%Y-%m-%d"),
        state=state,
    ).fillna("")  # fmt: skip
    told = "; orange: announced" if launch.is_announced else ""
    return Exhibit(
        title=launch_text.where(one).rstrip("."),
        subtitle=f"By market: blue: live{told}; open mark: planned; until {launch.until:%-d %b %Y}",
        frame=shown, height=0.14 + 0.05 * len(frame),
        draw=partial(draw_calendar, frame=frame, until=pd.Timestamp(launch.until), first=first),
    )  # fmt: skip


@_told("Effect by weeks since it went live")
def growth(one: LaunchReview) -> Exhibit:
    """Effects by weeks since the launch."""
    frame = one.effect.events
    frame = frame[frame["event_time"] < WEEKS_SHOWN].reset_index(drop=True)
    return Exhibit(
        title=launch_text.headline(one).rstrip("."),
        subtitle=f"{one.setting.metric.title}, relative change, even mean over the markets that are that far;"
        f" {format_percent(one.setting.level, 0)} intervals; grey: before anything could be different",
        frame=frame.drop(columns="se").rename(columns={"n_units": "n_markets"}),
        units=_RELATIVE, draw=partial(draw_growth, frame=frame, learning=one.setting.learning_weeks), height=0.6,
    )  # fmt: skip


@_told("By market")
def markets(one: LaunchReview) -> Exhibit:
    """Effects by market."""
    rows = one.effect.markets
    rows = rows[rows["value"].notna()].sort_values("shrunk", ascending=False)
    frame = pd.DataFrame({
        "country": rows["country"], "own": rows["value"], "effect": rows["shrunk"],
        "ci_lower": rows["shrunk_ci_lower"], "ci_upper": rows["shrunk_ci_upper"], "n_weeks": rows["n_periods"],
    }).reset_index(drop=True)  # fmt: skip
    most, least = frame.iloc[0], frame.iloc[-1]
    return Exhibit(
        title=f"From {format_percent(least['effect'])} in {least['country']} to {format_percent(most['effect'])} in"
        f" {most['country']}",
        subtitle=f"{one.setting.metric.title}, relative change; dot and {format_percent(one.setting.level, 0)}"
        " interval:"
        " drawn towards the other markets; ring: its own data alone",
        frame=frame, units=_RELATIVE, draw=partial(draw_markets, frame=frame), height=0.16 + 0.085 * len(frame),
    )  # fmt: skip


@_told("Money by market")
def worth(one: LaunchReview) -> Exhibit:
    """What it brings where it is live."""
    if one.worth is None:
        return nothing_to_show("Money by market", f"sales do not move in proportion to {one.setting.metric.name}")
    rows = one.worth.markets[one.worth.markets["is_live"]].sort_values("value", ascending=False, ignore_index=True)
    frame = rows[["country", "sales", "value", "ci_lower", "ci_upper"]].rename(columns={"country": "row"})
    own = set(one.effect.told)
    live = one.worth.live
    return Exhibit(
        title=f"Where it is live it brings {live.short} of sales in 30 days",
        subtitle="USD in 30 days by market, before returns and costs; grey: no effect of its own, expected from the"
        " others",
        frame=frame, units=dict.fromkeys(("sales", "value", "ci_lower", "ci_upper"), "usd"),
        draw=partial(draw_money, frame=frame.assign(is_strong=[name in own for name in frame["row"]])),
        height=0.16 + 0.085 * len(frame),
    )  # fmt: skip


@_told("Where to go on")
def proposal(one: LaunchReview) -> Exhibit:
    """The markets left, in their order."""
    found = one.proposal
    if found is None:
        return nothing_to_show("Where to go on", "it is live in all markets")
    rows, proposed = found.markets, set(found.proposed if launch_text.goes_on(one) else [])
    frame = rows.drop(columns="is_proposed").assign(
        planned_on=rows["planned_on"].dt.strftime("%Y-%m-%d").fillna(""),
        proposed=["now" if name in proposed else "wait" for name in rows["country"]],
    )  # fmt: skip
    money = one.worth is not None
    units = _RELATIVE | dict.fromkeys(("value", "ci_lower", "ci_upper"), "usd")
    labels = [f"{row.rank}. {row.country}, chance {likely(row.chance)}" for row in rows.itertuples()]
    drawn = rows.assign(
        row=labels, is_strong=rows["country"].isin(proposed), own=float("nan"), effect=rows["rel_effect"]
    )
    if not money:
        frame, drawn = frame.drop(columns=["value", "ci_lower", "ci_upper"]), drawn.assign(
            country=labels, ci_lower=rows["rel_effect_ci_lower"], ci_upper=rows["rel_effect_ci_upper"]
        )  # fmt: skip
    return Exhibit(
        title=launch_text.proposal(one).split(" The last,")[0].rstrip("."),
        subtitle=("USD of sales in 30 days" if money else f"{one.setting.metric.title}, relative change")
        + f" expected in the markets left; {format_percent(one.setting.level, 0)} intervals for a market that has not"
        " had"
        " it; grey: wait",
        frame=frame, units=units, draw=partial(draw_money if money else draw_markets, frame=drawn),
        height=0.16 + 0.085 * len(frame),
    )  # fmt: skip


@_told("Beside it")
def beside(one: LaunchReview) -> Exhibit:
    """Effects on other metrics."""
    rows = []
    for name, found in one.beside.items():
        if isinstance(found, LaunchEffect):
            rows.append(
                (found.metric.title, signed(found.mean), f"{len(found.told)} markets, to {found.weeks.last:%-d %b %Y}")
            )
        else:
            rows.append((name.replace("_", " "), "cannot be told", found))
    if not rows:
        return nothing_to_show("Beside it", "no other metric was asked for")
    frame = pd.DataFrame(rows, columns=["metric", "relative change", "from"])
    return Exhibit(title=launch_text.beside(one).rstrip("."), subtitle="Relative change, same method", frame=frame)


@_told("By market")
def table(one: LaunchReview) -> Exhibit:
    """All numbers by market."""
    frame = by_market(one)
    frame = frame.assign(live_on=frame["live_on"].dt.strftime("%Y-%m-%d").fillna(""))
    money = dict.fromkeys(("value_usd", "value_usd_ci_lower", "value_usd_ci_upper"), "usd")
    return Exhibit(
        title=f"{format_value(len(one.effect.told), 'markets')} have an effect of their own",
        subtitle="Relative change: its own, and drawn towards the other markets; chance of a rise; money in 30 days",
        frame=frame, units=_RELATIVE | money,
    )  # fmt: skip


EXHIBITS = {
    "calendar": calendar, "growth": growth, "markets": markets, "worth": worth, "proposal": proposal, "beside": beside,
    "table": table,
}  # fmt: skip
