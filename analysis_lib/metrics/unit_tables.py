"""One row per unit, and the moments of such rows by cell: expressions that read each mart once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from analysis_lib.metrics.aggregates import all_of
from analysis_lib.metrics.asking import Question
from analysis_lib.metrics.cells import SEP, labelled, member
from analysis_lib.metrics.declaration import Metric, Retention, Simple
from analysis_lib.metrics.surroundings import UnitUse
from analysis_lib.metrics.units import counts_units, of_a_unit, returned, unpriced

if TYPE_CHECKING:
    import ibis

#: Columns of unit tables: the unit, its rows in the period, and the day from which they count.
UNIT, SEEN, SINCE = "unit_id", "n_seen", "counts_since"

#: Whether a row lies in the period of its unit, or in the days beforehand.
NOW, EARLIER = "is_now", "is_earlier"

#: What is appended to the name of a column that is measured before the period.
BEFOREHAND = f"{SEP}beforehand"

#: Number of a cut, where cells are made for several.
CUT = "cut"

#: Beginnings of the names of moments.
MEAN, COV = "mean", "cov"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is measured of which units.

    Attributes
    ----------
    question : Question
        Metrics, filters and days.
    uses : dict of str to UnitUse
        How each mart tells units apart.
    covariates : dict of str to tuple of str
        Metrics measured beforehand, by the metric they stand beside.
    span, earlier : tuple of int
        First and last day of what is measured, and of what is measured beforehand, counted from the day on which a unit
        begins to count (0); None as the last of ``span``: to the end of the period.
    since : date
        The earliest day from which a unit counts.
    cuts : tuple of tuple of str
        Dimensions of each kind of cell, among those of the question.
    caps : dict of str to float
        Largest value of a unit, by metric.
    """

    question: Question
    uses: dict[str, UnitUse]
    covariates: Mapping[str, tuple[str, ...]]
    span: tuple[int, int | None]
    earlier: tuple[int, int]
    since: date
    cuts: tuple[tuple[str, ...], ...]
    caps: Mapping[str, float]

    def columns(self, metric: Metric, *, beforehand: bool = False) -> list[str]:
        """Columns of a metric: of what a unit adds to it, or of its numerator and denominator."""
        roles = ["of"] if isinstance(metric, Simple) else ["numerator"]
        if not counts_units(self.question.registry, metric, self.uses[metric.mart]):
            roles.append("denominator")
        return [f"{metric.name}{SEP}{role}{BEFOREHAND if beforehand else ''}" for role in roles]

    def beside(self, metric: Metric) -> list[str]:
        """Columns of a metric and of its covariates."""
        others = [self.question.registry.get(name) for name in self.covariates.get(metric.name, ())]
        return self.columns(metric) + [c for other in others for c in self.columns(other, beforehand=True)]

    def pairs(self, metrics: Iterable[Metric], *, cross: bool) -> list[tuple[str, str]]:
        """Columns whose covariance is wanted, each pair once; of a column with itself too."""
        groups = [self.beside(metric) for metric in metrics]
        if cross:
            groups = [[column for group in groups for column in group]]
        found: dict[tuple[str, str], None] = {}
        for group in groups:
            names = sorted(set(group))
            found |= {(one, other): None for place, one in enumerate(names) for other in names[place:]}
        return list(found)

    @property
    def days(self) -> tuple[date, date]:
        """First and last day that is read, the days beforehand and those of returns included."""
        start, end = self.question.window
        later = max([m.returns[1] for m in self.question.metrics if isinstance(m, Retention)], default=0)
        first = self.since + timedelta(days=min(self.span[0], self.earlier[0]))
        return min(first, start), end + timedelta(days=later)


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """What is measured in one pass over one mart.

    Attributes
    ----------
    table : ibis.Table
        The mart.
    use : UnitUse
        How it tells units apart.
    metrics, beforehand : list of Metric
        Measured in the period, and before it.
    """

    table: ibis.Table
    use: UnitUse
    metrics: list[Metric]
    beforehand: list[Metric]

    @property
    def time(self) -> str:
        """Column of days by which rows are filed."""
        return [*self.metrics, *self.beforehand][0].time


def cells_of(population: ibis.Table) -> list[str]:
    """Dimensions of the units of a population."""
    return [name for name in population.columns if name.startswith("by_")]


def keys(plan: Plan, population: ibis.Table | None) -> list[str]:
    """What tells the rows of a unit table apart: the unit, and its cell."""
    if population is not None:
        return [UNIT, *cells_of(population)]
    return [UNIT, *([CUT] if len(plan.cuts) > 1 else []), *(f"by_{name}" for name in plan.question.by)]


def unit_table(one: Pass, plan: Plan, population: ibis.Table | None) -> ibis.Table:
    """One row per unit (and cell) with a row in the mart: what it adds to each metric, 0 where nothing.

    Parameters
    ----------
    population
        Units that count, with ``unit_id`` and ``counts_since``; None: whoever has a row.
    """
    rows = timed(_with_first_days(rows_of(one, plan, population), one, plan, population), one, plan)
    now, before = rows[NOW], rows[EARLIER]
    found: dict[str, Any] = {} if population is not None else {SEEN: now.cast("int64").sum()}
    for metric in one.metrics:
        if isinstance(metric, Retention):
            found |= _named(metric, returned(rows, metric, one.use, now, rows[_first_day(metric)]))
        else:
            found |= _measured(rows, plan, metric, one.use, now) | _unpriced(rows, plan, metric, now)
    for metric in one.beforehand:
        found |= _measured(rows, plan, metric, one.use, before, BEFOREHAND)
    units = rows.group_by(keys(plan, population)).agg(**found)
    return units.mutate(**_capped(units, plan))


