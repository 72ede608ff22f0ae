"""How a change of a metric is told apart: the quotients of a chain, which multiply to the metric."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analysis_lib.metrics.declaration import Metric, Ratio, Simple
from analysis_lib.metrics.registry import Part, Registry

#: How a chain names the metric it belongs to, and what its ends are called.
ITSELF = "itself"
NUMERATOR, DENOMINATOR = "numerator", "denominator"


@dataclass(frozen=True, slots=True)
class Factor:
    """One quotient of a chain.

    Attributes
    ----------
    title : str
        What it is called.
    above, below : str
        Names of the quantities; an empty ``below`` stands for 1.
    """

    title: str
    above: str
    below: str


def quantities(registry: Registry, metric: Metric) -> dict[str, tuple[Metric, Part]]:
    """Everything that has to be counted to walk the chain, in its order, with the metric that defines it.

    The ends of a sum are ``itself``; those of a ratio ``denominator`` and ``numerator``.
    """
    own = registry.parts(metric)
    links = {name: registry.get(name) for name in _steps(metric)}
    middle = {name: (link, next(iter(registry.parts(link).values()))) for name, link in links.items()}
    if isinstance(metric, Ratio):
        return {DENOMINATOR: (metric, own[DENOMINATOR]), **middle, NUMERATOR: (metric, own[NUMERATOR])}
    return {**middle, ITSELF: (metric, own["of"])}


def factors(registry: Registry, metric: Metric) -> list[Factor]:
    """The quotients of a metric's chain: they multiply to it. Without a chain there is one, the metric itself."""
    names = list(quantities(registry, metric))
    said = {link.to: link.title for link in metric.chain}
    belows = names[:-1] if isinstance(metric, Ratio) else ["", *names[:-1]]
    found = []
    for above, below in zip(names[-len(belows) :], belows, strict=True):
        end = above in (ITSELF, NUMERATOR)
        title = said.get(ITSELF if end else above) or _title(registry, metric, above, below)
        found.append(Factor(title, above, below))
    return found


def problems(registry: Registry, metric: Metric) -> Iterable[str]:
    """What is wrong with a metric's chain."""
    names = [link.to for link in metric.chain]
    if names and not isinstance(metric, Simple | Ratio):
        yield f"a {metric.type} has no chain: its parts do not multiply"
    for place, name in enumerate(names):
        if name == ITSELF:
            if place != len(names) - 1:
                yield "'itself' can only be the last link"
        elif name == metric.name:
            yield f"'{name}' cannot be a link of its own chain; the last one may be 'itself'"
        elif name not in registry.metrics:
            yield f"there is no metric '{name}'"
        elif not isinstance(registry.metrics[name], Simple):
            kind = registry.metrics[name].type
            yield f"'{name}' is a {kind}; only a sum, a count or a distinct count can be a link"
    if len(set(names)) < len(names):
        yield "a quantity stands in it twice"


def _steps(metric: Metric) -> list[str]:
    return [link.to for link in metric.chain if link.to != ITSELF]


def _title(registry: Registry, metric: Metric, above: str, below: str) -> str:
    """The title of the ratio metric that a quotient is, or its two sides in words."""
    upper, lower = (_named(metric, name) for name in (above, below))
    if not below:
        return registry.get(upper or metric.name).title
    for other in registry.metrics.values():
        if isinstance(other, Ratio) and upper and (other.numerator, other.denominator) == (upper, lower):
            return other.title
    if len(_steps(metric)) == 0:
        return metric.title
    titles = [registry.get(name).title if name else metric.title for name in (upper, lower)]
    return f"{titles[0]} per {titles[1][0].lower()}{titles[1][1:]}"


def _named(metric: Metric, quantity: str) -> str | None:
    """The metric that a quantity is, if it has a name."""
    if quantity == ITSELF:
        return metric.name
    if quantity in (NUMERATOR, DENOMINATOR):
        item = metric.inputs[quantity]
        return item if isinstance(item, str) else None
    return quantity
