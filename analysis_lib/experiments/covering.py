"""Which days the data of some metrics hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.metrics import load_metrics
from analysis_lib.metrics.asking import ask
from analysis_lib.metrics.coverage import covered, tables_of

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


def covered_days(
    warehouse: Warehouse, names: Sequence[str], *, where: Mapping[str, Any] | None = None, currency: str = "usd"
) -> tuple[date, date]:
    """First and last day that the marts of some metrics share.

    Raises
    ------
    UnknownName, InvalidValue, NotEnoughData
        As ``metrics.query``.
    """
    options = {"by": (), "grain": "total", "start": None, "end": None, "as_of": None}
    question = ask(load_metrics(warehouse.project), names, where=where, currency=currency, **options)
    days = covered(warehouse, question, tables_of(warehouse, question)).values()
    return max(one.first for one in days), min(one.last for one in days)
