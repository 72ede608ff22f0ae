"""When a festival or payday falls in each market, and what every other day of the market is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.calendar import Calendar, FestivalDates
    from analysis_lib.warehouse import Warehouse

#: What stands for the days on which wages arrive.
PAYDAY = "payday"

#: Why a market is left out that does not have the festival.
NOT_KEPT = "it does not keep it"

#: Days before and after a payday that are looked at: wages come twice a month in some markets.
BESIDE_PAYDAY = 3


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """A festival in one market and year, or one payday.

    Attributes
    ----------
    first, last : datetime.date
        First and last day, market-local, the days before it not included.
    country : str
        Market.
    year : int
        Year of the first day.
    """

    first: date
    last: date
    country: str
    year: int

    @property
    def n_days(self) -> int:
        """Days of it."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, eq=False)
class MarketCalendar:
    """What the days of one market are, from the first day of the data on.

    Attributes
    ----------
    country : str
        Market.
    occasions : list of Occasion
        That lie inside the data with all of their days; in order.
    cut : list of Occasion
        That lie partly outside of them: left out.
    usual : numpy.ndarray
        No festival with its run-up, no campaign, no public holiday, nothing of what is looked at; shape (days,).
    foreign : numpy.ndarray
        A campaign, or a day of another festival (its run-up aside); shape (days,).
    campaign : numpy.ndarray
        A campaign of the market runs; shape (days,).
    weekday, payday : numpy.ndarray
        0 (Monday) to 6, and whether wages arrive; shape (days,).
    """

    country: str
    occasions: list[Occasion]
    cut: list[Occasion]
    usual: np.ndarray
    foreign: np.ndarray
    campaign: np.ndarray
    weekday: np.ndarray
    payday: np.ndarray


def names_of(calendar: Calendar, festivals: Sequence[str]) -> list[str]:
    """Names in the calendar of festivals that go as one; ``payday`` alone stands for paydays.

    Raises
    ------
    UnknownName
        No festival has that name, title or alias.
    """
    if list(festivals) == [PAYDAY]:
        return [PAYDAY]
    known = {id(calendar.festival(name)): name for name in festivals}
    titles = {name: id(one) for name, one in calendar.file.festivals.items()}
    return [name for name, place in titles.items() if place in known]


def market_calendar(
    wh: Warehouse, calendar: Calendar, names: list[str], country: str, span: tuple[date, date], beside: tuple[int, int]
) -> MarketCalendar:
    """The days of a market that has the festival.

    Parameters
    ----------
    names : list of str
        From ``names_of``.
    span : tuple of datetime.date
        First and last day of the data.
    beside : tuple of int
        Days before and after an occasion that are looked at too.
    """
    from analysis_lib.warehouse.campaign_days import in_campaign

    frame = calendar.to_frame(country, *span)
    campaign = in_campaign(wh, frame[["country", "day"]]).to_numpy(bool)
    inside, cut = occasions_of(calendar, names, country, span)
    held = calendar.festivals(*span, countries=country)
    others = _covered([(one.main_on, one.last_on) for one in held if one.festival not in names], span)
    festive = _covered([(one.first_on, one.last_on) for one in held], span)
    looked_at = _covered(
        [(one.first - timedelta(days=beside[0]), one.last + timedelta(days=beside[1])) for one in (*inside, *cut)], span
    )
    return MarketCalendar(
        country, inside, cut, usual=~(festive | looked_at | campaign | _holiday(frame)), foreign=others | campaign,
        campaign=campaign, weekday=frame["day"].dt.day_of_week.to_numpy(), payday=frame["is_payday"].to_numpy(bool),
    )  # fmt: skip


def _holiday(frame: pd.DataFrame) -> np.ndarray:
    return (frame["holiday"].notna() & ~frame["holiday"].isin(["", "None", "nan"])).to_numpy(bool)


def occasions_of(
    calendar: Calendar, names: list[str], country: str, span: tuple[date, date]
) -> tuple[list[Occasion], list[Occasion]]:
    """Those of a market inside the data with all of their days, and those that are cut off by their ends."""
    if names == [PAYDAY]:
        found = [Occasion(day, day, country, day.year) for day in calendar.paydays(country, *span)]
        return found, []
    held: list[FestivalDates] = [
        one for name in names for one in calendar.festivals(*span, countries=country, name=name)
        if one.main_on <= span[1] and one.last_on >= span[0]
    ]  # fmt: skip
    found = sorted(Occasion(one.main_on, one.last_on, country, one.year) for one in held)
    whole = [one for one in found if one.first >= span[0] and one.last <= span[1]]
    return whole, [one for one in found if one not in whole]


def _covered(spans: Iterable[tuple[date, date]], data: tuple[date, date]) -> np.ndarray:
    """Which days of the data lie in one of the spans."""
    hit = np.zeros((data[1] - data[0]).days + 1, bool)
    for first, last in spans:
        hit[max(0, (first - data[0]).days) : max(0, (last - data[0]).days + 1)] = True
    return hit


def keeps(calendar: Calendar, names: list[str], country: str) -> bool:
    """Whether a market has the festival at all."""
    return names == [PAYDAY] or any(calendar.festival(name).rule_in(country) is not None for name in names)


def phases(
    n_days: int, before: int, after: int, *, is_payday: bool
) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """What is told of an occasion: days from its first day, first and last of each.

    Returns
    -------
    tuple of dict
        ``before``, ``festival``, ``after``; and steps: single days about a payday, else weeks, in order.
    """
    whole = {"before": (-before, -1), "festival": (0, n_days - 1), "after": (n_days, n_days + after - 1)}
    if is_payday:
        return whole, {f"{day:+d}".replace("-", "−") if day else "0": (day, day) for day in range(-before, after + 1)}
    steps = {f"−{week}": (-7 * week, -7 * week + 6) for week in range(before // 7, 0, -1)}
    n_weeks = max(1, round(n_days / 7)) if n_days > 10 else 1
    for week in range(n_weeks):
        last = n_days - 1 if week == n_weeks - 1 else 7 * week + 6
        steps[str(week + 1) if n_weeks > 1 else "festival"] = (7 * week, last)
    for week in range(after // 7):
        steps[f"+{week + 1}"] = (n_days + 7 * week, n_days + 7 * week + 6)
    return whole, steps
