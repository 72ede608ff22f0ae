"""The front door to moments: what tests and regressions need of a metric, measured per unit in the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from analysis_lib.metrics.moment_cells import Moments
from analysis_lib.metrics.moment_frames import of_rows, of_units
from analysis_lib.metrics.preparing import prepare

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


def moments(
    warehouse: Warehouse,
    names: Iterable[str] | str,
    *,
    unit: str = "user",
    by: Iterable[str] | str = (),
    cuts: Sequence[Iterable[str]] | None = None,
    covariates: Iterable[str] | str = (),
    pre_days: int = 28,
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, Any] | None = None,
    currency: str = "usd",
    as_of: datetime | str | None = None,
    experiment: str | None = None,
    days_since: tuple[int, int | None] | None = None,
    covariate_days_since: tuple[int, int] | None = None,
    caps: Mapping[str, float] | None = None,
    cross: bool = False,
) -> Moments:
    """Counts, means, variances and covariances of metrics per unit, by cell; each mart is read once.

    What a unit did in the period is added up first, and only its moments over the units of a cell come back: everything
    that tests of means and ratios, adjustments by covariates and linear regressions need. Quantiles read their mart
    twice.

    Parameters
    ----------
    names : str or iterable of str
        Metrics. Sums and counts become means over units; so do ratios whose denominator is the number of units; the
        other ratios, conversions and retentions keep numerator and denominator apart; of a quantile, the rows of a unit
        below it and all its rows.
    unit : str
        user, session, creator, merchant or market; the metric's definition says by which it can be measured.
    by : str or iterable of str
        Dimensions of the cells. Of an experiment's units: variant, phase, country (home), platform.
    cuts : sequence of iterables of str, optional
        Several kinds of cells at once, each by some of the dimensions: ``[["variant"], ["variant", "country"]]``.
    covariates : str or iterable of str
        Metrics to be measured beforehand as well, beside every metric; ``"own"``: each metric itself.
    pre_days : int
        Days beforehand: before ``start``, or before the unit's first exposure.
    start, end : date or ISO text
        Market-local days, both included. By default all that is covered, with room for the days beforehand; of an
        experiment from its first exposure to its last day.
    where : mapping
        Value or values that dimensions of the marts may have; rows that do not meet it add nothing.
    currency : str
        usd or constant_usd; units in local money cannot be averaged across currencies.
    as_of : datetime or ISO text
        UTC time: only what was known, and who was exposed, by then.
    experiment : str, optional
        Its units exposed by ``end`` are counted, each from the day of its first exposure on, also where they did
        nothing. Without it, a unit is in a cell if it has a row there.
    days_since : tuple of int, optional
        First and last day after the first exposure (0: its day) that are measured; only units are counted whose last
        such day is no later than ``end``. Without a last day, (14, None): all from the first on, of units that have it.
    covariate_days_since : tuple of int, optional
        The days on which covariates are measured, likewise; by default the ``pre_days`` before the exposure. Days after
        it make them outcomes of an earlier time, not covariates: for telling whether an effect wears off.
    caps : mapping of str to float, optional
        Largest value that a unit may add to a metric (its numerator), by metric; see ``unit_quantiles``.
    cross : bool
        Covariances between all columns, not only between those of a metric and its covariates.

    Raises
    ------
    UnknownName
        A metric, unit, dimension, value or experiment that does not exist.
    InvalidValue
        A metric that cannot be measured by the unit, a covariate that could still change after the exposure, days
        outside of the data, an experiment of another unit.
    NotEnoughData
        Nobody was exposed.
    SourceError, ContractError
        A mart is not built, or cannot be.

    Examples
    --------
    >>> metrics.moments(wh, ["gmv_per_user", "aov"], by="variant", covariates="own",
    ...                 experiment="one_page_checkout").to_frame()  # doctest: +SKIP
    """
    made = prepare(
        warehouse, names, unit=unit, by=by, cuts=cuts, covariates=covariates, pre_days=pre_days, start=start, end=end,
        where=where, currency=currency, as_of=as_of, experiment=experiment, days_since=days_since,
        covariate_days_since=covariate_days_since, caps=caps,
    )  # fmt: skip
    if made.population is None:
        frame = of_rows(warehouse, made.plan, made.tables, cross=cross)
    else:
        frame = of_units(warehouse, made.plan, made.tables, made.population, made.by, cross=cross)
    plan, measured = made.plan, made.measured
    own = {metric.name: tuple(plan.columns(metric)) for metric in measured}
    start, end = plan.question.window
    return Moments(
        metrics=tuple(measured), unit=unit, by=made.by, cuts=plan.cuts, start=start, end=end, currency=currency,
        experiment=experiment or "", pre_days=max(0, -plan.earlier[0]), columns=own,
        covariates={metric.name: tuple(plan.beside(metric)[len(own[metric.name]) :]) for metric in measured},
        n_left_out=made.n_left_out, frame=frame,
    )  # fmt: skip
