"""What a look at effects by market says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.results import Answer, Decision, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.effects_result import EffectsAcross

#: Markets are said to differ when the test of all of them together is below this.
ALPHA = 0.05

RULE = (
    "Of the markets that do not have it yet. Ship: a gain above zero beyond doubt, with a factor inside what was"
    " tested; of several the one with the largest. Run: there is none such, but in some market that did not run the"
    " test (any, if all did) a gain is likelier than a loss; a test where most is expected, inside what was tested if"
    " there is such a market. Hold: nowhere. Cannot tell: the experiment did not pass its own checks."
)


def candidates(one: EffectsAcross) -> pd.DataFrame:
    """Markets that may get it, the largest gain first."""
    ranked = one.ranked
    return ranked[~ranked["country"].isin(one.live)].reset_index(drop=True)


def to_test(one: EffectsAcross) -> Any:
    """The market in which to test it next, as a row of the table: one that did not run it, if there is any.

    A line that is extrapolated promises most where it is drawn furthest: markets inside what was tested come first.
    """
    rows = list(candidates(one).itertuples())
    new = [row for row in rows if not row.ran] or rows
    return ([row for row in new if not row.beyond and better(one, row) > 0.5] or new)[0]


def better(one: EffectsAcross, row: Any) -> float:
    """Probability that a market gains."""
    return float(row.above_zero if one.sign > 0 else 1 - row.above_zero)


def is_sure(one: EffectsAcross, row: Any) -> bool:
    """Whether a gain is beyond doubt, and no extrapolation."""
    clear = row.effect_ci_lower > 0 if one.sign > 0 else row.effect_ci_upper < 0
    priced = not one.is_priced or row.gain_ci_lower > 0
    return bool(clear and priced and not row.beyond)


def chosen(one: EffectsAcross) -> Any:
    """The market that the decision is about, as a row of the table."""
    sure = [row for row in candidates(one).itertuples() if is_sure(one, row)]
    return sure[0] if sure else to_test(one)


def _worth(one: EffectsAcross, row: Any) -> str:
    """Effect, and money where there is some."""
    effect = f"{one.metric.title.lower()} {one.estimate(row.country).short}"
    money = one.gain(row.country)
    return effect if money is None or not np.isfinite(money.value) else f"{money.short} a month ({effect})"


def headline(one: EffectsAcross) -> str:
    """Where it would bring most."""
    if not one.passed:
        return f"{one.experiment} did not pass its own checks: which market should get it cannot be told from it."
    row = chosen(one)
    if is_sure(one, row):
        how = "ran the test and gains" if row.ran else "did not run the test, but is expected to gain"
        return f"{row.name} {how} beyond doubt: {_worth(one, row)}."
    whose = "did not run the test" if not row.ran else "do not have it yet"
    return (
        f"No market gains beyond doubt; of those that {whose}, {row.name} is expected to gain most: {_worth(one, row)}."
    )


def decide(one: EffectsAcross) -> Decision:
    """Which market should get it next."""
    row, owner = chosen(one), "Country lead"
    worth = one.gain(row.country)
    worth = None if worth is None or not np.isfinite(worth.value) else worth
    if not one.passed:
        return Decision(
            "Cannot tell", RULE, f"{one.experiment} did not pass its own checks: no effect in it can be believed.",
            None, "Experiment owner", "Mend what its readout names, and run it again.",
        )  # fmt: skip
    if is_sure(one, row):
        held = "" if row.ran else ", and keep a tenth of users without it for four weeks"
        return Decision("Ship", RULE, f"{row.name} gains beyond doubt.", worth, owner,
                        f"Give it to {row.name}{held}.{_then(one, row)}")  # fmt: skip
    if better(one, row) > 0.5:
        return Decision("Run", RULE, _likely(one, row), worth, owner,
                        f"Run the test in {row.name} next, before it goes to all.")  # fmt: skip
    return Decision(
        "Hold", RULE, f"No market is likelier to gain than to lose; the best is {row.name}.", worth, owner,
        "Change the feature, or ask what the markets in which it does harm have in common.",
    )  # fmt: skip


def _then(one: EffectsAcross, first: Any) -> str:
    """Where to test after that, if anywhere."""
    row = to_test(one)
    if row.country == first.country or row.ran or better(one, row) <= 0.5:
        return ""
    return f" Then run the test in {row.name}, the most promising of those that did not run it: {_worth(one, row)}."


def _likely(one: EffectsAcross, row: Any) -> str:
    """Why a test, and not more."""
    beyond = f"; its {one.moderator.title} lies outside what was tested" if row.beyond else ""
    return (
        f"{row.name}: a gain is likelier than a loss ({format_percent(better(one, row), 0)}), but a loss is possible"
        f" too{beyond}."
    )


def slope(one: EffectsAcross) -> str:
    """What the effect goes with."""
    found = one.slope
    if found is None:
        return f"With what the effect goes is not told: {one.refusal}. Every market is drawn to the mean of all."
    _, where = one.moderator.step
    word = "higher" if found.value >= 0 else "lower"
    size = found if found.value >= 0 else found.scaled(-1.0)
    told = (
        "" if found.excludes_zero else " The interval holds zero: with so few markets that it goes with nothing is"
        " possible too."
    )  # fmt: skip
    return f"The effect is {size.short} {word} {where} ({one.n_ran} markets, {one.fit.df} degrees of freedom).{told}"


def differ(one: EffectsAcross) -> str:
    """Whether markets differ, and how much of it the factor leaves."""
    flat, spread = one.flat, format_percent(float(np.sqrt(one.flat.tau2)))
    if flat.tau2 == 0:
        said = f"Beyond chance the {one.n_ran} markets do not differ: what they show is no more apart than chance makes"
        return f"{said} it (p {flat.pvalue:.2f})."
    if flat.pvalue >= ALPHA:
        said = (
            f"That the effect is the same in all {one.n_ran} markets is possible (p {flat.pvalue:.2f}); the likeliest"
        )
        said = f"{said} spread of true effects is {spread}."
    else:
        said = f"The effect differs between the {one.n_ran} markets (p {flat.pvalue:.2g}): true effects spread by about"
        said = f"{said} {spread}."
    if one.refusal:
        return said
    left = f"about {format_percent(float(np.sqrt(one.fit.tau2)))}" if one.fit.tau2 > 0 else "nothing beyond chance"
    return f"{said} Around the line through {one.moderator.title} {left} is left."


def rule(one: EffectsAcross) -> str:
    """How the factor was chosen."""
    if not one.moderator.name:
        return "No factor was asked for."
    how = "was named by who ran this page" if one.moderator.is_asked else "is what the rule sets for this metric"
    return (
        f"The factor, {one.moderator.title}, {how}; it is the mean of the year before the test. Trying several factors"
        " and keeping the one that fits best would find a line where there is none: name another only for a reason that"
        " was there before."
    )


def beyond(one: EffectsAcross) -> str:
    """Markets that lie outside what was tested."""
    names = list(one.table.loc[one.table["beyond"].astype(bool), "name"])
    if one.refusal:
        return "Without a line no market lies outside it."
    if not names:
        return f"No market's {one.moderator.title} lies outside that of the markets that ran it."
    verb = "lies" if len(names) == 1 else "lie"
    return (
        f"{', '.join(names)} {verb} outside the {one.moderator.title} of the markets that ran it: there the line is"
        " extrapolated, and nothing is shipped on it."
    )


def prices(one: EffectsAcross) -> str:
    """How effects become money."""
    if not one.is_priced:
        return f"Sales do not go with {one.metric.title.lower()} one to one: the effect is not turned into money."
    low, high = min(one.base.share.values()), max(one.base.share.values())
    return (
        "Money is the effect times the sales of those who meet it, in 30 days like those of the test, as if sales went"
        f" with {one.metric.title.lower()} one to one. Those who met it made {format_percent(low, 0)} to"
        f" {format_percent(high, 0)} of a market's sales; elsewhere {format_percent(one.base.typical, 0)} is taken, and"
        " the interval is wider for it."
    )


def limits(one: EffectsAcross) -> str:
    """What cannot be told."""
    return (
        f"What goes with {one.moderator.title or 'the effect'} need not come from it: {one.n_ran} markets differ in"
        " more things than there are markets. The markets that ran it were not chosen by lot; another market may differ"
        " in a way that none of them does. An effect that wears off brings less than a month like those of the test."
    )


def decision(one: EffectsAcross) -> str:
    """The verdict, the rule and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


