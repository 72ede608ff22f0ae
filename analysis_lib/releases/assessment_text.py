"""An assessment of a version in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.releases import verdict
from analysis_lib.releases.adoption import days_until
from analysis_lib.releases.beside import other_ways
from analysis_lib.releases.estimating import METRICS
from analysis_lib.releases.judging import by_alarm, first_alarms
from analysis_lib.releases.people import NO_VISIT, NOT_KNOWN, PRE_DAYS
from analysis_lib.releases.version_text import TITLES, difference_text, listed, percent, relative
from analysis_lib.releases.visits import ALL
from analysis_lib.results import Answer, format_count, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.releases.assessment import Assessment


def whole(one: Assessment) -> str:
    """What it does, how it spread, what else could be behind it, and the verdict."""
    return " ".join(part(one) for part in (effects, spread, decision))


def effects(one: Assessment) -> str:
    """The differences in one sentence."""
    said = [f"{TITLES[name].lower()} {difference_text(one, name)}" for name in METRICS]
    return f"{one.release.name} against {one.release.before}: {'; '.join(said)}."


def headline(one: Assessment) -> str:
    """The finding: what got worse, or what got better, or that nothing did."""
    last = one.last
    bad = last[last["state"].isin(["harmed", "worse"])]
    if len(bad):
        systems, row = verdict.confined(one, bad[bad["state"] == "harmed"]), decisive(one)
        where = f" on {listed(systems)}" if systems else (f" on {row['system']}" if row["system"] != ALL else "")
        return f"{one.release.name} does harm{where}: {_said(one, row['metric'], row['system'])}."
    own = last[last["system"] == ALL].set_index("metric")
    good = [name for name in METRICS if own.loc[name, "state"] == "better"]
    if good:
        return f"{one.release.name} is better than {one.release.before}: {listed([_said(one, name) for name in good])}."
    known = f"{_said(one, 'crash_free_rate')}, {_said(one, 'start_ms_p50')}"
    return f"{one.release.name} shows no harm against {one.release.before}: {known}."


def _said(one: Assessment, metric: str, system: str = ALL) -> str:
    return f"{TITLES[metric].lower()} {difference_text(one, metric, system)}"


def spread(one: Assessment) -> str:
    """How fast it spread, and who took it up first."""
    share = one.adoption["share"].iloc[-1]
    said = f"By {one.release.last:%-d %b %Y} {percent(share)} of the visits of a day were on it"
    half = days_until(one.adoption, 0.5)
    said += f"; half of them after {format_count(half, 'days')}." if half is not None else "."
    return f"{said} {adopters(one)}"


def adopters(one: Assessment) -> str:
    """Who took it up more, and who less, than others."""
    own = one.adopters[(one.adopters["n"] >= 0.02 * one.adopters.groupby("what")["n"].transform("sum"))]
    own = own[own["what"] != "country"]
    if own.empty:
        return ""
    most, least = own.loc[own["ratio"].idxmax()], own.loc[own["ratio"].idxmin()]
    return (
        f"While it spread, users with {_class(most)} had it {most['ratio']:.2f} times as often as all, those with"
        f" {_class(least)} {least['ratio']:.2f} times."
    )


def _class(row: pd.Series) -> str:
    if row["what"] == "system":
        return str(row["class"])
    if row["what"] == "activity":
        return "no visit before" if row["class"] == NO_VISIT else f"{row['class']} visits before"
    if row["class"] == NOT_KNOWN:
        return "no known day of taking up the version before"
    words = {"soon": "an early start", "later": "a later start", "last": "a late start"}
    return f"{words[row['class']]} on the version before"


def compared(one: Assessment) -> str:
    """What is compared with what."""
    before = format_percent(one.comparison.share_compared, 0)
    return (
        f"A visit on {one.release.name} is held against visits of the same day on {one.release.before} by users with"
        " the same system, as active, as quick to take up the version before, and of the same market; and the"
        f" difference that the same users had in the {PRE_DAYS} days before is taken off. For {before} of the visits on"
        " the version there are such visits. Days count by how much they can tell, so a stage of the ramp with few"
        " visits on one side counts for little."
    )


def selection(one: Assessment) -> str:
    """How far the simple comparison is off."""
    ways = other_ways(one.comparison.cells)["conversion"]
    plain, same, own = (relative(one, "conversion", float(value)) for value in ways)
    return (
        f"All visits as they come would put the difference in conversion at {plain}; the same day and kind of user, at"
        f" {same}; less what the same users did before, it is {own}."
    )


def looking(one: Assessment) -> str:
    """When the first alarm came."""
    alarms = first_alarms(one.looks)
    if alarms.empty:
        return "No bound was crossed on any day."
    row = alarms.iloc[0]
    where = "" if row["system"] == ALL else f" on {row['system']}"
    after = (row["day"] - one.release.first).days + 1
    share = one.adoption.loc[one.adoption["day"] == row["day"], "share"]
    return (
        f"The first bound was crossed on {row['day']:%-d %b %Y}, day {after}, by {TITLES[row['metric']].lower()}"
        f"{where}, when {percent(float(share.iloc[0]))} of the visits were on the version."
    )


def placebo(one: Assessment) -> str:
    """What the same comparison shows of a time when nobody had the version."""
    if one.placebo is None:
        return "The same could not be done at an earlier time: too few visits can be compared."
    known = one.placebo[~one.placebo["is_thin"]]
    if known.empty:
        return "The same at an earlier time rests on too few visits to say anything."
    off = [row.metric for row in known.itertuples() if row.ci_lower > 0 or row.ci_upper < 0]
    if not off:
        return "The same at an earlier time, when nobody had the version, shows nothing: every interval holds zero."
    names = listed([TITLES[name].lower() for name in off])
    return (
        f"The same at an earlier time, when nobody had the version, shows a difference in {names}: {len(off)} of"
        f" {len(known)} intervals leave out zero; {format_percent(1 - one.level, 0)} would by chance."
    )


def beside(one: Assessment) -> str:
    """What else went on."""
    found, said = one.beside, []
    if len(found.campaigns):
        said.append(
            f"{format_count(len(found.campaigns), 'campaigns' if len(found.campaigns) > 1 else 'campaign')} ran in the"
            " same days; as both versions are compared within a day and a market, they touch both alike"
        )
        if found.without_campaigns:
            value = relative(one, "conversion", found.without_campaigns["conversion"])
            said.append(
                f"without their market-days, which leaves {percent(found.share_left)} of the visits, the difference in"
                f" conversion is {value}"
            )
    if len(found.experiments):
        odd = found.experiments[found.experiments["pvalue"] < 0.01]
        arms = "in the same arms" if odd.empty else f"not in the same arms of {listed(list(odd['name']))}"
        said.append(f"users on both versions were {arms}, in {format_count(len(found.experiments), 'experiments')}")
    text = ". ".join(part[0].upper() + part[1:] for part in said)
    return f"{text}." if text else "No campaign and no experiment on users ran in the same days."


def worth(one: Assessment) -> str:
    """What it adds up to."""
    crashes, paid = one.worth.crashes, one.worth.paid_visits
    said = f"So far the version has brought {crashes.short} with a crash, and {paid.short} with a payment"
    month = one.worth.per_month
    return f"{said}." if month is None else f"{said}; with everybody on it that is {month.short} a month."


def basis(one: Assessment) -> str:
    """Who is counted."""
    cells = one.comparison.cells
    new = cells["is_new"]
    counts = [format_count(int(cells.loc[side, "n"].sum()), "visits") for side in (new, ~new)]
    return (
        f"Counted are visits of signed-in users: {counts[0]} on {one.release.version} and {counts[1]} on"
        f" {one.release.before}, {one.release.first:%-d %b %Y} to {one.release.last:%-d %b %Y};"
        f" {format_count(one.n_other)} on other versions or signed out are left out. Intervals allow for a user's"
        " visits being alike."
    )


def health(one: Assessment) -> str:
    """What speaks against the comparison, if anything."""
    found = verdict.health(one)
    return f"{found[0].upper()}{found[1:]}." if found else "Nothing speaks against the comparison."


def decision(one: Assessment) -> str:
    """The verdict and the rule."""
    found = verdict.decide(one)
    return f"{found.text} {found.next_step}"


def rule(one: Assessment) -> str:
    """The printed rule."""
    return verdict.RULE


def answer(one: Assessment, source: str, grade: str) -> Answer:
    """The first screen of the page."""
    release = one.release
    row = decisive(one)
    number = one.effect(row["metric"], row["system"], relative=True)
    where = "" if row["system"] == ALL else f" on {row['system']}"
    return Answer(
        title=f"{release.name}: go on, hold, or roll back?",
        headline=headline(one),
        number=number,
        number_of=f"{TITLES[row['metric']]}{where}, against {release.before}, {format_percent(one.level, 0)} interval",
        decision=verdict.decide(one),
        source=source,
        window=f"{release.first:%-d %b %Y} to {release.last:%-d %b %Y}",
        as_of=str(one.until),
        counted=basis(one),
        grade=grade,
    )


def decisive(one: Assessment) -> pd.Series:
    """The difference that the page is about: what is worst, or else crashes."""
    last = one.last
    bad = last[last["state"].isin(["harmed", "worse"])]
    systems = verdict.confined(one, bad[bad["state"] == "harmed"]) if len(bad) else []
    if systems:
        return by_alarm(bad[bad["system"].isin(systems)], one.looks).iloc[0]
    whole_ones = (bad if len(bad) else last)[lambda rows: rows["system"] == ALL]
    rows = whole_ones if len(whole_ones) else bad
    return by_alarm(rows, one.looks).iloc[0] if len(bad) else rows.iloc[0]


SENTENCES = {
    "effects": effects, "spread": spread, "compared": compared, "selection": selection, "looking": looking,
    "placebo": placebo, "beside": beside, "worth": worth, "basis": basis, "health": health, "decision": decision,
    "rule": rule,
}  # fmt: skip
