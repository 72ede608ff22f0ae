"""Cells of several marts put side by side, by key and never by row."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.asking import Question
from analysis_lib.metrics.cells import BEFORE, CURRENCIES_SEEN, PERIOD, ROWS, SEP, keys
from analysis_lib.metrics.declaration import Cumulative, Metric, Simple

if TYPE_CHECKING:
    import pandas as pd

#: More cells than this are a mistake: a key was taken for a dimension, or days where weeks would do.
MOST_CELLS = 2_000_000


def shaped(frame: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Cells as an engine gives them, in one shape: times as times, yes and no as ``boolean``, keys that do not repeat.

    Raises
    ------
    InvalidValue
        Local money of two currencies in a cell.
    """
    import pandas as pd

    frame = frame.assign(
        **{PERIOD: pd.to_datetime(frame[PERIOD]).astype("datetime64[s]"), BEFORE: frame[BEFORE].astype(bool)}
    )
    for name in keys(question)[2:]:
        values = frame[name].dropna()
        if len(values) and isinstance(values.iloc[0], bool | type(pd.array([True]).to_numpy()[0])):
            frame[name] = frame[name].astype("boolean")
    if CURRENCIES_SEEN in frame and (frame[CURRENCIES_SEEN] > 1).any():
        cell = frame[frame[CURRENCIES_SEEN] > 1].iloc[0]
        where = ", ".join(str(cell[name]) for name in keys(question)[2:]) or "the whole"
        raise InvalidValue(
            f"the cell of {where} from {cell[PERIOD].date()} holds {cell[CURRENCIES_SEEN]} currencies: local money"
            " would be added up across them. Cut by currency, or choose one in `where`."
        )
    return frame


def side_by_side(frames: dict[str, pd.DataFrame], question: Question, sides: list[bool]) -> pd.DataFrame:
    """One row per cell of any of the frames and of every period, dimension values that were seen completed.

    Parameters
    ----------
    frames
        Cells by the name of their pass; the keys of each do not repeat.
    sides
        False for the period asked for, True for the one it is compared with.
    """
    table = grid(list(frames.values()), question, sides)
    for name, frame in frames.items():
        own = frame.drop(columns=[CURRENCIES_SEEN], errors="ignore").rename(columns={ROWS: f"{ROWS}{SEP}{name}"})
        table = table.merge(own, on=keys(question), how="left", validate="one_to_one")
    return table


def grid(frames: list[pd.DataFrame], question: Question, sides: list[bool]) -> pd.DataFrame:
    """Every period of every combination of dimension values that was seen, on every side.

    Raises
    ------
    InvalidValue
        There would be more than ``MOST_CELLS``.
    """
    import pandas as pd

    names = keys(question)[2:]
    spans = pd.DataFrame({PERIOD: periods(question)}).merge(pd.DataFrame({BEFORE: sides}), how="cross")
    if not names:
        return spans
    seen = pd.concat([frame[names] for frame in frames], ignore_index=True).drop_duplicates()
    if len(seen) * len(spans) > MOST_CELLS:
        raise InvalidValue(
            f"{len(seen):,} groups by {', '.join(question.by)} in {len(spans):,} periods are too many cells. Choose a"
            " coarser grain, fewer dimensions, or some of their values in `where`."
        )
    seen = seen.sort_values(names, na_position="last")
    return seen.merge(spans, how="cross")


def periods(question: Question, grain: str | None = None) -> pd.DatetimeIndex:
    """First days of the periods of a question, ascending; of the total its first day."""
    import pandas as pd

    start, end = question.window
    chosen = grain or question.grain
    if chosen == "total":
        return pd.DatetimeIndex([start]).astype("datetime64[s]")
    days = pd.date_range(start, end, freq="D").to_series()
    unit = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}[chosen]
    return pd.DatetimeIndex(days.dt.to_period(unit).dt.start_time.unique()).astype("datetime64[s]")


def ends(starts: Any, question: Question) -> Any:
    """The last day of each period that is asked for, and whether the question cuts the period.

    Returns
    -------
    tuple of DatetimeIndex and boolean array
    """
    import pandas as pd

    start, end = (pd.Timestamp(day) for day in question.window)
    starts = pd.DatetimeIndex(starts)
    if question.grain == "total":
        return pd.DatetimeIndex([end] * len(starts)), starts != start
    unit = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}[question.grain]
    last = starts.to_period(unit).end_time.normalize()
    return last.where(last <= end, end), (starts < start) | (last > end)


def value_of(table: pd.DataFrame, metric: Metric, pass_name: str) -> pd.Series:
    """A metric from its parts: 0 where the mart has no row, missing where a denominator is 0."""
    column = f"{metric.name}{SEP}"
    if f"{column}denominator" in table:
        above, below = table[f"{column}numerator"].astype("float64"), table[f"{column}denominator"].astype("float64")
        return above / below.where(below != 0)
    values = table[f"{column}of"].astype("float64")
    if isinstance(metric, Simple):
        return values.mask(table[f"{ROWS}{SEP}{pass_name}"].isna(), 0.0)
    return values


def running(
    daily: pd.DataFrame, question: Question, metric: Cumulative, first: date, sides: list[bool]
) -> pd.DataFrame:
    """A running total at the end of each period, from daily cells that begin where it was last reset.

    Parameters
    ----------
    daily
        Cells by day, with ``<name>__of`` and ``<name>__unpriced``.
    first
        First day of the daily cells.
    """
    import pandas as pd

    names = keys(question)[1:]
    by_day = question.between(first, question.window[1])
    days = pd.DataFrame({PERIOD: periods(by_day, "day")})
    wanted = grid([daily], question, sides)
    table = wanted[names].drop_duplicates().merge(days, how="cross")
    parts = [name for name in (f"{metric.name}{SEP}of", f"{metric.name}{SEP}unpriced") if name in daily]
    table = table.merge(daily[[*keys(question), *parts]], on=keys(question), how="left", validate="one_to_one")
    table["since"] = table[PERIOD].dt.to_period({"month": "M", "quarter": "Q", "year": "Y"}[metric.resets])
    for part in parts:
        filled = table[part].astype("float64").fillna(0.0)
        table[part] = filled.groupby([table[name] for name in [*names, "since"]], dropna=False).cumsum()
    last, _ = ends(wanted[PERIOD], question)
    wanted = wanted.assign(on_day=last.astype("datetime64[s]"))
    table = table.drop(columns="since").rename(columns={PERIOD: "on_day"})
    return wanted.merge(table, on=[*names, "on_day"], how="left", validate="one_to_one").drop(columns="on_day")
