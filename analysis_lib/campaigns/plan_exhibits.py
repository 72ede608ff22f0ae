"""The figures and tables of a campaign plan."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis_lib.campaigns import plan_drawings, plan_text
from analysis_lib.errors import InvalidValue
from analysis_lib.results import Exhibit, format_count, format_percent, nothing_to_show

if TYPE_CHECKING:
    from analysis_lib.campaigns.plan_result import CampaignPlan

#: Columns of the curves in words.
_NAMES = {
    "n_held_out": "left out", "smallest": "smallest effect seen", "ci_lower": "lowest over the windows",
    "ci_upper": "highest over the windows", "rel_smallest": "of spending", "pays": "what pays",
    "chance": "chance to see what pays", "forgone_usd": "sales forgone if it just pays",
    "forgone_at_lift_usd": "sales forgone at the assumed lift",
}  # fmt: skip

#: Columns of what leaving out costs, and of the curves alone.
_COSTS = ["n_held_out", "forgone_usd", "forgone_at_lift_usd"]


def _subtitle(one: CampaignPlan) -> str:
    asked = one.asked
    return (
        f"Effect per reached {one.person}, USD, over the campaign{plan_text.weeks_after(one)}; seen with a chance of"
        f" {format_percent(asked.power, 0)}; band: range over past windows"
    )


def _lacking(what: str, one: CampaignPlan) -> Exhibit:
    return nothing_to_show(what, "; ".join(one.missing))


def _curve(one: CampaignPlan, frame: pd.DataFrame, x: str, planned: float, title: str, label: str) -> Exhibit:
    """A curve of smallest effects, with the costs left to their own table."""
    unit = f"usd_per_{one.person}"
    money = ("smallest", "ci_lower", "ci_upper", "pays")
    shown = frame.drop(columns=_COSTS)
    if shown["pays"].isna().all():
        shown = shown.drop(columns=["pays", "chance"])
    units = {_NAMES[name]: unit for name in money} | {_NAMES["rel_smallest"]: "share", _NAMES["chance"]: "share"}
    units |= {"share left out": "share"} if x == "share" else {"days": ""}
    return Exhibit(
        title=title, subtitle=_subtitle(one), height=0.56, units=units,
        frame=shown.rename(columns=_NAMES | {"share": "share left out"}),
        draw=partial(plan_drawings.draw_smallest, frame=frame, x=x, planned=planned, unit=unit, label=label),
    )  # fmt: skip


def shares(one: CampaignPlan) -> Exhibit:
    """Smallest effect by share left out, and what pays."""
    if one.lots is None:
        return _lacking("Smallest effect by share left out", one)
    asked, pays = one.asked, one.pays()
    title = f"With {format_percent(asked.holdout_share, 0)} left out, effects from"
    title = f"{title} {plan_text.per(one, one.smallest())} show"
    if pays == pays:
        title = f"{title}; it pays from {plan_text.per(one, pays)}"
    return _curve(one, one.by_share, "share", asked.holdout_share, title, "share left out by lot")


def days(one: CampaignPlan) -> Exhibit:
    """Smallest effect by length, and what pays."""
    if one.lots is None:
        return _lacking("Smallest effect by days", one)
    frame = one.by_days
    if len(frame) < 2:
        return nothing_to_show("Smallest effect by days", "no other length fits into the past")
    fits = frame[frame["smallest"] <= frame["pays"]]
    share = format_percent(one.asked.holdout_share, 0)
    if frame["pays"].isna().all():
        title = f"Over {format_count(frame['days'].iloc[-1])} days effects from"
        title = f"{title} {plan_text.per(one, frame['smallest'].iloc[-1])} show"
    elif fits.empty:
        title = f"With {share} left out, no length up to {format_count(frame['days'].iloc[-1])} days shows what pays"
    else:
        title = f"With {share} left out, what pays shows from {format_count(fits['days'].iloc[0])} days on"
    return _curve(one, frame, "days", one.asked.days, title, "days of the campaign, as much spent a day")


def holdout(one: CampaignPlan) -> Exhibit:
    """What leaving users out costs, by share."""
    if one.lots is None:
        return _lacking("What leaving users out costs", one)
    frame = one.by_share[["share", *_COSTS]]
    if frame["forgone_usd"].isna().all():
        frame = frame.drop(columns="forgone_usd")
    lift = format_percent(one.asked.lift, 0)
    row = frame.set_index("share").loc[one.asked.holdout_share]
    return Exhibit(
        title=f"At a lift of {lift}, leaving out {format_percent(one.asked.holdout_share, 0)} forgoes"
        f" {plan_text.total(row['forgone_at_lift_usd'])} of sales",
        subtitle=f"Sales not made to those left out, USD, by share; assumed lift: {lift} of what they spend",
        frame=frame.rename(columns=_NAMES | {"share": "share left out"}),
        units={"share left out": "share", _NAMES["n_held_out"]: "", _NAMES["forgone_usd"]: "usd",
               _NAMES["forgone_at_lift_usd"]: "usd"},
    )  # fmt: skip


def markets(one: CampaignPlan) -> Exhibit:
    """Which markets could stand for it."""
    frame = one.markets.controls
    frame = frame.assign(stands=frame["stands"].map({True: "yes", False: "no"}))
    return Exhibit(
        title=f"{format_count(one.markets.n_controls)} of {format_count(len(frame))} other markets could stand for"
        f" {one.asked.market}",
        subtitle="Without a campaign in the days and weeks after, a festival on the days, or recent days without sales",
        frame=frame.rename(columns={"why": "why not"}),
    )  # fmt: skip


def pretended(one: CampaignPlan) -> Exhibit:
    """What pretended campaigns found."""
    found = one.markets
    if not found.is_tried:
        return nothing_to_show("Pretended campaigns", "; ".join(found.reasons))
    frame = found.pretended[["starts_on", "clean", "effect"]]
    frame = frame.assign(starts_on=frame["starts_on"].astype(str), clean=frame["clean"].map({True: "yes", False: "no"}))
    return Exhibit(
        title=f"Other markets would show changes of sales from {format_percent(found.smallest, 0)} on",
        subtitle=f"Change of sales found where nothing was planted, share of sales; {one.asked.market} against others,"
        f" {format_count(one.asked.span)} days each",
        frame=frame.rename(columns={"starts_on": "begins", "clean": "clean days"}),
        units={"effect": "share"},
        draw=partial(plan_drawings.draw_markets, pretended=found.pretended, smallest=found.smallest),
    )  # fmt: skip


def ways(one: CampaignPlan) -> Exhibit:
    """The ways to read it."""
    frame = one.table
    able = int(frame["sees_what_pays"].sum())
    title = "No way shows an effect that just pays" if not able else f"{able} of {len(frame)} ways show what just pays"
    if frame["pays_usd"].isna().all():
        title = "What the ways would show"
    frame = frame.assign(sees_what_pays=frame["sees_what_pays"].map({True: "yes", False: "no"}))
    names = {"smallest_usd": "smallest effect seen", "rel_smallest": "of sales", "pays_usd": "what pays",
             "sees_what_pays": "shows what pays", "why_not": "why not"}  # fmt: skip
    return Exhibit(
        title=title, subtitle="USD over all reached, in the campaign and the weeks after",
        frame=frame.rename(columns=names),
        units={"smallest effect seen": "usd", "of sales": "share", "what pays": "usd"},
    )  # fmt: skip


def windows(one: CampaignPlan) -> Exhibit:
    """The windows of the past, one by one."""
    if one.lots is None:
        return _lacking("Windows of the past", one)
    frame = one.lots.by_window(one.asked.holdout_share, one.asked.days)
    frame = frame.assign(
        window=frame["window"].astype(str),
        **{name: frame[name] * one.usd_per_unit for name in ("smallest", "formula", "spent")},
    )[["window", "n_users", "smallest", "formula", "alarms", "spent"]]
    low, high = (plan_text.per(one, value) for value in (frame["smallest"].min(), frame["smallest"].max()))
    unit = f"usd_per_{one.person}"
    return Exhibit(
        title=f"From one window of the past to another the smallest effect runs from {low} to {high}",
        subtitle=f"By first day of the window; brought to the planned number of {one.people}; USD",
        frame=frame.rename(columns={"n_users": one.people, "smallest": "by lots", "formula": "by formula",
                                    "alarms": "nothing taken for something", "spent": "spent"}),
        units={one.people: "", "by lots": unit, "by formula": unit, "nothing taken for something": "share",
               "spent": unit},
    )  # fmt: skip


def plan(one: CampaignPlan) -> Exhibit:
    """The plan, field by field, as it would be saved."""
    try:
        held = one.plan("name_of_the_campaign", way="lot" if one.lots is not None else "markets")
    except InvalidValue as lack:
        return Exhibit("The plan: not shown", note=str(lack))
    rows = [(name, _written(value)) for name, value in held.model_dump(mode="json").items() if value not in (None, "")]
    return Exhibit("The plan as it would be saved", "Fields of the file that the review holds itself to",
                   pd.DataFrame(rows, columns=["row", "what"]))  # fmt: skip


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


EXHIBITS = {
    "shares": shares, "days": days, "holdout": holdout, "markets": markets, "pretended": pretended, "ways": ways,
    "windows": windows, "plan": plan,
}  # fmt: skip