def _days(one: EffectsAcross) -> str:
    return f"{one.window[0]:%-d %b %Y} to {one.window[1]:%-d %b %Y}"


def counted(one: EffectsAcross) -> str:
    """Small print."""
    left = "".join(f" {code} is left out: {why}." for code, why in one.left_out.items())
    return (
        f"Counted: units of {one.experiment} from {_days(one)}, {one.variant} against control, each market by itself as"
        f" in its readout; {one.n_ran} markets ran it.{left}"
    )


def answer(one: EffectsAcross) -> Answer:
    """The first screen."""
    row = chosen(one)
    number = one.gain(row.country)
    if number is None or not np.isfinite(number.value):
        number = one.estimate(row.country)
    what = "a month" if number.unit == "usd" else f"change of {one.metric.title.lower()}"
    number = number if one.passed else None
    return Answer(
        title=f"Which market should get “{one.experiment}” next?", headline=headline(one), number=number,
        number_of=f"{what} in {row.name}, {format_percent(one.level, 0)} interval", decision=decide(one),
        source=one.source, window=_days(one), as_of=f"{one.data_end:%-d %B %Y}", counted=counted(one), grade="",
    )  # fmt: skip


SENTENCES: dict[str, Callable[[EffectsAcross], str]] = {
    "headline": headline, "slope": slope, "differ": differ, "rule": rule, "beyond": beyond, "prices": prices,
    "limits": limits, "decision": decision, "counted": counted,
}  # fmt: skip
