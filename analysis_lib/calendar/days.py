"""Every day of a market with what is special about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from analysis_lib.calendar.occurrences import FestivalDates, holidays_of
from analysis_lib.calendar.opening import CalendarFile
from analysis_lib.calendar.rules import months, paydays_of_month
from analysis_lib.calendar.schema import WEEKDAYS

#: Days after a payday that are still told apart from the rest of the month: the weekend after a Friday, and a day.
PAYDAY_REACH = 3

#: The festival during which, run-up aside, ``is_ramadan`` holds.
RAMADAN = "ramadan"


@dataclass(frozen=True, slots=True)
class Day:
    """One market-local day.

    Attributes
    ----------
    country : str
        Market, ISO 3166 alpha-2.
    day : date
        The market-local day.
    is_weekend : bool
        Whether it is a day of the market's weekend.
    holiday : str | None
        Public holiday, in English where the package has it; several are joined by ``"; "``.
    is_payday : bool
        Whether wages usually arrive on this day.
    days_since_payday : int | None
        0 on a payday, up to 3 after it, else None.
    festival : str | None
        The festival of the day; of several the one whose main day it is, else the shortest (the more particular one),
        else the one whose main day is nearest.
    festival_day : int | None
        Days from that festival's main day: negative in the run-up, 0 on the main day; None without a festival.
    festivals : tuple of str
        All festivals of the day, the one in ``festival`` first.
    is_ramadan : bool
        Whether it is a day of Ramadan, in a market where the calendar holds it.
    """

    country: str
    day: date
    is_weekend: bool
    holiday: str | None
    is_payday: bool
    days_since_payday: int | None
    festival: str | None
    festival_day: int | None
    festivals: tuple[str, ...]
    is_ramadan: bool


def days_of(file: CalendarFile, country: str, first: date, last: date, held: Iterable[FestivalDates]) -> list[Day]:
    """The days of one market from ``first`` to ``last``, both included.

    Parameters
    ----------
    held : iterable of FestivalDates
        Festivals of the market that may touch the days.
    """
    weekend = {WEEKDAYS.index(name) for name in file.markets[country].weekend}
    holidays = holidays_of(file, country)
    since, on_day = days_since_payday(file, country, first, last), _by_day(held)
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        ranked = sorted(on_day.get(day, ()), key=lambda one: _rank(one, day))
        main = ranked[0] if ranked else None
        found.append(
            Day(
                country=country,
                day=day,
                is_weekend=day.weekday() in weekend,
                holiday=holidays.get(day),
                is_payday=since.get(day) == 0,
                days_since_payday=since.get(day),
                festival=main.festival if main else None,
                festival_day=main.offset(day) if main else None,
                festivals=tuple(one.festival for one in ranked),
                is_ramadan=any(one.festival == RAMADAN and one.offset(day) >= 0 for one in ranked),
            )
        )
    return found


def _by_day(held: Iterable[FestivalDates]) -> dict[date, list[FestivalDates]]:
    found = defaultdict(list)
    for one in held:
        for number in range(one.n_days):
            found[one.first_on + timedelta(days=number)].append(one)
    return found


def _rank(one: FestivalDates, day: date) -> tuple[bool, int, int, str]:
    """Sorts the festivals of a day: main day first, then the shortest, then the nearest."""
    return one.main_on != day, one.n_days, abs(one.offset(day)), one.festival


def paydays(file: CalendarFile, country: str, first: date, last: date) -> list[date]:
    """Paydays of a market, in order, with those of the months beside the period."""
    market, holidays = file.markets[country], holidays_of(file, country)
    weekend = {WEEKDAYS.index(name) for name in market.weekend}

    def is_open(day: date) -> bool:
        return day.weekday() not in weekend and day not in holidays

    return sorted(
        {
            day
            for year, month in months(first, last)
            for rule in market.paydays
            for day in paydays_of_month(rule, year, month, is_open)
        }
    )


def days_since_payday(file: CalendarFile, country: str, first: date, last: date) -> dict[date, int]:
    """Days since the latest payday, 0 to ``PAYDAY_REACH``, for the days that are that near to one."""
    since: dict[date, int] = {}
    for payday in paydays(file, country, first, last):
        since |= {payday + timedelta(days=number): number for number in range(PAYDAY_REACH + 1)}
    return since
