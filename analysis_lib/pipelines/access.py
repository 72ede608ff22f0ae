"""Marts as Ibis expressions, for those who read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import ContractError, InvalidValue, SourceError, unknown
from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.facts import ORDER_FACTS, expression
from analysis_lib.pipelines.inputs import Inputs, shaped
from analysis_lib.pipelines.registry import MARTS
from analysis_lib.pipelines.store import source_stamp
from analysis_lib.pipelines.stores import attached_mart, read_finished

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse


def mart(warehouse: Warehouse, name: str) -> ibis.Table:
    """A built mart as an Ibis expression, ready to be joined to the raw tables.

    Raises
    ------
    UnknownName
        There is no such mart; the message names the nearest.
    ContractError
        The source lacks what the mart is made from.
    SourceError
        It is not built, not finished, of another version, or made before the source last changed; the message says
        which command builds it.
    """
    if name not in MARTS:
        raise unknown("mart", name, MARTS, "the marts of analysis_lib.pipelines")
    problem = why_not(warehouse, MARTS[name])
    if problem:
        raise problem
    table = attached_mart(warehouse, name)
    # Spark keeps the partition column last.
    names = [column.name for column in MARTS[name].columns]
    return table if list(table.columns) == names else table.select(*names)


def why_not(warehouse: Warehouse, wanted: Mart) -> Exception | None:
    """What keeps a mart from being read; None if nothing does."""
    missing = lacking(warehouse, wanted)
    if missing:
        return ContractError(
            f"source '{warehouse.name}' has no {', '.join(missing)}, which mart '{wanted.name}' is made from."
        )
    remedy = f"Run `shopbook data build {_called(warehouse)}`."
    found = read_finished(warehouse).get(wanted.name)
    if found is None:
        return SourceError(f"mart '{wanted.name}' of source '{warehouse.name}' is not built. {remedy}")
    version, stamp = found
    if version != wanted.version:
        return SourceError(
            f"mart '{wanted.name}' of source '{warehouse.name}' was built by another version of this library. {remedy}"
        )
    if stamp != source_stamp(warehouse):
        return SourceError(f"source '{warehouse.name}' has changed since its mart '{wanted.name}' was built. {remedy}")
    return None


def lacking(warehouse: Warehouse, wanted: Mart) -> list[str]:
    """Raw tables and columns that a mart, or one it is made from, would need and the source does not have."""
    missing = wanted.missing(warehouse.has)
    for name in wanted.upstream:
        missing += lacking(warehouse, MARTS[name])
    return list(dict.fromkeys(missing))


def _called(warehouse: Warehouse) -> str:
    return warehouse.name if warehouse.source is not None else str(warehouse.path)


def order_facts(warehouse: Warehouse, as_of: datetime | str | None = None) -> ibis.Table:
    """Order facts straight from the raw tables: the expression the mart is made of.

    Parameters
    ----------
    as_of : datetime or ISO text, optional
        UTC instant; orders and status changes that reached the warehouse later (``received_at``, else the time they
        happened) are left out. Default: all that is known.

    Raises
    ------
    ContractError
        The source lacks what order facts are made from.
    InvalidValue
        ``as_of`` is no time, or lies before the first order.
    """
    missing = lacking(warehouse, ORDER_FACTS)
    if missing:
        raise ContractError(f"source '{warehouse.name}' has no {', '.join(missing)}, which order facts are made from.")
    inputs = Inputs(warehouse)
    instant = None if as_of is None else _instant(as_of)
    if instant is not None:
        orders = warehouse.table("orders")
        first = warehouse.query(orders.ordered_at.min())
        if first is None or first != first or instant < first:
            raise InvalidValue(
                f"as_of {instant.isoformat(' ')} lies before the first order of source '{warehouse.name}' ({first})."
                " Choose a later time, in UTC."
            )
    return shaped(ORDER_FACTS.columns, expression(inputs, None, instant))


def _instant(value: Any) -> datetime:
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidValue(f"as_of {value!r} is no time; give a UTC time such as '2025-03-01 00:00'.") from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
