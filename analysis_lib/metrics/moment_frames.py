"""From unit tables to frames of moments: the queries, and their cells put together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.declaration import Quantile
from analysis_lib.metrics.pooling import fold, pool, unfold
from analysis_lib.metrics.quantile_tables import quantile_moments
from analysis_lib.metrics.unit_tables import CUT, SEEN, Pass, Plan, joined, moments_of, unit_table

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.metrics.declaration import Metric
    from analysis_lib.warehouse import Warehouse


def _passes(plan: Plan, tables: dict[str, ibis.Table]) -> list[Pass]:
    """What can be measured together: metrics and covariates of one mart; each quantile apart."""
    measured = [plan.question.registry.get(name) for name in plan.covariates]
    others = {name for names in plan.covariates.values() for name in names}
    found: dict[str, Pass] = {}
    for metric in plan.question.metrics:
        name = metric.name if isinstance(metric, Quantile) else f"{metric.mart}.{metric.time}"
        one = found.setdefault(name, Pass(tables[metric.mart], plan.uses[metric.mart], [], []))
        if metric in measured:
            one.metrics.append(metric)
        if metric.name in others:
            one.beforehand.append(metric)
    return list(found.values())


def of_rows(warehouse: Warehouse, plan: Plan, tables: dict[str, ibis.Table], *, cross: bool) -> pd.DataFrame:
    """Moments of the units that have a row in the cell, one query per pass.

    Returns
    -------
    DataFrame
        ``cut``, ``by_*``, and for each metric ``n__<metric>`` and its moments; missing where a mart has no such cell.
    """
    frames, by = [], [f"by_{name}" for name in plan.question.by]
    cells = [*([CUT] if len(plan.cuts) > 1 else []), *by]
    for one in _passes(plan, tables):
        _check_at_home(plan, one)
        first = one.metrics[0]
        if isinstance(first, Quantile):
            table = quantile_moments(one, plan, first, by, None)
        else:
            units = unit_table(one, plan, None)
            pairs = plan.pairs(one.metrics, cross=cross)
            table = moments_of(units.filter(units[SEEN] > 0), cells, _columns(plan, one.metrics), pairs)
        frames.append(_counted(warehouse.query(table), one.metrics))
    return _merged(frames, [CUT, *by])


def _check_at_home(plan: Plan, one: Pass) -> None:
    """Without a population, a covariate of another mart has no units to stand beside."""
    here = {metric.name for metric in one.beforehand}
    for metric in one.metrics:
        away = [name for name in plan.covariates[metric.name] if name not in here]
        if away:
            raise InvalidValue(
                f"covariate {', '.join(away)} is not measured in {metric.mart}, where '{metric.name}' is: name an"
                " experiment, whose units are the same everywhere, or choose a covariate of that mart."
            )
    if not one.metrics:
        names = ", ".join(metric.name for metric in one.beforehand)
        raise InvalidValue(f"covariate {names} stands beside no metric of its mart: name an experiment.")


def _columns(plan: Plan, metrics: Iterable[Metric]) -> list[str]:
    return list(dict.fromkeys(column for metric in metrics for column in plan.beside(metric)))


def _merged(frames: list[pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    """Frames side by side, by cell."""
    framed = [frame if CUT in frame else frame.assign(**{CUT: 0}) for frame in frames]
    both = reduce(lambda one, other: one.merge(other, on=keys, how="outer", validate="one_to_one"), framed)
    return both.sort_values(keys, na_position="first", ignore_index=True)


def _counted(frame: pd.DataFrame, metrics: Iterable[Metric]) -> pd.DataFrame:
    """The number of units under the name of each metric: marts hold different units."""
    return frame.assign(**{f"n__{metric.name}": frame["n"] for metric in metrics}).drop(columns="n")


def of_units(
    warehouse: Warehouse,
    plan: Plan,
    tables: dict[str, ibis.Table],
    population: ibis.Table,
    by: tuple[str, ...],
    *,
    cross: bool,
) -> pd.DataFrame:
    """Moments of the units of an experiment: all its marts in one query, each read once; quantiles apart.

    Returns
    -------
    DataFrame
        As ``of_rows``.
    """
    cells, passes = [f"by_{name}" for name in by], _passes(plan, tables)
    found, plain = [], [one for one in passes if not (one.metrics and isinstance(one.metrics[0], Quantile))]
    metrics = [metric for one in plain for metric in one.metrics]
    if metrics:
        columns, pairs = _columns(plan, metrics), plan.pairs(metrics, cross=cross)
        units = joined(population, [unit_table(one, plan, population) for one in plain])
        frame = warehouse.query(moments_of(units, cells, columns, pairs))
        found.append(_counted(_in_cuts(frame, plan.cuts, by, columns, pairs), metrics))
    for one in passes:
        if one not in plain and isinstance(metric := one.metrics[0], Quantile):
            own = [f"by_{name}" for name in plan.cuts[0]]
            frame = warehouse.query(quantile_moments(one, plan, metric, own, population))
            found.append(_counted(frame, one.metrics))
    return _merged(found, [CUT, *(name for name in cells if name in found[0])])


def _in_cuts(
    frame: pd.DataFrame,
    cuts: tuple[tuple[str, ...], ...],
    by: tuple[str, ...],
    columns: list[str],
    pairs: list[tuple[str, str]],
) -> pd.DataFrame:
    """Cells of every cut, pooled from the finest: a unit is in exactly one of these."""
    import pandas as pd

    if cuts == (by,):
        return frame
    sums = [name for name in frame if "__unpriced" in name]
    rows = []
    for number, cut in enumerate(cuts):
        names = [f"by_{name}" for name in cut]
        groups = frame.groupby(names, dropna=False) if names else [((), frame)]
        for key, group in groups:
            cell = fold(*pool(*unfold(group, columns)), columns, pairs) | group[sums].sum().to_dict()
            rows.append({CUT: number, **dict(zip(names, key, strict=True)), **cell})
    return pd.DataFrame(rows)
