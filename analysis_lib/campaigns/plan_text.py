"""The prose of a campaign plan, built from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.campaigns.cells import MEASURES
from analysis_lib.results import Answer, format_count, format_percent, format_value

if TYPE_CHECKING:
    from datetime import date

    from analysis_lib.campaigns.plan_result import CampaignPlan


def in_words(day: date) -> str:
    """A day: ``16 November 2026``."""
    return f"{day:%-d %B %Y}"


def title(one: CampaignPlan) -> str:
    """The question, with the market and the dates in words."""
    asked = one.asked
    return (
        f"Could we tell whether the campaign worked? ({asked.market}, {in_words(asked.starts_on)} to"
        f" {in_words(asked.ends_on)})"
    )


def per(one: CampaignPlan, usd: float) -> str:
    """An amount per user."""
    return format_value(usd, f"usd_per_{one.person}")


def total(usd: float) -> str:
    """An amount of a plan: two figures are a plan already."""
    return format_value(usd, "usd", spread=usd)


def weeks_after(one: CampaignPlan) -> str:
    """The weeks after, if any are looked at, as the end of a list of two."""
    weeks = one.asked.weeks_after
    return f" and the {format_count(weeks)} weeks after" if weeks > 1 else " and the week after" if weeks else ""


def spread(one: CampaignPlan) -> str:
    """The smallest mean effect if it goes in proportion to what each spends."""
    found = one.smallest_in_proportion
    return per(one, found) if found < float("inf") else "no size on"


def _lacking(one: CampaignPlan) -> str:
    return f"Not shown: {'; '.join(one.missing)}."


def headline(one: CampaignPlan) -> str:
    """The smallest effect that would be seen, against what pays."""
    if one.lots is None:
        return f"Not by lot: {'; '.join(one.missing)}."
    asked = one.asked
    seen = (
        f"With {format_percent(asked.holdout_share, 0)} of {format_count(one.lots.n_users)} {one.people} left out by"
        f" lot, effects from {per(one, one.smallest())} on would be seen, which is"
        f" {format_percent(one.smallest() / one.spent())} of what one spends in the {format_count(asked.days)}"
        f" days{weeks_after(one)}"
    )
    if one.money.cost_usd is None:
        return f"{seen}; what would pay is not known."
    return (
        f"{seen}; if each spends the same share more, from {spread(one)}. It pays from {per(one, one.pays())}. An"
        f" effect that just pays would be seen with a chance of {format_percent(one.chance(), 0)}."
    )


def shares(one: CampaignPlan) -> str:
    """What leaving out more would show."""
    if one.lots is None:
        return _lacking(one)
    frame = one.by_share
    best = frame.loc[frame["smallest"].idxmin()]
    pays = frame["pays"].iloc[0] == frame["pays"].iloc[0]
    fits = frame[frame["smallest"] <= frame["pays"]]
    said = (
        f"The more are left out, up to half, the smaller the effect that shows: from {per(one, best['smallest'])} on"
        f" with {format_percent(best['share'], 0)} left out."
    )
    if not pays:
        return said
    if fits.empty:
        return f"{said} No share shows an effect that just pays."
    return f"{said} An effect that just pays is seen from {format_percent(fits['share'].iloc[0], 0)} on."


def days(one: CampaignPlan) -> str:
    """What more days would show."""
    if one.lots is None:
        return _lacking(one)
    frame = one.by_days
    first, last = frame.iloc[0], frame.iloc[-1]
    said = (
        f"Longer campaigns are noisier: over {format_count(first['days'])} days effects from"
        f" {per(one, first['smallest'])} on would be seen, over {format_count(last['days'])} from"
        f" {per(one, last['smallest'])}."
    )
    if one.money.cost_usd is None:
        return said
    return (
        f"{said} But with as much spent a day, what pays rises faster, from {per(one, first['pays'])} to"
        f" {per(one, last['pays'])}."
    )


def markets(one: CampaignPlan) -> str:
    """Which markets could stand for it, and what they would show."""
    found, asked = one.markets, one.asked
    names = ", ".join(found.controls.loc[found.controls["stands"], "market"])
    who = f"{format_count(found.n_controls)} other markets could stand for {asked.market} ({names})."
    if found.reasons:
        who = f"Other markets cannot tell: {'; '.join(found.reasons)}."
    if not found.is_tried:
        return who
    n = len(found.counted)
    would = "they would show" if not found.reasons else "if they could, they would show"
    return (
        f"{who} From {format_count(n)} pretended campaigns in its past, {would} changes of sales from"
        f" {format_percent(found.smallest, 0)} on, {total(one.market_smallest)} in all."
    )


def pretended(one: CampaignPlan) -> str:
    """How the simulated effect of other markets compares with the formula, and what was counted."""
    found = one.markets
    if not found.is_tried:
        return "No campaign could be pretended in the past of this market."
    counted = found.counted
    days_ = "no festival and no campaign of its own" if counted["clean"].all() else "festivals and campaigns among them"
    return (
        f"Each was read as a review would read it, from the days before it alone; they overlap by half, and have"
        f" {days_}. {format_count(counted['alarm'].sum())} of {format_count(len(counted))} would have taken nothing for"
        f" an effect. The formula (Student's t times the error of the latest) says"
        f" {format_percent(found.formula, 0)}."
    )


def break_even(one: CampaignPlan) -> str:
    """What it costs and from where on it pays."""
    if one.money.cost_usd is None:
        return "Nothing says what it costs: no budget, no share of sales, and no past campaign with coupons."
    asked = one.asked
    pays = one.money.pays(asked.holdout_share, asked.days)
    sold, creators = one.money.sales_usd, one.money.creators
    less = f", of which creators have {format_percent(creators)} of sales," if creators else ""
    return (
        f"It is taken to cost {total(one.money.cost(asked.holdout_share, asked.days))}: {one.money.how}. At a margin of"
        f" {format_percent(asked.margin, 0)}{less} it pays from {total(pays)} of additional sales on, which is"
        f" {format_percent(pays / sold)} of what {asked.market} sells in as many days."
    )


def holdout(one: CampaignPlan) -> str:
    """What leaving users out costs."""
    if one.lots is None:
        return _lacking(one)
    row = one.by_share.set_index("share").loc[one.asked.holdout_share]
    lift = f"at an assumed lift of {format_percent(one.asked.lift, 0)}, {total(row['forgone_at_lift_usd'])}"
    out = f"Leaving out {format_count(row['n_held_out'])} {one.people} forgoes what would have been sold to them"
    if one.money.cost_usd is None:
        return f"{out}: {lift}."
    return (
        f"{out}: if it just pays, {total(row['forgone_usd'])} of sales, which would have earned no more than they cost;"
        f" {lift}."
    )


def calendar(one: CampaignPlan) -> str:
    """What else happens on these days."""
    frame = one.calendar
    if frame.empty:
        return "No festival, no other campaign of this market and no experiment is known on these days."
    told = []
    for kind, own in frame.groupby("kind", sort=False):
        names = ", ".join(dict.fromkeys(own["name"]))
        told.append(f"{kind}{'s' if len(own) > 1 else ''}: {names}")
    return (
        f"On these days and in the weeks after: {'; '.join(told)}. A lot stays fair on such days, as both groups live"
        " through them, but what people spend then is less like the windows that this plan rests on."
    )


def simulation(one: CampaignPlan) -> str:
    """How the simulated effect compares with the formula, and how often nothing is taken for something."""
    if one.lots is None:
        return _lacking(one)
    asked, lots = one.asked, one.lots
    grid = lots.grid.set_index(["share", "days"]).loc[(asked.holdout_share, asked.days)]
    n = len(lots.by_window(asked.holdout_share, asked.days))
    return (
        f"{format_count(grid['n_lots'])} lots were dealt in {format_count(n)} windows of the past, as long as the"
        f" campaign and the weeks after, and read as the review will read this one."
        f" {format_percent(grid['alarms'])} of them took nothing for an effect;"
        f" {format_percent(1 - asked.level, 0)} is right. The formula ({lots.reach:.2f} standard errors) says"
        f" {per(one, grid['formula'] * one.usd_per_unit)}, the lots {per(one, one.smallest())}. That is if each reached"
        f" {one.person} spends as much more; if each spends the same share more, those who spend much spread further"
        f" apart, and it takes {spread(one)}."
    )


def counted(one: CampaignPlan) -> str:
    """Small print: who is counted, in which money."""
    asked = one.asked
    of = "" if asked.audience == 1 else f"{format_percent(asked.audience, 0)} of "
    return (
        f"Counted: {of}all {one.people} of {asked.market} known before the start, also those who buy nothing. Measure:"
        f" {MEASURES[asked.metric]}, less what is given back; USD at the rate of the last weeks. An effect is found"
        f" when its {format_percent(asked.level, 0)} interval excludes zero; wanted chance"
        f" {format_percent(asked.power, 0)}. Assumed: margin {format_percent(asked.margin, 0)}, the same effect for"
        f" every reached {one.person}, where nothing else is said."
    )


def decision(one: CampaignPlan) -> str:
    """The verdict, the rule that chose it, and the next step."""
    chosen = one.decision
    return f"{chosen.text} Rule: {chosen.rule} Next step ({chosen.owner}): {chosen.next_step}"


def answer(one: CampaignPlan) -> Answer:
    """The first screen of the page."""
    asked, lots = one.asked, one.lots
    windows = 0 if lots is None else len(lots.by_window(asked.holdout_share, asked.days))
    return Answer(
        title=title(one), headline=headline(one), number=None if lots is None else one.smallest_estimate,
        number_of=f"smallest effect that would be seen; range over {format_count(windows)} past windows",
        decision=one.decision, source=one.source,
        window=f"{in_words(asked.first_day)} to {in_words(asked.last_day)}", as_of=str(asked.last_day),
        counted=counted(one),
        grade="Lots are dealt on what users really spent: nothing is believed but that the next weeks are like these.",
    )  # fmt: skip


SENTENCES = {
    "shares": shares, "days": days, "markets": markets, "pretended": pretended, "break_even": break_even,
    "holdout": holdout, "calendar": calendar, "simulation": simulation, "counted": counted, "decision": decision,
}  # fmt: skip
