"""Which other markets could stand for the planned one, and how small an effect they would show."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.calendar import load_calendar
from analysis_lib.campaigns.market_days import MEASURED, WINDOWS_BEFORE, MarketDays
from analysis_lib.campaigns.plan_asking import Asked
from analysis_lib.causal import FEWEST_DAYS, FEWEST_DONORS
from analysis_lib.causal.one_treated import estimated
from analysis_lib.causal.one_treated_panel import lone_panel
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.pipelines import mart
from analysis_lib.results import format_count, listed

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Most pretended campaigns; fewer than so many without a festival or a campaign, and the others are counted, too.
MOST_PRETENDED, FEWEST_CLEAN = 16, 6

#: Days of the latest sales that the planned days are expected to repeat.
LATEST = 28


@dataclass(frozen=True, slots=True, eq=False)
class MarketPower:
    """What other markets would show.

    Attributes
    ----------
    controls : pandas.DataFrame
        market, stands (whether it could stand for the planned one), why (not).
    pretended : pandas.DataFrame
        One row per pretended campaign in the past: starts_on, clean (neither a festival nor a campaign of the market),
        effect (found where there was none), gap (the smallest effect that it would have told from zero, log points),
        alarm (whether nothing was taken for something), typical (error that its interval is made of), freedom.
    reasons : tuple of str
        Why the review would refuse to read the planned campaign from other markets; empty if it would not.
    power, level : float
        Wanted chance to find an effect; of the intervals.
    """

    controls: pd.DataFrame
    pretended: pd.DataFrame
    reasons: tuple[str, ...]
    power: float
    level: float

    @property
    def counted(self) -> pd.DataFrame:
        """The pretended campaigns that count: those on clean days, where there are enough."""
        clean = self.pretended[self.pretended["clean"]]
        return clean if len(clean) >= FEWEST_CLEAN else self.pretended

    @property
    def is_tried(self) -> bool:
        """Whether a campaign could be pretended at all."""
        return not self.pretended.empty

    @property
    def smallest(self) -> float:
        """Smallest effect that is found with the wanted chance, as a share of sales; missing if none was tried."""
        gaps = self.counted["gap"]
        return float(np.expm1(gaps.quantile(self.power))) if len(gaps) else float("nan")

    @property
    def formula(self) -> float:
        """The same from the error and the degrees of freedom of the latest pretended campaign."""
        if self.counted.empty:
            return float("nan")
        last = self.counted.iloc[0]
        reach = student.ppf(0.5 + self.level / 2, last["freedom"]) + student.ppf(self.power, last["freedom"])
        return float(np.expm1(reach * last["typical"]))

    @property
    def n_controls(self) -> int:
        """Markets that could stand for it."""
        return int(self.controls["stands"].sum())


def market_sales(wh: Warehouse, asked: Asked) -> tuple[pd.DataFrame, float]:
    """Daily sales of every market before the planned start, USD, and USD per unit of the market's own money."""
    facts = mart(wh, "order_facts")
    facts = facts.filter(facts.country.notnull(), facts.day.between(asked.first_day, asked.last_day))
    sums = facts.group_by("day", "country").agg(
        sold=facts[MEASURED[asked.metric]].cast("float64").sum(),
        gmv_usd=facts.gmv_usd.cast("float64").sum(), gmv_local=facts.gmv_local.cast("float64").sum(),
    )  # fmt: skip
    rows = wh.query(sums)
    rows = rows.assign(day=pd.to_datetime(rows["day"]))
    table = rows.pivot(index="day", columns="country", values="sold")
    table = table.reindex(pd.date_range(asked.first_day, asked.last_day)).fillna(0.0)
    own = rows[rows["country"] == asked.country].sort_values("day").tail(LATEST)
    rate = float(own["gmv_usd"].sum() / own["gmv_local"].sum()) if own["gmv_local"].sum() > 0 else float("nan")
    return table, rate


def campaign_rows(wh: Warehouse) -> pd.DataFrame:
    """campaign_id, name, country, mechanic, starts_on, ends_on, media_usd (0 where none is known) of all campaigns."""
    columns = ["campaign_id", "name", "country", "mechanic", "starts_on", "ends_on"]
    columns += ["media_usd"] if wh.has("campaigns", "media_usd") else []
    rows = wh.query(wh.table("campaigns").select(*columns))
    media = rows["media_usd"].astype(float).fillna(0.0) if "media_usd" in rows else 0.0
    days = {name: pd.to_datetime(rows[name]) for name in ("starts_on", "ends_on")}
    return rows.assign(media_usd=media, **days)


def festivals_on(country: str, first: date, last: date) -> list[str]:
    """Festivals of a market on some days, as far as the calendar tells."""
    calendar = load_calendar()
    if country not in calendar.countries:
        return []
    try:
        return list(dict.fromkeys(one.title for one in calendar.festivals(first, last, country)))
    except InvalidValue:  # beyond the years of the calendar
        return []


