"""The front door to explanations: why a metric changed between two periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import LEVEL
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.metrics.asking import Question, ask, day_of
from analysis_lib.metrics.counting_plan import DAYS, CountingPlan, check_kind, plan_counting
from analysis_lib.metrics.coverage import Covered, covered, dated, tables_of
from analysis_lib.metrics.explanation import Explanation, explanation_of
from analysis_lib.metrics.grouped_cells import GROUPS, Window, grouped_cells
from analysis_lib.metrics.grouped_frames import Grid, side_by_side
from analysis_lib.metrics.registry import load_metrics
from analysis_lib.metrics.splitting import Split, replicates, split_rate, split_sum

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Fewer groups of units than this with anything in a segment say too little about its spread.
FEWEST_GROUPS = 30


def explain(
    warehouse: Warehouse,
    name: str,
    *,
    before: tuple[date | str, date | str],
    after: tuple[date | str, date | str],
    by: Iterable[str] | str = (),
    where: Mapping[str, Any] | None = None,
    currency: str = "usd",
    level: float = LEVEL,
) -> Explanation:
    """Why a metric changed: parts that add up to the change exactly, each with an interval.

    A sum is told apart along its chain (visitors × buyers per visitor × orders per buyer × order value × exchange
    rates), within each segment; a rate into what happened to rates inside segments, to the mix of segments, and both at
    once. Segments that are new or gone are parts of their own.

    The interval says how far a part would vary had other, equally drawn users come in the same days: users (or
    creators, merchants) are taken as independent of each other, days and exchange rates as they were. It is made by
    leaving out one of 256 groups of users at a time.

    Parameters
    ----------
    name : str
        The metric.
    before, after : tuple of date or ISO text
        First and last market-local day of each, both included. They have no day in common.
    by : str or iterable of str
        Segments.
    where : mapping
        Value or values that dimensions may have.
    currency : str
        usd, constant_usd, or local (one currency only).
    level : float
        Level of the intervals.

    Raises
    ------
    UnknownName
        A metric, dimension or value that does not exist; the message names the nearest.
    InvalidValue
        A metric whose parts do not add up, a segment over which it does not, periods that overlap or leave the data.
    NotEnoughData
        Nothing was counted in either period.
    SourceError, ContractError
        A mart is not built, or cannot be.

    Examples
    --------
    >>> metrics.explain(wh, "gmv", before=("2026-05-01", "2026-05-31"), after=("2026-06-01", "2026-06-30"),
    ...                 by="country").to_frame()  # doctest: +SKIP
    """
    if not 0.5 <= level <= 0.999:
        raise InvalidValue(f"level={level}: a level between 0.5 and 0.999 is needed, for example 0.95.")
    registry = load_metrics(warehouse.project)
    check_kind(registry.get(name))
    windows = _window("before", before), _window("after", after)
    question = ask(
        registry, name, by=by, grain="total", start=None, end=None, where=where, currency=currency, as_of=None
    )
    metric, lengths = question.metrics[0], tuple((last - first).days + 1 for first, last in windows)
    plan = plan_counting(registry, metric, question.by, question.where, currency, (lengths[0], lengths[1]))
    days = _check_days(warehouse, question, plan, windows)
    grid = _counted(warehouse, question, plan, windows)
    return _explanation(question, plan, windows, days, grid, level)


def _window(word: str, given: Any) -> Window:
    if isinstance(given, str) or not isinstance(given, Iterable) or len(found := tuple(given)) != 2:
        raise InvalidValue(
            f"{word} must be a first and a last day, such as ('2026-03-01', '2026-03-31'), not {given!r}."
        )
    first, last = (day_of(word, value) for value in found)
    if first is None or last is None:
        raise InvalidValue(f"{word} needs both a first and a last day, not {given!r}.")
    if last < first:
        raise InvalidValue(f"{word} ends ({last}) before it starts ({first}): exchange them.")
    return first, last


def _check_days(
    warehouse: Warehouse, question: Question, plan: CountingPlan, windows: tuple[Window, Window]
) -> dict[str, Covered]:
    """Days that the data cover; both periods lie in them and apart."""
    (first, last), (start, end) = windows
    if first <= end and start <= last:
        raise InvalidValue(f"before ({first} to {last}) and after ({start} to {end}) share days: choose periods apart.")
    asked = replace(question, metrics=_all_metrics(plan))
    days = covered(warehouse, asked, tables_of(warehouse, asked))
    for window in windows:
        dated(asked.between(*window), days)
    return days


def _all_metrics(plan: CountingPlan) -> tuple[Any, ...]:
    return tuple({item.metric.name: item.metric for item in plan.counted.values()}.values())


def _counted(warehouse: Warehouse, question: Question, plan: CountingPlan, windows: tuple[Window, Window]) -> Grid:
    """Quantities by segment and group of units, one query per mart."""
    asked = replace(question, metrics=_all_metrics(plan))
    tables, frames = tables_of(warehouse, asked), []
    for mart in asked.marts:
        own = {name: item for name, item in plan.counted.items() if item.metric.mart == mart}
        use = question.registry.marts[mart].units[plan.unit] if plan.unit else None  # type: ignore[index]
        frames.append(warehouse.query(grouped_cells(tables[mart], mart, question, own, windows, use)))
    ends = [plan.end, "denominator"] if plan.is_rate else [plan.end]
    return side_by_side(frames, question.by, list(plan.counted), ends, n_groups=GROUPS if plan.unit else 1)


def _explanation(
    question: Question,
    plan: CountingPlan,
    windows: tuple[Window, Window],
    days: dict[str, Covered],
    grid: Grid,
    level: float,
) -> Explanation:
    if not len(grid.segments):
        raise NotEnoughData(f"nothing was counted of '{plan.metric.name}' in either period.")
    values = {name: replicates(counts) if plan.unit else counts for name, counts in grid.values.items()}
    lengths = [[(last - first).days + 1.0] for first, last in windows]
    values[DAYS] = np.broadcast_to(np.array(lengths), values[plan.end].shape)
    if plan.is_rate:
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = values["numerator"].sum(axis=-1) / values["denominator"].sum(axis=-1)
    else:
        whole = values[plan.end].sum(axis=-1)
    split = _split(plan, values)
    return explanation_of(question, plan, windows, days, grid, split, whole, _is_small(plan, grid), level)


def _split(plan: CountingPlan, values: dict[str, np.ndarray]) -> Split:
    factors = [(factor.above, factor.below) for factor in plan.factors]
    if plan.is_rate:
        return split_rate(values, factors, "numerator", "denominator")
    return split_sum(values, factors, plan.end)


def _is_small(plan: CountingPlan, grid: Grid) -> np.ndarray:
    """Segments with too few units for an interval: with anything to be counted, or to be divided by."""
    counted = grid.values["denominator" if plan.is_rate else plan.end]
    return (counted != 0).any(axis=1).sum(axis=0) < FEWEST_GROUPS
