"""Order facts: what each line sold, in three kinds of money, and what was left of it."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Feed, Input, Mart, column, day_column, flag
from analysis_lib.pipelines.expressions import ratio, seconds_between
from analysis_lib.pipelines.inputs import Inputs
from analysis_lib.pipelines.orders import ORDERS, order_lines, order_rows
from analysis_lib.pipelines.rates import FX, daily_rates, rate_rows
from analysis_lib.pipelines.updates import LOST, STATUSES, UPDATES, order_states, update_rows

#: Amounts that are also given in dollars of the day, and in constant dollars.
_IN_DOLLARS = ("gmv", "subsidy", "paid", "net")
_IN_CONSTANT_DOLLARS = ("gmv", "subsidy", "net")


def expression(inputs: Inputs, days: Days | None, as_of: Any = None) -> ibis.Table:
    """Order facts of these days, with what was known at the UTC instant ``as_of`` (None: all that is known)."""
    lines = order_lines(inputs, days, as_of)
    states = order_states(inputs, lines, as_of)
    table = lines.left_join(states, "order_id").drop("order_id_right")
    table = _with_outcome(table)
    rates = daily_rates(inputs, table)
    table = table.left_join(rates, ["currency", "day"]).drop("currency_right", "day_right")
    return _with_dollars(_with_places(table, inputs))


def _with_outcome(table: ibis.Table) -> ibis.Table:
    """Status, and what cancellations and refunds took away."""
    # A source may say only on the line that an order was lost; when is then not known, and it counts as lost.
    unexplained = table.status.isin(LOST).fill_null(False) & ~table.has_loss.fill_null(False)
    status = ibis.literal("created")
    for name in STATUSES:
        status = ibis.ifelse(table[f"{name}_at"].notnull(), name, status)
    table = table.mutate(
        status=ibis.ifelse(unexplained | table.n_updates.isnull(), table.status, status),
        is_status_unexplained=unexplained,
    )
    refused = table.returned_at.notnull() & table.delivered_at.isnull()
    whole = table.cancelled_at.notnull() | refused | table.is_status_unexplained
    share = _refunded_share(table)
    lost = ibis.cases((whole, table.gmv_local), (share.isnull(), None), else_=table.gmv_local * share)
    table = table.mutate(lost_local=ibis.ifelse(table.gmv_local.isnull(), None, lost))
    return table.mutate(
        net_local=table.gmv_local - table.lost_local,
        is_refund_presumed=(table.n_refunds_unstated > 0).fill_null(False),
        is_update_before_order=(table.first_update_at < table.ordered_at).fill_null(False),
    )


def _refunded_share(table: ibis.Table) -> Any:
    """Share of the order's goods that was given back, 0 to 1; null where it cannot be told.

    What the buyer paid for goods is GMV less coupon money: an order given back whole loses its whole GMV, not only
    the part the buyer had paid.
    """
    given_back = ibis.ifelse(table.n_refunds > 0, table.refunded_local, table.returned_local).fill_null(0.0)
    share = ibis.least(ratio(given_back, table.order_goods_local), 1.0)
    none_paid = (table.order_goods_local <= 0).fill_null(True)
    return ibis.cases(
        (table.n_refunds_unstated > 0, 1.0),
        (given_back <= 0, 0.0),
        (~table.is_one_currency, None),
        (none_paid, 1.0),
        else_=share,
    )


def _with_places(table: ibis.Table, inputs: Inputs) -> ibis.Table:
    """What the line's product, merchant, creator and market tell about it; each joined by a unique key."""
    products = inputs.one_per("products", "product_id", "category")
    merchants = inputs.one_per("merchants", "merchant_id", "home_country")
    creators = inputs.one_per("creators", "creator_id", "country").rename(creator_country="country")
    countries = inputs.one_per("countries", "country", "currency").rename(market_currency="currency")
    for other, key in (
        (products, "product_id"), (merchants, "merchant_id"), (creators, "creator_id"), (countries, "country"),
    ):  # fmt: skip
        table = table.left_join(other, key).drop(f"{key}_right")
    return table.mutate(
        merchant_country=table.home_country,
        is_cross_border=table.home_country != table.country,
        is_foreign_currency=(table.currency != table.market_currency).fill_null(False),
        is_unknown_country=inputs.is_unknown_market(table.country),
        is_unknown_product=table.category.isnull(),
    )


def _with_dollars(table: ibis.Table) -> ibis.Table:
    amounts = {f"{name}_usd": table[f"{name}_local"] * table.usd_per_unit for name in _IN_DOLLARS}
    amounts |= {f"{name}_constant_usd": table[f"{name}_local"] * table.constant_rate for name in _IN_CONSTANT_DOLLARS}
    return table.mutate(
        delivery_days=seconds_between(table.delivered_at, table.ordered_at) / 86_400,
        is_fx_carried=(table.fx_day < table.day).fill_null(False),
        is_fx_missing=table.usd_per_unit.isnull(),
        **amounts,
    )


_LOCAL, _USD, _CONSTANT = "money in `currency`", "US dollars", "US dollars at constant rates"

