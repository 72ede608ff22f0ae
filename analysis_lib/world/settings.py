"""What ``data/world.yml`` may say: the marketplace before anything is planted in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from analysis_lib import config
from analysis_lib.errors import InvalidValue
from analysis_lib.settings import read_yaml, shown, validated
from analysis_lib.world.plants import Campaign, Experiment, Incident, Launch, Release
from analysis_lib.world.sanity import problems

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]

#: Where in the app a visit begins.
SURFACES = ("live", "video", "shop_tab", "search", "showcase")
#: How an order can be paid.
METHODS = ("card", "wallet", "bank_transfer", "paylater", "cod")


class Strict(BaseModel):
    """Settings are frozen, and a key nobody reads is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Tax(Strict):
    """What a low-value parcel from abroad is charged from a day on, as shares of its price."""

    since: Annotated[date, Field(alias="from")]
    vat: Share
    duty: Share


class Days(Strict):
    """Median days from order to door."""

    local: Positive
    cross_border: Positive


class Market(Strict):
    """One market; shares are of its own users, visits or orders."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    name: str
    region: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    digits: Annotated[int, Field(ge=0, le=2)]
    timezone: str
    launched_on: date
    users: Positive
    growth: Annotated[float, Field(ge=-0.9, le=0.9)]
    visits: Positive
    population: Positive
    gdp_per_capita_ppp: Positive
    internet_share: Share
    card_share: Share
    android: Share
    ios: Share
    usd_per_unit: Positive
    fx_volatility: NotNegative
    fx_drift: float
    price_level: Positive
    cross_border: Share
    methods: dict[Literal[METHODS], NotNegative]
    success: dict[Literal[METHODS], Share]
    refused: Share
    delivery_days: Days
    tax: Annotated[tuple[Tax, ...], Field(min_length=1)]
    season: Annotated[tuple[Positive, ...], Field(min_length=12, max_length=12)]

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not an IANA time zone, for example Asia/Jakarta") from error
        return zone

    @model_validator(mode="after")
    def _adds_up(self) -> Market:
        if abs(sum(self.methods.values()) - 1) > 1e-6:
            raise ValueError(f"the methods of {self.country} do not add up to 1")
        missing = sorted(set(self.methods) - set(self.success) - {"cod"})
        if missing:
            raise ValueError(f"the success of {missing[0]} in {self.country} is missing")
        if self.android + self.ios > 1:
            raise ValueError(f"android and ios of {self.country} together are more than 1")
        return self

    @property
    def cod_share(self) -> float:
        """Share of orders paid at the door."""
        return self.methods.get("cod", 0.0)

    @property
    def mean_success(self) -> float:
        """Share of payment attempts that succeed, over all methods but cash."""
        paid = {name: share for name, share in self.methods.items() if name != "cod"}
        return sum(share * self.success[name] for name, share in paid.items()) / sum(paid.values())

    @property
    def mean_delivery_days(self) -> float:
        """Median days from order to door over local and cross-border parcels, weighted by their shares."""
        return self.cross_border * self.delivery_days.cross_border + (1 - self.cross_border) * self.delivery_days.local


class Kind(Strict):
    """One kind of user; ``response`` multiplies every campaign's lift."""

    share: Share
    activity: Positive
    cart: Positive
    response: NotNegative
    claims: Share


class People(Strict):
    """Users: how many, how active, how long they stay."""

    number: Positive
    visits_per_month: Positive
    spread: NotNegative
    before: Share
    newcomer_days: Annotated[int, Field(ge=1)]
    newcomer: Positive
    stay_days: Positive
    returning: Share
    away_days: Positive
    channels: dict[str, NotNegative]
    android_versions: dict[str, NotNegative]
    ios_versions: dict[str, NotNegative]
    kinds: dict[str, Kind]
    most: Positive


class Category(Strict):
    """One category of goods; ``popularity`` is its share of visits."""

    popularity: Positive
    price_usd: Positive
    spread: NotNegative
    returned: Share


