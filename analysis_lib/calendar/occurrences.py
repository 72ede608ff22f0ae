"""When a festival is held: its first, main and last day in one market and year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from analysis_lib.calendar.holiday_names import first_day_named, public_holidays
from analysis_lib.calendar.opening import CalendarFile
from analysis_lib.calendar.rules import easter_sunday, month_day, nth_weekday
from analysis_lib.calendar.schema import Easter, HolidayRule, Listed, MonthDay, NthWeekday


@dataclass(frozen=True, slots=True, order=True)
class FestivalDates:
    """One festival in one market and year.

    Attributes
    ----------
    main_on : date
        The main day, market-local.
    country : str
        Market, ISO 3166 alpha-2.
    festival : str
        Name in ``data/calendar.yml``.
    title : str
        Name for people.
    year : int
        Year of the main day.
    first_on, last_on : date
        First day of the run-up, last day of the festival, both included.
    """

    main_on: date
    country: str
    festival: str
    title: str
    year: int
    first_on: date
    last_on: date

    @property
    def n_days(self) -> int:
        """Days from the first of the run-up to the last, both included."""
        return (self.last_on - self.first_on).days + 1

    def offset(self, day: date) -> int:
        """Days from the main day to ``day``: negative in the run-up, 0 on the main day."""
        return (day - self.main_on).days

    def covers(self, day: date) -> bool:
        """Whether the day belongs to the festival or its run-up."""
        return self.first_on <= day <= self.last_on


def holidays_of(file: CalendarFile, country: str):
    """Public holidays of a market over the calendar's years: names by day."""
    market, years = file.markets[country], file.period.years
    return public_holidays(market.holidays, market.subdivision, years[0], years[-1])


def main_day(file: CalendarFile, festival: str, country: str, year: int) -> date:
    """Main day of a festival in a market that holds it.

    Raises
    ------
    InvalidValue
        The rule looks up a public holiday that the year does not have.
    """
    rule = file.festivals[festival].rule_in(country)
    if isinstance(rule, MonthDay):
        return month_day(rule, year)
    if isinstance(rule, NthWeekday):
        return nth_weekday(rule, year)
    if isinstance(rule, Easter):
        return easter_sunday(year) + timedelta(days=rule.offset_days)
    if isinstance(rule, Listed):
        return next(day for day in rule.dates if day.year == year)
    if isinstance(rule, HolidayRule):
        where = f"{file.where}, festivals.{festival}"
        return first_day_named(rule.name, year, holidays_of(file, rule.country or country), where)
    raise ValueError(f"{country} does not hold {festival}")


def occurrence(file: CalendarFile, festival: str, country: str, year: int) -> FestivalDates:
    """A festival in a market that holds it, in a year the calendar's rules reach."""
    declared = file.festivals[festival]
    main_on = main_day(file, festival, country, year)
    if declared.lasts_until is not None:
        last_on = main_day(file, declared.lasts_until, country, year) - timedelta(days=1)
    else:
        last_on = main_on + timedelta(days=(declared.length_days or 1) - 1)
    first_on = main_on - timedelta(days=declared.run_up_days)
    return FestivalDates(main_on, country, festival, declared.title, year, first_on, last_on)


def occurrences(file: CalendarFile, festivals: list[str], countries: list[str]) -> list[FestivalDates]:
    """Every occurrence of the festivals in the markets over the calendar's years, by main day."""
    return sorted(
        occurrence(file, festival, country, year)
        for festival in festivals
        for country in countries
        if file.festivals[festival].rule_in(country) is not None
        for year in file.period.years
    )
