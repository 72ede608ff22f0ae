"""A festival in one market: its lift with an honest error, what it moved, week by week."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from analysis_lib.countries.season_lift import (
    FEWEST_RECURRING,
    FEWEST_USUAL,
    Lift,
    Series,
    lift,
    placebos,
    placebos_moved,
)
from analysis_lib.countries.season_windows import BESIDE_PAYDAY, MarketCalendar, Occasion, phases
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: Days on either side in which usual days are looked for: eight weeks, and four about a payday.
REACH, REACH_PAYDAY = 56, 28

#: Smallest share of a phase's days that must be counted.
FEWEST_SHARE = 1 / 3

METHOD = "days against usual days of the market around them; error from their scatter, widened by placebo windows"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One phase in one market and year (or all paydays).

    Attributes
    ----------
    phase : str
        ``before``, ``festival``, ``after``, or the name of a step.
    year : int
        Year; 0 for all together.
    rel : Estimate
        Lift over usual days, a share.
    extra : Estimate
        The same in the metric's unit, added up over the days counted.
    n_left_out : int
        Days of the phase that are not counted: a campaign, or another festival.
    """

    phase: str
    year: int
    rel: Estimate
    extra: Estimate
    n_left_out: int


@dataclass(slots=True, eq=False)
class MarketSeason:
    """A market whose festival is measured.

    Attributes
    ----------
    calendar : MarketCalendar
        Its days.
    series : Series
        The metric on them.
    first_day : datetime.date
        Day at position 0.
    before, after : int
        Days looked at before and after.
    with_campaigns : bool
        Whether days of campaigns are counted in the festival.
    level : float
        Level of intervals.
    unit : str
        Unit of the metric.
    is_payday : bool
        Whether what is looked at are paydays.
    """

    calendar: MarketCalendar
    series: Series
    first_day: date
    before: int
    after: int
    with_campaigns: bool
    level: float
    unit: str
    is_payday: bool
    _placebos: dict = field(default_factory=dict)

    def position(self, day: date) -> int:
        """Position of a day in the series."""
        return (day - self.first_day).days

    def phases(self, one: Occasion) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
        """As ``season_windows.phases``, of one occasion."""
        return phases(one.n_days, self.before, self.after, is_payday=self.is_payday)

    def days(self, one: Occasion, ends: tuple[int, int]) -> tuple[np.ndarray, int]:
        """Positions of the days that are counted, and how many are not."""
        places = self.position(one.first) + np.arange(ends[0], ends[1] + 1)
        inside = places[(places >= 0) & (places < len(self.series.values))]
        blocked = self.calendar.foreign
        if self.with_campaigns:
            blocked = blocked & ~self.calendar.campaign
        kept = inside[~blocked[inside]]
        return kept, len(places) - len(kept)

    def span(self, one: Occasion) -> tuple[int, int]:
        """First and last position of the occasion with the days beside it."""
        return self.position(one.first) - self.before, self.position(one.last) + self.after

    def told(self, phase: str) -> list[Told]:
        """One row a year in which enough days can be counted; one for all paydays."""
        if self.is_payday:
            return [self._told(phase, self.calendar.occasions, 0)]
        found = []
        for one in self.calendar.occasions:
            try:
                found.append(self._told(phase, [one], one.year))
            except NotEnoughData:
                continue
        if not found:
            raise NotEnoughData("too few of its days have no campaign and no other festival")
        return found

    def _told(self, phase: str, occasions: list[Occasion], year: int) -> Told:
        chosen, spans, left_out, length = [], [], 0, 0
        for one in occasions:
            whole, steps = self.phases(one)
            ends = {**whole, **steps}[phase]
            kept, lost = self.days(one, ends)
            chosen.append(kept)
            spans.append(self.span(one))
            left_out += lost
            length = max(length, ends[1] - ends[0] + 1)
        counted = sum(len(kept) for kept in chosen)
        if counted < FEWEST_SHARE * (counted + left_out):
            raise NotEnoughData("too few of its days have no campaign and no other festival")
        reach, fewest = (REACH_PAYDAY, FEWEST_RECURRING) if self.is_payday else (REACH, FEWEST_USUAL)
        found = lift(self.series, chosen, spans, reach, fewest)
        rel = self._widened(found, length)
        extra = Estimate(
            found.actual - found.expected, rel.se * found.expected, rel.ci_lower * found.expected,
            rel.ci_upper * found.expected, self.level, self.unit, found.n_days, METHOD,
        )  # fmt: skip
        return Told(phase, year, rel, extra, left_out)

    def _widened(self, found: Lift, length: int) -> Estimate:
        """The lift with what placebo windows of the market's own past show its error leaves out."""
        plain = Estimate.normal(found.value, found.se, level=self.level, unit="share", n=found.n_days, method=METHOD)
        return self.placebos(length).widen(plain)

    def placebos(self, length: int):
        """What windows (or paydays moved) show about the error, by days of a window."""
        from analysis_lib.causal import calibrate

        if length not in self._placebos:
            if self.is_payday:
                starts = [self.position(one.first) for one in self.calendar.occasions]
                rows, apart = placebos_moved(self.series, starts, length, BESIDE_PAYDAY, REACH_PAYDAY)
            else:
                beside, step = (self.before, self.after), max(3, length // 4)
                rows, apart = placebos(self.series, length, beside, REACH, step)
            self._placebos[length] = calibrate(rows[:, 0], rows[:, 1], n_independent=apart, level=self.level)
        return self._placebos[length]


def pooled(rows: list[Told]) -> Told:
    """Years of a phase in one market together: extra over expected, years as independent.

    Raises
    ------
    NotEnoughData
        There is none.
    """
    if not rows:
        raise NotEnoughData("no year can be told")
    if len(rows) == 1:
        return rows[0]
    first = rows[0]
    expected = np.array([row.extra.se / row.rel.se for row in rows])
    weights = expected / expected.sum()
    value = float(weights @ [row.rel.value for row in rows])
    se = float(np.sqrt(np.square(weights) @ [row.rel.se**2 for row in rows]))
    n = sum(row.rel.n for row in rows)
    rel = Estimate.normal(value, se, level=first.rel.level, unit="share", n=n, method=first.rel.method)
    extra = rel.scaled(float(expected.sum()), first.extra.unit)
    return Told(first.phase, 0, rel, extra, sum(row.n_left_out for row in rows))
