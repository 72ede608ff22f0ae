"""Settings whose values are each of the right kind, and together make no world."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import nearest
from analysis_lib.world.plants import Campaign, Experiment, Incident, Launch, Plant, Release

if TYPE_CHECKING:
    from analysis_lib.world.settings import Settings

#: Least and greatest ``size`` of an incident, by kind; the least of a factor lies above 0.
SIZES = {
    "payment_outage": (0, 1), "tracking_loss": (0, 1), "stock_out": (0, 1), "mix_shift": (0, 1),
    "price_error": (0.001, 1000), "currency_error": (0.001, 1000), "viral_creator": (0, 20), "bot_traffic": (0, 10_000),
    "logistics_strike": (0, 60), "late_data": (0, 60),
}  # fmt: skip

#: Country factors that can move a market, and those of them that are never 0 and so have a logarithm.
FACTORS = (
    "population", "gdp_per_capita_ppp", "internet_share", "card_share", "cod_share", "delivery_days",
    "payment_success_rate", "active_creators",
)  # fmt: skip
NEVER_ZERO = ("population", "gdp_per_capita_ppp", "delivery_days", "payment_success_rate", "active_creators")

#: What happens before an experiment that begins at the cart can change it.
_BEFORE_CART = {"view", "cart", "start", "crash"}

#: Most visits of a user, and lives or videos of a creator, in a month: their numbers are part of the keys of draws.
MOST_VISITS, MOST_CONTENTS = 100, 30

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def problems(settings: Settings) -> list[str]:
    """What is wrong, each with its place; empty if a world can be made."""
    found = [*_of_markets(settings), *_of_shares(settings), *_of_the_rest(settings), *_of_factors(settings)]
    countries = {market.country for market in settings.markets}
    for group in ("campaigns", "experiments", "releases", "launches", "incidents"):
        for name, plant in getattr(settings, group).items():
            place = f"{group}.{name}"
            if not _NAME.fullmatch(name):
                found.append(f"'{place}': a name is of small letters, digits and _, and begins with a letter")
            own = [*_of_plant(settings, plant, countries), *_of_kind(settings, plant)]
            found += [f"'{place}.{problem}" for problem in own]
    return found


def _of_markets(settings: Settings) -> Iterator[str]:
    rates: dict[str, Any] = {}
    if not settings.markets:
        yield "'markets': at least one is needed"
    for number, market in enumerate(settings.markets):
        place, money = f"'markets.{number}", (market.usd_per_unit, market.fx_volatility, market.fx_drift)
        if rates.setdefault(market.currency, money) != money:
            yield f"{place}.usd_per_unit': another market has {market.currency} at another rate, volatility or drift"
        if list(market.tax) != sorted(market.tax, key=lambda step: step.since):
            yield f"{place}.tax': steps must follow each other in time"
        if not any(share for method, share in market.methods.items() if method != "cod"):
            yield f"{place}.methods': something beside cash on delivery is needed"


def _of_shares(settings: Settings) -> Iterator[str]:
    people, supply, funnel = settings.people, settings.supply, settings.funnel
    shares: dict[str, Mapping[str, float]] = {
        "people.kinds": {name: kind.share for name, kind in people.kinds.items()},
        "people.channels": people.channels,
        "people.android_versions": people.android_versions,
        "people.ios_versions": people.ios_versions,
        "supply.origins": supply.origins,
        "supply.tiers": supply.tiers,
        "supply.categories": {name: category.popularity for name, category in supply.categories.items()},
        "funnel.surfaces": funnel.surfaces,
    }
    for place, parts in shares.items():
        if abs(sum(parts.values()) - 1) > 1e-6:
            yield f"'{place}': shares add up to {sum(parts.values()):.4g}, not 1"
    if set(funnel.surface_cart) != set(funnel.surfaces):
        yield f"'funnel.surface_cart': must name the surfaces {', '.join(funnel.surfaces)}"
    if set(supply.commission) != set(supply.tiers):
        yield f"'supply.commission': must name the tiers {', '.join(supply.tiers)}"
    if not sum(settings.calendar.hours):
        yield "'calendar.hours': at least one must be above 0"


def _of_the_rest(settings: Settings) -> Iterator[str]:
    if settings.people.before >= 1:
        yield "'people.before': some must sign up later"
    if settings.people.visits_per_month > MOST_VISITS:
        yield f"'people.visits_per_month': at most {MOST_VISITS}"
    for name in ("lives_per_month", "videos_per_month"):
        if getattr(settings.supply, name) > MOST_CONTENTS:
            yield f"'supply.{name}': at most {MOST_CONTENTS}"
    currencies = {market.currency for market in settings.markets}
    for number, fall in enumerate(settings.devaluations):
        if fall.currency not in currencies:
            yield f"'devaluations.{number}.currency': no market has {fall.currency}"
        if not settings.first_day <= fall.day <= settings.last_day:
            yield f"'devaluations.{number}.day': {fall.day} is outside {settings.first_day} to {settings.last_day}"


def _of_factors(settings: Settings) -> Iterator[str]:
    for name, factor in settings.factors.items():
        if name not in FACTORS:
            guess = nearest(name, FACTORS)
            yield f"'factors.{name}': no country factor" + (f", did you mean '{guess}'?" if guess else "")
        elif factor.form == "log" and (name not in NEVER_ZERO or factor.around <= 0):
            yield f"'factors.{name}': a logarithm needs numbers above 0"


def _of_plant(settings: Settings, plant: Plant, countries: set[str]) -> Iterator[str]:
    strangers = sorted(set(plant.countries) - countries)
    if strangers:
        yield f"countries': {', '.join(strangers)} is no market"
    strangers = sorted(set(plant.categories) - set(settings.supply.categories))
    if strangers:
        yield f"categories': {', '.join(strangers)} is no category"
    if not settings.first_day <= plant.first_day <= settings.last_day:
        yield f"first_day': {plant.first_day} is outside {settings.first_day} to {settings.last_day}"


def _of_kind(settings: Settings, plant: Plant) -> Iterator[str]:
    checks = {
        Campaign: _of_campaign, Experiment: _of_experiment, Release: _of_release, Launch: _of_launch,
        Incident: _of_incident,
    }  # fmt: skip
    yield from checks[type(plant)](settings, plant)  # type: ignore[operator]


def _of_campaign(settings: Settings, plant: Campaign) -> Iterator[str]:
    people = settings.people
    times = people.newcomer * (1 + plant.visits * max(kind.response for kind in people.kinds.values()))
    if times > people.most:
        yield f"visits': a newcomer's visits rise {times:.2g}-fold, more than people.most, {people.most:g}"


def _of_experiment(settings: Settings, plant: Experiment) -> Iterator[str]:
    days, shares = [day for day, _ in plant.phases], [share for _, share in plant.phases]
    if days != sorted(set(days)) or not all(0 < share < 1 for share in shares):
        yield "phases': days must rise, and shares lie between 0 and 1"
    if plant.budget and (plant.trigger != "cart" or plant.unit != "user"):
        yield "budget': goes with unit: user and trigger: cart"
    for name, arm in plant.variants.items():
        strangers = sorted(set(arm.by_country) - set(plant.countries))
        if strangers:
            yield f"variants.{name}.by_country': {strangers[0]} is no market of the experiment"
        levers = {lever for effect in (arm.effect, *arm.by_country.values()) for lever in effect}
        if "price" in levers:
            yield f"variants.{name}.effect': no experiment changes prices"
        if plant.trigger == "cart" and levers & _BEFORE_CART:
            yield f"variants.{name}.effect': {sorted(levers & _BEFORE_CART)[0]} comes before trigger: cart"


def _of_release(settings: Settings, plant: Release) -> Iterator[str]:
    versions = [(other.platform, other.version) for other in settings.releases.values()]
    if versions.count((plant.platform, plant.version)) > 1:
        yield f"version': {plant.platform} {plant.version} is released twice"
    if plant.ramp[0][0] < 0:
        yield "ramp': begins before the release"
    if plant.countries or plant.categories:
        yield "countries': a release goes to every market and category"
    if {"visit", "price"} & set(plant.effect):
        yield "effect': no release changes visits or prices"
    known = settings.people.android_versions if plant.platform == "android" else settings.people.ios_versions
    strangers = sorted(set(plant.only) - set(known))
    if strangers:
        yield f"only': no user has {strangers[0]}; known: {', '.join(known)}"


def _of_launch(settings: Settings, plant: Launch) -> Iterator[str]:
    strangers = sorted(set(plant.by_country) - set(plant.live_on))
    if strangers:
        yield f"by_country': {strangers[0]} is no market of the launch"
    if plant.categories:
        yield "categories': a launch is for every category"
    if any("price" in effect for effect in (plant.effect, plant.waiting, *plant.by_country.values())):
        yield "effect': no launch changes prices"
    for country, day in plant.live_on.items():
        if day > settings.last_day:
            yield f"live_on.{country}': {day} is after {settings.last_day}"
        elif settings.number(day) < plant.announced:
            yield f"announced': in {country} that lies before {settings.first_day}"


def _of_incident(settings: Settings, plant: Incident) -> Iterator[str]:
    least, most = SIZES[plant.kind]
    if not least <= plant.size <= most:
        yield f"size': of a {plant.kind} it lies between {least:g} and {most:g} (got {plant.size:g})"
    if not 0 <= plant.hours[0] < plant.hours[1] <= 24:
        yield f"hours': must rise within 0 to 24 (got {list(plant.hours)})"
    methods = {method for market in settings.markets for method in market.methods}
    allowed = {"method": methods, "platform": {"android", "ios", "web"}, "surface": set(settings.funnel.surfaces)}
    for name, values in allowed.items():
        given = getattr(plant, name)
        if given is not None and given not in values:
            guess = nearest(given, values)
            hint = f", did you mean '{guess}'?" if guess else f"; known: {', '.join(sorted(values))}"
            yield f"{name}': unknown '{given}'{hint}"
