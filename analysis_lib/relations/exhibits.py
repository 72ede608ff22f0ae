"""The figures and tables of what goes together with a metric."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib import regression
from analysis_lib.drawings import draw_forest
from analysis_lib.relations import sentences
from analysis_lib.relations.drawings import draw_curve, draw_influence, draw_residuals
from analysis_lib.results import Exhibit, format_count, format_percent, nothing_to_show

if TYPE_CHECKING:
    from analysis_lib.relations.result import Relation

Make = Callable[["Relation"], Exhibit]

_SHARES = dict.fromkeys(
    ("rel_effect", "rel_effect_ci_lower", "rel_effect_ci_upper", "value", "ci_lower", "ci_upper"), "share"
)


def _told(what: str) -> Callable[[Make], Make]:
    """What is missing, where nothing can be told."""

    def decorate(make: Make) -> Make:
        @wraps(make)
        def guarded(one: Relation) -> Exhibit:
            return nothing_to_show(what, one.refusal) if one.found is None else make(one)

        return guarded

    return decorate


def by_term(one: Relation) -> pd.DataFrame:
    """Relative differences by regressor, as ``Relation.table``."""
    columns = ["regressor", "more", "rel_effect", "rel_effect_ci_lower", "rel_effect_ci_upper"]
    if one.found is None:
        return pd.DataFrame(columns=columns)
    used = [term for term in one.cells.terms if term.name in one.found.fit.solved.sample.names]
    effects = [(term, sentences.effect(one, term)) for term in used]
    rows = [(term.title, term.more, found.value, found.ci_lower, found.ci_upper) for term, found in effects]
    return pd.DataFrame(rows, columns=columns)


def _first(one: Relation) -> str:
    first = one.cells.terms[0]
    return f"{one.setting.outcome.title}, relative difference with {first.more} {first.title}"


@_told("Regressors")
def terms(one: Relation) -> Exhibit:
    """All regressors, the first in colour."""
    frame = by_term(one)
    drawn = pd.DataFrame({
        "row": [f"{row.more} {row.regressor}" for row in frame.itertuples()], "effect": frame["rel_effect"],
        "ci_lower": frame["rel_effect_ci_lower"], "ci_upper": frame["rel_effect_ci_upper"],
        "role": ["success", *["beside"] * (len(frame) - 1)], "margin": float("nan"),
    })  # fmt: skip
    said = sentences.told(one, one.cells.terms[0])
    return Exhibit(
        title=f"{said[:1].upper()}{said[1:]}",
        subtitle=f"{one.setting.outcome.title}, relative difference; {format_percent(one.setting.level, 0)} intervals;"
        " blue: what was asked about; grey: what is held alike",
        frame=frame, units=_SHARES, draw=partial(draw_forest, frame=drawn), height=0.2 + 0.11 * len(frame),
    )  # fmt: skip


@_told("Side by side")
def table(one: Relation) -> Exhibit:
    """The regression beside those with less held alike."""
    names = {term.name: f"{term.title} ({term.more})" for term in one.cells.terms}
    unit = "logarithm" if one.cells.is_positive else "logarithm of the mean"
    shown = regression.side_by_side(one.found.others, names=names, units=dict.fromkeys(one.found.others, unit))
    return Exhibit(
        title="What holding more alike does to the coefficients",
        subtitle="Coefficients with their standard errors in brackets below; 0.01 is about 1 percent more", frame=shown,
    )  # fmt: skip


@_told("All ways to estimate it")
def curve(one: Relation) -> Exhibit:
    """The first relative difference over all ways, sorted."""
    found = one.found.curve
    frame = found.to_frame().drop(columns=["variance", "se", "pvalue"])
    frame[["value", "ci_lower", "ci_upper"]] = np.expm1(frame[["value", "ci_lower", "ci_upper"]])
    titles = {term.name: term.title for term in one.cells.terms}
    held = [", ".join(titles[name] for name in text.split(", ") if name) for text in frame["controls"]]
    share = format_percent(found.share_same_sign, 0)
    return Exhibit(
        title=f"{share} of {format_count(len(frame), 'ways')} to estimate it have the same sign",
        subtitle=f"{_first(one)}; {format_percent(one.setting.level, 0)} intervals; every set of the other regressors,"
        " of fixed effects, all periods and both halves",
        frame=frame.assign(controls=held), units=_SHARES, draw=partial(draw_curve, frame=frame), height=0.5,
    )  # fmt: skip


@_told("Without each unit")
def influence(one: Relation) -> Exhibit:
    """The first relative difference without each of the largest units."""
    found = one.found.influence
    if found is None:
        return nothing_to_show("Without each unit", "fewer than three units can be left out")
    frame = pd.DataFrame({"without": found.frame["left_out"], "value": np.expm1(found.frame["value"])})
    return Exhibit(
        title=sentences.influence(one).rstrip("."),
        subtitle=f"{_first(one)}, without each of the largest; line: with all of them, band: its interval",
        frame=frame, units=_SHARES, draw=partial(draw_influence, frame=frame, whole=one.estimate),
        height=0.2 + 0.05 * len(frame),
    )  # fmt: skip


@_told("Checks")
def checks(one: Relation) -> Exhibit:
    """What was asked of the regression."""
    frame = one.found.diagnosis.to_frame()
    for term in one.cells.terms:
        frame["in_words"] = frame["in_words"].str.replace(term.name, term.title, regex=False)
    loud = int((frame["verdict"] == "look").sum())
    title = "Nothing speaks against the regression" if not loud else f"{loud} of {len(frame)} checks ask for a look"
    return Exhibit(title=title, subtitle="Each check with its verdict", frame=frame[["check", "verdict", "in_words"]])


@_told("Residuals")
def residuals(one: Relation) -> Exhibit:
    """What the regression leaves, by what it expects."""
    found = regression.residuals(one.found.fit)
    frame = found.to_frame()
    return Exhibit(
        title=found.verdict.split(":", 1)[0].rstrip("."),
        subtitle="Cells in bins of as many each, by what the regression expects: what is left, and its usual size",
        frame=frame, draw=partial(draw_residuals, frame=frame), height=0.45,
    )  # fmt: skip


EXHIBITS = {
    "terms": terms,
    "residuals": residuals,
    "table": table,
    "curve": curve,
    "influence": influence,
    "checks": checks,
}