def campaigns_on(rows: pd.DataFrame, country: str, first: date, last: date, *, but: str = "") -> list[str]:
    """Campaigns of a market on some days, by name."""
    met = (rows["starts_on"] <= pd.Timestamp(last)) & (rows["ends_on"] >= pd.Timestamp(first))
    own = rows[met & (rows["country"] == country) & (rows["campaign_id"] != but)]
    return list(dict.fromkeys(own["name"].astype(str)))


def market_power(asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> MarketPower:
    """Which markets could stand for the planned one, and what pretended campaigns in its past say.

    Each is read as the review would read it: against the markets that had no campaign then, over the campaign and the
    weeks after, with the interval of ``causal.one_treated`` from the days before it alone.

    Parameters
    ----------
    sales : pandas.DataFrame
        From ``market_sales``.
    campaigns : pandas.DataFrame
        From ``campaign_rows``.
    """
    controls = _controls(asked, sales, campaigns)
    pretended = _pretended(asked, sales, campaigns)
    reasons = _reasons(asked, controls, pretended, campaigns)
    return MarketPower(controls, pretended, reasons, asked.power, asked.level)


def _recent(asked: Asked, sales: pd.DataFrame) -> pd.DataFrame:
    """As many days before the start as the review would look at."""
    return sales.iloc[-(max(14, 2 * asked.span) + WINDOWS_BEFORE * asked.span) :]


def _controls(asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    recent, rows = _recent(asked, sales), []
    for name in sorted(set(sales.columns) - {asked.country}):
        why = []
        if held := campaigns_on(campaigns, name, asked.starts_on, asked.read_on):
            why.append(f"has {listed(held)} then")
        if held := festivals_on(name, asked.starts_on, asked.ends_on):
            why.append(f"{listed(held)} fall{'s' if len(held) == 1 else ''} on the campaign's days")
        if empty := int((recent[name] <= 0).sum()):
            why.append(f"sold nothing on {empty} of the last {len(recent)} days")
        rows.append((name, not why, "; ".join(why)))
    return pd.DataFrame(rows, columns=["market", "stands", "why"])


def _reasons(asked: Asked, controls: pd.DataFrame, pretended: pd.DataFrame, campaigns: pd.DataFrame) -> tuple[str, ...]:
    """What the review would refuse."""
    found = []
    if asked.span < FEWEST_DAYS or asked.days < FEWEST_DAYS:
        found.append("a campaign of a single day cannot be told from that day")
    if held := festivals_on(asked.country, asked.starts_on, asked.ends_on):
        found.append(f"{listed(held)} fall{'s' if len(held) == 1 else ''} on its days, when {asked.market} buys"
                     " more anyway")  # fmt: skip
    if held := campaigns_on(campaigns, asked.country, asked.starts_on, asked.read_on, but=asked.campaign_id):
        found.append(f"{listed(held)} would run in {asked.market} on some of these days, too")
    if int(controls["stands"].sum()) < FEWEST_DONORS:
        n = int(controls["stands"].sum())
        found.append(f"{format_count(n)} of the other markets could stand for it; {FEWEST_DONORS} are needed")
    if pretended.empty:
        found.append(
            f"not one pretended campaign of {asked.span} days could be read from the days before: too few days, or days"
            " on which nothing was sold"
        )
    return tuple(found)


def _pretended(asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Campaigns pretended half a span apart, the latest first, each read from what came before it."""
    rows, columns = [], ["starts_on", "clean", "effect", "gap", "alarm", "typical", "freedom"]
    if asked.country not in sales or asked.days < FEWEST_DAYS:
        return pd.DataFrame(columns=columns)
    start = asked.last_day - timedelta(days=asked.span - 1)
    while start > asked.first_day and len(rows) < MOST_PRETENDED:
        with suppress(NotEnoughData):  # too little before this window, or a day without sales
            rows.append((start, *_read(asked, sales, campaigns, start)))
        start -= timedelta(days=max(1, asked.span // 2))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"clean": bool, "alarm": bool})


def _read(asked: Asked, sales: pd.DataFrame, campaigns: pd.DataFrame, start: date) -> tuple:
    """One pretended campaign, read as the review would."""
    ends, last = start + timedelta(days=asked.days - 1), start + timedelta(days=asked.span - 1)
    met = (campaigns["starts_on"] <= pd.Timestamp(last)) & (campaigns["ends_on"] >= pd.Timestamp(start))
    busy = {asked.country, *campaigns.loc[met, "country"]}
    own = [asked.country, *(name for name in sales.columns if name not in busy)]
    frame = MarketDays(sales[own], start, {}).long(last)
    panel = lone_panel(frame, outcome="sold", unit="market", time="day", treated="treated", log=True)
    estimate, fit, past = estimated(panel, asked.level)
    reach = float(np.log1p(estimate.ci_upper) - fit.value)
    clean = not festivals_on(asked.country, start, ends) and not campaigns_on(campaigns, asked.country, start, last)
    return clean, estimate.value, reach - fit.value, estimate.excludes_zero, past.typical, past.freedom
