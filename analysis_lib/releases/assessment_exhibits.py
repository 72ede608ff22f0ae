"""The figures and tables of an assessment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.drawings import draw_forest
from analysis_lib.releases import assessment_text
from analysis_lib.releases.assessment_drawings import draw_adoption, draw_looks
from analysis_lib.releases.beside import other_ways
from analysis_lib.releases.people import RATES
from analysis_lib.releases.stages import by_stage
from analysis_lib.releases.version_text import TITLES, listed, percent
from analysis_lib.releases.visits import ALL
from analysis_lib.results import Exhibit, format_percent, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.releases.assessment import Assessment

_RELATIVE = dict.fromkeys(("effect", "ci_lower", "ci_upper", "margin"), "share")

_WHAT = {
    "system": "operating system", "activity": "visits before", "speed": "took up the version before",
    "country": "market",
}  # fmt: skip

#: States in words.
FINDINGS = {
    "harmed": "worse than is tolerated", "worse": "worse, but tolerated", "safe": "no more harm than tolerated",
    "better": "better", "open": "not known", "thin": "too few visits",
}  # fmt: skip


def effects(one: Assessment) -> Exhibit:
    """The four differences."""
    last = one.last
    return _forest(last[last["system"] == ALL], [TITLES[name] for name in last[last["system"] == ALL]["metric"]],
                   assessment_text.headline(one).rstrip("."), one)  # fmt: skip


def systems(one: Assessment) -> Exhibit:
    """The difference that matters, system by system."""
    metric = assessment_text.decisive(one)["metric"]
    last = one.last
    rows = last[(last["metric"] == metric) & (last["system"] != ALL) & ~last["is_thin"]]
    if rows.empty:
        return nothing_to_show("By system", "no system has enough visits on both versions")
    bad = list(rows.loc[rows["state"].isin(["harmed", "worse"]), "system"])
    finding = f"worse for sure on {listed(bad)}" if bad else "no system is worse for sure"
    return _forest(rows, list(rows["system"]), f"{TITLES[metric]}: {finding}", one)


def _forest(rows: pd.DataFrame, names: list[str], title: str, one: Assessment) -> Exhibit:
    import pandas as pd

    bad = rows["state"].isin(["harmed", "worse"]).to_numpy()
    frame = pd.DataFrame({
        "row": names, "effect": rows["rel_value"].to_numpy(), "ci_lower": rows["rel_ci_lower"].to_numpy(),
        "ci_upper": rows["rel_ci_upper"].to_numpy(), "margin": rows["rel_limit"].to_numpy(),
    })  # fmt: skip
    drawn = frame.assign(role=["success" if wrong else "" for wrong in bad])
    return Exhibit(
        title=title,
        subtitle=f"{one.release.name} against {one.release.before}, relative change;"
        f" {format_percent(one.level, 0)} intervals; mark: what is tolerated; in colour: an alarm",
        frame=frame, units=_RELATIVE, draw=partial(draw_forest, frame=drawn), height=0.16 + 0.1 * len(frame),
    )  # fmt: skip


def adoption(one: Assessment) -> Exhibit:
    """How it spread."""
    frame = one.adoption.assign(offered=one.adoption["offered"].astype(float))
    return Exhibit(
        title=f"By {one.release.last:%-d %b} {percent(float(frame['share'].iloc[-1]))} of the visits of a day were on"
        f" {one.release.name}",
        subtitle=f"Share of the visits of a day, all users of {one.release.platform}",
        frame=frame, units={"n_new": "visits", "n_all": "visits", "share": "share", "offered": "share"},
        draw=partial(draw_adoption, frame=frame, name=one.release.version), height=0.5,
    )  # fmt: skip


def adopters(one: Assessment) -> Exhibit:
    """Who took it up first."""
    frame = one.adopters
    shown = frame.assign(
        row=[f"{_WHAT[what]}: {name}" for what, name in zip(frame["what"], frame["class"], strict=True)]
    )
    shown = shown[["row", "n", "share", "ratio"]].rename(
        columns={"n": "visits", "share": "share on it", "ratio": "to all"}
    )
    return Exhibit(assessment_text.adopters(one).rstrip("."), "Visits while a tenth to nine tenths were on it", shown,
                   {"visits": "visits", "share on it": "share", "to all": ""})  # fmt: skip


def looks(one: Assessment) -> Exhibit:
    """The difference that matters, day by day."""
    row = assessment_text.decisive(one)
    own = one.looks[(one.looks["metric"] == row["metric"]) & (one.looks["system"] == row["system"])]
    # Before it could be seen at all there is nothing to draw.
    own = own[~own["is_thin"] & own["rel_ci_lower"].notna()]
    if len(own) < 2:
        return nothing_to_show("Day by day", "fewer than two days have enough visits on both versions")
    columns = ["day", "rel_value", "rel_ci_lower", "rel_ci_upper", "rel_limit", "z_harm", "bound", "is_alarm"]
    frame = own[columns].reset_index(drop=True)
    where = "" if row["system"] == ALL else f" on {row['system']}"
    return Exhibit(
        title=assessment_text.looking(one).rstrip("."),
        subtitle=f"{TITLES[row['metric']]}{where}, relative change by the end of each day",
        frame=frame, units=dict.fromkeys(columns[1:5], "share"), draw=partial(draw_looks, frame=frame), height=0.5,
    )  # fmt: skip


def differences(one: Assessment) -> Exhibit:
    """Levels on both versions, all systems and each."""
    import pandas as pd

    rows = [
        {"row": f"{TITLES[row.metric]}, {'all systems' if row.system == ALL else row.system}",
         "on it": _level(row, "new"), "without it": _level(row, "old"), "change": row.rel_value,
         "lower": row.rel_ci_lower, "upper": row.rel_ci_upper, "finding": FINDINGS[row.state]}
        for row in one.last.itertuples() if not row.is_thin
    ]  # fmt: skip
    if not rows:
        return nothing_to_show("Differences", "too few visits on both versions")
    counts = one.last["state"].value_counts()
    bad, good = int(counts.get("harmed", 0) + counts.get("worse", 0)), int(counts.get("better", 0))
    said = f"{bad or 'none'} {'are' if bad > 1 else 'is'} worse for sure, {good or 'none'} better"
    subtitle = (
        "Levels on the version, and what they would be without it; worse for sure: beyond a bound that allows for all"
        " looks"
    )
    units = dict.fromkeys(("change", "lower", "upper"), "share")
    return Exhibit(f"Of {len(rows)} differences {said}", subtitle, pd.DataFrame(rows), units)


def _level(row: Any, side: str) -> str:
    value = getattr(row, side)
    return f"{value:,.0f}\u00a0ms" if row.metric not in RATES else format_percent(value)


def stages(one: Assessment) -> Exhibit:
    """The rate that matters, stage by stage."""
    metric = assessment_text.decisive(one)["metric"]
    metric = metric if metric in RATES else "conversion"
    found = by_stage(one.comparison, one.release, metric, level=one.level)
    if found.empty:
        return nothing_to_show("By stage", "no stage has comparable visits on both versions")
    old = float(one.row(metric)["old"])
    spans = [_span(first, last) for first, last in zip(found["first"], found["last"], strict=True)]
    changes = {name: found[name] / old for name in ("plain", "value", "ci_lower", "ci_upper")}
    names = {"share_new": "visits on it", "plain": "as they come", "value": "like with like", "ci_lower": "lower",
             "ci_upper": "upper"}  # fmt: skip
    shown = found.assign(row=found["stage"], days=spans, **changes)
    shown = shown[["row", "days", *names, "weight"]].rename(columns=names)
    units = dict.fromkeys([*names.values(), "weight"], "share")
    subtitle = "Relative change; weight: what the stage counts in the whole"
    same = int((np.sign(found["value"]) == np.sign(one.row(metric)["value"])).sum())
    title = f"{TITLES[metric]}: {same} of {len(found)} stages of the ramp point the same way as the whole"
    return Exhibit(title, subtitle, shown, units)


def _span(first: Any, last: Any) -> str:
    return f"{first:%-d %b}" if first == last else f"{first:%-d %b} to {last:%-d %b}"


def ways(one: Assessment) -> Exhibit:
    """The same difference by simpler ways."""
    found = other_ways(one.comparison.cells)
    shown = {TITLES[name]: found[name] / float(one.row(name)["old"]) for name in RATES}
    frame = found[["way"]].rename(columns={"way": "row"}).assign(**shown)
    return Exhibit(assessment_text.selection(one).rstrip("."), "Relative change by way of comparing", frame,
                   dict.fromkeys(shown, "share"))  # fmt: skip


def balance(one: Assessment) -> Exhibit:
    """How alike the visits on both versions are."""
    found = one.comparison.balance
    worst = float((found["new"] - found["before_weighted"]).abs().max())
    shown = found.assign(
        row=[f"{_WHAT[what]}: {name}" for what, name in zip(found["what"], found["class"], strict=True)]
    )
    shown = shown[["row", "new", "before", "before_weighted"]].rename(
        columns={"new": "on it", "before": "on the one before", "before_weighted": "the same, weighted"}
    )
    title = f"Weighted, no class's share differs by more than {100 * worst:.1f} points"
    return Exhibit(title, "Share of visits", shown, dict.fromkeys(shown.columns[1:], "share"))


def placebo(one: Assessment) -> Exhibit:
    """The same at an earlier time."""
    if one.placebo is None:
        return nothing_to_show("The same at an earlier time", "too few visits can be compared")
    columns = ["row", "rel_value", "rel_ci_lower", "rel_ci_upper"]
    shown = one.placebo.assign(row=one.placebo["metric"].map(TITLES))[columns]
    shown = shown.rename(columns={"rel_value": "change", "rel_ci_lower": "lower", "rel_ci_upper": "upper"})
    return Exhibit(assessment_text.placebo(one).rstrip("."), "Relative change where there can be none",
                   shown.reset_index(drop=True), dict.fromkeys(("change", "lower", "upper"), "share"))  # fmt: skip


def beside(one: Assessment) -> Exhibit:
    """Campaigns and experiments of the same days."""
    import pandas as pd

    found = one.beside
    rows = [
        (row.name, "campaign", f"{row.markets} markets, {_span(row.starts_on, row.ends_on)}")
        for row in found.campaigns.itertuples(index=False)
    ]
    for row in found.experiments.itertuples(index=False):
        shares = f"{percent(row.share_new)} on it, {percent(row.share_before)} on the one before"
        rows.append((row.name, "experiment", f"treated: {shares} (p {row.pvalue:.2f})"))
    if not rows:
        return nothing_to_show("What else went on", "no campaign and no experiment on users ran in the same days")
    return Exhibit(assessment_text.beside(one).rstrip("."), "Campaigns, and experiments on users",
                   pd.DataFrame(rows, columns=["row", "kind", "what"]))  # fmt: skip


EXHIBITS = {
    "effects": effects, "systems": systems, "adoption": adoption, "adopters": adopters, "looks": looks,
    "differences": differences, "stages": stages, "ways": ways, "balance": balance, "placebo": placebo,
    "beside": beside,
}  # fmt: skip