ORDER_FACTS = Mart(
    name="order_facts",
    meaning=(
        "Every order line once, in local money, in US dollars of the order's day and in constant-currency dollars (each"
        " currency at its first known rate). Net is GMV less what cancellations, refused deliveries and refunds took, "
        "as far as known; a refund is spread over the order's lines in proportion to GMV. "
        "Amounts of impossible lines are null, dollars without a rate are null: both are flagged, neither is guessed."
    ),
    grain="One row per order line, that is per order and product.",
    keys=("order_id", "product_id"),
    columns=(
        column("order_id", "string", "The order.", required=True),
        column("product_id", "string", "The product.", required=True),
        day_column("Market-local day on which the order's first line was placed; the partition."),
        column("ordered_at", "timestamp", "When the line was placed.", "UTC", required=True),
        column("user_id", "string", "Who bought.", personal=True),
        column("country", "string", "Market of the sale."),
        column("merchant_id", "string", "Who sold."),
        column("merchant_country", "string", "Where the merchant ships from."),
        column("is_cross_border", "boolean", "Whether that is another country than the market; null where unknown."),
        column("creator_id", "string", "Creator the sale is credited to.", personal=True),
        column("creator_country", "string", "Market the creator sells in."),
        column("category", "string", "Category of the product."),
        column("surface", "string", "Where in the app the sale began."),
        column("store_id", "string", "Physical store of the sale."),
        column("coupon_id", "string", "Coupon used on the line."),
        column("payment_method", "string", "How the order was paid."),
        column("quantity", "integer", "Units bought.", "units"),
        column("currency", "string", "ISO 4217 code of the local amounts."),
        column("gmv_local", "number", "quantity × price − discount.", _LOCAL),
        column("discount_local", "number", "Discount already taken off GMV.", _LOCAL),
        column("subsidy_local", "number", "Coupon money, not taken off GMV.", _LOCAL),
        column("shipping_local", "number", "Shipping paid by the buyer.", _LOCAL),
        column("paid_local", "number", "What the buyer pays: GMV − subsidy + shipping.", _LOCAL),
        column("lost_local", "number", "GMV taken away by cancellation, refusal or refund.", _LOCAL),
        column("net_local", "number", "GMV − lost.", _LOCAL),
        column("usd_per_unit", "number", "Rate of the order's day, or the last known before.", "US dollars per unit"),
        column("fx_day", "date", "Day that rate was quoted for."),
        column("gmv_usd", "number", "GMV at the rate of the order's day.", _USD),
        column("subsidy_usd", "number", "Coupon money, likewise.", _USD),
        column("paid_usd", "number", "What the buyer pays, likewise.", _USD),
        column("net_usd", "number", "Net, likewise: also refunds are converted at the order's rate.", _USD),
        column("gmv_constant_usd", "number", "GMV at the currency's first known rate.", _CONSTANT),
        column("subsidy_constant_usd", "number", "Coupon money, likewise.", _CONSTANT),
        column("net_constant_usd", "number", "Net, likewise.", _CONSTANT),
        column("status", "string", "Farthest status known.", allowed=("created", *STATUSES)),
        column("paid_at", "timestamp", "First payment.", "UTC"),
        column("shipped_at", "timestamp", "First shipment.", "UTC"),
        column("delivered_at", "timestamp", "First delivery.", "UTC"),
        column("cancelled_at", "timestamp", "First cancellation.", "UTC"),
        column("returned_at", "timestamp", "First return.", "UTC"),
        column("refunded_at", "timestamp", "First refund.", "UTC"),
        column("delivery_days", "number", "From order to delivery.", "days"),
        flag("is_invalid", "quantity, price, discount, subsidy or GMV is missing, negative or absurd: no amounts"),
        flag("is_price_negative", "the price is negative"),
        flag("is_duplicate", "the source has the line more than once; one row is kept"),
        flag("is_fx_carried", "the day has no rate; the last known one is used"),
        flag("is_fx_missing", "no rate was known by that day, or the currency is unknown: dollars are null"),
        flag("is_foreign_currency", "the currency is not that of the market"),
        flag("is_unknown_country", "the market is not in countries: its day is the UTC day"),
        flag("is_unknown_product", "the product is not in products"),
        flag("is_update_before_order", "a status change is dated before the order"),
        flag("is_order_inconsistent", "lines of the order differ in buyer, market, currency or day"),
        flag("is_refund_presumed", "a refund states no amount: the whole order counts as lost"),
        flag("is_status_unexplained", "the line says lost, no update says when: it counts as lost"),
    ),
    inputs=(
        ORDERS, Input("countries", ("country", "timezone", "currency")), Input("products", ("product_id", "category")),
        FX, UPDATES, Input("merchants", ("merchant_id", "home_country"), required=False),
        Input("creators", ("creator_id", "country"), required=False),
    ),
    expression=expression,
    feeds=(Feed("orders", order_rows), Feed("order_updates", update_rows), Feed("fx_rates", rate_rows)),
    partition_meaning="The market-local day of the order's first line, so that no order is cut in two.",
)  # fmt: skip
