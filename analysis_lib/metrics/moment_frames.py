"""From unit tables to frames of moments: the queries, and their cells put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def passes_of(plan: Plan, tables: dict[str, ibis.Table]) -> list[Pass]:
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
    for one in passes_of(plan, tables):
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
    for metric in one.metrics:
        away = [name for name in _away(plan, one) if name in plan.covariates[metric.name]]
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
    """Moments of the units of an experiment; each mart is read once, those of quantiles twice.

    Returns
    -------
    DataFrame
        As ``of_rows``.
    """
    cells, passes = [f"by_{name}" for name in by], passes_of(plan, tables)
    quantiles = [one for one in passes if one.metrics and isinstance(one.metrics[0], Quantile)]
    plain = [one for one in passes if one not in quantiles]
    found = []
    for frame, metrics in _finest(warehouse, plan, plain, population, cells, cross=cross):
        columns, pairs = _columns(plan, metrics), plan.pairs(metrics, cross=cross)
        found.append(_counted(_in_cuts(frame, plan.cuts, by, columns, pairs), metrics))
    for one in quantiles:
        own = [f"by_{name}" for name in plan.cuts[0]]
        table = quantile_moments(one, plan, one.metrics[0], own, population)  # type: ignore[arg-type]
        found.append(_counted(warehouse.query(table), one.metrics))
    return _merged(found, [CUT, *(name for name in cells if name in found[0])])


def _finest(
    warehouse: Warehouse, plan: Plan, passes: list[Pass], population: ibis.Table, cells: list[str], *, cross: bool
) -> Iterator[tuple[pd.DataFrame, list[Metric]]]:
    """Moments of the finest cells: mart by mart where each stands by itself, else of all marts joined by unit."""
    metrics = [metric for one in passes for metric in one.metrics]
    if cross or any(_away(plan, one) for one in passes):
        units = joined(population, [unit_table(one, plan, population) for one in passes])
        yield (
            warehouse.query(moments_of(units, cells, _columns(plan, metrics), plan.pairs(metrics, cross=cross))),
            metrics,
        )
        return
    if not passes:
        return
    counted = population.group_by(cells).agg(n=population.count()) if cells else population.agg(n=population.count())
    counts = warehouse.query(counted)
    for one in passes:
        columns, pairs = _columns(plan, one.metrics), plan.pairs(one.metrics, cross=False)
        table = moments_of(unit_table(one, plan, population), cells, columns, pairs)
        yield _with_the_others(warehouse.query(table), counts, cells, columns, pairs), one.metrics


def _with_the_others(
    frame: pd.DataFrame, counts: pd.DataFrame, cells: list[str], columns: list[str], pairs: list[tuple[str, str]]
) -> pd.DataFrame:
    """Cells with those of their units that have no row in the mart: everything about these is 0.

    Cheaper than a join of all units, and exactly what it would give.
    """
    both = counts.rename(columns={"n": "n_all"}).merge(frame, on=cells, how="left") if cells else frame.assign(
        n_all=counts["n"]
    )  # fmt: skip
    both = both.fillna(dict.fromkeys(frame.columns.difference(cells), 0.0))
    n, k = both["n_all"].astype(float), both["n"].astype(float)
    means = {name: both[f"mean__{name}"] for name in columns}
    found = {f"mean__{name}": mean * k / n for name, mean in means.items()}
    for one, other in pairs:
        within = (both[f"cov__{one}__{other}"] * (k - 1)).where(k > 1, 0.0)
        apart = k * (1 - k / n) * means[one] * means[other]
        found[f"cov__{one}__{other}"] = ((within + apart) / (n - 1)).where(n > 1)
    return both.assign(**found, n=n).drop(columns="n_all")


def _away(plan: Plan, one: Pass) -> list[str]:
    """Covariates of the metrics of a pass that are not measured in it."""
    here = {metric.name for metric in one.beforehand}
    away = [name for metric in one.metrics for name in plan.covariates[metric.name] if name not in here]
    return away if one.metrics else sorted(here)


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
