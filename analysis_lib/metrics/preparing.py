"""What is to be measured of which units, made plain and checked before anything large is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.asking import Question, ask
from analysis_lib.metrics.coverage import covered, dated, tables_of
from analysis_lib.metrics.declaration import Metric, Quantile, Retention
from analysis_lib.metrics.population import Population, exposed
from analysis_lib.metrics.registry import Registry, load_metrics
from analysis_lib.metrics.unit_tables import SINCE, Plan
from analysis_lib.metrics.units import unit_of

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse

#: ``covariates`` that stands for "each metric's own value beforehand".
OWN = "own"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A question about units, ready to be run.

    Attributes
    ----------
    plan : Plan
        What is measured.
    tables : dict of str to ibis.Table
        Marts.
    population : ibis.Table | None
        Units that count; None: whoever has a row.
    measured : list of Metric
        Metrics asked for, covariates left out.
    by : tuple of str
        Dimensions of the cells.
    n_left_out : int
        Exposed units in two variants, or in an unknown one.
    """

    plan: Plan
    tables: dict[str, ibis.Table]
    population: ibis.Table | None
    measured: list[Metric]
    by: tuple[str, ...]
    n_left_out: int


def prepare(warehouse: Warehouse, names: Iterable[str] | str, *, unit: str, **options: Any) -> Prepared:
    """Check what is asked, and plan it; the options are those of ``metrics.moments``.

    Raises
    ------
    UnknownName, InvalidValue, NotEnoughData, SourceError, ContractError
        As ``metrics.moments``.
    """
    registry = load_metrics(warehouse.project)
    experiment, by = options["experiment"], options["by"]
    beside = covariates_of(registry, names, options["covariates"])
    together = list(dict.fromkeys([*beside, *(other for others in beside.values() for other in others)]))
    by = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    uses = unit_of(registry, [registry.get(name) for name in together], unit)
    asked = {name: options[name] for name in ("start", "end", "where", "as_of")}
    asked |= {"by": () if experiment else by, "grain": "total", "currency": _currency(options["currency"])}
    question = ask(registry, together, **asked)
    population = exposed(warehouse, experiment, unit, by, question.as_of) if experiment else None
    tables, has_covariates = tables_of(warehouse, question), any(beside.values())
    span, earlier = _spans(options, options["pre_days"] if has_covariates else 0)
    question = _dated(warehouse, question, tables, population, max(0, -earlier[0]) if has_covariates else 0)
    since = population.first if population else question.window[0]
    cuts, caps = _cuts(by, options["cuts"], question.metrics), dict(options["caps"] or {})
    plan = Plan(question, uses, beside, span, earlier, since, cuts, caps)
    among = _followed(population, plan) if population else None
    left_out = population.n_left_out if population else 0
    return Prepared(plan, tables, among, [registry.get(name) for name in beside], by, left_out)


def _followed(population: Population, plan: Plan) -> ibis.Table:
    """The units that can be measured to the last of their days by the end of the period."""
    import ibis

    # Days without an end: whoever can be followed to the first of them.
    table, last = population.table, plan.span[0] if plan.span[1] is None else plan.span[1]
    until = table[SINCE] if not last else (table[SINCE] + ibis.interval(days=last)).cast("date")
    return table.filter(until <= plan.question.window[1])


def _spans(options: Mapping[str, Any], pre_days: int) -> tuple[tuple[int, int | None], tuple[int, int]]:
    """Days that are measured, and those of covariates, counted from the day on which a unit begins to count."""
    days_since, covariate_days_since = options["days_since"], options["covariate_days_since"]
    if (days_since or covariate_days_since) and not options["experiment"]:
        raise InvalidValue("days_since counts from an exposure: name an experiment.")
    if isinstance(pre_days, bool) or not isinstance(pre_days, int) or pre_days < 0:
        raise InvalidValue(f"pre_days must be a whole number of days, 0 or more, not {pre_days!r}.")
    for word, span in (("days_since", days_since), ("covariate_days_since", covariate_days_since)):
        if span is None:
            continue
        is_open = word == "days_since" and len(span) == 2 and span[1] is None
        if len(span) != 2 or (word == "days_since" and span[0] < 0) or not (is_open or span[0] <= span[1]):
            raise InvalidValue(f"{word} must be a first and a last day, such as (0, 6), not {span!r}.")
    return days_since or (0, None), covariate_days_since or (-pre_days, -1)


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
