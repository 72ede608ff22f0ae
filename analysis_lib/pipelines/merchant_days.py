"""What a merchant sold in a market on a market-local day, and how it was delivered."""

from __future__ import annotations

import ibis

from analysis_lib.pipelines.declaration import Days, Input, Mart, column, day_column
from analysis_lib.pipelines.expressions import count_where, exact_sum
from analysis_lib.pipelines.inputs import Inputs

#: Days from order to delivery after which a line is late: what platforms commonly promise at home and across borders.
LATE_AFTER_DAYS, LATE_AFTER_DAYS_CROSS_BORDER = 7, 15


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Merchants by market, of these days."""
    table = inputs.marts["order_facts"]
    table = table.filter(table.merchant_id.notnull())
    table = table if days is None else days.keep(table)
    abroad = table.is_cross_border.fill_null(False)
    promised = ibis.ifelse(abroad, LATE_AFTER_DAYS_CROSS_BORDER, LATE_AFTER_DAYS)
    table = table.mutate(country=table.country.fill_null("??"))
    return table.group_by("merchant_id", "country", "day").agg(
        merchant_country=table.merchant_country.max(),
        is_cross_border=table.is_cross_border.max(),
        n_orders=table.order_id.nunique(),
        n_buyers=table.user_id.nunique(),
        n_lines=table.count(),
        n_units=table.quantity.sum(where=~table.is_invalid).fill_null(0),
        gmv_usd=exact_sum(table.gmv_usd),
        net_usd=exact_sum(table.net_usd),
        subsidy_usd=exact_sum(table.subsidy_usd),
        gmv_constant_usd=exact_sum(table.gmv_constant_usd),
        n_lines_without_usd=count_where(table.gmv_usd.isnull()),
        n_lines_cancelled=count_where(table.cancelled_at.notnull()),
        n_lines_returned=count_where(table.returned_at.notnull()),
        n_lines_refunded=count_where(table.refunded_at.notnull()),
        n_lines_delivered=count_where(table.delivered_at.notnull()),
        n_lines_late=count_where(table.delivery_days > promised),
        delivery_days_sum=exact_sum(table.delivery_days),
    )


MERCHANT_DAYS = Mart(
    name="merchant_days",
    meaning=(
        "Sales and delivery by merchant and market. Sums and counts only, so that shares and means can be formed over "
        f"any period. Late is delivery more than {LATE_AFTER_DAYS} days after the order "
        f"({LATE_AFTER_DAYS_CROSS_BORDER} across a border), of those delivered. Lines without a merchant are left out."
    ),
    grain="One row per merchant, market and market-local day with an order.",
    keys=("merchant_id", "country", "day"),
    columns=(
        column("merchant_id", "string", "The merchant.", required=True),
        column("country", "string", "Market of the sale.", required=True),
        day_column("Market-local day of the orders; the partition."),
        column("merchant_country", "string", "Where the merchant ships from."),
        column("is_cross_border", "boolean", "Whether that is another country than the market."),
        column("n_orders", "integer", "Orders.", "orders"),
        column("n_buyers", "integer", "Different buyers.", "buyers"),
        column("n_lines", "integer", "Order lines.", "lines"),
        column("n_units", "integer", "Units, impossible lines left out.", "units"),
        column("gmv_usd", "number", "GMV.", "US dollars"),
        column("net_usd", "number", "GMV less what was lost.", "US dollars"),
        column("subsidy_usd", "number", "Coupon money.", "US dollars"),
        column("gmv_constant_usd", "number", "GMV.", "US dollars at constant rates"),
        column("n_lines_without_usd", "integer", "Lines without dollars (impossible, or no rate).", "lines"),
        column("n_lines_cancelled", "integer", "Lines cancelled.", "lines"),
        column("n_lines_returned", "integer", "Lines returned.", "lines"),
        column("n_lines_refunded", "integer", "Lines refunded.", "lines"),
        column("n_lines_delivered", "integer", "Lines delivered.", "lines"),
        column("n_lines_late", "integer", "Delivered lines that were late.", "lines"),
        column("delivery_days_sum", "number", "Days from order to delivery, added up over delivered lines.", "days"),
    ),
    inputs=(Input("orders", ("merchant_id",)),),
    upstream=("order_facts",),
    expression=expression,
)  # fmt: skip
