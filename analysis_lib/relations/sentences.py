"""What goes together with a metric, in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import regression
from analysis_lib.relations import verdict
from analysis_lib.relations.cells import Term, lowered
from analysis_lib.relations.setting import PERIOD
from analysis_lib.results import Answer, Estimate, format_count, format_percent, format_range, format_value

if TYPE_CHECKING:
    from analysis_lib.relations.result import Relation

Say = Callable[["Relation"], str]


def _told(say: Say) -> Say:
    """The refusal, where nothing can be told."""

    @wraps(say)
    def guarded(one: Relation) -> str:
        return refused(one) if one.found is None else say(one)

    return guarded


def refused(one: Relation) -> str:
    """Why nothing can be told."""
    return f"What goes together with {_outcome(one)} cannot be told: {one.refusal}."


def _outcome(one: Relation) -> str:
    return lowered(one.setting.outcome.title)


def _unit(one: Relation) -> str:
    """One of what is compared."""
    return "market" if one.setting.by == "country" else one.setting.by.removesuffix("_id").replace("_", " ")


def effect(one: Relation, term: Term) -> Estimate:
    """Relative difference of the outcome with more of a term."""
    return regression.effect_of(one.found.fit, term.name)


def told(one: Relation, term: Term) -> str:
    """A term with its number: "10 % more active creators goes with … higher by 2.1 % (0.4 to 3.8)"."""
    found = effect(one, term)
    way, size_of = ("higher", found) if found.value > 0 else ("lower", found.scaled(-1.0))
    return f"{term.more} {term.title} goes with {_outcome(one)} {way} by {size_of.short}"


def whole(one: Relation) -> str:
    """What goes together, and the verdict."""
    return f"{headline(one)} {decision(one)}"


@_told
def headline(one: Relation) -> str:
    """The finding about the first regressor."""
    first = one.cells.terms[0]
    said = told(one, first)
    if not effect(one, first).excludes_zero:
        return f"Whether {_outcome(one)} goes together with {first.title} cannot be told: {said}{_alike(one)}."
    return f"{said[:1].upper()}{said[1:]}{_alike(one)}."


def _alike(one: Relation) -> str:
    """What is held alike."""
    held = []
    if one.setting.by in one.setting.fixed_effects:
        held.append(f"each {_unit(one)} held against itself")
    if PERIOD in one.setting.fixed_effects:
        held.append(f"what all share in a {one.setting.grain} taken out")
    if len(one.cells.terms) > 1:
        held.append("the other regressors alike")
    return f", {', '.join(held)}" if held else ""


@_told
def size(one: Relation) -> str:
    """The first difference in money, where the outcome is money."""
    if one.setting.outcome.unit != "usd":
        return f"{one.setting.outcome.title} is no amount of money: the difference is not told in money."
    mean = float(one.cells.frame["outcome"].mean())
    money = effect(one, one.cells.terms[0]).scaled(mean, "usd")
    return (
        f"Of {format_value(mean, 'usd')} a {one.setting.grain} in a {_unit(one)} on average, that is {money.short}: "
        "what goes together, not what a change would bring."
    )


@_told
def terms(one: Relation) -> str:
    """All regressors, those told from zero first."""
    used = [term for term in one.cells.terms if term.name in one.found.fit.solved.sample.names]
    sure = [told(one, term) for term in used if effect(one, term).excludes_zero]
    open_ones = [term.title for term in used if not effect(one, term).excludes_zero]
    said = f"{'; '.join(sure)}." if sure else "No regressor can be told from zero."
    rest = f" Cannot be told from zero: {', '.join(open_ones)}." if open_ones and sure else ""
    lost = [term.title for term in one.cells.terms if term not in used]
    gone = f" Left out, since what is held alike has all of it: {', '.join(lost)}." if lost else ""
    return f"{said[:1].upper()}{said[1:]}{rest}{gone}"


@_told
def basis(one: Relation) -> str:
    """What was looked at."""
    fit = one.found.fit
    used = fit.frame.iloc[fit.solved.sample.index]
    said = (
        f"{format_count(fit.n, 'cells')}, a {_unit(one)} by a market-local {one.setting.grain}: "
        f"{format_count(used[one.setting.by].nunique())} by {format_count(used[PERIOD].nunique())}, "
        f"{used[PERIOD].min():%-d %b %Y} to {used[PERIOD].max():%-d %b %Y}."
    )
    missing = len(one.cells.frame) - fit.n
    lost = f" {format_count(missing, 'cells')} are left out in which something is not defined or that say nothing."
    cut = f" {format_count(one.cells.unfinished, 'cells')} of periods that were not whole are left out."
    return f"{said}{lost if missing else ''}{cut if one.cells.unfinished else ''}"


@_told
def errors(one: Relation) -> str:
    """How errors are measured, and why."""
    fit = one.found.fit
    return f"Errors are {fit.variance}: {fit.reason}."


@_told
def curve(one: Relation) -> str:
    """The joint statement over all ways."""
    found, first = one.found.curve, one.cells.terms[0]
    n, values = len(found.frame), np.expm1(found.frame["value"])
    same, apart = round(found.share_same_sign * n), round(found.share_excluding_zero * n)
    seldom = "under 0.001" if found.pvalue < 0.001 else f"of {found.pvalue:.3f}"
    lost = f" {format_count(len(found.refused), 'more')} could not be estimated." if len(found.refused) else ""
    return (
        f"Over {format_count(n, 'ways')} to estimate it, {first.more} {first.title} goes with a difference of "
        f"{format_range(float(values.min()), float(values.max()), 'share')}, the middle one "
        f"{format_percent(float(values.median()))}; {same} have that sign, and the intervals of {apart} leave out 0. "
        f"Did they not go together at all, so far a middle one would have a chance {seldom}.{lost}"
    )


@_told
def influence(one: Relation) -> str:
    """Whether one unit decides."""
    found, unit = one.found.influence, _unit(one)
    if found is None:
        return f"With so few values of {unit} none can be left out."
    lost = found.frame.loc[found.frame["value"].isna(), "left_out"]
    if len(lost):
        return f"Without {lost.iloc[0]} nothing can be told: all of it hangs on that one {unit}."
    most = found.frame.loc[found.frame["change"].abs().idxmax()]
    without, with_all = float(np.expm1(most["value"])), effect(one, one.cells.terms[0]).value
    said = f"Without {most['left_out']} it would be {format_percent(without)} instead of {format_percent(with_all)}"
    return f"{said}: {'no single' if found.is_fine else 'one'} {unit} decides."


@_told
def checks(one: Relation) -> str:
    """What speaks against the regression."""
    said = one.found.diagnosis.text
    for term in one.cells.terms:
        said = said.replace(term.name, term.title)
    return said


def decision(one: Relation) -> str:
    """The verdict and the next step."""
    found = verdict.decide(one)
    return f"{found.text} {found.next_step}"


def rule(one: Relation) -> str:
    """The printed rule."""
    return verdict.RULE


def answer(one: Relation, source: str, grade: str) -> Answer:
    """The first screen of the page."""
    first, level = one.cells.terms[0], format_percent(one.setting.level, 0)
    return Answer(
        title=f"Does {_outcome(one)} go together with {first.title}?",
        headline=headline(one), number=one.estimate,
        number_of=f"{one.setting.outcome.title}, relative difference with {first.more} {first.title}, {level} interval",
        decision=verdict.decide(one), source=source, window=f"{one.cells.start:%-d %b %Y} to {one.cells.end:%-d %b %Y}",
        as_of=str(one.cells.end), counted=basis(one).rstrip(".") if one.found is not None else "no cells", grade=grade,
    )  # fmt: skip


SENTENCES = {
    "headline": headline, "size": size, "terms": terms, "basis": basis, "errors": errors, "curve": curve,
    "influence": influence, "checks": checks, "decision": decision, "rule": rule,
}  # fmt: skip
