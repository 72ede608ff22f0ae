"""Figures and tables of a festival's lift."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries import seasons_drawings
from analysis_lib.countries.season_lift import expected_days
from analysis_lib.countries.season_markets import REACH, REACH_PAYDAY, MarketSeason
from analysis_lib.countries.seasons_text import metric_name, start_on, starts, sure, surest
from analysis_lib.drawings import draw_rows
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Exhibit, format_count, format_interval, format_percent, format_value, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.seasons_result import FestivalLift

#: Days over which a curve is a mean: a week, and of what is shorter than that three days.
WEEK, SHORT = 7, 3


def lifts(one: FestivalLift) -> Exhibit:
    """The festival's lift by market, drawn to the mean; each market's own as a small dot."""
    import pandas as pd

    own = one.own("festival")
    rows = [(one.markets[code], it.value, it.ci_lower, it.ci_upper, own[code].value) for code, it in one.ranked]
    frame = pd.DataFrame(rows, columns=["market", "lift", "lift_ci_lower", "lift_ci_upper", "own"])
    n = len(sure(one))
    title = f"{format_count(n)} of {format_count(len(frame))} markets lie above usual beyond doubt"
    return Exhibit(
        title=title,
        subtitle=f"{one.metric.title} against usual days, {format_percent(one.level, 0)} intervals, each market"
        " drawn to the mean of all; grey dots: the market by itself",
        frame=frame, units=dict.fromkeys(frame.columns[1:], "share"),
        draw=partial(draw_rows, frame=frame),
        height=0.11 * len(frame) + 0.14,
    )  # fmt: skip


def steps(one: FestivalLift) -> Exhibit:
    """Markets by weeks (or days) from the festival's first day there."""
    import pandas as pd

    order = [code for code, _ in one.ranked]
    wide = pd.DataFrame(index=order, columns=one.steps, dtype=float)
    clear = pd.DataFrame(False, index=order, columns=one.steps)
    for step in one.steps:
        found = one.drawn(step)
        if found is None:
            for code, it in one.own(step).items():
                wide.loc[code, step], clear.loc[code, step] = it.value, it.excludes_zero
            continue
        codes, drawn = found
        wide.loc[codes, step] = drawn.value
        clear.loc[codes, step] = (drawn.ci_lower > 0) | (drawn.ci_upper < 0)
    unit = "Days from payday" if one.is_payday else "Weeks before (−), during and after (+)"
    title = starts(one).split(":")[0].split(". ")[0].rstrip(".")
    return Exhibit(
        title=title, subtitle=f"{unit}: {one.metric.title} against usual days, per cent, drawn to the mean of markets;"
        " bold: beyond doubt; empty: campaigns or other festivals",
        frame=wide.rename(index=one.markets).reset_index(names="market"), units=dict.fromkeys(one.steps, "share"),
        draw=partial(seasons_drawings.draw_steps, wide=wide, clear=clear), height=0.075 * len(wide) + 0.14,
    )  # fmt: skip


def curves(one: FestivalLift) -> Exhibit:
    """Day by day from the festival's first day, small multiples on one scale."""
    import pandas as pd

    frames = []
    for code, _ in one.ranked:
        season = one.seasons[code]
        index, chance = day_index(season, 1 if one.is_payday else WEEK if _length(one) >= WEEK else SHORT)
        frames.append(index.assign(market=one.markets[code], chance=chance))
    frame = pd.concat(frames, ignore_index=True)
    seen = frame.dropna(subset="index")
    peak = seen.loc[seen["index"].idxmax()]
    day = int(peak["day"])
    when = "on the day itself" if day == 0 else f"{abs(day)} days {'before' if day < 0 else 'after'} the first day"
    if one.is_payday and day:
        when = f"{abs(day)} days {'before' if day < 0 else 'after'} payday"
    smooth = "" if one.is_payday else f", means of {WEEK if _length(one) >= WEEK else SHORT} days"
    return Exhibit(
        title=f"The highest point is {peak['market']}, {when}",
        subtitle=f"{one.metric.title} against usual days by days from the first day in the market{smooth}; grey band:"
        " where usual days lie by chance",
        frame=frame[["market", "day", "index"]], units={"day": "", "index": "share"},
        draw=partial(seasons_drawings.draw_curves, frame=frame, length=_length(one),
                     since="payday" if one.is_payday else "the first day in the market"),
        height=0.14 * len(one.seasons) + 0.14,
    )  # fmt: skip


def _length(one: FestivalLift) -> int:
    return max(item.n_days for season in one.seasons.values() for item in season.calendar.occasions)


