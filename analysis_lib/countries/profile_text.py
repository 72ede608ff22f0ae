"""What a market's profile says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.countries.gaps import FUNNEL, Step
from analysis_lib.results import Answer, Decision, format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.countries.profile_result import CountryProfile

RULE = (
    "Look into: at some step the market lies behind the median of its peers beyond doubt, all steps taken together; of"
    " several the one worth most a month. Cannot tell: it lies behind somewhere, but chance may make that. Leave alone:"
    " it lies behind nowhere."
)


def headline(one: CountryProfile) -> str:
    """Sales, growth, and where it stands."""
    place = one.cells.markets.index(one.country)
    month = float(one.cells.values["gmv"][:, place].sum()) * 30.0 / one.cells.n_days
    behind = sum(one.gaps.worth[step.name].value > 0 for step in FUNNEL)
    grown = "" if one.growth is None else f", {one.growth.organic(one.country).short} more than a year before by itself"
    return (
        f"{one.name} sells {format_value(month, 'usd', spread=month / 10)} a month{grown}; at {behind} of"
        f" {len(FUNNEL)} steps from a visit to an order it lies behind its peers."
    )


def decide(one: CountryProfile) -> Decision:
    """What to do first."""
    if not one.actions:
        return Decision("Leave alone", RULE, "It lies behind its peers at no step.", None, "Country lead",
                        "Ask what peers could learn from it.")  # fmt: skip
    step = one.actions[0]
    worth = one.gaps.worth[step.name]
    if not one.gaps.sure[step.name]:
        return Decision(
            "Cannot tell", RULE, f"The largest gap ({step.title}) may be chance: {worth.short} a month.", worth,
            step.owner, "Look again with more weeks: shopbook run country_profile -p weeks=26.",
        )  # fmt: skip
    return Decision("Look into", RULE, _behind(one, step), worth, step.owner, f"{step.advice.capitalize()}; test it.")


def _behind(one: CountryProfile, step: Step) -> str:
    own, peers = one.gaps.rates[step.name], one.gaps.levels[step.name]
    theirs = format_value(peers, step.unit, spread=own.ci_upper - own.ci_lower)
    return (
        f"{step.title.capitalize()}: {own.short} against {theirs} at the median of its peers; at their level it would"
        f" sell {one.gaps.worth[step.name].short} more a month."
    )


def actions(one: CountryProfile) -> str:
    """Up to three, with money and owner."""
    if not one.actions:
        return "There is nothing at which it lies behind its peers."
    said = []
    for number, step in enumerate(one.actions, start=1):
        sure = "" if one.gaps.sure[step.name] else " (may be chance)"
        said.append(f"{number}. {step.owner}: {step.advice}; worth {one.gaps.worth[step.name].short} a month{sure}.")
    warning = "Peers may be ahead for reasons that cannot be copied: each is a place to look, then a test."
    return f"{' '.join(said)} {warning}"


def funnel(one: CountryProfile) -> str:
    """Ahead and behind."""
    kinds = {"ahead": [], "behind": []}
    for step in FUNNEL:
        kinds["behind" if one.gaps.worth[step.name].value > 0 else "ahead"].append(step.title)
    said = [f"{kind} in {', '.join(names)}" for kind, names in kinds.items() if names]
    return f"Beside its peers {one.name} is {' and '.join(said)}."


def growth(one: CountryProfile) -> str:
    """What growth was made of."""
    return f"Growth is not told: {one.refusal}." if one.growth is None else one.growth.sentence("bridge")


def season(one: CountryProfile) -> str:
    """The best and the worst month."""
    own = one.months[one.months["country"] == one.country].set_index("month")["gmv"].astype(float)
    if len(own) < 13:
        return "Less than a year and a month of whole months: its season cannot be told."
    level = own.rolling(12, center=True, min_periods=6).mean()
    index = own / level
    best, worst = index.idxmax(), index.idxmin()
    return (
        f"Against the year around it, its best month was {best:%B %Y} ({format_percent(index[best] - 1, 0)} above), its"
        f" worst {worst:%B %Y} ({format_percent(1 - index[worst], 0)} below)."
    )


def payment(one: CountryProfile) -> str:
    """How buyers pay, what comes back, and how long goods take."""
    own = one.payments[one.payments["country"] == one.country].sort_values("share", ascending=False)
    ways = zip(own["payment_method"].head(3), own["share"].head(3), strict=True)
    said = [f"{name.replace('_', ' ')} {format_percent(share, 0)}" for name, share in ways]
    success, days = one.gaps.rates["payment_success"], one.gaps.rates["delivery"]
    return (
        f"Orders are paid by {', '.join(said)}; {success.short} of payments tried succeed (peers"
        f" {format_percent(one.gaps.levels['payment_success'])}). Delivery takes {days.value:.1f} days (peers"
        f" {one.gaps.levels['delivery']:.1f})."
    )


def creators(one: CountryProfile) -> str:
    """How few sell how much."""
    table = one.creators.set_index("country")
    if one.country not in table.index or table.loc[one.country, "n_creators"] < PRIVACY_THRESHOLD:
        return f"Fewer than {PRIVACY_THRESHOLD} creators sold something."
    own = table.loc[one.country]
    peers = table["share"].reindex(one.peers.codes).median()
    return (
        f"{format_count(own['n_creators'])} creators sold something; the ten largest made"
        f" {format_percent(own['share'], 0)} of what is sold through creators (median of its peers"
        f" {format_percent(peers, 0)})."
    )


def counted(one: CountryProfile) -> str:
    """Small print."""
    return (
        f"Counted: days of users from {one.cells.first:%-d %b %Y} to {one.cells.last:%-d %b %Y}, market-local; a step"
        " is a share of the days with the step before. Money in USD, cancelled orders included."
    )


def answer(one: CountryProfile) -> Answer:
    """The first screen."""
    grown = one.growth
    return Answer(
        title=f"How does {one.name} stand beside its peers?", headline=headline(one),
        number=None if grown is None else grown.organic(one.country),
        number_of=f"organic growth in constant currency, {format_percent(one.level, 0)} interval",
        decision=decide(one), source=one.source,
        window=f"{one.cells.first:%-d %b %Y} to {one.cells.last:%-d %b %Y}", as_of=str(one.cells.last),
        counted=counted(one), grade="Gaps hold the other steps as they are; intervals are over users.",
    )  # fmt: skip


def decision(one: CountryProfile) -> str:
    """The verdict, the rule and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


SENTENCES: dict[str, Callable[[CountryProfile], str]] = {
    "headline": headline, "actions": actions, "funnel": funnel, "growth": growth, "season": season,
    "payment": payment,
    "creators": creators, "counted": counted, "decision": decision, "peers": lambda one: one.peers.text,
}  # fmt: skip
