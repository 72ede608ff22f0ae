"""The printed rule: what of a relation is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.relations import sentences
from analysis_lib.results import Decision, format_percent

if TYPE_CHECKING:
    from analysis_lib.relations.result import Relation

OWNER = "Whoever owns the first regressor"

#: Share of all ways to estimate it that must have one sign.
STEADY = 0.9

RULE = (
    "Look into, if the interval of the first regressor leaves out zero, nine in ten of all ways to estimate it have the"
    " same sign, and no single unit decides. Leave alone, if the whole interval is smaller than what matters. Else"
    " nobody can tell. A relation is never a reason to ship: what moves both would show the same."
)


def decide(one: Relation) -> Decision:
    """The verdict."""
    if one.found is None:
        reason = f"{one.refusal[:1].upper()}{one.refusal[1:]}."
        return Decision(
            "Cannot tell", RULE, reason, None, OWNER, "Ask with more units or periods, or fewer regressors."
        )
    first, effect = one.cells.terms[0], one.estimate
    said = sentences.told(one, first)
    if max(abs(effect.ci_lower), abs(effect.ci_upper)) < one.setting.matters:
        reason = f"{said}: all of it is smaller than {format_percent(one.setting.matters, 0)}."
        return Decision("Leave alone", RULE, reason, None, OWNER, "Look for what moves it elsewhere.")
    against = _against(one)
    if against:
        return Decision("Cannot tell", RULE, f"{said}. {against}", None, OWNER, _more(one))
    step = f"Look for what moves both; a test by lot that changes {first.title} would tell."
    return Decision("Look into", RULE, f"{said}, in nearly all ways to estimate it.", None, OWNER, step)


def _against(one: Relation) -> str:
    """What forbids to take the relation as told; empty if nothing."""
    if not one.estimate.excludes_zero:
        return "The interval holds zero."
    if one.found.curve.share_same_sign < STEADY:
        return f"Only {format_percent(one.found.curve.share_same_sign, 0)} of all ways to estimate it have one sign."
    influence = one.found.influence
    if influence is not None and not influence.is_fine:
        return "One unit decides."
    return ""


def _more(one: Relation) -> str:
    if not one.estimate.excludes_zero:
        return "More periods, or regressors that vary more, would tell; a test by lot would tell more."
    return "Find out what the ways that disagree do differently, before acting on either."
