"""``countries.festival_lift``: the same festival in each market, day by day from its own first day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import metrics
from analysis_lib.calendar import load_calendar
from analysis_lib.config import LEVEL
from analysis_lib.countries.season_lift import series_of
from analysis_lib.countries.season_markets import MarketSeason, pooled
from analysis_lib.countries.season_windows import (
    BESIDE_PAYDAY,
    NOT_KEPT,
    PAYDAY,
    keeps,
    market_calendar,
    names_of,
    occasions_of,
)
from analysis_lib.countries.season_years import year_on_year
from analysis_lib.countries.seasons_result import FestivalLift
from analysis_lib.errors import InvalidValue, NotEnoughData, check_level, unknown

if TYPE_CHECKING:
    from analysis_lib.calendar import Calendar
    from analysis_lib.countries.season_lift import Series
    from analysis_lib.countries.season_markets import Told
    from analysis_lib.countries.season_windows import MarketCalendar, Occasion
    from analysis_lib.metrics import Metric
    from analysis_lib.warehouse import Warehouse


def festival_lift(
    wh: Warehouse, festival: str | Sequence[str], *, metric: str = "gmv", weeks_before: int = 4, weeks_after: int = 2,
    markets: Iterable[str] = (), with_campaigns: bool = False, level: float = LEVEL,
) -> FestivalLift:  # fmt: skip
    """What a festival does to a metric in each market, on its own dates there.

    The estimand is by how much the metric is higher over the festival than on as many usual days of the market with
    the same weekdays: days within eight weeks that have no festival with its run-up, no campaign, no public holiday. A
    straight trend through them is carried into the festival; paydays are allowed for. Days of the festival with a
    campaign, or of another festival, are not counted.

    The plain error is that of usual days' scatter, days that go together included (Newey and West). What it leaves
    out, a level that wanders, is learned from placebo windows of the same length in the market's own past
    (``causal.calibrate``), by which the interval is widened.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    festival : str or sequence of str
        Name, title or alias in ``data/calendar.yml``; several go as one (Lunar New Year and Tết). ``payday``: all
        paydays, on average, with three days on either side.
    metric : str
        A metric by market and day that is not negative.
    weeks_before, weeks_after : int
        Whole weeks that are looked at beside it; not for paydays.
    markets : iterable of str
        Codes; empty for all.
    with_campaigns : bool
        Count days of campaigns too: the festival with what the marketplace made of it.
    level : float
        Level of all intervals.

    Returns
    -------
    FestivalLift

    Raises
    ------
    UnknownName
        A festival, metric or market that does not exist.
    InvalidValue
        Weeks or a level out of range; a metric that is not known by market and day; data beyond the calendar.
    NotEnoughData
        No market can be told; the message gives each one's reason.

    Examples
    --------
    >>> countries.festival_lift(wh, "ramadan").to_frame()  # doctest: +SKIP

    References
    ----------
    Newey and West (1987), Econometrica 55(3); Schuemie and others (2018), PNAS 115(11), for the placebo windows.
    """
    _asked(weeks_before, weeks_after, level)
    calendar = load_calendar(wh.project)
    names = names_of(calendar, [festival] if isinstance(festival, str) else list(festival))
    declared = metrics.load_metrics(wh.project).get(metric)
    daily, titles, span = _daily(wh, declared, list(markets))
    is_payday = names == [PAYDAY]
    beside = (BESIDE_PAYDAY, BESIDE_PAYDAY) if is_payday else (7 * weeks_before, 7 * weeks_after)
    left_out, cut = {}, []
    seasons, phases = {}, {}
    for code in sorted(titles):
        if code not in calendar.countries or not keeps(calendar, names, code):
            left_out[code] = NOT_KEPT
            continue
        days = market_calendar(wh, calendar, names, code, span, beside)
        cut += days.cut
        try:
            series = _series(daily[code], days, is_payday)
            one = MarketSeason(days, series, span[0], *beside, with_campaigns, level, declared.unit, is_payday)
            phases[code], seasons[code] = _phases(one), one
        except NotEnoughData as error:
            left_out[code] = str(error)
    if not seasons:
        raise NotEnoughData(f"no market can be told ({'; '.join(f'{code}: {why}' for code, why in left_out.items())})")
    return FestivalLift(
        names=tuple(names), title=_title(calendar, names), metric=declared, markets=titles, seasons=seasons,
        phases=phases, years={code: it for code, one in seasons.items() if (it := year_on_year(one)) is not None},
        upcoming={code: _next(calendar, names, code, span[1]) for code in seasons}, left_out=left_out, cut=cut,
        span=span, level=level, source=wh.name,
    )  # fmt: skip


def _asked(weeks_before: int, weeks_after: int, level: float) -> None:
    check_level(level)
    if not (1 <= weeks_before <= 8 and 1 <= weeks_after <= 8):
        raise InvalidValue(f"weeks_before={weeks_before}, weeks_after={weeks_after}: 1 to 8 weeks can be looked at")


def _series(values: np.ndarray, days: MarketCalendar, is_payday: bool) -> Series:
    if not days.occasions:
        raise NotEnoughData("none lies inside the data with all of its days")
    return series_of(values, days.usual, days.weekday, None if is_payday else days.payday)


def _title(calendar: Calendar, names: list[str]) -> str:
    return "Payday" if names == [PAYDAY] else " and ".join(calendar.festival(name).title for name in names)


def _next(calendar: Calendar, names: list[str], country: str, last: date) -> Occasion | None:
    """The first one after the data, if the calendar reaches so far."""
    if last >= calendar.last:
        return None
    found, _ = occasions_of(calendar, names, country, (last + timedelta(days=1), calendar.last))
    return found[0] if found else None


def _phases(one: MarketSeason) -> dict[str, list[Told]]:
    """Each phase and step with all years together first, then each year; the festival itself must be told."""
    found = {}
    whole, steps = one.phases(max(one.calendar.occasions, key=lambda item: item.n_days))
    for phase in ("festival", *[name for name in (*whole, *steps) if name != "festival"]):
        try:
            rows = one.told(phase)
        except NotEnoughData:
            if phase == "festival":
                raise
            continue
        found[phase] = [pooled(rows), *rows]
    return found


def _daily(
    wh: Warehouse, metric: Metric, asked: list[str]
) -> tuple[dict[str, np.ndarray], dict[str, str], tuple[date, date]]:
    """The metric by market, a day without a row as none or as not defined; names of markets; days of the data."""
    import pandas as pd

    names = wh.query(wh.table("countries").select("country", "name")).set_index("country")["name"]
    for code in asked:
        if code not in names.index:
            raise unknown("market", code, list(names.index), "table countries")
    money = "constant_usd" if metric.currency == "converted" else "usd"
    where = {"country": sorted(asked)} if asked else None
    frame = metrics.query(wh, metric.name, by="country", grain="day", where=where, currency=money).to_frame()
    frame = frame[~frame["is_partial"].astype(bool)].assign(day=lambda rows: pd.to_datetime(rows["period_start"]))
    if frame.empty:
        raise NotEnoughData(f"source '{wh.name}' has no whole day of {metric.name}")
    days = pd.date_range(frame["day"].min(), frame["day"].max())
    wide = frame.pivot(index="day", columns="country", values=metric.name).reindex(days).astype(float)
    # Only what adds up over time is none on a day without a row, from the market's first day to its last.
    if metric.adds_up_over("time"):
        wide = wide.fillna(0.0).where(wide.ffill().notna() & wide.bfill().notna())
    found = {str(code): wide[code].to_numpy() for code in wide}
    return found, {code: str(names.get(code, code)) for code in found}, (days[0].date(), days[-1].date())
