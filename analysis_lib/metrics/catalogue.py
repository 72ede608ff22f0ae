"""The catalog of metrics: what each means, how it is made, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from analysis_lib.metrics.chains import factors
from analysis_lib.metrics.declaration import Metric
from analysis_lib.metrics.registry import Registry, load_metrics
from analysis_lib.metrics.sql_text import ENGINES, sql_of
from analysis_lib.results import Result

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib import config
    from analysis_lib.warehouse import Warehouse

#: Days of the SQL that is shown where there are no data to take them from.
EXAMPLE = (date(2026, 1, 1), date(2026, 1, 31))

#: Columns of the values of an entry.
VALUES = ("country", "period_start", "value", "is_immature")


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Result):
    """One metric of the catalog.

    Attributes
    ----------
    metric : Metric
        Its definition.
    values : pandas.DataFrame
        Whole months: country (missing: all markets together), period_start, value, is_immature; empty without data.
    children : dict of str to str
        Metrics below it in the tree, with their role.
    parts : tuple of str
        Titles of the factors that its changes are told apart into.
    made_into : tuple of str
        Metrics that name it as a side of theirs, or as a link of their chain.
    sql : dict of str to str
        By engine: by market and month.
    """

    metric: Metric
    values: pd.DataFrame
    children: dict[str, str]
    parts: tuple[str, ...]
    made_into: tuple[str, ...]
    sql: dict[str, str]

    @property
    def text(self) -> str:
        """The metric in one sentence."""
        return f"{self.metric.title}: {self.metric.meaning}"

    @property
    def whole(self) -> pd.DataFrame:
        """Values of all markets together, in the order of time."""
        return self.values[self.values["country"].isna()]


@dataclass(frozen=True, slots=True, eq=False)
class Catalog(Result):
    """Every metric, in the order of the file.

    Attributes
    ----------
    registry : Registry
        Where they are defined.
    entries : dict of str to Entry
        By name.
    """

    registry: Registry
    entries: dict[str, Entry]

    @property
    def text(self) -> str:
        """How many there are, by area."""
        counts: dict[str, int] = {}
        for entry in self.entries.values():
            title = self.registry.areas[entry.metric.area].title
            counts[title] = counts.get(title, 0) + 1
        return f"{len(self.entries)} metrics: {', '.join(f'{title} {n}' for title, n in counts.items())}."


def catalog(warehouse: Warehouse | None = None, *, project: config.Project | None = None) -> Catalog:
    """The catalog of a source: definitions, tree, SQL of both engines, and values by month and market.

    Parameters
    ----------
    warehouse : Warehouse, optional
        Where values come from; without it there are none.
    project : Project, optional
        The checkout, where there is no warehouse.

    Raises
    ------
    InvalidValue
        ``data/metrics.yml`` is missing or not valid.
    SourceError
        A mart is not built.

    Examples
    --------
    >>> catalog().entries["aov"].parts
    ('Units per order', 'GMV per unit')
    """
    registry = load_metrics(warehouse.project if warehouse is not None else project)
    values = {} if warehouse is None else monthly_values(warehouse, registry)
    tree = registry.tree()
    entries = {
        name: Entry(
            metric=metric, values=values.get(name, _nothing()), children=tree.get(name, {}),
            parts=_parts(registry, metric), made_into=_made_into(registry, name), sql=_sql(registry, metric, values),
        )
        for name, metric in registry.metrics.items()
    }  # fmt: skip
    return Catalog(registry, entries)


def _nothing() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns=list(VALUES))


def _parts(registry: Registry, metric: Metric) -> tuple[str, ...]:
    return tuple(factor.title for factor in factors(registry, metric)) if metric.chain else ()


def _made_into(registry: Registry, name: str) -> tuple[str, ...]:
    return tuple(
        other.name for other in registry.metrics.values()
        if name in other.inputs.values() or name in [link.to for link in other.chain]
    )  # fmt: skip


def _sql(registry: Registry, metric: Metric, values: dict[str, pd.DataFrame]) -> dict[str, str]:
    """By market, where the metric knows markets, and of the last whole month."""
    by = ("country",) if "country" in registry.dimensions([metric.name]) else ()
    held = values.get(metric.name)
    start, end = EXAMPLE
    if held is not None and len(held):
        start = held["period_start"].max().date()
        end = (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return {engine: sql_of(registry, metric.name, engine, by=by, start=start, end=end) for engine in ENGINES}


def monthly_values(warehouse: Warehouse, registry: Registry) -> dict[str, pd.DataFrame]:
    """Whole months of every metric, of all markets together and of each.

    Returns
    -------
    dict of str to DataFrame
        By metric: columns ``VALUES``.
    """
    import pandas as pd

    from analysis_lib.metrics.querying import query

    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in registry.names}
    for by in ((), ("country",)):
        names = [name for name in registry.names if set(by) <= set(registry.dimensions([name]))]
        asked = query(warehouse, names, by=by, grain="month")
        frame, flags = asked.to_frame(), asked.flags
        whole = frame[~frame["is_partial"]]
        for name in names:
            # The frame's own flag speaks of all metrics at once.
            late = flags.loc[(flags["metric"] == name) & (flags["flag"] == "is_immature"), "period_start"]
            kept = whole[["period_start"]].assign(value=whole[name], is_immature=whole["period_start"].isin(late))
            frames[name].append(kept.assign(country=whole["country"] if by else None)[list(VALUES)])
    return {name: pd.concat(found, ignore_index=True) for name, found in frames.items() if found}
