"""The front door to moments: what tests and regressions need of a metric, measured per unit in the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.asking import Question, ask
from analysis_lib.metrics.coverage import covered, dated, tables_of
from analysis_lib.metrics.declaration import Metric, Quantile, Retention
from analysis_lib.metrics.moment_cells import Moments
from analysis_lib.metrics.moment_frames import of_rows, of_units
from analysis_lib.metrics.population import Population, exposed
from analysis_lib.metrics.registry import Registry, load_metrics
from analysis_lib.metrics.unit_tables import SINCE, Plan
from analysis_lib.metrics.units import unit_of

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse

#: ``covariates`` that stands for "each metric's own value beforehand".
OWN = "own"


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
    registry = load_metrics(warehouse.project)
    beside = covariates_of(registry, names, covariates)
    together = list(dict.fromkeys([*beside, *(other for others in beside.values() for other in others)]))
    by = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    uses = unit_of(registry, [registry.get(name) for name in together], unit)
    asked = {"by": () if experiment else by, "grain": "total", "start": start, "end": end, "where": where}
    question = ask(registry, together, **asked, currency=_currency(currency), as_of=as_of)
    population = exposed(warehouse, experiment, unit, by, question.as_of) if experiment else None
    tables, before = tables_of(warehouse, question), pre_days if any(beside.values()) else 0
    question = _dated(warehouse, question, tables, population, before)
    since = population.first if population else question.window[0]
    plan = Plan(question, uses, beside, before, since, _cuts(by, cuts, question.metrics))
    if population is None:
        frame = of_rows(warehouse, plan, tables, cross=cross)
    else:
        # Whoever is exposed after the last day has no day to be measured on.
        among = population.table.filter(population.table[SINCE] <= question.window[1])
        frame = of_units(warehouse, plan, tables, among, by, cross=cross)
    measured = [registry.get(name) for name in beside]
    own = {metric.name: tuple(plan.columns(metric)) for metric in measured}
    return Moments(
        metrics=tuple(measured), unit=unit, by=by, cuts=plan.cuts, start=question.window[0], end=question.window[1],
        currency=currency, experiment=experiment or "", pre_days=before, columns=own,
        covariates={metric.name: tuple(plan.beside(metric)[len(own[metric.name]) :]) for metric in measured},
        n_left_out=population.n_left_out if population else 0, frame=frame,
    )  # fmt: skip


def covariates_of(
    registry: Registry, names: Iterable[str] | str, covariates: Iterable[str] | str
) -> dict[str, tuple[str, ...]]:
    """Covariates of each metric.

    Raises
    ------
    InvalidValue
        One that is measured beforehand could still change afterwards.
    """
    chosen = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if covariates == OWN:
        return {name: (name,) if not _unfit(registry.get(name)) else () for name in chosen}
    given = (covariates,) if isinstance(covariates, str) else tuple(dict.fromkeys(covariates))
    for name in given:
        reason = _unfit(registry.get(name))
        if reason:
            raise InvalidValue(f"'{name}' cannot be a covariate: {reason}. Choose one that is final at once.")
    return dict.fromkeys(chosen, given)


def _unfit(metric: Metric) -> str:
    """Why a metric cannot be measured beforehand; empty if it can."""
    if isinstance(metric, Retention | Quantile):
        return f"a {metric.type} of the days beforehand is not a sum over a unit's rows of these days"
    if metric.maturity_days:
        return f"its days beforehand are final {metric.maturity_days} days later, and what is tested could change them"
    return ""


def _currency(currency: str) -> str:
    if currency == "local":
        raise InvalidValue(
            "units in local money cannot be averaged across currencies: choose usd or constant_usd, and a market in"
            " `where` or `by`."
        )
    return currency


def _cuts(
    by: tuple[str, ...], cuts: Sequence[Iterable[str]] | None, metrics: Iterable[Metric]
) -> tuple[tuple[str, ...], ...]:
    if cuts is None:
        return (by,)
    found = []
    for cut in cuts:
        names = (cut,) if isinstance(cut, str) else tuple(cut)
        for name in names:
            if name not in by:
                raise InvalidValue(f"cut by '{name}': it is not in by ({', '.join(by) or 'nothing'}); add it there.")
        found.append(tuple(name for name in by if name in names))
    wrong = [metric.name for metric in metrics if isinstance(metric, Quantile)]
    if wrong and len(found) > 1:
        raise InvalidValue(f"{', '.join(wrong)}: a quantile is asked for one cut at a time.")
    if not found:
        raise InvalidValue("cuts is empty: leave it out for cells by all dimensions.")
    return tuple(dict.fromkeys(found))


def _dated(
    warehouse: Warehouse,
    question: Question,
    tables: dict[str, ibis.Table],
    population: Population | None,
    pre_days: int,
) -> Question:
    """The question with its days, the days beforehand among those of the data."""
    if pre_days < 0 or isinstance(pre_days, bool) or not isinstance(pre_days, int):
        raise InvalidValue(f"pre_days must be a whole number of days, 0 or more, not {pre_days!r}.")
    days = covered(warehouse, question, tables)
    first = max(one.first for one in days.values())
    if population is not None:
        ends = None if population.ends is None else min(population.ends, min(one.last for one in days.values()))
        question = replace(question, start=question.start or population.first, end=question.end or ends)
    elif question.start is None and pre_days:
        question = replace(question, start=first + timedelta(days=pre_days))
    question = dated(question, days)
    since = population.first if population else question.window[0]
    if since - timedelta(days=pre_days) < first:
        raise InvalidValue(
            f"{pre_days} days before {since} begin before the data, which hold {first} on. Choose a later"
            " start or fewer pre_days."
        )
    return question
