"""Dates from rules: the main day of a festival in a year, the paydays of a month. Pure functions."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from analysis_lib.calendar.schema import (
    WEEKDAYS,
    Closed,
    DayOfMonth,
    LastDay,
    LastWeekday,
    MonthDay,
    NthWeekday,
    NthWorkingDay,
)

IsOpen = Callable[[date], bool]


def month_day(rule: MonthDay, year: int) -> date:
    """That month and day of the year."""
    return date(year, rule.month, rule.day)


def nth_weekday(rule: NthWeekday, year: int) -> date:
    """The n-th such weekday of the month, moved by the rule's offset."""
    first = date(year, rule.month, 1)
    days = (WEEKDAYS.index(rule.weekday) - first.weekday()) % 7 + 7 * (rule.nth - 1)
    return first + timedelta(days=days + rule.offset_days)


def easter_sunday(year: int) -> date:
    """Western Easter Sunday."""
    from dateutil.easter import easter

    return easter(year)


def months(first: date, last: date) -> Iterator[tuple[int, int]]:
    """Year and month of every month from ``first`` to ``last``, one more either side."""
    for number in range(first.year * 12 + first.month - 2, last.year * 12 + last.month + 1):
        yield number // 12, number % 12 + 1


def paydays_of_month(
    rule: DayOfMonth | LastDay | LastWeekday | NthWorkingDay, year: int, month: int, is_open: IsOpen
) -> list[date]:
    """The paydays a rule gives for one month; moved off closed days, they may lie in the month beside it.

    Parameters
    ----------
    is_open : function of date to bool
        Whether banks work on the day.
    """
    length = monthrange(year, month)[1]
    if isinstance(rule, NthWorkingDay):
        open_days = [day for day in (date(year, month, n + 1) for n in range(length)) if is_open(day)]
        return open_days[rule.nth - 1 : rule.nth]
    if isinstance(rule, DayOfMonth):
        planned = [date(year, month, min(number, length)) for number in rule.days]
    else:
        planned = [date(year, month, length)]
    if isinstance(rule, LastWeekday):
        planned = [day - timedelta(days=(day.weekday() - WEEKDAYS.index(rule.weekday)) % 7) for day in planned]
    return [moved(day, rule.if_closed, is_open) for day in planned]


def moved(day: date, how: Closed, is_open: IsOpen) -> date:
    """``day``, or the open day that is paid instead; of two equally near the earlier one."""
    if how == "stay" or is_open(day):
        return day
    earlier, later = day, day
    while not is_open(earlier):
        earlier -= timedelta(days=1)
    while not is_open(later):
        later += timedelta(days=1)
    if how == "nearest":
        return earlier if day - earlier <= later - day else later
    return earlier if how == "earlier" else later
