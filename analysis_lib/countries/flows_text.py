"""What an account of flows says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.flows_moves import largest_move, units_abroad
from analysis_lib.countries.flows_verdict import RULE, decide
from analysis_lib.countries.gravity_cells import RETURN_DAYS, sides
from analysis_lib.countries.gravity_panel import currency_changes, sells_both_ways
from analysis_lib.results import Answer, format_count, format_percent, format_value, listed

if TYPE_CHECKING:
    from analysis_lib.countries.flows_result import CountryFlows

#: What could not be told, in words.
PARTS = {
    "border": "the border", "units": "what currencies and delivery do to units", "gmv_usd": "what they do to sales",
    "currency": "currencies", "delivery": "delivery", "returns": "returns by days of delivery",
    "expected": "what each market should buy abroad",
}  # fmt: skip


def window(one: CountryFlows) -> str:
    """The months in words."""
    first, last = one.cells.months[0], one.cells.months[-1]
    return f"{first:%b %Y} to {last:%b %Y}" if first != last else f"{first:%b %Y}"


def share_abroad(one: CountryFlows) -> float:
    """Share of all sales that is of merchants abroad."""
    money = sides(one.cells).groupby("is_abroad")["gmv_usd"].sum()
    return float(money.get(True, 0.0) / money.sum())


def headline(one: CountryFlows) -> str:
    """Share from abroad, the border, and what a currency does."""
    said = f"{format_percent(share_abroad(one), 0)} of sales are of merchants abroad."
    ratio, units = one.border_ratio(), one.currency()
    if ratio is not None:
        who = "an origin sells at home" if one.is_structural else "merchants at home sell"
        said += f" In the same market and month, {who} {ratio.short} as much as {_other_side(one)}."
    if units is not None:
        said += f" When a currency loses a tenth, units bought abroad change by {units.short} against those at home."
    return said


def _other_side(one: CountryFlows) -> str:
    return "its size lets expect abroad" if one.is_structural else "equally many merchants abroad"


def _abroad(one: CountryFlows) -> str:
    return "what size lets expect abroad" if one.is_structural else "equally many merchants abroad, in the same market"


def who_sells(one: CountryFlows) -> str:
    """Flows that never were."""
    sold = one.matrix.assign(trades=lambda f: f["gmv_usd"].fillna(1.0) > 0)
    pairs, trading = len(sold), int(sold["trades"].sum())
    both = sells_both_ways(one.cells.flows)
    abroad = set(sold.loc[sold["trades"] & (sold["origin"] != sold["country"]), "origin"])
    alone = [code for code in one.cells.origins if code not in abroad]
    said = (
        f"Of {format_count(pairs)} pairs of an origin and a market, {format_count(trading)} trade. Merchants of"
        f" {listed(sorted(abroad))} sell abroad; those of {format_count(len(alone))} other origins at home only."
    )
    if not both:
        return f"{said} No origin sells both at home and abroad, so none can be held against itself across its border."
    return f"{said} {listed(both)} sell both at home and abroad."


def border(one: CountryFlows) -> str:
    """What a border costs, and what the number is."""
    ratio = one.border_ratio()
    if ratio is None:
        return f"The border is not told: {one.refused['border']}"
    if one.is_structural:
        return (
            f"An origin sells {ratio.short} as much at home as its size and the market let expect abroad, with effects"
            " of every origin and every market in every month."
        )
    size = one.border.values["log_merchants"]
    return (
        f"In the same market and month, merchants at home sell {ratio.short} as much as equally many abroad. Sales of"
        f" an origin grow with the number of its merchants to the power {size.short}. A merchant abroad serves all"
        " markets at once, so this is how unlike the two are, not what would be gained without the border."
    )


def currency(one: CountryFlows) -> str:
    """What a currency does to units, and what to their value in USD."""
    units, money = one.currency("units"), one.currency("gmv_usd")
    if units is None or money is None:
        return f"Currencies are not told: {one.refused.get('currency') or one.refused.get('units', 'no rates')}"
    why = ": prices at home, set in the market's currency, fall with it in dollars" if money.ci_lower > 0 else ""
    sure = "fewer are bought" if units.value < 0 else "more are bought"
    moved = sure if units.excludes_zero else "whether more or fewer are bought is not known"
    return (
        "When a market's currency loses a tenth against the dollar, units bought abroad change by"
        f" {units.short} against units bought at home; {moved}. In USD the ratio of abroad to home changes by"
        f" {money.short}{why}."
    )


def move(one: CountryFlows) -> str:
    """The largest loss of a currency, and units from abroad around it."""
    found = largest_move(one.cells)
    if found is None:
        return "No currency fell by 5 % or more within a month."
    before, after, gap = units_abroad(one.cells, found, one.level)
    return (
        f"The largest fall was in {one.markets[found.country]}: {format_percent(found.change)} from"
        f" {found.before:%B %Y} to {found.after:%B %Y}. In the three months up to it {format_percent(before)} of units"
        f" there came from abroad, in the three from it on {format_percent(after)}: a difference of {gap.short}."
    )


def delivery(one: CountryFlows) -> str:
    """Days from abroad and at home, and what they do."""
    sums = sides(one.cells).groupby("is_abroad")[["delivery_days", "n_delivered"]].sum()
    days = sums["delivery_days"] / sums["n_delivered"].where(sums["n_delivered"] > 0)
    far, near = (format_value(days.get(side, np.nan)) for side in (True, False))
    said = f"Parcels from abroad take {far} days, those at home {near}."
    units = one.delivery()
    if units is None:
        return (
            f"{said} What they do to sales is not told: {one.refused.get('delivery') or one.refused.get('units', '')}"
        )
    known = "" if units.excludes_zero else " The interval holds both gains and losses."
    return (
        f"{said} When delivery takes a tenth more days, units bought abroad change by {units.short} against those at"
        f" home.{known}"
    )


def returns(one: CountryFlows) -> str:
    """Returns by days of delivery."""
    slope = one.levers.per_day
    if slope is None:
        return f"Returns by days of delivery are not told: {one.levers.why}"
    return (
        f"Of parcels from abroad that took a day longer, {_in_points(slope)} more came back, among those of one"
        " origin, market and category."
    )


def _in_points(one) -> str:
    return one.scaled(1.0, "pp").short


def shipping(one: CountryFlows) -> str:
    """What buyers pay for shipping; why it is no lever here."""
    sums = sides(one.cells).groupby("is_abroad")[["shipping_usd", "gmv_usd"]].sum()
    share = sums["shipping_usd"] / sums["gmv_usd"]
    at_home = format_percent(float(share.get(False, np.nan)))
    return (
        f"Buyers pay {format_percent(float(share.get(True, np.nan)))} of the price for shipping from abroad and"
        f" {at_home} at home. What it does to sales is not told: shipping goes with the size of an order, and no rule"
        " changed it for one side alone."
    )


def expected(one: CountryFlows) -> str:
    """Markets outside of what the others let expect."""
    if one.expected.empty:
        return f"What each market should buy abroad is not told: {one.refused.get('expected', 'too few markets')}"
    frame = one.expected
    outside = frame[(frame["residual_ci_lower"] > 0) | (frame["residual_ci_upper"] < 0)]
    furthest = frame.loc[frame["residual"].abs().idxmax()]
    said = (
        f"{one.markets[furthest['country']]} is furthest from what the others let expect:"
        f" {format_percent(furthest['rel_abroad'], 0)} of its sales are from abroad, expected"
        f" {format_percent(furthest['expected'], 0)} ({format_percent(furthest['expected_ci_lower'], 0)} to"
        f" {format_percent(furthest['expected_ci_upper'], 0)})."
    )
    by_chance = format_value(len(frame) * (1 - one.level))
    if outside.empty:
        return (
            f"{said} No market is outside; of {len(frame)} markets that differ by chance, about {by_chance} would be."
        )
    named = listed([one.markets[code] for code in outside["country"]])
    return f"{said} Outside: {named}; of {len(frame)} markets that differ by chance, about {by_chance} would be."


def worth(one: CountryFlows) -> str:
    """What faster delivery is worth where it is slow."""
    table = one.levers.worth
    if table.empty:
        return "No market waits longer for parcels from abroad than its peers."
    from analysis_lib.countries.flows_verdict import worth_of

    row = table.iloc[0]
    name = one.markets[row["country"]]
    said = (
        f"Parcels from abroad take {format_value(row['days'])} days to reach {name}, against"
        f" {format_value(row['peer_days'])} in {_among(row['peers'])}."
    )
    saved, total = worth_of(one, 0, "returns"), worth_of(one, 0, "total")
    if saved is not None:
        said += f" At that level, {saved.short} a month would not be returned"
        said += "." if total is None else f"; with what demand may add, {total.short} a month."
    return said


def _among(peers: str) -> str:
    return f"the other markets of {peers}" if not peers.startswith("all") else peers


def corrected(one: CountryFlows) -> str:
    """How intervals are made, and what the usual ones would say."""
    found = one.changes.get("units") or one.border
    if found is None:
        return f"No regression could be fitted: {'; '.join(one.refused.values())}"
    term = next(iter(found.values))
    usual, own = (getattr(found, name)[term].se for name in ("plain", "values"))
    return (
        f"Intervals come from leaving out one of {found.n_clusters} markets at a time, with all effects fitted anew,"
        f" and Student's t. Of what is told first of them, the standard error is {format_value(own / usual)} times the"
        " usual one, clustered by pair."
    )


def limits(one: CountryFlows) -> str:
    """What the data do not hold."""
    changed = currency_changes(one.cells.rates)
    said = "Duties, taxes at the border and the merchants' own currencies are not in the data."
    for code, names in changed.items():
        said += f" {one.markets[code]} changed from {' to '.join(names)}: its pairs begin anew with the new one."
    if one.refused:
        said += " Not told: " + "; ".join(f"{PARTS.get(n, n)} ({why})" for n, why in one.refused.items()) + "."
    return said


def counted(one: CountryFlows) -> str:
    """Small print."""
    lost = one.cells.n_unplaced
    lines = f" {format_count(lost)} order lines without a merchant's home or a rate are left out." if lost else ""
    return (
        "Counted: all orders placed, cancelled ones included, in USD at the day's rate, whole calendar months of"
        f" market-local days. Abroad: the merchant's home is another market. Returns: of lines delivered {RETURN_DAYS}"
        f" days or more before the data end.{lines}"
    )


def decision(one: CountryFlows) -> str:
    """The verdict and the next step."""
    found = decide(one)
    return f"{found.text} Next step ({found.owner}): {found.next_step}"


def answer(one: CountryFlows, grade: str) -> Answer:
    """The first screen."""
    return Answer(
        title=f"What holds back trade between markets? ({window(one)})", headline=headline(one),
        number=one.border_ratio(),
        number_of=f"sold at home, for each 1 of {_abroad(one)}, {format_percent(one.level, 0)} interval",
        decision=decide(one), source=one.source, window=window(one), as_of=str(one.cells.last_day),
        counted=counted(one), grade=grade or corrected(one),
    )  # fmt: skip


SENTENCES: dict[str, Callable[[CountryFlows], str]] = {
    "headline": headline, "who_sells": who_sells, "border": border, "currency": currency, "move": move,
    "delivery": delivery, "returns": returns, "shipping": shipping, "expected": expected, "worth": worth,
    "corrected": corrected, "limits": limits, "counted": counted, "decision": decision, "rule": lambda _: RULE,
}  # fmt: skip
