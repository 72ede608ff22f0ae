"""Metrics by cell with their parts: for whoever adds cells up himself, or must know how much is behind one."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.asking import ask
from analysis_lib.metrics.assembling import shaped, side_by_side
from analysis_lib.metrics.cells import PERIOD, SEP, cells
from analysis_lib.metrics.coverage import covered, dated, tables_of
from analysis_lib.metrics.declaration import Conversion, Ratio, Simple
from analysis_lib.metrics.registry import load_metrics

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


def parts(
    warehouse: Warehouse, name: str, *, by: str, grain: str = "day", start: date | str | None = None,
    end: date | str | None = None, as_of: datetime | str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Numerator and denominator of a metric by cell; of a sum or a count, itself over 1.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    name : str
        A sum, a count, a ratio or a conversion.
    by : str
        One dimension.
    grain, start, end, as_of
        As ``metrics.query``; by day unless said otherwise.

    Returns
    -------
    DataFrame
        ``by``, period_start, numerator, denominator; one row per period of every value that was seen, 0 where it has no
        rows in it. ``attrs["counted"]``: whether both parts are counts.

    Raises
    ------
    InvalidValue
        A metric of another type: it has no parts that add up; else as ``metrics.query``.
    UnknownName, SourceError, ContractError
        As ``metrics.query``.
    """
    registry = load_metrics(warehouse.project)
    options = {"by": by, "grain": grain, "start": start, "end": end, "where": None, "currency": "usd", "as_of": as_of}
    question = ask(registry, name, **options)
    metric = question.metrics[0]
    if not isinstance(metric, Simple | Ratio | Conversion) or metric.type == "distinct":
        raise InvalidValue(f"'{name}' is a {metric.type}: its cells do not add up. Choose a sum, a count or a ratio.")
    tables = tables_of(warehouse, question)
    question = dated(question, covered(warehouse, question, tables))
    frame = shaped(warehouse.query(cells(tables[metric.mart], question, [metric], None)), question)
    table = side_by_side({"": frame}, question, [False])
    above = f"{name}{SEP}{'of' if isinstance(metric, Simple) else 'numerator'}"
    below = 1.0 if isinstance(metric, Simple) else table[f"{name}{SEP}denominator"].astype("float64").fillna(0.0)
    found = table[[f"by_{by}", PERIOD]].rename(columns={f"by_{by}": by}).assign(
        numerator=table[above].astype("float64").fillna(0.0), denominator=below
    )  # fmt: skip
    kinds = (
        {part.measure.kind for part in registry.parts(metric).values()} if not isinstance(metric, Conversion) else set()
    )
    found.attrs["counted"] = isinstance(metric, Conversion) or (
        metric.type == "ratio" and kinds <= {"count", "distinct"}
    )
    return found
