"""Which earlier days a period is compared with: every earlier day is moved onto the day it stands against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from analysis_lib.calendar import Calendar, FestivalDates
from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics.asking import Question, day_of
from analysis_lib.metrics.declaration import Cumulative

if TYPE_CHECKING:
    pass

#: What ``compare`` may say; the last may name the festival after a colon.
COMPARISONS = ("previous_period", "last_year", "same_festival_last_year")

#: Fifty-two weeks: the same weekday a year before.
WEEKS_OF_A_YEAR = timedelta(days=364)


@dataclass(frozen=True, slots=True)
class Aligned:
    """A comparison of two events, day by day from each.

    Attributes
    ----------
    at : date or dict of str to date
        Day of the event that lies in the period, or that day by market.
    before : date or dict of str to date
        Day of the event it is compared with, likewise.
    """

    at: date | Mapping[str, date]
    before: date | Mapping[str, date]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far earlier days are moved.

    Attributes
    ----------
    days : int
        Days, where it is the same in all markets.
    months : int
        Whole months instead of days.
    by_country : dict of str to int
        Days by market, instead; days of other markets stand against nothing.
    text : str
        The comparison in words.
    """

    text: str
    days: int = 0
    months: int = 0
    by_country: tuple[tuple[str, int], ...] = ()

    def moved(self, day: Any, country: Any) -> Any:
        """The day that each earlier day stands against, as an expression; missing where there is none."""
        import ibis

        if self.months:
            return (day + ibis.interval(months=self.months)).cast("date")
        if not self.by_country:
            return (day + ibis.interval(days=self.days)).cast("date")
        branches = [(country == code, (day + ibis.interval(days=days)).cast("date")) for code, days in self.by_country]
        return ibis.cases(*branches, else_=ibis.null("date"))

    def before(self, start: date, end: date) -> tuple[date, date]:
        """The earliest and the latest day that stands against a day of the period."""
        if self.months:
            return months_earlier(start, self.months), months_earlier(end, self.months)
        shifts = [days for _, days in self.by_country] or [self.days]
        return start - timedelta(days=max(shifts)), end - timedelta(days=min(shifts))


