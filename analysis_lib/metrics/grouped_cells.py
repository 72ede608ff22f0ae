"""Two periods side by side, by segment and by groups of units: one pass over each mart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.metrics.aggregates import conversion, measured, unpriced
from analysis_lib.metrics.asking import Question
from analysis_lib.metrics.cells import BEFORE, labelled, member
from analysis_lib.metrics.declaration import Metric
from analysis_lib.metrics.registry import Part
from analysis_lib.metrics.surroundings import UnitUse
from analysis_lib.pipelines import MARTS

if TYPE_CHECKING:
    import ibis

#: Units are put into this many groups by the first two digits of the digest of their name: the same on every engine.
GROUPS = 256

#: Columns: the group of a unit, and lines without an amount.
GROUP, UNPRICED = "unit_group", "n_unpriced"

Window = tuple[date, date]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """One quantity to be counted.

    Attributes
    ----------
    metric : Metric
        Its definition, or the one it is a side of.
    part : Part | None
        What is counted; None: a side of a conversion.
    currency : str
        The currency of money.
    role : str
        numerator or denominator, of a conversion.
    """

    metric: Metric
    part: Part | None
    currency: str
    role: str = ""

    @property
    def is_money(self) -> bool:
        """Whether it adds up an amount."""
        return self.part is not None and self.part.measure.kind == "money"


def grouped_cells(
    table: ibis.Table, mart: str, question: Question, counted: Mapping[str, Counted], windows: tuple[Window, Window],
    use: UnitUse | None,
) -> ibis.Table:  # fmt: skip
    """Quantities of one mart by segment, period and group of units.

    Parameters
    ----------
    table, mart
        The mart, and its name.
    question
        Segments (``by``) and filters.
    windows
        The period before and the one after; they have no day in common.
    use
        How the mart tells units apart; None: all rows are one group.

    Returns
    -------
    ibis.Table
        ``by_*``, ``is_before``, ``unit_group``, one column per quantity, ``n_unpriced``.
    """
    import ibis

    for name, values in question.where.items():
        table = table.filter(member(table[name], values))
    day = table[next(iter(counted.values())).metric.time]
    earlier, later = (day.between(*window) for window in windows)
    named = {f"by_{name}": labelled(table[name]) for name in question.by}
    group = ibis.literal("") if use is None else group_of(table, mart, use)
    rows = table.filter(earlier | later).mutate(**named, **{BEFORE: earlier, GROUP: group})
    found: dict[str, Any] = {name: _value(rows, item) for name, item in counted.items()}
    told_by = question.registry.marts[mart].unpriced
    lines = [unpriced(rows, item.part, item.currency, told_by) for item in counted.values() if item.is_money]
    if lines:
        found[UNPRICED] = ibis.greatest(*lines)
    return rows.group_by([*named, BEFORE, GROUP]).agg(**found)


def group_of(table: ibis.Table, mart: str, use: UnitUse) -> Any:
    """The group of each row's unit. A row of nobody is a unit of its own, or goes with the thing that it belongs to."""
    own = (*use.holds, *MARTS[mart].keys)[0]
    return table[use.column].coalesce(table[own]).hexdigest("md5").substr(0, 2)


def _value(rows: ibis.Table, item: Counted) -> Any:
    if item.part is None:
        return conversion(rows, item.metric)[item.role].cast("float64")
    return measured(rows, item.part, item.currency).cast("float64")
