"""Who is counted, where that is not whoever has a row: the units of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.metrics.cells import labelled
from analysis_lib.metrics.unit_tables import SINCE, UNIT
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse

#: Dimensions of exposed units: they hold for the unit as a whole, so every unit is in one cell.
DIMENSIONS = ("variant", "phase", "country", "platform")


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Units of an experiment.

    Attributes
    ----------
    table : ibis.Table
        ``unit_id``, ``counts_since`` (market-local day of the first exposure) and ``by_*``.
    first : date
        Day of the first exposure.
    ends : date | None
        Last day of the experiment; None while it runs.
    n_left_out : int
        Units seen in two variants, or in one that the experiment does not have.
    """

    table: ibis.Table
    first: date
    ends: date | None
    n_left_out: int


def exposed(
    warehouse: Warehouse, experiment: str, unit: str, by: tuple[str, ...], as_of: datetime | None
) -> Population:
    """The units of an experiment, each in the variant of its first exposure.

    Raises
    ------
    UnknownName
        There is no such experiment, or exposed units have no such dimension.
    InvalidValue
        The experiment randomised another unit.
    NotEnoughData
        Nobody had been exposed.
    """
    for name in by:
        if name not in DIMENSIONS:
            raise unknown("dimension", name, DIMENSIONS, "what exposed units can be cut by (of rows: use `where`)")
    table = mart(warehouse, "experiment_units")
    table = table.filter(table.experiment_id == experiment)
    if as_of is not None:
        table = table.filter(table.exposed_at <= as_of)
    kept = ~table.is_in_two_variants & ~table.is_unknown_variant
    seen = table.agg(
        n=table.count(), n_kept=kept.cast("int64").sum(), unit=table.unit.max(),
        first=table.exposed_day.min(where=kept),
    )  # fmt: skip
    row = warehouse.query(seen).iloc[0]
    _check(warehouse, experiment, unit, row, as_of)
    table = table.filter(kept)
    named = {f"by_{name}": labelled(table[name]) for name in by}
    chosen = table.select(**{UNIT: table.unit_id, SINCE: table.exposed_day}, **named)
    first = row["first"].date() if hasattr(row["first"], "date") else row["first"]
    return Population(chosen, first, _last_day(warehouse, experiment, table), int(row["n"] - row["n_kept"]))


def _last_day(warehouse: Warehouse, experiment: str, table: ibis.Table) -> date | None:
    """The last day of an experiment that is whole in each of its markets."""
    arms = warehouse.table("experiments")
    arms = arms.filter(arms.experiment_id == experiment)
    ended = warehouse.query(arms.agg(at=arms.ends_at.max(), is_open=arms.ends_at.isnull().any())).iloc[0]
    if ended["is_open"] or ended["at"] is None or ended["at"] != ended["at"]:
        return None
    places = warehouse.table("countries").semi_join(table, "country").select("timezone").distinct()
    zones = [ZoneInfo(name) for name in warehouse.query(places)["timezone"]] or [ZoneInfo("UTC")]
    last = (ended["at"] - timedelta(seconds=1)).replace(tzinfo=ZoneInfo("UTC"))
    return min(last.astimezone(zone).date() for zone in zones)


def _check(warehouse: Warehouse, experiment: str, unit: str, row: Any, as_of: datetime | None) -> None:
    if not row["n"]:
        known = warehouse.values("experiments", "experiment_id")
        if experiment not in known:
            raise unknown("experiment", experiment, known, f"the experiments of source '{warehouse.name}'")
        raise NotEnoughData(f"nobody had been exposed to '{experiment}'" + (f" by {as_of} UTC." if as_of else "."))
    if row["unit"] != unit:
        raise InvalidValue(
            f"'{experiment}' randomised by {row['unit']}, not by {unit}: what was not randomised apart cannot be"
            f" counted apart. Ask with unit='{row['unit']}'."
        )
    if not row["n_kept"]:
        raise NotEnoughData(f"every unit of '{experiment}' was seen in two variants or in an unknown one.")
