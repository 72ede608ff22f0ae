"""The front door: metrics by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from analysis_lib.calendar import load_calendar
from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.asking import Question, ask
from analysis_lib.metrics.assembling import running, shaped, side_by_side, value_of
from analysis_lib.metrics.cells import BEFORE, PERIOD, cells, keys, reset_start, returned
from analysis_lib.metrics.comparing import Aligned, Shift, shift_of
from analysis_lib.metrics.coverage import Covered, covered, dated, markets_of, tables_of
from analysis_lib.metrics.declaration import Cumulative, Metric, Retention
from analysis_lib.metrics.flags import FLAGS, flagged
from analysis_lib.metrics.registry import load_metrics
from analysis_lib.metrics.result import MetricResult

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


def query(
    warehouse: Warehouse,
    names: Iterable[str] | str,
    *,
    by: Iterable[str] | str = (),
    grain: str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, Any] | None = None,
    currency: str = "usd",
    as_of: datetime | str | None = None,
    compare: str | Aligned | None = None,
) -> MetricResult:
    """Metrics of ``data/metrics.yml`` by cell; one pass over each mart, distinct counts made at the cell's own grain.

    A retention or a running total makes a pass of its own. Cells of several marts meet by their keys, so that nothing
    is counted twice. Every period of every combination of values that was seen is a row.

    Parameters
    ----------
    names : str or iterable of str
        Metrics.
    by : str or iterable of str
        Dimensions; all metrics must know them.
    grain : str | None
        day, week (from Monday), month, quarter or total (the default).
    start, end : date or ISO text
        Market-local days, both included; by default those that all marts asked cover.
    where : dict of str to value or list
        Values that dimensions may have.
    currency : str
        usd (rate of the order's day), constant_usd, or local (needs one currency per cell).
    as_of : datetime or ISO text
        UTC time: only what was known by then. Metrics of order_facts are computed anew; of the other marts that can be
        asked at all, days that were not over are left out.
    compare : str or Aligned | None
        ``previous_period``: as many days before; where the period is whole months, or the first days of one, and the
        grain is not finer than months, as many months before. ``last_year``: the same weekdays, 52 weeks before; the
        same months where the grain is months. ``same_festival_last_year``, or with ``:NAME``: day by day from the main
        day, by market. ``Aligned``: two events of one's own.

    Raises
    ------
    UnknownName
        A metric, dimension, value, grain, currency or comparison that does not exist; the message names the nearest.
    InvalidValue
        A cut that a metric does not know, dates reversed or outside of the data, local money of two currencies in a
        cell, an ``as_of`` before the data, a comparison with days that are not there.
    SourceError, ContractError
        A mart is not built, or cannot be.

    Examples
    --------
    >>> metrics.query(wh, ["gmv", "aov"], by="country", grain="week").to_frame()  # doctest: +SKIP
    """
    options = {"by": by, "grain": grain, "start": start, "end": end, "where": where}
    question = ask(load_metrics(warehouse.project), names, **options, currency=currency, as_of=as_of)
    tables = tables_of(warehouse, question)
    days = covered(warehouse, question, tables)
    question = dated(question, days)
    by_day_or_event = question.grain == "day" or compare not in (None, "previous_period", "last_year")
    zones = markets_of(warehouse, question) if by_day_or_event else {}
    shift = shift_of(question, compare, lambda: load_calendar(warehouse.project), list(zones))
    _check_earlier(question, shift, days)
    sides = [False] if shift is None else [False, True]
    frames = _frames(warehouse, question, tables, days, shift, sides)
    table = side_by_side(frames, question, sides)
    values = _values(table, question)
    flags = flagged(table, values, question, days, zones)
    return _result(question, shift, table, values, flags)


def _check_earlier(question: Question, shift: Shift | None, days: dict[str, Covered]) -> None:
    if shift is None:
        return
    first = min(shift.before(*question.window))
    if first < (held := max(one.first for one in days.values())):
        raise InvalidValue(
            f"comparing with {shift.text} needs days from {first}, and the data begin on {held}. Choose a later start,"
            " or leave out compare."
        )


def _pass_of(metric: Metric) -> str:
    """Metrics of one name here are answered together."""
    return metric.name if isinstance(metric, Retention | Cumulative) else f"{metric.mart}.{metric.time}"


def _frames(
    warehouse: Warehouse,
    question: Question,
    tables: dict[str, ibis.Table],
    days: dict[str, Covered],
    shift: Shift | None,
    sides: list[bool],
) -> dict[str, pd.DataFrame]:
    """Cells of each pass."""
    passes: dict[str, list[Metric]] = {}
    for metric in question.metrics:
        passes.setdefault(_pass_of(metric), []).append(metric)
    found = {}
    for name, together in passes.items():
        one, table = together[0], tables[together[0].mart]
        if isinstance(one, Retention):
            found[name] = shaped(warehouse.query(returned(table, question, one, shift)), question)
        elif isinstance(one, Cumulative):
            first = max(reset_start(question.window[0], one.resets), days[one.mart].first)
            longer = question.between(first, question.window[1])
            daily = shaped(warehouse.query(cells(table, longer, together, shift, "day")), question)
            found[name] = running(daily, question, one, first, sides)
        else:
            found[name] = shaped(warehouse.query(cells(table, question, together, shift)), question)
    return found


def _values(table: pd.DataFrame, question: Question) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({metric.name: value_of(table, metric, _pass_of(metric)) for metric in question.metrics})


def _result(
    question: Question, shift: Shift | None, table: pd.DataFrame, values: pd.DataFrame, flags: pd.DataFrame
) -> MetricResult:
    cell = [name for name in keys(question) if name != BEFORE]
    frame = table[keys(question)].join(values)
    now = frame[~frame[BEFORE]].drop(columns=BEFORE)
    for flag in FLAGS:
        marks = flags.loc[flags["flag"] == flag, cell].drop_duplicates()
        hit = now[cell].merge(marks, on=cell, how="left", indicator=True)
        now[flag] = (hit["_merge"] == "both").to_numpy()
    if shift is not None:
        now = _compared(now, frame[frame[BEFORE]], cell, list(values))
    renamed = {f"by_{name}": name for name in question.by}
    ordered = [*renamed, PERIOD, *(name for name in now if name not in cell)]
    start, end = question.window
    return MetricResult(
        metrics=question.metrics, by=question.by, grain=question.grain, start=start, end=end,
        currency=question.currency, comparison=shift.text if shift else "", as_of=str(question.as_of or ""),
        frame=now[ordered].rename(columns=renamed).reset_index(drop=True),
        flags=flags.rename(columns=renamed),
    )  # fmt: skip


def _compared(now: pd.DataFrame, before: pd.DataFrame, cell: list[str], names: list[str]) -> pd.DataFrame:
    earlier = before[[*cell, *names]].rename(columns={name: f"{name}_before" for name in names})
    both = now.merge(earlier, on=cell, how="left", validate="one_to_one")
    for name in names:
        base = both[f"{name}_before"]
        both[f"rel_{name}_change"] = both[name] / base.where(base != 0) - 1
    return both
