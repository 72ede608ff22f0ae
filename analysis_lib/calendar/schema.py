"""The shape of ``data/calendar.yml``: rules for dates, markets, festivals."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[str, ...] = Weekday.__args__  # type: ignore[attr-defined]

Closed = Literal["stay", "earlier", "later", "nearest"]

#: A month of any year that has no 29 February, to tell which days exist every year.
_COMMON_YEAR = 2023


def _some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not min_length: pydantic counts only the valid items, and would add a second, puzzling problem.
    if not values:
        raise ValueError("name at least one")
    return values


_Some = AfterValidator(_some)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MonthDay(_Part):
    """The same month and day every year."""

    kind: Literal["month_day"]
    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)

    @model_validator(mode="after")
    def _exists_every_year(self) -> MonthDay:
        if self.day > monthrange(_COMMON_YEAR, self.month)[1]:
            raise ValueError(f"month {self.month} does not have a day {self.day} every year")
        return self


class NthWeekday(_Part):
    """The first to fourth such weekday of a month, moved by ``offset_days``."""

    kind: Literal["nth_weekday"]
    month: int = Field(ge=1, le=12)
    weekday: Weekday
    nth: int = Field(ge=1, le=4)  # a fifth one does not exist every year
    offset_days: int = Field(default=0, ge=-31, le=31)


class Easter(_Part):
    """Western Easter Sunday, moved by ``offset_days``."""

    kind: Literal["easter"]
    offset_days: int = Field(default=0, ge=-60, le=60)


class HolidayRule(_Part):
    """The first public holiday of that name in the year, in the market itself or in ``country``."""

    kind: Literal["holiday"]
    name: str
    country: str | None = None


class Listed(_Part):
    """Dates written out, one a year."""

    kind: Literal["listed"]
    dates: tuple[date, ...]

    @field_validator("dates")
    @classmethod
    def _one_a_year(cls, dates: tuple[date, ...]) -> tuple[date, ...]:
        years = [day.year for day in dates]
        if len(set(years)) < len(years):
            raise ValueError("two dates in one year")
        return dates


class DayOfMonth(_Part):
    """The same days of every month; a day that a month lacks is its last day."""

    kind: Literal["day_of_month"]
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=31)], ...], _Some]
    if_closed: Closed = "stay"


class LastDay(_Part):
    """The last day of every month."""

    kind: Literal["last_day"]
    if_closed: Closed = "stay"


class LastWeekday(_Part):
    """The last such weekday of every month."""

    kind: Literal["last_weekday"]
    weekday: Weekday
    if_closed: Closed = "stay"


class NthWorkingDay(_Part):
    """The n-th day of every month that is neither weekend nor public holiday."""

    kind: Literal["nth_working_day"]
    nth: int = Field(ge=1, le=15)


FestivalRule = Annotated[MonthDay | NthWeekday | Easter | HolidayRule | Listed, Field(discriminator="kind")]
PaydayRule = Annotated[DayOfMonth | LastDay | LastWeekday | NthWorkingDay, Field(discriminator="kind")]


class Market(_Part):
    """The days of one market.

    Attributes
    ----------
    holidays : str
        Country code the ``holidays`` package knows the market by.
    subdivision : str | None
        Part of the country whose public holidays count, where no set is nationwide.
    weekend : tuple of str
        Weekdays on which offices and banks are closed.
    first_weekday : str
        Weekday on which a calendar page begins.
    paydays : tuple of PaydayRule
        When wages usually arrive.
    """

    holidays: str
    subdivision: str | None = None
    weekend: Annotated[tuple[Weekday, ...], Field(max_length=3), _Some]
    first_weekday: Weekday
    paydays: Annotated[tuple[PaydayRule, ...], _Some]


class Held(_Part):
    """Where a festival is held, and by which rule its main day is found there."""

    markets: Annotated[tuple[str, ...], _Some]
    rule: FestivalRule

    @field_validator("markets", mode="before")
    @classmethod
    def _norway_is_a_word(cls, markets: Any) -> Any:
        if isinstance(markets, list) and any(isinstance(code, bool) for code in markets):
            raise ValueError('YAML reads NO as false; write "NO"')
        return markets


class Festival(_Part):
    """One shopping festival.

    Attributes
    ----------
    title : str
        Name for people.
    meaning : str
        What it is, as a sentence.
    aliases : tuple of str
        Other names it is looked up by, capitals aside.
    run_up_days : int
        Days before the main day that already belong to it.
    length_days : int | None
        Days from the main day on, itself included.
    lasts_until : str | None
        Instead of a length: the festival before whose main day this one ends.
    held : tuple of Held
        Markets with the rule of the main day there.
    """

    title: str
    meaning: str
    aliases: tuple[str, ...] = ()
    run_up_days: int = Field(ge=0, le=45)
    length_days: int | None = Field(default=None, ge=1, le=31)
    lasts_until: str | None = None
    held: Annotated[tuple[Held, ...], _Some]

    @model_validator(mode="after")
    def _ends_once(self) -> Festival:
        if (self.length_days is None) == (self.lasts_until is None):
            raise ValueError("give either length_days or lasts_until")
        return self

    @model_validator(mode="after")
    def _one_rule_a_market(self) -> Festival:
        twice = [code for code in self.countries if self.countries.count(code) > 1]
        if twice:
            raise ValueError(f"market {twice[0]} has two rules")
        return self

    @property
    def countries(self) -> list[str]:
        """Markets that hold the festival."""
        return [code for held in self.held for code in held.markets]

    def rule_in(self, country: str) -> FestivalRule | None:
        """The rule of the main day in that market, or None where the festival is not held."""
        return next((held.rule for held in self.held if country in held.markets), None)


class Period(_Part):
    """First and last day the calendar answers for."""

    first: date
    last: date

    @model_validator(mode="after")
    def _runs_forward(self) -> Period:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) lies before first ({self.first})")
        return self

    @property
    def years(self) -> range:
        """Years of the period and one either side: a run-up or a payday may reach over New Year."""
        return range(self.first.year - 1, self.last.year + 2)
