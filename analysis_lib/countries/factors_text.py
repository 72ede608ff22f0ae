"""What a look at factors says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis_lib.causal import beyond_doubt
from analysis_lib.countries.market_panel import MARKETS
from analysis_lib.results import Answer, Decision, Estimate, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.countries.factors_result import CountryFactors
    from analysis_lib.countries.market_panel import Factor
    from analysis_lib.regression import Fit

#: Factors that somebody can move, who that is, and in which direction is better: what is only so is not a lever.
LEVERS = {
    "delivery_days": "Logistics lead", "payment_success_rate": "Payments lead", "active_creators": "Creator lead",
    "cod_share": "Payments lead", "card_share": "Payments lead",
}  # fmt: skip

RULE = (
    "Look into: a factor that somebody can move goes with the metric beyond doubt, all factors taken together (Holm),"
    " and belongs with a probability of at least one half when all models are averaged; of several, the one whose"
    " typical movement goes with most. Leave alone: there is none."
)


def named(fit: Fit, level: float) -> list[str]:
    """Terms that go with the metric beyond doubt, all tests held to the level together."""
    table = fit.coefficients
    return beyond_doubt(dict(zip(table["term"], table["pvalue"], strict=True)), level)


def sure(one: CountryFactors) -> list[Factor]:
    """Factors that go with the metric beyond doubt; the largest first."""
    found = named(one.fit, one.level)
    told = [factor for factor in one.panel.moving if factor.name in found]
    return sorted(told, key=lambda factor: -abs(one.typical(factor).value))


def pulled(one: CountryFactors) -> Factor | None:
    """The lever to pull first."""
    for factor in sure(one):
        if factor.name in LEVERS and one.average.inclusion.get(factor.name, 0.0) >= 0.5:
            return factor
    return None


def money(one: CountryFactors, factor: Factor) -> Estimate:
    """Dollars a month that one typical movement to the better goes with in all markets, if sales follow the metric."""
    typical = one.typical(factor)
    better = typical if typical.value > 0 else typical.scaled(-1.0)
    return better.scaled(sum(one.gmv.values()), "usd")


def _more(change: Estimate) -> str:
    """A relative change as more or less."""
    if change.value >= 0:
        return f"{change.short} higher"
    return f"{change.scaled(-1.0).short} lower"


def headline(one: CountryFactors) -> str:
    """What the metric goes with."""
    found, name, called = sure(one), one.panel.metric.title.lower(), one.panel.called
    if not found:
        return (
            f"Nothing that {one.panel.n_markets} {called.many} and {one.panel.n_months} {called.periods} show goes with"
            f" {name} beyond doubt once what {called.many} and {called.periods} have in common is taken away."
        )
    said = [f"{factor.title} ({_said(one, factor)})" for factor in found]
    return f"Within {called.many}, {name} goes with {' and '.join(said)}."


def _said(one: CountryFactors, factor: Factor) -> str:
    """A coefficient in words: per cent per day, per percentage point, or per ten per cent."""
    scale, step = step_of(one, factor.name)
    return f"{one.effect(factor.name).scaled(scale, 'share').short} with {step}"


def step_of(one: CountryFactors, name: str) -> tuple[float, str]:
    """By how much of a factor its slope is told, on the scale that is used, and that in words."""
    factor = next(factor for factor in one.panel.moving if factor.name == name)
    if factor.is_log:
        return 0.1, "ten per cent more"
    if factor.unit == "share":
        return 0.01, "one percentage point more"
    return 1.0, {"days": "one day more", "years": "one year more"}.get(factor.unit, "one more")


def effects(one: CountryFactors) -> str:
    """Every factor in words."""
    said = [f"{factor.title} {_said(one, factor)}" for factor in one.panel.moving]
    return f"All at once: {'; '.join(said)}. Errors: {one.fit.variance}, as there are {one.fit.reason}."


def cannot(one: CountryFactors) -> str:
    """What so few markets cannot tell."""
    called = one.panel.called
    still = [factor.title for factor in one.panel.factors if not factor.moves]
    names = ", ".join(still) or "none"
    return (
        f"Not to be told from {one.panel.n_markets} {called.many}: factors that hardly move, or move alike everywhere"
        f" ({names}). They may well be why one {called.one} is above another; but more things differ between"
        f" {called.many} than there are {called.many}, and any of them would do."
    )


def selection(one: CountryFactors) -> str:
    """Double lasso beside the joint regression."""
    if not one.lassos:
        return "There is one factor: nothing to select from."
    apart = [
        name for name, found in one.lassos.items()
        if not one.effect(name).ci_lower <= found.estimate.value <= one.effect(name).ci_upper
    ]  # fmt: skip
    if not apart:
        return "Selecting the other factors by double lasso moves no coefficient out of its interval."
    return (
        f"Selecting the other factors by double lasso moves {', '.join(apart)} out of the interval: do not lean on it."
    )


def averaging(one: CountryFactors) -> str:
    """Model averaging in words."""
    return (
        f"Averaged over all {2 ** len(one.panel.moving):,} models, with rows counted as {one.average.n:.0f} as those of"
        f" a {one.panel.called.one} go together: {one.average.text}"
    )


def by_market(one: CountryFactors) -> str:
    """The surest factor market by market."""
    if one.slopes is None:
        return f"Too few {one.panel.called.many} have a slope of their own."
    drawn, name, many = one.slopes.drawn, one.slopes.factor.replace("_", " "), one.panel.called.many
    if drawn.spread < 0.2 * abs(drawn.mean):
        return f"{many.capitalize()} do not differ in how the metric goes with {name} by more than chance makes them."
    low, high = drawn.value.argmin(), drawn.value.argmax()
    scale, step = step_of(one, one.slopes.factor)
    spread, least, most = (format_percent(value * scale) for value in (drawn.spread, *drawn.value[[low, high]]))
    return (
        f"How the metric goes with {name} differs between {many} by about {spread} ({step}): from {least} in"
        f" {one.slopes.markets[low]} to {most} in {one.slopes.markets[high]}, each drawn to the mean."
    )


def pooled(one: CountryFactors) -> str:
    """In which factors markets differ beyond doubt."""
    many = one.panel.called.many
    if not one.pooled:
        return f"Too few {many} have slopes of their own."
    apart = beyond_doubt({name: slopes.apart for name, slopes in one.pooled.items()}, one.level)
    if not apart:
        return (
            f"In none of {len(one.pooled)} factors do {many} differ by more than chance makes them: one number serves"
            " all."
        )
    named = " and ".join(name.replace("_", " ") for name in apart)
    return (
        f"{many.capitalize()} differ by more than chance makes them in how the metric goes with {named}: there the mean"
        " of all is no guide to one."
    )


def decide(one: CountryFactors) -> Decision:
    """Which lever to pull first."""
    factor = pulled(one)
    if one.panel.called != MARKETS:
        return Decision(
            "Leave alone", RULE, "It is nobody's lever here.", None, "Data science",
            "Read it beside what is published about the same data: it shows whether the method can be trusted.",
        )  # fmt: skip
    if factor is None:
        return Decision(
            "Leave alone", RULE, "No lever goes with it beyond doubt.", None, "Country leads",
            "Change one lever in some markets and not in others, chosen by lot, and compare.",
        )  # fmt: skip
    worth = money(one, factor)
    return Decision(
        "Look into", RULE,
        f"{factor.title.capitalize()} is a lever: with its typical movement within a market,"
        f" {one.panel.metric.title.lower()} is {_more(one.typical(factor))}.",
        worth, LEVERS[factor.name],
        "Move it in one market first, chosen by lot among the willing, and review it as a launch: what goes together"
        " need not be cause and effect.",
    )  # fmt: skip


def counted(one: CountryFactors) -> str:
    """Small print."""
    called = one.panel.called
    rows = f"{called.one}-{called.periods}"
    missing = (
        f" {format_count(one.panel.n_missing)} {rows} lack a value and are left out." if one.panel.n_missing else ""
    )
    reasons: dict[str, list[str]] = {}
    for name, why in one.panel.left_out.items():
        reasons.setdefault(why, []).append(name)
    left = "".join(f" Left out: {', '.join(names)} ({why})." for why, names in reasons.items())
    return f"Counted: {format_count(len(one.panel.frame))} {rows}, whole {called.periods} only.{missing}{left}"


def answer(one: CountryFactors) -> Answer:
    """The first screen."""
    factor = pulled(one) or (sure(one)[0] if sure(one) else None)
    months, called = one.panel.frame["month"], one.panel.called
    first, last = (month.strftime(called.written) for month in (months.min(), months.max()))
    of = "" if factor is None else f"of the metric, with a typical movement of {factor.title} within a {called.one}"
    return Answer(
        title=f"What does {one.panel.metric.title.lower()} go with, {called.one} by {called.one}?",
        headline=headline(one), number=None if factor is None else one.typical(factor), number_of=of,
        decision=decide(one), source=one.source, window=f"{first} to {last}", as_of=last, counted=counted(one),
        grade="",
    )  # fmt: skip


def decision(one: CountryFactors) -> str:
    """The verdict, the rule and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


SENTENCES: dict[str, Callable[[CountryFactors], str]] = {
    "headline": headline, "effects": effects, "cannot": cannot, "selection": selection, "averaging": averaging,
    "by_market": by_market,
    "pooled": pooled, "convergence": lambda one: one.convergence.text, "decision": decision, "counted": counted,
}  # fmt: skip
