"""Tests in a market in which arms take from each other, in words, and the rule that chooses one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.results import Answer, Decision, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.experiments.interference_result import Interference

OWNER = "Those who plan the tests"

#: Names of tests as ``interfering.WAYS`` has them.
USERS, OFFERS, STEADY = "among users", "among offers", "both sides, from choices to the steady state"
PLAIN, MIXED = "both sides, plain difference", "both sides, interpolated"

PER_1000 = "orders_per_1,000_users"

#: Bias up to which an ordinary test is good enough.
GOOD_ENOUGH = 0.05

RULE = (
    "Run the ordinary test whose bias is at most"
    f" {format_percent(GOOD_ENOUGH, 0)} of the effect in a market like this: among users where offers are plenty, among"
    " offers where they are scarce. Randomise both sides where neither is. Where arms draw on one budget that runs out,"
    " give each arm its own part."
)


def headline(one: Interference) -> str:
    """How wrong the ordinary tests are here."""
    users, offers, steady = (one.off(name) for name in (USERS, OFFERS, STEADY))
    return (
        f"With {_visits(one.balance)} per offer and stay, a test among users is off by {format_percent(users, 0)} of"
        f" the effect and one among offers by {format_percent(offers, 0)}; randomising both sides brings that down to"
        f" {format_percent(abs(steady))}."
    )


def _number(value: float) -> str:
    return f"{value:.2g}"


def _visits(balance: float) -> str:
    return "one visit" if balance == 1 else f"{_number(balance)} visits"


def ordinary(one: Interference) -> str:
    """Why the ordinary tests are wrong."""
    return (
        f"The feature makes offers {format_percent(one.lift - 1, 0)} more attractive. For everybody that is"
        f" {format_percent(one.truth)} more bookings, as offers that are taken cannot be taken again:"
        f" {_told(one, USERS)}, because treated users take offers that the others would have had;"
        f" {_told(one, OFFERS)}, because treated offers take users."
    )


def _told(one: Interference, way: str) -> str:
    found = one.ways[way]
    return f"a test {way} cannot be read" if found is None else f"a test {way} says {found.short}"


def two_sided(one: Interference) -> str:
    """What randomising both sides brings."""
    return (
        "Both sides are randomised, and only a treated user at a treated offer gets the feature. The plain difference"
        f" is still off by {format_percent(one.off(PLAIN), 0)}; the interpolation of Johari and others, with the shares"
        f" it asks for, by {format_percent(one.off(MIXED), 0)}. The last way asks what the bookings say of the choices"
        f" themselves, given what was free, and solves for the steady state: {_said(one, STEADY)}, where the truth is"
        f" {format_percent(one.truth)}."
    )


def _said(one: Interference, way: str) -> str:
    found = one.ways[way]
    return "it cannot be read here" if found is None else f"it says {found.short}"


def curve(one: Interference) -> str:
    """How the bias depends on the balance."""
    low, high = one.curve.iloc[0], one.curve.iloc[-1]
    return (
        f"A test among users is right where offers wait for users (off by {format_percent(low[USERS], 0)} at"
        f" {_number(low['balance'])} visits per offer and stay) and says {_number(1 + high[USERS])} times the truth"
        f" where users wait for offers; a test among offers is the other way round ({format_percent(low[OFFERS], 0)}"
        f" and {format_percent(high[OFFERS], 0)})."
    )


def budget(one: Interference) -> str:
    """What sharing a budget does to a test."""
    shared, split = one.budget["shared"], one.budget["split"]
    return (
        f"Reminding everybody brings {format_value(1000 * one.budget_truth, PER_1000)} under the same budget of"
        f" {format_value(one.budget_usd, 'usd')} per user. The test with one budget for both arms says"
        f" {shared.effect.scaled(1000, PER_1000).short}: the reminded empty it for the others. With a part of it for"
        f" each arm it says {split.effect.scaled(1000, PER_1000).short}."
    )


def limits(one: Interference) -> str:
    """What the steady state takes for granted."""
    return (
        "The way from choices to the steady state takes for granted that users choose among what is free in proportion"
        " to attraction, that the market is in its steady state, and that the time an offer is taken is known: a stay"
        " that is 10 % too short makes the effect 1 % too large at one visit per offer and stay, and 18 % at ten. The"
        " more unlike users and offers are, the more it overstates: up to 4 % where the logarithm of attraction has a"
        f" standard deviation of 0.5, up to 15 % at 1. Here that is {_number(one.spread)}, and the bias"
        f" {format_percent(one.off(STEADY))}."
    )


def decision(one: Interference) -> str:
    """Which test to run, and the rule."""
    found = decide(one)
    return f"{found.text} {found.next_step} The rule: {found.rule}"


def decide(one: Interference) -> Decision:
    """Which test to run."""
    users, offers = one.off(USERS), one.off(OFFERS)
    if min(abs(users), abs(offers)) <= GOOD_ENOUGH:
        which = USERS if abs(users) <= abs(offers) else OFFERS
        reason = f"A test {which} is off by {format_percent(abs(min(users, offers, key=abs)))} of the effect only."
        step = f"Plan it as any test {which}."
    else:
        reason = (
            f"Both ordinary tests are off by more than {format_percent(GOOD_ENOUGH, 0)} of the effect"
            f" ({format_percent(users, 0)} and {format_percent(offers, 0)})."
        )
        step = "Randomise users and offers, half of each, and record how long an offer is taken."
    gone = one.budget["shared"].rel_ran_out_treated
    if gone > 0:
        step += f" Split the coupon budget: one budget runs out in {format_percent(gone, 0)} of the blocks."
    return Decision("Run", RULE, reason, None, OWNER, step)


def answer(one: Interference, grade: str) -> Answer:
    """The first screen of the page."""
    number = one.ways[STEADY]
    return Answer(
        title="What would it bring to all, when arms take from each other?",
        headline=headline(one),
        number=number,
        number_of=f"bookings, if all had the feature; the truth is {format_percent(one.truth)}",
        decision=decide(one),
        source="simulated here",
        window=f"{_visits(one.balance)} per offer and stay",
        as_of=f"day {one.days:.0f} of the simulation",
        counted=(
            "Each test counts 300,000 visits to 1,000 offers, after the market has settled. Intervals allow for the"
            " visits of a user, and those to an offer, being alike."
        ),
        grade=grade,
    )


SENTENCES = {
    "headline": headline, "ordinary": ordinary, "two_sided": two_sided, "curve": curve, "budget": budget,
    "limits": limits, "decision": decision,
}  # fmt: skip
