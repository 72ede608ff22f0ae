"""``experiments.design``: from a metric and its history to a test that can find what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from analysis_lib.experiments.design_asking import Asked, asked_of
from analysis_lib.experiments.design_checks import (
    clustering_of,
    effects_by_days,
    guards_of,
    measured,
    running_beside,
    weekdays_of,
)
from analysis_lib.experiments.design_history import segment_points, with_earlier
from analysis_lib.experiments.design_power import first_week
from analysis_lib.experiments.design_result import Design
from analysis_lib.metrics import load_metrics

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


def design(
    warehouse: Warehouse,
    metric: str,
    *,
    mde: float | None = None,
    days: int | None = None,
    population: float | None = None,
    by: Iterable[str] | str = (),
    where: Mapping[str, Any] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    variants: int = 1,
    split: Mapping[str, float] | Sequence[float] | None = None,
    unit: str = "user",
    sequential: str = "hybrid",
    cuped_days: int = 28,
    guardrails: Mapping[str, float | None] | Iterable[str] | str | None = None,
    start: date | str | None = None,
    horizon: int | None = None,
    currency: str = "usd",
    period: int | None = None,
    carry_over: float = 0.25,
) -> Design:
    """Design a test from the metric's own history: how long it must run, or how small an effect it can find.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    metric : str
        The metric that is to decide.
    mde : float, optional
        Wanted relative effect: the days are asked. Without ``mde`` and ``days`` it is the smallest change that the
        metrics file calls worth looking for.
    days : int, optional
        Length: the effect is asked.
    population : float, optional
        Up to 1: share of the units that take part; above 1: their largest number. By default all that come.
    by : str, optional
        A dimension: the smallest effect in each segment, too.
    where : mapping, optional
        Value or values that dimensions of the marts may have.
    alpha, power : float
        Two-sided error of all treatments together; chance to find the effect.
    variants : int
        Treatments beside control.
    split : mapping or sequence of float, optional
        Shares by arm, or of control and of each treatment; by default all the same.
    unit : {"user", "session", "creator", "merchant", "market"}
        What is randomised. Markets are too few: they are switched between arms, period by period.
    sequential : {"hybrid", "fixed", "group_sequential", "confidence_sequence"}
        How it may be looked at early, as in a plan.
    cuped_days : int
        Days beforehand that values are adjusted for; 0: none.
    guardrails : mapping of str to float, or names, optional
        Metrics that must not get worse, with their margins as shares; None: the margin of an experiment without a plan.
    start : date or ISO text, optional
        Planned first day; only days before it are used. By default the day after the data end.
    horizon : int, optional
        Longest test that is considered, in days; by default 56, or ``days``.
    currency : {"usd", "constant_usd"}
        Money of the metric.
    period : int, optional
        Days between switches of a market; by default those that find the smallest effect.
    carry_over : float
        Days after a switch in which the arm before may still be felt, and which are not counted.

    Returns
    -------
    Design
        ``.curve``, ``.days_needed``, ``.mde``, ``.guardrails``, ``.decision``, ``.text``, ``.plan(experiment)``.

    Raises
    ------
    UnknownName
        A metric, unit, dimension or value that does not exist; the message names the nearest.
    InvalidValue
        Values that are not allowed or exclude each other, or a metric that cannot be tested at the unit, with the
        reason.
    NotEnoughData
        The history is too short, or nothing varies in it; the message says what is missing.
    SourceError, ContractError
        The source cannot be read, or lacks what is needed.

    Examples
    --------
    >>> found = experiments.design(wh, "orders_per_user", mde=0.05)  # doctest: +SKIP
    >>> found.days_needed, found.plan("new_basket").save()  # doctest: +SKIP
    """
    options = {
        "mde": mde, "days": days, "population": population, "by": by, "where": where, "alpha": alpha, "power": power,
        "variants": variants, "split": split, "unit": unit, "sequential": sequential, "cuped_days": cuped_days,
        "guardrails": guardrails, "start": start, "horizon": horizon, "currency": currency, "period": period,
        "carry_over": carry_over,
    }  # fmt: skip
    return _designed(warehouse, asked_of(load_metrics(warehouse.project), metric, options))


def _designed(warehouse: Warehouse, asked: Asked) -> Design:
    history, switchback = measured(warehouse, asked, asked.metric)
    needed = first_week(history.days, effects_by_days(asked, history, adjusted=True), asked.wanted)
    planned = asked.days or needed or history.days[-1]
    begins = asked.start or history.last + timedelta(days=asked.metric.maturity_days + 1)
    by_segment = None
    if switchback is None:
        history = with_earlier(warehouse, asked, history, planned)
        by_segment = segment_points(warehouse, asked, history, planned) if asked.by else None
    guarded = asked if switchback is None else replace(asked, period=switchback.chosen.days)
    return Design(
        asked=asked, history=history, days_needed=needed, planned_days=planned, start=begins,
        guards=guards_of(warehouse, guarded, planned), segment_points=by_segment, switchback=switchback,
        overlaps=running_beside(warehouse, asked, begins, planned), weekdays=weekdays_of(warehouse, asked, history),
        clustering=clustering_of(warehouse, asked, history),
    )  # fmt: skip
