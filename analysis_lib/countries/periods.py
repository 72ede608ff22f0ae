"""Two periods of equal length, and which of their days are ordinary in each market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from analysis_lib.calendar import load_calendar
from analysis_lib.errors import InvalidValue
from analysis_lib.warehouse.campaign_days import in_campaign

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

Window = tuple[date, date]

#: Days of a year's comparison: whole weeks, so that both periods have the same weekdays.
YEAR = 364


@dataclass(frozen=True, slots=True)
class Periods:
    """What is compared with what.

    Attributes
    ----------
    before, after : tuple of datetime.date
        First and last market-local day of each, both included; of equal length, without a day in common.
    """

    before: Window
    after: Window

    @property
    def n_days(self) -> int:
        """Days of each."""
        return (self.after[1] - self.after[0]).days + 1

    @property
    def text(self) -> str:
        """Both in words."""
        first, second = (f"{start:%-d %b %Y} to {end:%-d %b %Y}" for start, end in (self.before, self.after))
        return f"{second} against {first}"


def year_on_year(last: date, first: date, weeks: int) -> Periods:
    """The last whole weeks of the data against the same weeks a year before.

    Raises
    ------
    InvalidValue
        The data do not reach back so far; the message says how many weeks fit.
    """
    after = (last - timedelta(days=7 * weeks - 1), last)
    before = tuple(day - timedelta(days=YEAR) for day in after)
    fits = ((last - first).days + 1 - YEAR) // 7
    if weeks < 1 or weeks > 52:
        raise InvalidValue(f"weeks={weeks}: between 1 and 52 whole weeks can be compared with those a year before")
    if before[0] < first:
        raise InvalidValue(
            f"weeks={weeks}: the data begin on {first}, and the weeks a year before would begin on {before[0]}; "
            + (f"the longest that fits is {fits}" if fits > 0 else "no week has one a year before it")
        )
    return Periods((before[0], before[1]), after)


def given(before: Window, after: Window, first: date, last: date) -> Periods:
    """Periods as asked for.

    Raises
    ------
    InvalidValue
        They differ in length, overlap, run backwards, or leave the data.
    """
    for word, (start, end) in (("before", before), ("after", after)):
        if end < start:
            raise InvalidValue(f"{word} ends on {end}, before it begins on {start}")
        if start < first or end > last:
            raise InvalidValue(f"{word} ({start} to {end}) leaves the data, which run from {first} to {last}")
    lengths = [(end - start).days + 1 for start, end in (before, after)]
    if lengths[0] != lengths[1]:
        raise InvalidValue(f"before has {lengths[0]} days, after {lengths[1]}: growth needs periods of equal length")
    if before[1] >= after[0]:
        raise InvalidValue(f"before ends on {before[1]}, after begins on {after[0]}: they must not overlap")
    return Periods(before, after)


def days_of(wh: Warehouse, periods: Periods, markets: list[str]) -> pd.DataFrame:
    """Every market-local day of both periods.

    Returns
    -------
    DataFrame
        country, day, is_after, is_ordinary: no shopping festival of the market's calendar and no campaign of it.
    """
    import pandas as pd

    calendar = load_calendar(wh.project)
    known = set(calendar.countries)
    frames = []
    for is_after, (start, end) in ((False, periods.before), (True, periods.after)):
        all_days = pd.MultiIndex.from_product([markets, pd.date_range(start, end)], names=["country", "day"])
        frame = all_days.to_frame(index=False).assign(is_after=is_after)
        festive = {
            (day.country, pd.Timestamp(day.day))
            for day in calendar.days([name for name in markets if name in known], start, end)
            if day.festival is not None
        }
        keys = zip(frame["country"], frame["day"], strict=True)
        frames.append(frame.assign(is_festival=[key in festive for key in keys]))
    days = pd.concat(frames, ignore_index=True)
    return days.assign(is_ordinary=~days["is_festival"] & ~in_campaign(wh, days)).drop(columns="is_festival")
