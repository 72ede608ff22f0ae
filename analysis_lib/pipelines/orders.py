"""Order lines, each once, filed under the day of their order."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Input
from analysis_lib.pipelines.expressions import LARGEST, is_amount, known_at
from analysis_lib.pipelines.inputs import Inputs

ORDERS = Input(
    "orders",
    ("order_id", "ordered_at", "user_id", "product_id", "country", "quantity", "price_local", "currency",
     "discount_local", "platform_subsidy_local", "status"),
)  # fmt: skip

#: Which of several rows of one line is kept: the first in this order, so that every engine keeps the same.
_FIRST_ROW = (
    "ordered_at", "received_at", "user_id", "country", "currency", "quantity", "price_local", "discount_local",
    "platform_subsidy_local", "shipping_local", "coupon_id", "creator_id", "merchant_id", "surface", "store_id",
    "payment_method", "status",
)  # fmt: skip

#: Rounding of a discount that takes the whole price must not make a line negative.
HALF_A_CENT = 0.005


def dated_orders(inputs: Inputs, days: Days | None = None, as_of: Any = None) -> ibis.Table:
    """Raw order rows with ``day``, the market-local day on which the first line of their order was placed.

    An order is never cut in two: what is allocated over its lines needs them all. Rows without order, product or
    time can be filed nowhere and are left to the check.
    """
    raw = inputs.raw("orders")
    raw = raw.filter(raw.order_id.notnull(), raw.product_id.notnull(), raw.ordered_at.notnull())
    if as_of is not None:
        raw = raw.filter(known_at(raw, "ordered_at") <= as_of)
    if days is not None:
        wanted = raw.filter(days.near(raw.ordered_at)).select("order_id").distinct()
        raw = raw.semi_join(wanted, "order_id")
    raw = raw.mutate(own_day=inputs.day_of(raw.ordered_at, raw.country))
    table = raw.mutate(day=raw.own_day.min().over(ibis.window(group_by=raw.order_id)))
    return table if days is None else days.keep(table)


def order_lines(inputs: Inputs, days: Days | None = None, as_of: Any = None) -> ibis.Table:
    """One row per order and product, with GMV and what the buyer pays; amounts of an impossible line are null."""
    table = dated_orders(inputs, days, as_of)
    line = ibis.window(group_by=["order_id", "product_id"])
    order = [table[name] for name in _FIRST_ROW]
    table = table.mutate(
        n_copies=table.order_id.count().over(line),
        copy=ibis.row_number().over(ibis.window(group_by=["order_id", "product_id"], order_by=order)),
    )
    table = table.filter(table.copy == 0)
    gmv = table.quantity * table.price_local - table.discount_local
    amounts = [table.price_local, table.discount_local, table.platform_subsidy_local]
    valid = (table.quantity >= 0).fill_null(False) & (gmv >= -HALF_A_CENT).fill_null(False) & (gmv < LARGEST)
    for amount in amounts:
        valid = valid & is_amount(amount)
    table = table.mutate(is_invalid=~valid.fill_null(False), is_duplicate=table.n_copies > 1)
    return _with_order(_with_amounts(table, gmv))


def _with_amounts(table: ibis.Table, gmv: Any) -> ibis.Table:
    shipping = ibis.ifelse(is_amount(table.shipping_local), table.shipping_local, 0.0)
    kept = {
        "gmv_local": gmv, "discount_local": table.discount_local, "subsidy_local": table.platform_subsidy_local,
        "shipping_local": shipping, "paid_local": gmv - table.platform_subsidy_local + shipping,
    }  # fmt: skip
    return table.mutate(
        is_price_negative=(table.price_local < 0).fill_null(False),
        **{name: ibis.ifelse(table.is_invalid, None, amount) for name, amount in kept.items()},
    )


def _with_order(table: ibis.Table) -> ibis.Table:
    """What only the order as a whole can tell."""
    order = ibis.window(group_by=table.order_id)
    told = [table.user_id, table.country, table.currency, table.own_day.cast("string")]
    uniform = ibis.literal(True)
    for value in told:
        uniform = uniform & (value.min().over(order) == value.max().over(order)).fill_null(False)
    goods = (table.gmv_local - table.subsidy_local).cast("decimal(38, 8)").sum().over(order).cast("float64")
    one_currency = table.currency.min().over(order) == table.currency.max().over(order)
    return table.mutate(
        is_order_inconsistent=~uniform, order_goods_local=goods, is_one_currency=one_currency.fill_null(False)
    )


def order_rows(inputs: Inputs) -> ibis.Table:
    """Feed: raw order rows with what marts take from the tables they point into."""
    table = dated_orders(inputs)
    for name, key, columns in (
        ("products", "product_id", ("category",)),
        ("merchants", "merchant_id", ("home_country",)),
        ("creators", "creator_id", ("country",)),
        ("countries", "country", ("currency",)),
    ):
        other = inputs.one_per(name, key, *columns)
        other = other.rename({f"{name}_{column}": column for column in columns})
        table = table.left_join(other, key).drop(f"{key}_right")
    return table
