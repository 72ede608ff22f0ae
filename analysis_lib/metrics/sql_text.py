"""The SQL of a metric on both engines, for people: by market and month, from the marts as they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import unknown
from analysis_lib.metrics.asking import ask
from analysis_lib.metrics.cells import PERIOD, SEP, cells, returned
from analysis_lib.metrics.declaration import Cumulative, Metric, Retention
from analysis_lib.metrics.registry import Registry
from analysis_lib.pipelines import MARTS

if TYPE_CHECKING:
    import ibis

ENGINES = ("duckdb", "spark")

_TYPES = {
    "string": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp",
}  # fmt: skip


def sql_of(
    registry: Registry, name: str, engine: str, *, by: Iterable[str] = ("country",), start: date, end: date
) -> str:
    """The query that answers for a metric by month.

    Parameters
    ----------
    engine : {"duckdb", "spark"}
        Whose SQL.
    by
        Dimensions.
    start, end
        Market-local days, both included.

    Raises
    ------
    UnknownName
        A metric or engine that does not exist.
    InvalidValue
        The metric cannot be cut so.
    """
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES, "the engines")
    metric = registry.get(name)
    expression = _expression(registry, metric, tuple(by), start, end)
    if engine == "duckdb":
        import ibis

        return str(ibis.to_sql(expression, dialect="duckdb", pretty=True))
    from ibis.backends.sql.compilers.pyspark import PySparkCompiler

    with _spark_options():
        return PySparkCompiler().to_sqlglot(expression).sql("spark", pretty=True)


def _expression(registry: Registry, metric: Metric, by: tuple[str, ...], start: date, end: date) -> ibis.Table:
    """Cells with the value itself: a quotient where there are two sides."""
    import ibis

    needed = set(_columns(registry, metric)) | set(by)
    schema = {one.name: _TYPES[one.type] for one in MARTS[metric.mart].columns if one.name in needed}
    table = ibis.table(schema, name=metric.mart)
    options = {"by": by, "grain": "month", "start": start, "end": end, "where": None, "as_of": None}
    question = ask(registry, [metric.name], **options, currency="usd")
    if isinstance(metric, Retention):
        found = returned(table, question, metric, None)
    else:
        daily = "day" if isinstance(metric, Cumulative) else None
        found = cells(table, question, [metric], None, daily)
    column = f"{metric.name}{SEP}"
    if f"{column}denominator" in found.columns:
        value = found[f"{column}numerator"] / found[f"{column}denominator"].nullif(0)
    else:
        value = found[f"{column}of"]
    if isinstance(metric, Cumulative):
        window = ibis.window(group_by=[f"by_{name}" for name in by], order_by=PERIOD, preceding=None, following=0)
        value = value.sum().over(window)
    named: dict[str, Any] = {PERIOD: found[PERIOD], **{name: found[f"by_{name}"] for name in by}, metric.name: value}
    return found.select(**named)


def _columns(registry: Registry, metric: Metric) -> Iterator[str]:
    """Columns of the mart that a metric reads."""
    yield from (metric.time, *(condition.column for condition in metric.where))
    yield from (getattr(metric, name) for name in ("column", "begins", "follows", "entity") if hasattr(metric, name))
    for part in registry.parts(metric).values():
        yield from (condition.column for condition in part.where)
        yield part.measure.column
        for amount in filter(None, (part.measure.money, part.measure.minus)):
            yield from (f"{amount}_usd", f"{amount}_local", "usd_per_unit")
    told_by = registry.marts[metric.mart].unpriced
    if metric.currency == "converted" and told_by != "rows":
        yield str(told_by)


@contextmanager
def _spark_options() -> Iterator[None]:
    """The option that Ibis sets when PySpark is imported: its SQL can be written without it."""
    from ibis.config import Config, options

    if options.pyspark is not None:
        yield
        return

    class Spark(Config):
        treat_nan_as_null: bool = False

    options.pyspark = Spark()
    try:
        yield
    finally:
        options.pyspark = None
