"""What must hold between metrics, marts and their columns; pydantic sees one definition at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analysis_lib.errors import nearest
from analysis_lib.metrics.chains import problems
from analysis_lib.metrics.declaration import TIME, Conversion, Cumulative, Metric, Quantile, Retention
from analysis_lib.metrics.marked import Marked, Place
from analysis_lib.metrics.measures import Measure
from analysis_lib.metrics.registry import Registry, is_simple
from analysis_lib.metrics.surroundings import MartUse
from analysis_lib.pipelines import MARTS, Mart

_NUMBERS = ("integer", "number")

#: The currencies a mart may give an amount in, as its columns end.
CURRENCIES = ("usd", "constant_usd", "local")


def check_marts(file: Marked, registry: Registry) -> None:
    """Marts exist, and so do the columns that are named of them.

    Raises
    ------
    InvalidValue
        One does not, or a dimension would show who a person is.
    """
    for name, use in registry.marts.items():
        place: Place = ("marts", name)
        if name not in MARTS:
            raise file.error(place, f"there is no such mart{_hint(name, MARTS)}")
        if use.covered_by is not None and use.covered_by not in MARTS:
            raise file.error(
                (*place, "covered_by"), f"there is no mart '{use.covered_by}'{_hint(use.covered_by, MARTS)}"
            )
        for key, column in _columns_of_use(use):
            _require(file, (*place, key), MARTS[name], column)
            found = MARTS[name].column(column)
            if key == "dimensions" and found is not None and found.personal:
                raise file.error((*place, key), f"'{column}' says who a person is; nothing may be cut by it")


def _columns_of_use(use: MartUse) -> Iterator[tuple[str, str]]:
    yield from (("dimensions", name) for name in use.dimensions)
    yield from (("distinct_counts", name) for name in use.distinct_counts)
    yield from (("units", name) for unit in use.units.values() for name in (unit.column, *unit.holds))
    if use.unpriced not in (None, "rows"):
        yield "unpriced", str(use.unpriced)


def check_metrics(file: Marked, registry: Registry) -> None:
    """Columns, named metrics and parents exist, nothing is added up that does not add, and the tree has no cycle.

    Raises
    ------
    InvalidValue
        One of these does not hold.
    """
    for name, metric in registry.metrics.items():
        place: Place = ("metrics", name)
        if metric.mart not in registry.marts:
            raise file.error(
                (*place, "mart"), f"mart '{metric.mart}' is not in 'marts'{_hint(metric.mart, registry.marts)}"
            )
        mart = MARTS[metric.mart]
        _require(file, (*place, "time"), mart, metric.time, ("date",))
        for condition in metric.where:
            _require(file, (*place, "where"), mart, condition.column)
        _check_inputs(file, registry, metric)
        _check_columns(file, metric)
        _check_additivity(file, registry, metric)
        _check_parents(file, registry, metric)
        _check_units(file, registry, metric)
    _check_cycles(file, registry)
    for metric in registry.metrics.values():
        for problem in problems(registry, metric):
            raise file.error(("metrics", metric.name, "chain"), f"'chain': {problem}")


def _check_inputs(file: Marked, registry: Registry, metric: Metric) -> None:
    for role, item in metric.inputs.items():
        place: Place = ("metrics", metric.name, role)
        if isinstance(item, Measure):
            _check_measure(file, registry, metric, place, item)
        else:
            _check_named(file, registry, metric, place, item)
    money = any(part.measure.kind == "money" for part in registry.parts(metric).values())
    if money != (metric.currency == "converted"):
        needed = "converted" if money else "none"
        problem = f"'currency' must be '{needed}': it adds up {'money' if money else 'no money'}"
        raise file.error(("metrics", metric.name, "currency"), problem)


def _check_named(file: Marked, registry: Registry, metric: Metric, place: Place, name: str) -> None:
    named = registry.metrics.get(name)
    if named is None:
        raise file.error(place, f"there is no metric '{name}'{_hint(name, registry.metrics)}")
    if name == metric.name:
        raise file.error(place, f"a cycle: {name} is made of itself")
    if not is_simple(named):
        raise file.error(
            place, f"'{name}' is a {named.type}; only a sum, a count or a distinct count can be named here"
        )
    if named.mart != metric.mart:
        problem = f"'{name}' reads {named.mart}, this reads {metric.mart}: joining them would double rows"
        raise file.error(place, problem)
    if isinstance(metric, Cumulative) and not named.adds_up_over(TIME):
        raise file.error(place, f"'{name}' does not add up over time: a running total of it would count twice")


def _check_measure(file: Marked, registry: Registry, metric: Metric, place: Place, measure: Measure) -> None:
    mart, use = MARTS[metric.mart], registry.marts[metric.mart]
    for condition in measure.where:
        _require(file, (*place, "where"), mart, condition.column)
    if measure.kind == "distinct":
        _require(file, (*place, "distinct"), mart, measure.column)
    if measure.kind == "sum":
        _require(file, (*place, "sum"), mart, measure.column, (*_NUMBERS, "boolean"))
        if measure.column in use.distinct_counts:
            problem = (
                f"'{measure.column}' counts different things in each row of {mart.name}: added up, some count twice"
            )
            raise file.error((*place, "sum"), problem)
        if measure.column.endswith(("_usd", "_local")):
            raise file.error((*place, "sum"), f"'{measure.column}' is an amount: use 'money', which knows its currency")
    if measure.kind == "money":
        _check_money(file, mart, use, place, measure)


def _check_money(file: Marked, mart: Mart, use: MartUse, place: Place, measure: Measure) -> None:
    amounts = sorted({name for column in mart.columns if (name := _amount(column.name))})
    for name in filter(None, (measure.money, measure.minus)):
        if name not in amounts:
            problem = f"mart {mart.name} has no amount '{name}'{_hint(name, amounts)}"
            raise file.error((*place, "money"), problem)
    if use.unpriced is None:
        problem = f"mart {mart.name} does not tell which lines lack a rate ('unpriced'): no money can be taken from it"
        raise file.error((*place, "money"), problem)


def _amount(column: str) -> str | None:
    return next((column.removesuffix(f"_{code}") for code in CURRENCIES[::-1] if column.endswith(f"_{code}")), None)


def _check_columns(file: Marked, metric: Metric) -> None:
    place, mart = ("metrics", metric.name), MARTS[metric.mart]
    if isinstance(metric, Quantile):
        _require(file, (*place, "column"), mart, metric.column, _NUMBERS)
    if isinstance(metric, Conversion):
        _require(file, (*place, "begins"), mart, metric.begins, ("timestamp",))
        _require(file, (*place, "follows"), mart, metric.follows, ("timestamp",))
    if isinstance(metric, Retention):
        _require(file, (*place, "entity"), mart, metric.entity)


def _check_additivity(file: Marked, registry: Registry, metric: Metric) -> None:
    if isinstance(metric.additive_over, str):
        return
    allowed = [TIME, *registry.marts[metric.mart].dimensions]
    for name in metric.additive_over:
        if name not in allowed:
            place = ("metrics", metric.name, "additive_over")
            raise file.error(place, f"'{name}' is no dimension of {metric.mart}{_hint(name, allowed)}")


def _check_parents(file: Marked, registry: Registry, metric: Metric) -> None:
    for parent, role in metric.parents.items():
        place = ("metrics", metric.name, "parents", parent)
        if parent not in registry.metrics:
            raise file.error(place, f"parent '{parent}' does not exist{_hint(parent, registry.metrics)}")
        for one in (metric, registry.metrics[parent]) if role == "part" else ():
            if one.type not in ("sum", "count"):
                raise file.error(place, f"'{one.name}' is a {one.type} and does not add up: it can be no part or whole")


def _check_units(file: Marked, registry: Registry, metric: Metric) -> None:
    known = registry.marts[metric.mart].units
    for unit in metric.randomised_by:
        if unit not in known:
            problem = f"mart {metric.mart} does not tell {unit}s apart, only {', '.join(known) or 'nothing'}"
            raise file.error(("metrics", metric.name, "randomised_by"), f"'randomised_by': {problem}")


def _check_cycles(file: Marked, registry: Registry) -> None:
    done: set[str] = set()

    def climb(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise file.error(("metrics", path[-1], "parents", name), f"the tree has a cycle: {circle}")
        if name not in done:
            for parent in registry.metrics[name].parents:
                climb(parent, (*path, name))
            done.add(name)

    for name in registry.metrics:
        climb(name, ())


def _require(file: Marked, place: Place, mart: Mart, name: str, kinds: tuple[str, ...] = ()) -> None:
    column = mart.column(name)
    if column is None:
        names = [item.name for item in mart.columns]
        raise file.error(place, f"mart {mart.name} has no column '{name}'{_hint(name, names)}")
    if kinds and column.type not in kinds:
        raise file.error(place, f"column '{name}' of {mart.name} is a {column.type}, not a {' or '.join(kinds)}")


def _hint(name: str, allowed: Iterable[str]) -> str:
    guess = nearest(name, allowed)
    return f", did you mean '{guess}'?" if guess else ""