class Supply(Strict):
    """Merchants, products, creators and what creators make."""

    merchants: Positive
    products: Positive
    creators: Positive
    origins: dict[str, NotNegative]
    tiers: dict[str, Share]
    commission: dict[str, Share]
    lives_per_month: NotNegative
    videos_per_month: NotNegative
    categories: dict[str, Category]


class Funnel(Strict):
    """Chances along a visit, and of what follows an order."""

    surfaces: dict[Literal[SURFACES], Positive]
    surface_cart: dict[Literal[SURFACES], Positive]
    view: Share
    views_more: Share
    cart: Share
    checkout: Share
    retry: Share
    basket: Share
    two_units: Share
    merchant_discount: Share
    free_shipping_usd: NotNegative
    shipping_usd: NotNegative
    start_ms: Positive
    start_spread: NotNegative
    crash: Share
    cancelled: Share
    partial_refund: Share
    pause: Share
    duty_deters: NotNegative


class Calendar(Strict):
    """What days do to visits (``visits``) and to the chance of a cart (``cart``)."""

    weekend: Positive
    holiday: Positive
    payday: Positive
    ramadan: Positive
    festival: Positive
    festivals: dict[str, Positive]
    festival_cart: Positive
    run_up: Positive
    hours: Annotated[tuple[NotNegative, ...], Field(min_length=24, max_length=24)]
    yearly_growth: float


class Factor(Strict):
    """How a country factor moves a metric: log points per unit, or per log unit."""

    metric: Annotated[str, Field(pattern="^(visits|cart|price)$")]
    form: Annotated[str, Field(pattern="^(linear|log)$")]
    coefficient: float
    around: float


class Devaluation(Strict):
    """A currency that loses value overnight."""

    currency: str
    day: date
    loss: Annotated[float, Field(gt=0, lt=1)]


class Settings(Strict):
    """The whole of ``data/world.yml``."""

    first_day: date
    days: Annotated[int, Field(ge=60, le=1500)]
    markets: tuple[Market, ...]
    people: People
    supply: Supply
    funnel: Funnel
    calendar: Calendar
    factors: dict[str, Factor]
    devaluations: tuple[Devaluation, ...] = ()
    campaigns: dict[str, Campaign] = {}
    experiments: dict[str, Experiment] = {}
    releases: dict[str, Release] = {}
    launches: dict[str, Launch] = {}
    incidents: dict[str, Incident] = {}

    @model_validator(mode="after")
    def _plants_fit(self) -> Settings:
        countries = {market.country for market in self.markets}
        if len(countries) < len(self.markets):
            raise ValueError("a market is listed twice")
        groups = self.campaigns, self.experiments, self.releases, self.launches, self.incidents
        if len({name for group in groups for name in group}) < sum(map(len, groups)):
            raise ValueError("two plants share a name")
        if found := problems(self):
            raise ValueError("; ".join(found))
        return self

    @property
    def last_day(self) -> date:
        """The last market-local day."""
        return date.fromordinal(self.first_day.toordinal() + self.days - 1)

    def number(self, day: date) -> int:
        """Days from the first day; the first is 0."""
        return (day - self.first_day).days


def load_settings(changes: Mapping[str, Any] | None = None, *, project: config.Project | None = None) -> Settings:
    """``data/world.yml``, with changes laid over it.

    Parameters
    ----------
    changes : mapping, optional
        Keys of the file; a mapping is laid over the mapping of that key, None takes the key out, anything else
        replaces it.

    Raises
    ------
    InvalidValue
        An unknown key, a value of the wrong kind or size; the message names file and place.
    """
    path = (project or config.project()).data / "world.yml"
    content = read_yaml(path)
    if changes is not None and not isinstance(changes, Mapping):
        raise InvalidValue(f"settings must be a mapping of keys of {shown(path)}, not {type(changes).__name__}.")
    return validated(Settings, _laid_over(content, dict(changes or {})), shown(path))


def _laid_over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
            continue
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _laid_over(dict(merged[key]), dict(value)) if both else value
    return merged
