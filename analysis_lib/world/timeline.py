"""What holds for a market on a day or in a month: exchange rates, factors, how busy a day is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import exp, log, sqrt
from statistics import NormalDist
from zoneinfo import ZoneInfo

from analysis_lib.calendar import Day, load_calendar
from analysis_lib.world.draws import constants
from analysis_lib.world.recipe import Recipe
from analysis_lib.world.settings import Market, Settings

#: Rates begin this many days before the first day; they end the day after the last.
MARGIN_DAYS = 31


def normal(seed: int, purpose: str) -> float:
    """A standard normal number, rounded so that it is the same on every machine."""
    first, second = constants(seed, purpose)
    return round(NormalDist().inv_cdf((first * 4294967296 + second + 0.5) / 2**64), 6)


def rates(recipe: Recipe) -> list[tuple[str, date, float, float]]:
    """Currency, day, true US dollars per unit, and the rate as recorded (which a currency error falsifies)."""
    settings, rows = recipe.settings, []
    wrong = _recorded_factors(recipe)
    for currency, market in sorted({market.currency: market for market in settings.markets}.items()):
        level = market.usd_per_unit
        for offset in range(-MARGIN_DAYS, settings.days + 1):
            day = settings.first_day + timedelta(days=offset)
            # Markets are closed at weekends: the rate stays.
            if day.weekday() < 5 and market.fx_volatility:
                shock = market.fx_volatility / sqrt(261) * normal(recipe.seed, f"fx {currency} {day}")
                level *= exp(market.fx_drift / 261 + shock)
            for fall in settings.devaluations:
                if fall.currency == currency and fall.day == day:
                    level *= 1 - fall.loss
            level = float(f"{level:.8g}")
            rows.append((currency, day, level, float(f"{level * wrong.get((currency, day), 1.0):.8g}")))
    return rows


def _recorded_factors(recipe: Recipe) -> dict[tuple[str, date], float]:
    currencies = {market.country: market.currency for market in recipe.settings.markets}
    found = {}
    for incident in recipe.incidents.values():
        if incident.kind == "currency_error":
            for offset in range((incident.last_day - incident.first_day).days + 1):
                for country in incident.countries:
                    found[currencies[country], incident.first_day + timedelta(days=offset)] = incident.size
    return found


@dataclass(frozen=True, slots=True)
class Month:
    """What a market is like in a month: the columns of ``country_factors``."""

    country: str
    month: date
    population: float
    gdp_per_capita_ppp: float
    internet_share: float
    card_share: float
    cod_share: float
    delivery_days: float
    payment_success_rate: float
    active_creators: int


def months(recipe: Recipe, active: Mapping[tuple[int, date], int]) -> list[Month]:
    """Factors by market and month.

    Parameters
    ----------
    active : mapping
        Creators who publish, by number of market and first day of month.
    """
    first, last = recipe.settings.first_day.replace(day=1), recipe.settings.last_day
    starts = [first]
    while (following := (starts[-1] + timedelta(days=32)).replace(day=1)) <= last:
        starts.append(following)
    # Of a month begun in its middle too few creators are seen: the next one stands for it.
    counted = dict(zip(starts, starts, strict=True))
    if recipe.settings.first_day.day > 1 and len(starts) > 1:
        counted[first] = starts[1]
    return [
        _month(recipe.seed, market, month, age, active.get((number, counted[month]), 0))
        for number, market in recipe.markets()
        for age, month in enumerate(starts)
    ]


def _month(seed: int, market: Market, month: date, age: int, active: int) -> Month:
    def shock(name: str, when: object = month) -> float:
        return normal(seed, f"{name} {market.country} {when}")

    # A warehouse nearer to the buyers opens in each market at some time, and the way gets shorter for good.
    opened = 12 + 5 * shock("warehouse", "opened")
    shorter = 1.0 - (0.18 + 0.04 * shock("warehouse", "gain")) * (age >= opened)
    return Month(
        country=market.country,
        month=month,
        population=round(market.population * 1e6 * (1 + 0.0006 * age), 0),
        gdp_per_capita_ppp=round(market.gdp_per_capita_ppp * (1 + 0.0025 * age), 0),
        internet_share=round(min(0.99, market.internet_share + 0.0012 * age), 4),
        card_share=round(min(0.99, market.card_share + 0.0010 * age), 4),
        cod_share=round(min(0.9, max(0.0, market.cod_share * (1 - 0.008 * age + 0.05 * shock("cod")))), 4),
        delivery_days=round(max(1.0, market.mean_delivery_days * shorter * (1 + 0.06 * shock("delivery"))), 2),
        payment_success_rate=round(min(0.995, market.mean_success + 0.0004 * age + 0.012 * shock("success")), 4),
        active_creators=active,
    )


@dataclass(frozen=True, slots=True)
class MarketDay:
    """One market on one market-local day.

    Attributes
    ----------
    m, d : int
        Number of the market and of the day.
    utc_start, seconds
        The instant of local midnight, and how long the day lasts (clock changes).
    visits, cart, price : float
        Factors on visits, on the chance of a cart, and on prices.
    delivery : float
        Factor on the market's days of delivery.
    success, cod : float
        Factor on the market's success of payments, and share of orders paid at the door.
    abroad : float
        Factor on carts of goods from abroad: what their taxes deter.
    usd : float
        True US dollars per unit of the local currency on the day.
    fx_month : float
        Local money per US dollar when cross-border merchants last set their prices.
    """

    m: int
    d: int
    day: date
    utc_start: datetime
    seconds: int
    visits: float
    cart: float
    price: float
    delivery: float
    success: float
    cod: float
    abroad: float
    usd: float
    fx_month: float


def market_days(
    recipe: Recipe, factors: Iterable[Month], fx: Iterable[tuple[str, date, float, float]]
) -> list[MarketDay]:
    """Every market on every day of the world."""
    settings = recipe.settings
    by_month = {(month.country, month.month): month for month in factors}
    usd = {(currency, day): rate for currency, day, rate, _ in fx}
    calendar = load_calendar().days(
        [market.country for market in settings.markets], settings.first_day, settings.last_day
    )
    by_day = {(day.country, day.day): day for day in calendar}
    creators = {(market.country): recipe.sized(settings.supply.creators, market, 8) for market in settings.markets}
    found = []
    for number, market in recipe.markets():
        for d in range(settings.days):
            day = settings.first_day + timedelta(days=d)
            month = by_month[market.country, day.replace(day=1)]
            pushed = _pushed(settings, market, month, creators[market.country])
            start, seconds = _local_day(market.timezone, day)
            busy, cart = _busy(settings, market, by_day[market.country, day], d)
            found.append(
                MarketDay(
                    m=number, d=d, day=day, utc_start=start, seconds=seconds,
                    visits=round(busy * exp(pushed["visits"]), 6), cart=round(cart * exp(pushed["cart"]), 6),
                    price=round(exp(pushed["price"]), 6),
                    delivery=round(month.delivery_days / market.mean_delivery_days, 6),
                    success=round(month.payment_success_rate / market.mean_success, 6), cod=month.cod_share,
                    abroad=_abroad(settings, market, day),
                    usd=usd[market.currency, day],
                    fx_month=round(1 / usd[market.currency, max(day.replace(day=1), settings.first_day)], 8),
                )
            )  # fmt: skip
    return found


def _pushed(settings: Settings, market: Market, month: Month, creators: int) -> dict[str, float]:
    """Log points by which the factors of a month move visits, carts and prices."""
    pushed = {"visits": 0.0, "cart": 0.0, "price": 0.0}
    for name, factor in settings.factors.items():
        value = float(getattr(month, name))
        if name == "active_creators":
            # Per creator of the market: how many there are follows from the scale, not from the market.
            value = max(value, 1.0) / creators
        moved = log(value / factor.around) if factor.form == "log" else value - factor.around
        pushed[factor.metric] += factor.coefficient * moved
    return pushed


def _busy(settings: Settings, market: Market, day: Day, d: int) -> tuple[float, float]:
    """Factors of a day on visits and on the chance of a cart."""
    effects, cart = settings.calendar, 1.0
    visits = market.season[day.day.month - 1] * (1 + effects.yearly_growth * d / 365.0)
    visits *= effects.weekend if day.is_weekend else 1.0
    visits *= effects.holiday if day.holiday else 1.0
    visits *= effects.payday if day.is_payday else 1.0
    visits *= effects.ramadan if day.is_ramadan else 1.0
    if day.festival_day is not None:
        near = {0: 1.0, -1: 0.5, 1: 0.5}.get(day.festival_day, 0.0)
        rise = effects.festivals.get(day.festival or "", effects.festival) - 1
        visits *= 1 + rise * near
        # What is more of a festival is more of a sale: the full rise of carts from half as many visits again.
        cart *= 1 + (effects.festival_cart - 1) * near * min(1.0, rise / 0.5)
        visits *= effects.run_up if -7 <= day.festival_day <= -2 else 1.0
    return visits, cart


def _abroad(settings: Settings, market: Market, day: date) -> float:
    tax = [step for step in market.tax if step.since <= day][-1:] or [market.tax[0]]
    return round(1 - settings.funnel.duty_deters * min(1.0, tax[0].vat + tax[0].duty), 6)


def _local_day(timezone: str, day: date) -> tuple[datetime, int]:
    """The UTC instant at which a local day begins, and its length in seconds."""
    zone = ZoneInfo(timezone)
    start, end = (
        datetime(at.year, at.month, at.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
        for at in (day, day + timedelta(days=1))
    )
    return start, int((end - start).total_seconds())
