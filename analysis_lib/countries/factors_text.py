"""What a look at factors says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis_lib.causal import beyond_doubt
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
    found, name = sure(one), one.panel.metric.title.lower()
    if not found:
        return (
            f"Nothing that {one.panel.n_markets} markets and {one.panel.n_months} months show goes with {name} beyond"
            " doubt once what markets and months have in common is taken away."
        )
    said = [f"{factor.title} ({_said(one, factor)})" for factor in found]
    return f"Within markets, {name} goes with {' and '.join(said)}."


def _said(one: CountryFactors, factor: Factor) -> str:
    """A coefficient in words: per cent per day, per percentage point, or per ten per cent."""
    effect = one.effect(factor.name)
    if factor.is_log:
        return f"{effect.scaled(0.1, 'share').short} with ten per cent more"
    if factor.unit == "share":
        return f"{effect.scaled(0.01, 'share').short} with one percentage point more"
    one_more = {"days": "one day more"}.get(factor.unit, "one more")
    return f"{effect.scaled(1.0, 'share').short} with {one_more}"


def effects(one: CountryFactors) -> str:
    """Every factor in words."""
    said = [f"{factor.title} {_said(one, factor)}" for factor in one.panel.moving]
    return f"All at once: {'; '.join(said)}. Errors: {one.fit.variance}, as there are {one.fit.reason}."


def cannot(one: CountryFactors) -> str:
    """What so few markets cannot tell."""
    still = [factor.title for factor in one.panel.factors if not factor.moves]
    names = ", ".join(still) or "none"
    return (
        f"Not to be told from {one.panel.n_markets} markets: factors that hardly move, or move alike everywhere"
        f" ({names}). They may well be why one market is larger than another; but more things differ between markets"
        " than there are markets, and any of them would do."
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
        f" a market go together: {one.average.text}"
    )


def by_market(one: CountryFactors) -> str:
    """The surest factor market by market."""
    if one.slopes is None:
        return "Too few markets have a slope of their own."
    drawn, name = one.slopes.drawn, one.slopes.factor.replace("_", " ")
    if drawn.spread < 0.2 * abs(drawn.mean):
        return f"Markets do not differ in how the metric goes with {name} by more than chance makes them."
    low, high = drawn.value.argmin(), drawn.value.argmax()
    return (
        f"How the metric goes with {name} differs between markets by about {format_percent(drawn.spread)} a unit: from"
        f" {format_percent(drawn.value[low])} in {one.slopes.markets[low]} to {format_percent(drawn.value[high])} in"
        f" {one.slopes.markets[high]}, each drawn to the mean."
    )


def decide(one: CountryFactors) -> Decision:
    """Which lever to pull first."""
    factor = pulled(one)
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
    missing = (
        f" {format_count(one.panel.n_missing)} market-months lack a value and are left out."
        if one.panel.n_missing
        else ""
    )
    left = "".join(f" {name} is left out: {why}." for name, why in one.panel.left_out.items())
    return f"Counted: {format_count(len(one.panel.frame))} market-months, whole months only.{missing}{left}"


def answer(one: CountryFactors) -> Answer:
    """The first screen."""
    factor = pulled(one) or (sure(one)[0] if sure(one) else None)
    months = one.panel.frame["month"]
    return Answer(
        title=f"What does {one.panel.metric.title.lower()} go with, market by market?", headline=headline(one),
        number=None if factor is None else one.typical(factor),
        number_of="" if factor is None else f"of the metric, with a typical movement of {factor.title} within a market",
        decision=decide(one), source=one.source, window=f"{months.min():%b %Y} to {months.max():%b %Y}",
        as_of=f"{months.max():%B %Y}", counted=counted(one), grade="",
    )  # fmt: skip


def decision(one: CountryFactors) -> str:
    """The verdict, the rule and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


SENTENCES: dict[str, Callable[[CountryFactors], str]] = {
    "headline": headline, "effects": effects, "cannot": cannot, "selection": selection, "averaging": averaging,
    "by_market": by_market, "convergence": lambda one: one.convergence.text, "decision": decision, "counted": counted,
}  # fmt: skip
