"""What a growth account says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis_lib.countries.growth_parts import NOT_ORGANIC, PARTS
from analysis_lib.results import Answer, Decision, Estimate, format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.countries.growth_result import CountryGrowth

#: What a part is called.
TITLES = {
    "users": "visitors", "conversion": "buyers per visitor", "frequency": "orders per buyer",
    "basket": "units per order", "mix": "mix of categories", "price": "price per unit", "discount": "discounts",
    "currency": "exchange rate", "assortment": "categories that came or went", "occasions": "festivals and campaigns",
}  # fmt: skip

#: Who can do something about a part; nobody about the rest.
OWNERS = {
    "users": "Growth lead", "conversion": "Product manager of the checkout", "frequency": "Retention lead",
    "basket": "Category lead", "mix": "Category lead", "price": "Pricing lead", "discount": "Pricing lead",
    "assortment": "Category lead",
}  # fmt: skip

RULE = (
    "Look into: a part that somebody can change took away sales in a market beyond doubt, all parts and markets taken"
    " together; of several the one that took most. Leave alone: there is none. What is compared is a year, so seasons"
    " are on both sides; a part says where growth came from, not what caused it."
)


def headline(one: CountryGrowth) -> str:
    """Growth with and without what is not the market's own, and the largest part of it."""
    organic, reported = one.organic(), one.reported()
    leading = max((name for name in PARTS if name not in NOT_ORGANIC), key=lambda name: one.part(name).value)
    return (
        f"Sales of {format_count(len(one.markets))} markets changed by {reported.short} in USD; without currency,"
        f" festivals and campaigns by {organic.short}, most of it by {TITLES[leading]} ({one.part(leading).short})."
    )


def losses(one: CountryGrowth) -> list[tuple[str, str, Estimate]]:
    """Parts that took away sales beyond doubt: market, part, USD; largest first.

    As many are looked at as there are markets and parts, so each must be surer: Bonferroni's correction.
    """
    from scipy.stats import t as student  # slow to import

    tries = len(one.markets) * len(OWNERS)
    found = []
    for code in one.markets:
        for name in OWNERS:
            money = one.part(name, code, relative=False)
            reach = student.ppf(1 - (1 - one.level) / 2 / tries, 255) * money.se
            if money.value + reach < 0:
                found.append((code, name, money))
    return sorted(found, key=lambda row: row[2].value)


def decide(one: CountryGrowth) -> Decision:
    """Where to look first."""
    found = losses(one)
    if not found:
        nothing = "No part took sales away in any market beyond doubt."
        return Decision("Leave alone", RULE, nothing, None, "Country leads", "Compare again next month.")
    code, name, money = found[0]
    others = f" {format_count(len(found) - 1)} more are in the table." if len(found) > 1 else ""
    took = f"{TITLES[name]} took away {money.scaled(-1.0).short} in {one.cells.n_days} days"
    return Decision(
        "Look into", RULE, f"In {one.markets[code]}, {took}.{others}",
        money.scaled(-30.0 / one.cells.n_days), OWNERS[name],
        f"Ask why with the metric page: shopbook run metric_change -p metric=gmv -p country={code}.",
    )  # fmt: skip


def answer(one: CountryGrowth) -> Answer:
    """The first screen."""
    return Answer(
        title=f"What are markets growing by? ({one.periods.text})", headline=headline(one), number=one.organic(),
        number_of=f"organic growth of all markets in constant currency, {format_percent(one.level, 0)} interval",
        decision=decide(one), source=one.source, window=one.periods.text, as_of=str(one.last_day), counted=counted(one),
        grade="The parts add up to the change of sales to the cent; intervals are over users, with days as they were.",
    )  # fmt: skip


def counted(one: CountryGrowth) -> str:
    """Small print."""
    lost = one.cells.n_unpriced
    lines = f" {format_count(lost)} order lines without a rate are left out." if lost else ""
    return (
        "Counted: all orders placed, cancelled ones included, in USD at the day's rate; market-local days. Ordinary"
        f" days have no shopping festival and no campaign of the market.{lines}"
    )


def ranking(one: CountryGrowth) -> str:
    """The fastest and the slowest market."""
    by_growth = sorted(one.markets, key=lambda code: one.organic(code).value)
    slow, fast = by_growth[0], by_growth[-1]
    gap = "" if one.organic(fast).ci_lower > one.organic(slow).ci_upper else " Their intervals overlap."
    return (
        f"{one.markets[fast]} grew fastest by itself ({one.organic(fast).short}), {one.markets[slow]} slowest"
        f" ({one.organic(slow).short}).{gap}"
    )


def bridge(one: CountryGrowth) -> str:
    """From the sales before to those after, in words."""
    before, after = (float(side[0].sum()) for side in (one.parts.before, one.parts.after))
    parts = sorted(PARTS, key=lambda name: -abs(one.part(name, relative=False).value))[:3]
    said = ", ".join(f"{TITLES[name]} {one.part(name, relative=False).short}" for name in parts)
    ends = [format_value(value, "usd", spread=abs(after - before)) for value in (before, after)]
    return f"From {ends[0]} to {ends[1]}: {said}; the other parts are smaller."


def currency(one: CountryGrowth) -> str:
    """Whom the exchange rate moved most."""
    code = max(one.markets, key=lambda name: abs(one.part("currency", name).value))
    moved = one.part("currency", code)
    if abs(moved.value) < 0.01:
        return "Exchange rates moved no market by one per cent or more."
    return (
        f"The exchange rate moved {one.markets[code]} most: {moved.short} of its sales before. Nobody there bought more"
        " or less for it, though growth in USD says so."
    )


def left_out(one: CountryGrowth) -> str:
    """Markets that cannot be told."""
    if not one.left_out:
        return "All markets asked for are told."
    return "Left out: " + "; ".join(f"{name}, as {why}" for name, why in one.left_out.items()) + "."


def decision(one: CountryGrowth) -> str:
    """The verdict and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


SENTENCES: dict[str, Callable[[CountryGrowth], str]] = {
    "headline": headline, "ranking": ranking, "bridge": bridge, "currency": currency, "left_out": left_out,
    "decision": decision, "counted": counted,
}  # fmt: skip
