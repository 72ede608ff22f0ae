"""How orders went on: their status changes, reduced to one row per order."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Input
from analysis_lib.pipelines.expressions import any_of, count_where, is_amount, known_at, where
from analysis_lib.pipelines.inputs import Inputs
from analysis_lib.pipelines.orders import dated_orders

UPDATES = Input("order_updates", ("order_id", "at", "status"), required=False)

STATUSES = ("paid", "shipped", "delivered", "cancelled", "returned", "refunded")

#: Statuses that take GMV away.
LOST = ("cancelled", "returned", "refunded")


def order_states(inputs: Inputs, orders: ibis.Table, as_of: Any = None) -> ibis.Table:
    """One row per order that has updates.

    Parameters
    ----------
    orders
        Table with ``order_id``: only updates of these are read.
    as_of
        UTC instant; later knowledge is left out. None: all that is known.

    Returns
    -------
    ibis.Table
        ``order_id``, ``<status>_at`` (first time), ``first_update_at``, ``refunded_local`` and ``returned_local``
        (money given back), ``n_refunds``, ``n_refunds_unstated``; and, known by then or not, ``n_updates`` and
        ``has_loss`` (a cancellation, return or refund).
    """
    raw = inputs.raw("order_updates")
    raw = raw.filter(raw.order_id.notnull(), raw["at"].notnull(), raw.status.notnull())
    raw = raw.semi_join(orders.select("order_id").distinct(), "order_id")
    # A message sent twice is one change.
    table = raw.group_by("order_id", "at", "status").agg(
        amount_local=raw.amount_local.max(), known_at=known_at(raw, "at").min()
    )
    known = ibis.literal(True) if as_of is None else table.known_at <= as_of
    times = {f"{status}_at": where(known & (table.status == status), table["at"]).min() for status in STATUSES}
    return table.group_by("order_id").agg(
        n_updates=table.count(),
        first_update_at=where(known, table["at"]).min(),
        has_loss=any_of(table.status.isin(LOST)),
        **times,
        **_money_back(table, known),
    )


def _money_back(table: ibis.Table, known: Any) -> dict[str, Any]:
    stated = is_amount(table.amount_local)
    refund, goods_back = known & (table.status == "refunded"), known & (table.status == "returned")
    amount = ibis.ifelse(stated, table.amount_local, 0.0).cast("decimal(38, 8)")
    return {
        "n_refunds": count_where(refund),
        "n_refunds_unstated": count_where(refund & ~stated),
        "refunded_local": where(refund, amount).sum().cast("float64"),
        "returned_local": where(goods_back, amount).sum().cast("float64"),
    }


def update_rows(inputs: Inputs) -> ibis.Table:
    """Feed: updates under the day of their order; those of no order belong to no day and are left to the check."""
    orders = dated_orders(inputs).select("order_id", "day").distinct()
    updates = inputs.raw("order_updates")
    return updates.inner_join(orders, "order_id")
