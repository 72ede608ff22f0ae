"""The printed rule for a version: ship, hold, roll back, keep running, or cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.releases.adoption import more_than_offered
from analysis_lib.releases.estimating import METRICS
from analysis_lib.releases.judging import GUARDRAILS, better, by_alarm
from analysis_lib.releases.release import DAYS
from analysis_lib.releases.version_text import TITLES, difference_text, listed, sized
from analysis_lib.releases.visits import ALL
from analysis_lib.results import Decision, format_count, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.releases.assessment import Assessment

OWNER = "Client release team"

RULE = (
    "Every day, for all systems together and for each by itself, it is asked whether the version does harm, by bounds"
    " that allow for looking daily and for all metrics and systems together. Roll back if one is crossed and the harm,"
    " as far as one can say, is more than is tolerated: on some systems only, if the others together show none. Hold if"
    " one is crossed, but within what is tolerated. Ship if the intervals of crashes and start times leave no room for"
    " more harm than is tolerated, and conversion is not shown to suffer. Until then keep running while days are left,"
    f" of the {DAYS} days after the release; after that nobody can tell."
)

#: Standard errors on the bad side up to which the other systems count as unharmed.
_UNHARMED = 2.0


def decide(one: Assessment) -> Decision:
    """The verdict."""
    last = one.last
    harmed, worse = last[last["state"] == "harmed"], last[last["state"] == "worse"]
    if len(harmed):
        return _rolled_back(one, harmed)
    if len(worse):
        return _held(one, worse)
    own = last[last["system"] == ALL].set_index("metric")
    open_ones = [name for name in GUARDRAILS if own.loc[name, "state"] not in ("safe", "better")]
    if not open_ones:
        return _shipped(one, own)
    return _open(one, open_ones)


def confined(one: Assessment, harmed: pd.DataFrame) -> list[str]:
    """Systems to which the harm is confined; empty if it is everywhere, or nobody knows where."""
    systems = [name for name in dict.fromkeys(harmed["system"]) if name != ALL]
    last = one.last
    rest = last[~last["system"].isin([ALL, *systems]) & ~last["is_thin"]]
    if not systems or rest.empty:
        return []
    for metric in dict.fromkeys(harmed["metric"]):
        own = rest[rest["metric"] == metric]
        weight = own["n_new"] / own["n_new"].sum()
        value, se = float((weight * own["value"]).sum()), float(np.sqrt((weight**2 * own["se"] ** 2).sum()))
        limit = float((weight * own["limit"]).sum())
        if -better(metric) * value > _UNHARMED * se or better(metric) * value < better(metric) * limit:
            return []
    return systems


def _rolled_back(one: Assessment, harmed: pd.DataFrame) -> Decision:
    systems = confined(one, harmed)
    shown = by_alarm(harmed[harmed["system"].isin(systems)] if systems else _whole_first(harmed), one.looks)
    worst = shown.iloc[0]
    day = worst["day"]
    where = f" on {worst['system']}" if worst["system"] != ALL else ""
    after = (day - one.release.first).days + 1
    reason = (
        f"{TITLES[worst['metric']]}{where} {difference_text(one, worst['metric'], worst['system'])}, beyond the"
        f" {sized(one.tolerances[worst['metric']])} that are tolerated; the bound was crossed on"
        f" {day:%-d %b %Y}, after {format_count(after, 'days' if after > 1 else 'day')}."
    )
    others = [name for name in dict.fromkeys(shown["metric"]) if name != worst["metric"]]
    if systems:
        reason += f" The harm is confined to {listed(systems)}: the other systems together show none."
    elif others:
        reason += f" The same holds for {listed([TITLES[name].lower() for name in others])}."
    target = f" on {listed(systems)}" if systems else ""
    money = one.worth.per_month
    saved = None if money is None or money.value >= 0 else money.scaled(-1.0)
    return Decision("Roll back", RULE, reason, saved, OWNER, f"Offer {one.release.before} again{target}, today.")


def _whole_first(rows: pd.DataFrame) -> pd.DataFrame:
    """All systems together first, if they are among the rows."""
    whole = rows[rows["system"] == ALL]
    return whole if len(whole) else rows


def _held(one: Assessment, worse: pd.DataFrame) -> Decision:
    worst = _whole_first(worse).iloc[0]
    where = f" on {worst['system']}" if worst["system"] != ALL else ""
    reason = (
        f"{TITLES[worst['metric']]}{where} {difference_text(one, worst['metric'], worst['system'])}: worse for sure,"
        f" but within the {sized(one.tolerances[worst['metric']])} that are tolerated."
    )
    step = "Stop the ramp where it is, and find what made it worse before more users get it."
    return Decision("Hold", RULE, reason, one.worth.per_month, OWNER, step)


def _shipped(one: Assessment, own: pd.DataFrame) -> Decision:
    gains = [name for name in METRICS if own.loc[name, "state"] == "better"]
    safe = listed([f"{TITLES[name].lower()} {difference_text(one, name)}" for name in GUARDRAILS])
    gained = f"Better for sure: {listed([TITLES[name].lower() for name in gains])}. " if gains else ""
    reason = f"{gained}No more harm than is tolerated is possible: {safe}."
    step = "Let it go on to everybody."
    if len(more_than_offered(one.adoption)):
        step += " Find out why more visits were on it than it was offered to."
    return Decision("Ship", RULE, reason, one.worth.per_month, OWNER, step)


def _open(one: Assessment, open_ones: list[str]) -> Decision:
    said = listed([f"{TITLES[name].lower()} {difference_text(one, name)}" for name in open_ones])
    reason = f"Not known well enough: {said}."
    if not one.is_over:
        left = DAYS - one.release.days
        days = format_count(left, "days" if left > 1 else "day")
        step = f"Go on with the ramp as planned, and read it every day; {days} are left."
        return Decision(
            "Keep running", RULE, f"{reason} {days[0].upper()}{days[1:]} of {DAYS} are left.", None, OWNER, step
        )
    more = _times_more(one, open_ones)
    reason += f" About {more} as many visits on both versions would be needed." if more else ""
    return Decision("Cannot tell", RULE, reason, None, OWNER, _when_nobody_can_tell(one))


def _when_nobody_can_tell(one: Assessment) -> str:
    """What to do with a version of which no more will be known."""
    slower = "Ramp the next version more slowly, so that both are in use for longer."
    offered = one.release.offered(one.until)
    if offered is not None and offered < 1:
        return f"It is not offered to all: let people decide whether the ramp goes on. {slower}"
    return f"Everybody is offered it: leave it, and watch crashes and start times by version. {slower}"


def _times_more(one: Assessment, names: list[str]) -> str:
    """How many times as many visits would show that there is no more harm than is tolerated, if there is none."""
    last = one.last
    own = last[(last["system"] == ALL) & last["metric"].isin(names)]
    half = (own["ci_upper"] - own["ci_lower"]) / 2
    times = float((half / own["limit"].abs()).pow(2).max())
    if not np.isfinite(times):
        return ""
    return f"{times:.1f} times" if times >= 1.05 else "twice"


def health(one: Assessment) -> str:
    """What speaks against the comparison."""
    said = []
    over = more_than_offered(one.adoption)
    if len(over):
        row = over.iloc[0]
        said.append(
            f"On {row['day']:%-d %b %Y} {format_percent(row['share'], 0)} of visits were on it, though it was offered"
            f" to {format_percent(row['offered'], 0)} of users"
        )
    if one.placebo is not None:
        known = one.placebo[~one.placebo["is_thin"]]
        # One mistake is allowed for all metrics together.
        reach = norm.isf((1 - one.level) / 2 / max(len(known), 1))
        wrong = known.loc[known["value"].abs() > reach * known["se"], "metric"]
        if len(wrong):
            said.append(
                "before anybody had the version the same users already differed in"
                f" {listed([TITLES[name].lower() for name in wrong])}"
            )
    return "; ".join(said)
