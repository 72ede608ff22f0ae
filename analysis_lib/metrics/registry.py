"""All metrics of a checkout, by name, with the tree they stand in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from analysis_lib import config
from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics.declaration import Metric, Simple
from analysis_lib.metrics.measures import Condition, Measure
from analysis_lib.metrics.surroundings import Area, MartUse
from analysis_lib.settings import shown


@dataclass(frozen=True, slots=True)
class Part:
    """One measure of a metric with every condition that its rows must meet.

    Attributes
    ----------
    measure : Measure
        What is added up or counted.
    where : tuple of Condition
        Conditions of the measure, of the metric it was named by, and of the metric itself.
    """

    measure: Measure
    where: tuple[Condition, ...]


@dataclass(frozen=True, eq=False)
class Registry:
    """The metrics of ``data/metrics.yml``, checked.

    Attributes
    ----------
    metrics : dict of str to Metric
        By name, in file order.
    areas : dict of str to Area
        Parts of the business.
    marts : dict of str to MartUse
        What metrics may do with each mart.
    where : str
        The file, as messages name it.
    """

    metrics: dict[str, Metric]
    areas: dict[str, Area]
    marts: dict[str, MartUse]
    where: str

    @property
    def names(self) -> list[str]:
        """Names of all metrics, in file order."""
        return list(self.metrics)

    def get(self, name: str) -> Metric:
        """The definition of a metric.

        Raises
        ------
        UnknownName
            There is none of that name; the message names the nearest.

        Examples
        --------
        >>> load_metrics().get("gmv").unit
        'usd'
        """
        if name not in self.metrics:
            raise unknown("metric", str(name), self.metrics, self.where)
        return self.metrics[name]

    def parts(self, metric: Metric) -> dict[str, Part]:
        """The measures that a metric is made of, named metrics replaced by theirs, by the part they play."""
        found = {}
        for role, item in metric.inputs.items():
            if isinstance(item, str):
                named = self.get(item)
                inner = next(iter(self.parts(named).values()))
                found[role] = replace(inner, where=(*inner.where, *metric.where))
            else:
                found[role] = Part(item, (*item.where, *metric.where))
        return found

    def tree(self) -> dict[str, dict[str, str]]:
        """Children of each metric that has any, with their role: ``{"gmv": {"live_gmv": "part", …}, …}``."""
        found: dict[str, dict[str, str]] = {}
        for name, metric in self.metrics.items():
            for parent, role in metric.parents.items():
                found.setdefault(parent, {})[name] = role
        return {name: found[name] for name in self.metrics if name in found}

    def dimensions(self, names: Iterable[str]) -> list[str]:
        """Dimensions by which all of these metrics can be cut."""
        marts = list(dict.fromkeys(self.get(name).mart for name in names))
        return [
            name for name in (self.marts[marts[0]].dimensions if marts else ())
            if all(name in self.marts[mart].dimensions for mart in marts)
        ]  # fmt: skip


def is_simple(metric: Metric) -> bool:
    """Whether it is a sum, a count or a distinct count."""
    return isinstance(metric, Simple)


def load_metrics(project: config.Project | None = None) -> Registry:
    """The metrics of a checkout, read once per state of the file.

    Parameters
    ----------
    project : Project | None
        The checkout; by default the one in use.

    Raises
    ------
    InvalidValue
        ``data/metrics.yml`` is missing or not valid; the message names the line.

    Examples
    --------
    >>> "gmv" in load_metrics().names
    True
    """
    path = (project or config.project()).data / "metrics.yml"
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise InvalidValue(f"{shown(path)} cannot be read: {error.strerror or error}.") from error
    return _load(path, changed)


@lru_cache(maxsize=8)
def _load(path: Path, changed: int) -> Registry:
    from analysis_lib.metrics.opening import read_metrics

    return read_metrics(path)
