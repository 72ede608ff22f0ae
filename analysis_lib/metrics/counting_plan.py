"""What has to be counted to explain a change, and which of it the segments and units allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.chains import DENOMINATOR, ITSELF, NUMERATOR, Factor, factors, quantities
from analysis_lib.metrics.declaration import (
    Conversion,
    Cumulative,
    Link,
    Metric,
    Quantile,
    Ratio,
    Retention,
    Simple,
)
from analysis_lib.metrics.grouped_cells import Counted
from analysis_lib.metrics.measures import Measure
from analysis_lib.metrics.registry import Part, Registry
from analysis_lib.metrics.units import can_be_added
from analysis_lib.pipelines import MARTS

#: Ending of quantities in dollars at constant rates, and what the quotient of the two is called.
CONSTANT, CURRENCY = "@constant", "Exchange rates"

#: Name of the quantity that is the length of the period, and what that factor is called.
DAYS, LENGTH = "days", "Days in the period"

#: Factors that are what they are: nobody here can change them.
GIVEN = (LENGTH, CURRENCY)


@dataclass(frozen=True, slots=True, eq=False)
class CountingPlan:
    """Quantities, and the factors that they are divided into.

    Attributes
    ----------
    metric : Metric
        What is explained.
    counted : dict of str to Counted
        Quantities by name.
    factors : tuple of Factor
        They multiply to the metric.
    unit : str
        By which units the interval is made; empty: it cannot be.
    notes : tuple of str
        What was left out, in sentences.
    """

    metric: Metric
    counted: dict[str, Counted]
    factors: tuple[Factor, ...]
    unit: str
    notes: tuple[str, ...]

    @property
    def is_rate(self) -> bool:
        """Whether it is a quotient of two quantities rather than a sum."""
        return NUMERATOR in self.counted

    @property
    def end(self) -> str:
        """The quantity that is explained, or the one above the line."""
        return NUMERATOR if self.is_rate else ITSELF


def plan_counting(
    registry: Registry, metric: Metric, by: tuple[str, ...], where: Iterable[str], currency: str, days: tuple[int, int]
) -> CountingPlan:
    """What to count.

    Parameters
    ----------
    by, where
        Segments and filters.
    days
        Length of the two periods.

    Raises
    ------
    InvalidValue
        The metric cannot be added up over the segments.
    """
    _check_segments(registry, metric, by)
    if isinstance(metric, Conversion):
        counted = {role: Counted(metric, None, currency, role) for role in (NUMERATOR, DENOMINATOR)}
        found = (Factor(metric.title, NUMERATOR, DENOMINATOR),)
        return CountingPlan(metric, counted, found, _unit(registry, metric, counted), ())
    chained, notes = _cut_to(registry, metric, [*by, *where])
    plan = _in_currency(registry, chained, currency)
    plan = replace(plan, metric=metric, notes=notes, unit=_unit(registry, metric, plan.counted))
    return plan if days[0] == days[1] or plan.is_rate else _per_day(plan)


def check_kind(metric: Metric) -> None:
    """Make sure that a metric has parts that add up.

    Raises
    ------
    InvalidValue
        It has none; the message says what to explain instead.
    """
    if isinstance(metric, Cumulative):
        raise InvalidValue(f"'{metric.name}' runs on with the calendar: explain '{metric.of}' of the days in question.")
    if isinstance(metric, Quantile | Retention):
        raise InvalidValue(
            f"'{metric.name}' is a {metric.type}: its parts do not add up, so a change of it cannot be divided among"
            " them. Choose a sum, a ratio or a conversion."
        )


def _check_segments(registry: Registry, metric: Metric, by: tuple[str, ...]) -> None:
    for role, item in metric.inputs.items() if not isinstance(metric, Simple) else ():
        for name in by:
            if not _adds_up(registry, item, name):
                raise InvalidValue(_does_not_add(f"the {role} of '{metric.name}'", name))
    for name in by if isinstance(metric, Simple) else ():
        if not metric.adds_up_over(name):
            raise InvalidValue(_does_not_add(f"'{metric.name}'", name))


def _adds_up(registry: Registry, item: Measure | str, name: str) -> bool:
    return registry.get(item).adds_up_over(name) if isinstance(item, str) else item.kind != "distinct"


def _does_not_add(what: str, name: str) -> str:
    return (
        f"{what} does not add up over {name}: the same order or person may be in several segments, so their changes are"
        f" not parts of the whole. Leave out {name}, or explain a sum."
    )


def _cut_to(registry: Registry, metric: Metric, names: list[str]) -> tuple[Metric, tuple[str, ...]]:
    """The metric with the links of its chain that know these dimensions, and what is said of the others."""
    own = registry.marts[metric.mart].dimensions
    for name in names:
        if name not in own:
            raise InvalidValue(f"'{metric.name}' cannot be cut by '{name}'. Choose one of {', '.join(own)}.")
    kept: list[Link] = []
    left: list[Link] = []
    for place, link in enumerate(metric.chain):
        mart = metric.mart if link.to == ITSELF else registry.get(link.to).mart
        if not all(name in registry.marts[mart].dimensions for name in names):
            left.append(link)
        elif not place or metric.chain[place - 1] not in left:
            kept.append(link)
        elif link.to != ITSELF:
            # It named the quotient by the link that is gone.
            kept.append(Link(to=link.to))
    if not left:
        return metric, ()
    titles = " and ".join(registry.get(link.to).title for link in left)
    said = f"Left out of the parts: {titles} (cannot be cut by {', '.join(dict.fromkeys(names))})."
    return metric.model_copy(update={"chain": tuple(kept)}), (said,)


def _in_currency(registry: Registry, metric: Metric, currency: str) -> CountingPlan:
    """The chain in constant dollars, with exchange rates as a factor of their own, where both are known."""
    found, chain = quantities(registry, metric), factors(registry, metric)
    is_money = {name: part.measure.kind == "money" for name, (_, part) in found.items()}
    end = NUMERATOR if isinstance(metric, Ratio) else ITSELF
    apart = currency == "usd" and is_money[end] and not is_money.get(DENOMINATOR, False)
    apart = apart and all(
        _has_constant(defined, part) for defined, part in found.values() if part.measure.kind == "money"
    )
    inside = "constant_usd" if apart else currency
    counted = {name: Counted(defined, part, inside) for name, (defined, part) in found.items()}
    if not apart:
        return CountingPlan(metric, counted, tuple(chain), "", ())
    counted[f"{end}{CONSTANT}"] = counted[end]
    counted[end] = replace(counted[end], currency=currency)
    last = replace(chain[-1], above=f"{end}{CONSTANT}")
    chain = [*chain[:-1], last, Factor(CURRENCY, end, f"{end}{CONSTANT}")]
    return CountingPlan(metric, counted, tuple(chain), "", ())


def _has_constant(metric: Metric, part: Part) -> bool:
    names = {column.name for column in MARTS[metric.mart].columns}
    wanted = filter(None, (part.measure.money, part.measure.minus))
    return all(f"{name}_constant_usd" in names for name in wanted)


def _per_day(plan: CountingPlan) -> CountingPlan:
    """Periods of different length: the length is a factor, and the first quantity is counted per day."""
    first, *others = plan.factors
    per_day = Factor(f"{first.title} per day", first.above, DAYS)
    return replace(plan, factors=(Factor(LENGTH, DAYS, ""), per_day, *others))


def _unit(registry: Registry, metric: Metric, counted: dict[str, Counted]) -> str:
    """The first unit of the metric by which everything that is counted can be added up."""
    for unit in metric.randomised_by:
        if unit != "market" and all(_countable(registry, item, unit) for item in counted.values()):
            return unit
    return ""


def _countable(registry: Registry, item: Counted, unit: str) -> bool:
    if item.part is None:
        return unit in registry.marts[item.metric.mart].units
    return can_be_added(registry, item.metric, item.part, unit)