def day_index(season: MarketSeason, width: int) -> tuple[pd.DataFrame, float]:
    """Lift by day from the first day, all years together, and how far usual days lie from none by chance.

    Parameters
    ----------
    width : int
        Days over which each point is a mean; odd.
    """
    import pandas as pd
    from scipy.stats import norm  # slow to import

    actual: dict[int, float] = {}
    expected: dict[int, float] = {}
    n_years = 0
    for item in season.calendar.occasions:
        ends = (-season.before, item.n_days - 1 + season.after)
        places, _ = season.days(item, ends)
        try:
            thought = expected_days(
                season.series, places, season.span(item), REACH_PAYDAY if season.is_payday else REACH
            )
        except NotEnoughData:
            continue
        n_years += 1
        for place, value in zip(places, thought, strict=True):
            day = int(place) - season.position(item.first)
            if np.isfinite(season.series.values[place]):
                actual[day] = actual.get(day, 0.0) + float(season.series.values[place])
                expected[day] = expected.get(day, 0.0) + float(value)
    days = range(-season.before, max(item.n_days for item in season.calendar.occasions) + season.after)
    rows = [(day, _around_day(day, width // 2, actual, expected)) for day in days]
    runs = season.placebos(width)
    # Chance of one year shrinks with the years that are averaged; moved paydays are averages already.
    spread = float(np.std(runs.values)) / (1 if season.is_payday else np.sqrt(max(1, n_years)))
    return pd.DataFrame(rows, columns=["day", "index"]), float(norm.ppf(0.5 + season.level / 2)) * spread


def _around_day(day: int, half: int, actual: dict[int, float], expected: dict[int, float]) -> float:
    near = [other for other in range(day - half, day + half + 1) if other in actual]
    # A mean of fewer than half of its days is another day's.
    if len(near) <= half or day not in actual:
        return float("nan")
    return sum(actual[other] for other in near) / sum(expected[other] for other in near) - 1


def years(one: FestivalLift) -> Exhibit:
    """This year against last by festival, and by date as a grey dot."""
    import pandas as pd

    if not one.years:
        return nothing_to_show("This year against last", "two years of it inside the data")
    rows = [
        (one.markets[code], it.aligned.value, it.aligned.ci_lower, it.aligned.ci_upper, it.naive.value)
        for code, it in one.years.items()
    ]
    frame = pd.DataFrame(rows, columns=["market", "aligned", "aligned_ci_lower", "aligned_ci_upper", "by_date"])
    frame = frame.sort_values("aligned", ascending=False, ignore_index=True)
    worst = surest(one)
    same = all(it.n_shared == it.n_days for it in one.years.values())
    title = (
        f"By date, {one.markets[worst.country]} is misjudged by {format_value(abs(worst.gap.value), 'pp', spread=1)}"
    )
    return Exhibit(
        title="By date and by festival are the same days" if same else title,
        subtitle=f"Growth of {metric_name(one)} over the same days of it, {format_percent(one.level, 0)} intervals of"
        " single days' chance; grey dots: the same weekdays 52 weeks before",
        frame=frame, units=dict.fromkeys(frame.columns[1:], "share"),
        draw=partial(draw_rows, frame=frame),
        height=0.11 * len(frame) + 0.14,
    )  # fmt: skip


def misjudged(one: FestivalLift) -> Exhibit:
    """Both comparisons as a table."""
    import pandas as pd

    if not one.years:
        return nothing_to_show("By festival and by date", "two years of it inside the data")
    rows = []
    for code, it in one.years.items():
        days = f"{it.last.first:%-d %b %Y} and {it.this.first:%-d %b %Y}"
        rows.append((one.markets[code], days, it.aligned.short, format_percent(it.naive.value, 0), it.gap.short,
                     it.misstated.short, it.n_shared))  # fmt: skip
    names = ["market", "first days", "by festival", "by date", "apart", "last year's base off by", "days shared"]
    few = sum(it.n_shared < it.n_days for it in one.years.values())
    return Exhibit(
        title=f"In {format_count(few)} of {format_count(len(rows))} markets dates a year apart are other days of it",
        subtitle=f"Growth of {metric_name(one)}; days shared: days of the comparison by date that were of last year's",
        frame=pd.DataFrame(rows, columns=names), units={"days shared": ""},
    )  # fmt: skip


def table(one: FestivalLift) -> Exhibit:
    """Every market: lift, what it brought, and the days beside it."""
    import pandas as pd

    rows = []
    for code, _ in one.ranked:
        by_phase = {name: rows_of[0] for name, rows_of in one.phases[code].items()}
        main = by_phase["festival"]
        beside = [by_phase[name].rel.short if name in by_phase else "not told" for name in ("before", "after")]
        rows.append((one.markets[code], main.rel.short, _short(main.extra), *beside, main.rel.n, main.n_left_out))
    names = ["market", "lift", "more than usual", "before", "after", "days counted", "days left out"]
    return Exhibit(
        title=f"{one.title}, market by market",
        subtitle=f"{one.metric.title} against usual days, {format_percent(one.level, 0)} intervals, each market by"
        " itself, all years together",
        frame=pd.DataFrame(rows, columns=names), units=dict.fromkeys(names[-2:], ""),
    )  # fmt: skip


def _short(found) -> str:
    return format_interval(found.value, found.ci_lower, found.ci_upper, found.unit)


def plan(one: FestivalLift) -> Exhibit:
    """The next one in each market, and from when on to be ready."""
    import pandas as pd

    rows = []
    for code, it in one.ranked:
        item, ready = one.upcoming[code], start_on(one, code)
        day = "not in the calendar" if item is None else f"{item.first:%-d %b %Y}"
        word = "" if ready is None else f"{ready:%-d %b %Y}"
        rows.append((one.markets[code], it.short, day, word, "beyond doubt" if it.ci_lower > 0 else "may be chance"))
    known = [item.first for item in one.upcoming.values() if item is not None]
    title = f"The next one begins on {min(known):%-d %B %Y}" if known else "No next one is known"
    return Exhibit(
        title=title, subtitle="Stock and offers ready by: the first day, or the earliest week before it that sells"
        " more",
        frame=pd.DataFrame(rows, columns=["market", "lift", "next first day", "ready by", "lift is"]), units={},
    )  # fmt: skip


EXHIBITS: dict[str, Callable[[FestivalLift], Exhibit]] = {
    "steps": steps, "curves": curves, "lifts": lifts, "years": years, "misjudged": misjudged, "table": table,
    "plan": plan,
}  # fmt: skip
