"""What is asked of a plan, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from analysis_lib.campaigns.cells import MEASURES
from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis_lib.warehouse import Warehouse

#: Longest campaign and aftermath that a plan considers: beyond, too few windows fit into two years.
MOST_DAYS, MOST_WEEKS_AFTER = 90, 12

#: Largest share to leave out: with more, fewer are reached than left out.
MOST_HELD_OUT = 0.5

#: Numbers of a plan: lowest and highest allowed, and an example.
_RANGES = {
    "holdout_share": (0.01, MOST_HELD_OUT, 0.1), "margin": (0.01, 1.0, 0.25), "level": (0.5, 0.999, 0.95),
    "power": (0.5, 0.99, 0.8), "audience": (0.01, 1.0, 1.0), "lift": (0.0, 5.0, 0.1),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A planned campaign.

    Attributes
    ----------
    country, market, timezone, currency : str
        Its market; ``market`` is the country's name, the currency in lower case.
    starts_on : date
        Planned first day.
    days, weeks_before, weeks_after : int
        Length, and whole weeks on either side.
    holdout_share, audience : float
        Share of the lot to be left out, and share of the known users that is in the lot.
    metric : str
        ``gmv`` or ``paid``.
    budget_usd, coupon_share : float | None
        What it is to cost: in all, or as a share of what the reached buy on its days.
    mechanic : str
        Mechanic whose past campaigns say what coupons cost where neither is given; empty: any.
    margin, lift, level, power : float
        Gross margin; assumed effect, as a share of sales, for the cost of leaving users out; level of the intervals;
        chance to find an effect.
    campaign_id : str
        Its name in the source, if it is listed there already; empty: it is not.
    first_day, last_day : date
        First and last day of the data that are used; the last lies before the start.
    lots, seed : int
        Lots dealt in each window, and of which random numbers.
    """

    country: str
    market: str
    timezone: str
    currency: str
    starts_on: date
    days: int
    weeks_before: int
    weeks_after: int
    holdout_share: float
    audience: float
    metric: str
    budget_usd: float | None
    coupon_share: float | None
    mechanic: str
    margin: float
    lift: float
    level: float
    power: float
    campaign_id: str
    first_day: date
    last_day: date
    lots: int
    seed: int

    @property
    def ends_on(self) -> date:
        """Planned last day."""
        return self.starts_on + timedelta(days=self.days - 1)

    @property
    def read_on(self) -> date:
        """Last day of the weeks after."""
        return self.ends_on + timedelta(weeks=self.weeks_after)

    @property
    def span(self) -> int:
        """Days of the campaign and the weeks after."""
        return self.days + 7 * self.weeks_after


def asked_of(wh: Warehouse, country: str, options: Mapping[str, Any]) -> Asked:
    """Check what is asked; errors as ``plan``."""
    _check_numbers(options)
    _check_money(options)
    market = _market(wh, country)
    first, last = _days_of(wh, country)
    starts_on = _day(options["starts_on"]) or last + timedelta(days=1)
    if starts_on <= first:
        raise NotEnoughData(f"the data begin on {first}: nothing is known before a campaign that starts on {starts_on}")
    kept = (
        "days", "weeks_before", "weeks_after", "metric", "holdout_share", "audience", "budget_usd", "coupon_share",
        "margin", "lift", "level", "power", "lots", "seed",
    )  # fmt: skip
    return Asked(
        country=country, market=str(market["name"]), timezone=str(market["timezone"]),
        currency=str(market["currency"]).lower(), starts_on=starts_on, mechanic=_mechanic(wh, options["mechanic"]),
        campaign_id=_listed(wh, options["campaign_id"], country), first_day=first,
        last_day=min(last, starts_on - timedelta(days=1)), **{name: options[name] for name in kept},
    )  # fmt: skip


def _check_numbers(options: Mapping[str, Any]) -> None:
    for name, (low, high, example) in _RANGES.items():
        value = options[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidValue(f"{name}={value!r}: a number from {low:g} to {high:g} is needed, for example {example}.")
    whole = {"days": (1, MOST_DAYS), "weeks_before": (4, 52), "weeks_after": (0, MOST_WEEKS_AFTER), "lots": (20, 5_000)}
    for name, (least, most) in whole.items():
        value = options[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidValue(f"{name}={value!r}: a whole number from {least} to {most} is needed.")
    if options["metric"] not in MEASURES:
        raise unknown("metric", str(options["metric"]), MEASURES, "the measures of a campaign plan")


def _check_money(options: Mapping[str, Any]) -> None:
    budget, share = options["budget_usd"], options["coupon_share"]
    if budget is not None and share is not None:
        raise InvalidValue("give budget_usd (money set aside) or coupon_share (coupons as a share of sales), not both.")
    if budget is not None and (isinstance(budget, bool) or not 0 < budget < float("inf")):
        raise InvalidValue(f"budget_usd={budget!r}: an amount above 0 is needed, in USD.")
    if share is not None and (isinstance(share, bool) or not 0 < share < 1):
        raise InvalidValue(f"coupon_share={share!r}: a share of sales between 0 and 1 is needed, for example 0.03.")


def _market(wh: Warehouse, country: str) -> pd.Series:
    countries = wh.table("countries")
    rows = wh.query(countries.filter(countries.country == ibis.literal(str(country))))
    if rows.empty:
        raise unknown("country", str(country), wh.values("countries", "country", 300), "table countries")
    return rows.iloc[0]


def _days_of(wh: Warehouse, country: str) -> tuple[date, date]:
    """First and last market-local day with orders."""
    facts = mart(wh, "order_facts")
    facts = facts.filter(facts.country == country)
    row = wh.query(facts.agg(first=facts.day.min(), last=facts.day.max())).iloc[0]
    if pd.isna(row["first"]):
        raise NotEnoughData(f"source '{wh.name}' has no orders in {country}")
    return pd.Timestamp(row["first"]).date(), pd.Timestamp(row["last"]).date()


def _mechanic(wh: Warehouse, mechanic: str) -> str:
    known = wh.values("campaigns", "mechanic", 1_000)
    if mechanic and mechanic not in known:
        raise unknown("mechanic", str(mechanic), known, f"the campaigns of source '{wh.name}'")
    return mechanic


def _listed(wh: Warehouse, campaign_id: str, country: str) -> str:
    if not campaign_id:
        return ""
    table = wh.table("campaigns")
    rows = wh.query(table.filter(table.country == country).select("campaign_id"))
    if campaign_id not in set(rows["campaign_id"]):
        raise unknown("campaign", str(campaign_id), rows["campaign_id"], f"the campaigns of {country}")
    return campaign_id


def _day(start: date | str | None) -> date | None:
    if start is None or start == "" or isinstance(start, date):
        return start or None
    try:
        return date.fromisoformat(start)
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"starts_on={start!r}: a day such as 2026-11-16 is needed.") from error