def months_earlier(day: date, months: int) -> date:
    """The same day of the month so many months before, or the last one the month has; month ends stay month ends."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    is_last = (day + timedelta(days=1)).day == 1
    return date(year, month + 1, last if is_last else min(day.day, last))


def shift_of(question: Question, compare: Any, calendar_of: Any, markets: list[str]) -> Shift | None:
    """How to compare.

    Parameters
    ----------
    question
        With its days known.
    compare
        One of ``COMPARISONS``, ``same_festival_last_year:NAME``, an ``Aligned``, or None.
    calendar_of
        Gives the calendar; called only where it is needed.
    markets
        Markets the question is about.

    Raises
    ------
    UnknownName
        There is no such comparison, festival or market.
    InvalidValue
        No festival, or several, have their main day in the period; a market does not hold it; an event lies outside.
    """
    if compare is None:
        return None
    if isinstance(compare, Aligned):
        return _aligned(question, compare, markets)
    name, _, festival = str(compare).partition(":")
    if name not in COMPARISONS or (festival and name != "same_festival_last_year"):
        raise unknown("comparison", str(compare), [*COMPARISONS, "Aligned"], "what `compare` knows")
    if name == "same_festival_last_year":
        return _same_festival(question, calendar_of(), festival or None, markets)
    return _previous(question) if name == "previous_period" else _last_year(question)


def _previous(question: Question) -> Shift:
    start, end = question.window
    months = _reset_months(question)
    if months:
        return Shift(f"{_counted(months, 'month')} earlier", months=months)
    months = _months(start, end)
    if months and question.grain in ("month", "quarter", "total"):
        return Shift(f"{_counted(months, 'month')} earlier", months=months)
    days = (end - start).days + 1
    return Shift(f"the {_counted(days, 'day')} before", days=days)


def _last_year(question: Question) -> Shift:
    if (
        _reset_months(question)
        or question.grain in ("month", "quarter")
        or (question.grain == "total" and _months(*question.window))
    ):
        return Shift("the same months a year earlier", months=12)
    return Shift("the same weekdays 52 weeks earlier", days=WEEKS_OF_A_YEAR.days)


def _months(start: date, end: date) -> int:
    """Months that the period takes up: whole ones, or the first days of one (a month to date). 0: neither."""
    if start.day != 1:
        return 0
    touched = (end.year - start.year) * 12 + end.month - start.month + 1
    whole = (end + timedelta(days=1)).day == 1
    return touched if whole or touched == 1 else 0


def _reset_months(question: Question) -> int:
    """Months after which running totals begin anew: those compared must begin together. 0: there are none."""
    found = {metric.resets for metric in question.metrics if isinstance(metric, Cumulative)}
    if len(found) > 1:
        raise InvalidValue(
            f"running totals by {' and by '.join(sorted(found))} are compared apart: ask for them in turn."
        )
    return {"month": 1, "quarter": 3, "year": 12}[found.pop()] if found else 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _aligned(question: Question, compare: Aligned, markets: list[str]) -> Shift:
    at, before = _by_market("at", compare.at, markets), _by_market("before", compare.before, markets)
    start, end = question.window
    for code in markets:
        if not start <= at[code] <= end:
            raise InvalidValue(f"the event 'at' {at[code]} in {code} lies outside of the period, {start} to {end}.")
        if before[code] >= at[code]:
            raise InvalidValue(f"the event 'before' ({before[code]}) must precede the one 'at' ({at[code]}) in {code}.")
    shifts = tuple((code, (at[code] - before[code]).days) for code in markets)
    return _with_country(question, Shift("the same days from the earlier event", by_country=shifts))


def _by_market(word: str, given: Any, markets: list[str]) -> dict[str, date]:
    named = given if isinstance(given, Mapping) else dict.fromkeys(markets, given)
    for code in named:
        if code not in markets:
            raise unknown("market", str(code), markets, f"the markets of the question, which '{word}' is about")
    missing = [code for code in markets if named.get(code) is None]
    if missing:
        raise InvalidValue(f"'{word}' names no day for {', '.join(missing)}: add them, or choose markets in `where`.")
    return {code: found for code in markets if (found := day_of(word, named[code])) is not None}


def _same_festival(question: Question, calendar: Calendar, name: str | None, markets: list[str]) -> Shift:
    start, end = question.window
    held = calendar.festivals(start, end, markets, name)
    held = [one for one in held if start <= one.main_on <= end]
    found = sorted({one.festival for one in held})
    if len(found) != 1:
        which = (
            f"several have ({', '.join(found)}): name one, as in 'same_festival_last_year:{found[0]}'"
            if found
            else "none has"
        )
        raise InvalidValue(f"{start} to {end} should hold the main day of one festival; {which}.")
    now: dict[str, FestivalDates] = {one.country: one for one in held}
    without = [code for code in markets if code not in now]
    if without:
        raise InvalidValue(
            f"{found[0]} has no main day from {start} to {end} in {', '.join(without)}. Choose markets in `where`:"
            f" {', '.join(now)}."
        )
    earlier = {code: calendar.same_festival_last_year(one) for code, one in now.items()}
    shifts = tuple((code, (now[code].main_on - earlier[code].main_on).days) for code in markets)
    title = held[0].title
    return _with_country(question, Shift(f"the same days from {title} a year earlier", by_country=shifts))


def _with_country(question: Question, shift: Shift) -> Shift:
    """The shift, where the marts know markets and nothing runs on from the month's first day."""
    if _reset_months(question):
        raise InvalidValue("a running total is compared by whole months: choose previous_period or last_year.")
    unfit = [metric.name for metric in question.metrics
             if "country" not in question.registry.marts[metric.mart].dimensions]  # fmt: skip
    if unfit:
        raise InvalidValue(f"{', '.join(unfit)} knows no market, so its days cannot be aligned by market.")
    return shift