def _capped(units: ibis.Table, plan: Plan) -> dict[str, Any]:
    """What a unit adds to metrics that have a cap, at most the cap."""
    import ibis

    found = {}
    for name, cap in plan.caps.items():
        column = plan.columns(plan.question.registry.get(name))[0]
        for own in (column, f"{column}{BEFOREHAND}"):
            if own in units.columns:
                found[own] = ibis.least(units[own], ibis.literal(float(cap)))
    return found


def timed(rows: ibis.Table, one: Pass, plan: Plan) -> ibis.Table:
    """Whether each row lies in the period, or in the days beforehand, for its unit: worked out once."""
    import ibis

    day, since = rows[one.time], rows[SINCE]
    first, last = ((since + ibis.interval(days=days)).cast("date") for days in plan.earlier)
    return rows.mutate(**{NOW: in_period(rows, one, plan), EARLIER: day.between(first, last)})


def _first_day(metric: Metric) -> str:
    return f"first_day_{metric.name}"


def _with_first_days(rows: ibis.Table, one: Pass, plan: Plan, population: ibis.Table | None) -> ibis.Table:
    """Beside each row, the first day in the period on which its unit was there, for each retention."""
    import ibis

    of_the_unit = ibis.window(group_by=keys(plan, population))
    now = in_period(rows, one, plan)
    firsts = {
        _first_day(metric): ibis.ifelse(all_of(rows, metric.where) & now, rows[one.time], None).min().over(of_the_unit)
        for metric in one.metrics
        if isinstance(metric, Retention)
    }
    return rows.mutate(**firsts) if firsts else rows


def in_period(rows: ibis.Table, one: Pass, plan: Plan) -> Any:
    """Whether a row lies in the period, and among the days of its unit that are measured."""
    import ibis

    day, since, (first, last) = rows[one.time], rows[SINCE], plan.span
    begun = day >= ((since + ibis.interval(days=first)).cast("date") if first else since)
    found = begun & day.between(*plan.question.window)
    return found if last is None else found & (day <= (since + ibis.interval(days=last)).cast("date"))


def rows_of(one: Pass, plan: Plan, population: ibis.Table | None) -> ibis.Table:
    """Rows that may count, with their unit, the day from which it counts, and their cell."""
    import ibis

    table, question = one.table, plan.question
    for name, values in question.where.items():
        table = table.filter(member(table[name], values))
    column = one.use.column
    table = table.filter(table[one.time].between(*plan.days), table[column].notnull())
    if population is not None:
        among = population.rename({"owner": UNIT})
        return table.inner_join(among, table[column] == among["owner"]).rename({UNIT: "owner"})
    named = {f"by_{name}": labelled(table[name]) for name in question.by}
    since = ibis.literal(question.window[0])
    return _in_cuts(table.mutate(**named, **{SINCE: since, UNIT: table[column]}), plan)


def _in_cuts(table: ibis.Table, plan: Plan) -> ibis.Table:
    """Each row once for every cut, dimensions that the cut does not have made missing: grouping sets, in words that
    every engine understands."""
    import ibis

    if len(plan.cuts) == 1:
        return table
    table = table.mutate(**{CUT: ibis.array(list(range(len(plan.cuts)))).unnest()})
    masked = {}
    for name in plan.question.by:
        own = [number for number, cut in enumerate(plan.cuts) if name in cut]
        masked[f"by_{name}"] = ibis.ifelse(table[CUT].isin(own), table[f"by_{name}"], None)
    return table.mutate(**masked)


def _measured(
    rows: ibis.Table, plan: Plan, metric: Metric, use: UnitUse, keep: Any, ending: str = ""
) -> dict[str, Any]:
    question = plan.question
    return _named(metric, of_a_unit(rows, question.registry, metric, use, keep, question.currency), ending)


def _unpriced(rows: ibis.Table, plan: Plan, metric: Metric, keep: Any) -> dict[str, Any]:
    lines = unpriced(rows, plan.question.registry, metric, keep, plan.question.currency)
    return {} if lines is None else {f"{metric.name}{SEP}unpriced": lines}


def _named(metric: Metric, values: dict[str, Any], ending: str = "") -> dict[str, Any]:
    return {f"{metric.name}{SEP}{role}{ending}": value for role, value in values.items()}


def joined(population: ibis.Table, tables: Iterable[ibis.Table]) -> ibis.Table:
    """The population with what each unit table says of it; 0 where a unit has no row."""

    def beside(one: ibis.Table, other: ibis.Table) -> ibis.Table:
        other = other.rename({"owner": UNIT}).drop(*cells_of(other))
        both = one.left_join(other, one[UNIT] == other["owner"]).drop("owner")
        return both.mutate(**{name: both[name].fill_null(0.0) for name in other.columns if name != "owner"})

    return reduce(beside, tables, population)


def moments_of(table: ibis.Table, by: list[str], columns: list[str], pairs: Iterable[tuple[str, str]]) -> ibis.Table:
    """Moments of unit rows by cell, as one expression.

    Returns
    -------
    ibis.Table
        ``by``, ``n``, ``mean__<column>``, ``cov__<column>__<column>`` (sample moments; of a column with itself the
        variance), and the sums of columns of lines without an amount.
    """
    found: dict[str, Any] = {"n": table.count()}
    for column in columns:
        found[f"{MEAN}{SEP}{column}"] = table[column].mean()
    for one, other in pairs:
        spread = table[one].var(how="sample") if one == other else table[one].cov(table[other], how="sample")
        found[f"{COV}{SEP}{one}{SEP}{other}"] = spread
    for name in table.columns:
        if f"{SEP}unpriced" in name:
            found[name] = table[name].sum()
    return table.group_by(by).agg(**found) if by else table.agg(**found)
