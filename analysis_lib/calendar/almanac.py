"""The front door: a calendar that answers for markets and days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from analysis_lib import config
from analysis_lib.calendar.days import Day, days_of, paydays
from analysis_lib.calendar.occurrences import FestivalDates, occurrence, occurrences
from analysis_lib.calendar.opening import CalendarFile, read_calendar
from analysis_lib.calendar.schema import Festival, Market
from analysis_lib.errors import InvalidValue, unknown


def load_calendar(project: config.Project | None = None) -> Calendar:
    """The calendar of a checkout, read once per folder.

    Parameters
    ----------
    project : Project | None
        The checkout; by default the one in use.

    Raises
    ------
    InvalidValue
        ``data/calendar.yml`` is missing or not valid; the message names the place.

    Examples
    --------
    >>> from datetime import date
    >>> load_calendar().days("US", date(2025, 11, 28), date(2025, 11, 28))[0].festival
    'black_friday'
    """
    return _load((project or config.project()).data / "calendar.yml")


@lru_cache(maxsize=8)
def _load(path: Path) -> Calendar:
    return Calendar(read_calendar(path))


@dataclass(frozen=True, eq=False)
class Calendar:
    """Days and festivals of the markets, from ``data/calendar.yml`` and the ``holidays`` package.

    Facts about days only: what a festival does to sales is for estimators to find out.

    Attributes
    ----------
    file : CalendarFile
        The checked content of the file.
    """

    file: CalendarFile

    @property
    def countries(self) -> list[str]:
        """Codes of the markets, in file order."""
        return list(self.file.markets)

    @property
    def first(self) -> date:
        """First day the calendar answers for."""
        return self.file.period.first

    @property
    def last(self) -> date:
        """Last day the calendar answers for."""
        return self.file.period.last

    def market(self, country: str) -> Market:
        """Weekend, first day of the week and payday rules of a market.

        Raises
        ------
        UnknownName
            The calendar does not have the market.
        """
        return self.file.markets[self._countries(country)[0]]

    def festival(self, name: str) -> Festival:
        """What a festival is; ``name`` may be its name, title or an alias, capitals aside.

        Raises
        ------
        UnknownName
            No festival has that name.
        """
        return self.file.festivals[self._festival(name)]

    def days(self, countries: str | Iterable[str] | None, first: date, last: date) -> list[Day]:
        """Every day of the markets from ``first`` to ``last``, both included; by market as given, then by day.

        Parameters
        ----------
        countries : str, iterable of str, or None
            Codes of markets; None for all.
        first, last : date
            Market-local days.

        Raises
        ------
        UnknownName
            The calendar does not have a market.
        InvalidValue
            The dates are reversed or reach beyond the period of the calendar.
        """
        codes = self._countries(countries)
        self._check(first, last)
        return [day for code in codes for day in days_of(self.file, code, first, last, self._held(code))]

    def festivals(
        self,
        first: date,
        last: date,
        countries: str | Iterable[str] | None = None,
        name: str | None = None,
    ) -> list[FestivalDates]:
        """Festivals that have a day, run-up included, between ``first`` and ``last``; by main day, market and name.

        Parameters
        ----------
        first, last : date
            Market-local days, both included.
        countries : str, iterable of str, or None
            Codes of markets; None for all.
        name : str | None
            One festival, by name, title or alias; None for all.

        Raises
        ------
        UnknownName
            The calendar does not have a market or the festival.
        InvalidValue
            The dates are reversed or reach beyond the period of the calendar.
        """
        codes, wanted = self._countries(countries), None if name is None else self._festival(name)
        self._check(first, last)
        return sorted(
            one
            for code in codes
            for one in self._held(code)
            if one.first_on <= last and one.last_on >= first and wanted in (None, one.festival)
        )

    def same_festival_last_year(self, instance: FestivalDates) -> FestivalDates:
        """The same festival in the same market a year before; the days moving ones moved by included.

        Raises
        ------
        UnknownName
            The calendar does not have the festival, or the market does not hold it.
        InvalidValue
            The year before lies outside the period of the calendar.
        """
        name, code = self._festival(instance.festival), self._countries(instance.country)[0]
        if self.file.festivals[name].rule_in(code) is None:
            raise unknown("market", code, self.file.festivals[name].countries, f"the markets that hold {name}")
        if instance.year - 1 not in range(self.first.year, self.last.year + 1):
            raise InvalidValue(
                f"{instance.title} of {instance.year} in {code} has no year before it in {self.file.where}, which holds"
                f" {self.first} to {self.last}."
            )
        return occurrence(self.file, name, code, instance.year - 1)

    def paydays(self, country: str, first: date, last: date) -> list[date]:
        """Paydays of a market from ``first`` to ``last``, both included; raises as ``days`` does."""
        code = self._countries(country)[0]
        self._check(first, last)
        return [day for day in paydays(self.file, code, first, last) if first <= day <= last]

    def to_frame(self, countries: str | Iterable[str] | None, first: date, last: date):
        """The same as ``days``, as a pandas frame.

        Returns
        -------
        DataFrame
            One row per market and day, columns as the attributes of ``Day``: ``day`` a timestamp at midnight,
            ``days_since_payday`` and ``festival_day`` nullable integers, ``festivals`` joined by commas ("" for none).

        Raises
        ------
        UnknownName, InvalidValue
            As ``days``.
        """
        import pandas as pd

        names = [field.name for field in fields(Day)]
        days = self.days(countries, first, last)
        frame = pd.DataFrame({name: [getattr(day, name) for day in days] for name in names}, columns=names)
        return frame.assign(
            day=pd.to_datetime(frame["day"]),
            days_since_payday=frame["days_since_payday"].astype("Int64"),
            festival_day=frame["festival_day"].astype("Int64"),
            festivals=[",".join(day.festivals) for day in days],
        ).astype({"country": "str", "holiday": "str", "festival": "str", "festivals": "str"})

    def _held(self, country: str) -> list[FestivalDates]:
        return _occurrences(self, country)

    def _countries(self, countries: str | Iterable[str] | None) -> list[str]:
        given = [countries] if isinstance(countries, str) else countries
        codes = self.countries if given is None else list(dict.fromkeys(given))
        if not codes:
            raise InvalidValue(f"no market is named; {self.file.where} has {', '.join(self.countries)}.")
        for code in codes:
            if code not in self.file.markets:
                raise unknown("market", str(code), self.countries, self.file.where)
        return codes

    def _festival(self, name: str) -> str:
        found = self.file.names.get(str(name).lower())
        if found is None:
            raise unknown("festival", str(name), [*self.file.festivals, *self.file.names], self.file.where)
        return found

    def _check(self, first: date, last: date) -> None:
        for word, day in (("first", first), ("last", last)):
            if not isinstance(day, date) or isinstance(day, datetime):
                raise InvalidValue(f"{word} must be a date without a time, not {day!r}.")
        if last < first:
            raise InvalidValue(f"last ({last}) lies before first ({first}): exchange them.")
        if first < self.first or last > self.last:
            raise InvalidValue(
                f"{first} to {last} reaches beyond {self.file.where}, which holds {self.first} to {self.last}:"
                " extend its period and its lists of dates."
            )


@lru_cache(maxsize=64)
def _occurrences(calendar: Calendar, country: str) -> list[FestivalDates]:
    return occurrences(calendar.file, list(calendar.file.festivals), [country])
