"""The prose of the league of campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.results import format_count, format_interval, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.campaigns.league_result import League

#: How a campaign was compared, in words.
WAYS = {
    "lot": "users left out by lot", "markets": "other markets", "history": "users with the same history",
    "growth": "growth of the others",
}  # fmt: skip


def _per_dollar(value: float, low: float, high: float) -> str:
    return format_interval(value, low, high, "usd_per_usd")


def headline(league: League) -> str:
    """What all together brought for their money."""
    told, all_of_them = league.told, len(league.rows)
    if told.empty:
        return f"Of {format_count(all_of_them)} campaigns fewer than three could be reviewed: nothing to compare."
    mean = league.together
    shown = _per_dollar(mean.value, mean.ci_lower, mean.ci_upper)
    less = f", of which creators have {format_percent(league.creators)} of sales," if league.creators else ""
    return (
        f"{format_count(len(told))} of {format_count(all_of_them)} campaigns could be reviewed; together they brought"
        f" net additional sales of {shown}; at a margin of {format_percent(league.margin, 0)}{less} a campaign earns"
        f" from {format_value(league.break_even, 'usd_per_usd')}."
    )


def luck(league: League) -> str:
    """How much of the differences is luck."""
    told = league.told
    if told.empty:
        return "With fewer than three reviewed campaigns nothing can be said of luck."
    best = told.loc[told["value"].idxmax()]
    drawn = _per_dollar(best["shrunk"], best["shrunk_ci_lower"], best["shrunk_ci_upper"])
    return (
        f"True returns differ by a standard deviation of about {format_value(league.spread, 'usd_per_usd')}. "
        f"{best['name']} in {best['country']} looks best at {format_value(best['value'], 'usd_per_usd')}; with luck"
        f" taken out {drawn} is left."
    )


def refused(league: League) -> str:
    """How many could not be reviewed."""
    number = int(league.rows["shrunk"].isna().sum())
    if not number:
        return "None was refused."
    return f"{format_count(number)} could not be reviewed; the table says why of each."


def mechanics(league: League) -> str:
    """Returns by mechanic: how many of each, best first."""
    told = league.told
    if told.empty:
        return "No mechanic can be compared."
    found = told.groupby("mechanic")["shrunk"].agg(["mean", "size"]).sort_values("mean", ascending=False)
    said = [
        f"{str(name).replace('_', ' ')} {format_value(row['mean'], 'usd_per_usd')} ({format_count(int(row['size']))})"
        for name, row in found.iterrows()
    ]
    return f"By mechanic, mean return with luck taken out, and number of campaigns: {', '.join(said)}."


def reason(league: League, *, apart: bool) -> str:
    """The number that decided."""
    told, mean = league.told, league.together
    if apart:
        best, worst = told.iloc[0], told.iloc[-1]
        return (
            f"A dollar brought {_per_dollar(best['shrunk'], best['shrunk_ci_lower'], best['shrunk_ci_upper'])} in"
            f" {best['name']} ({best['country']}), and"
            f" {_per_dollar(worst['shrunk'], worst['shrunk_ci_lower'], worst['shrunk_ci_upper'])} in {worst['name']}"
            f" ({worst['country']})."
        )
    shown = _per_dollar(mean.value, mean.ci_lower, mean.ci_upper)
    return f"No campaign can be told from another; together a dollar brought {shown}."


def next_step(league: League, action: str) -> str:
    """What is done first."""
    if action == "Change":
        worst = league.told.iloc[-1]
        return (
            f"Move the next budget of {worst['name']} ({worst['country']}) to the best, half of it, and leave one in"
            " five out by lot in both: then the next league can tell whether it was right."
        )
    return (
        "Leave one in five users out by lot in the next campaigns of each mechanic; the pages on campaigns to come say"
        " from which effect on that tells."
    )


def counted(league: League) -> str:
    """Small print."""
    return (
        "Counted: net additional sales of all products over the campaign and the weeks after it, per dollar of coupons"
        " or, where there are none, of the money set aside, and of media. Each campaign in the market with most money"
        " for it. What creators are paid of these sales is taken off the margin. "
        f"Assumed: margin {format_percent(league.margin, 0)}; other costs are not in the data."
    )


def grade(_league: League) -> str:
    """How far to trust it."""
    return "Each return is as far to be trusted as the review it comes from; those are graded."


def decision(league: League) -> str:
    """The verdict, the rule that chose it, and the next step."""
    chosen = league.decision
    return f"{chosen.text} Rule: {chosen.rule} Next step ({chosen.owner}): {chosen.next_step}"


SENTENCES = {
    "headline": headline, "luck": luck, "refused": refused, "mechanics": mechanics, "counted": counted, "grade": grade,
    "decision": decision,
}  # fmt: skip
