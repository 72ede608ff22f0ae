"""What kind of day a day is, by market: weekend, holiday, payday, festival, Ramadan; facts only, no effect sizes."""

from analysis_lib.calendar.almanac import Calendar, load_calendar
from analysis_lib.calendar.days import Day
from analysis_lib.calendar.occurrences import FestivalDates

__all__ = ["Calendar", "Day", "FestivalDates", "load_calendar"]
