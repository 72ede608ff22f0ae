"""What a user did and bought on a market-local day."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Mart, column, day_column
from analysis_lib.pipelines.expressions import any_of, count_where, exact_sum
from analysis_lib.pipelines.inputs import Inputs

_KEYS = ["user_id", "country", "day"]


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Users by market, of these days."""
    bought = _bought(inputs, days)
    if "sessions" not in inputs.marts:
        return bought.mutate(**{name: ibis.null("int64") for name in _ACTIVITY}, has_crash=ibis.null("boolean"))
    active = _active(inputs, days)
    keys = bought.select(*_KEYS).union(active.select(*_KEYS)).distinct()
    table = keys
    for part in (bought, active):
        table = table.left_join(part, _KEYS).drop(*(f"{name}_right" for name in _KEYS))
    # Nothing that day is 0; only local money needs a currency to be 0 in.
    zero = [*_ACTIVITY, *(name for name in table.columns if name.startswith("n_") or name.endswith("_usd"))]
    table = table.mutate(**{name: table[name].fill_null(0) for name in dict.fromkeys(zero)})
    return table.mutate(has_crash=table.has_crash.fill_null(False))


#: Counts that come from sessions, and what they count.
_ACTIVITY = {
    "n_sessions": "sessions", "duration_s": "s", "n_impressions": "products", "n_views": "events", "n_carts": "events",
    "n_checkouts": "events", "n_payment_attempts": "events", "n_payments_ok": "events", "n_crashes": "crashes",
}  # fmt: skip


def _active(inputs: Inputs, days: Days | None) -> ibis.Table:
    table = inputs.marts["sessions"]
    table = table.filter(table.user_id.notnull())
    table = table if days is None else days.keep(table)
    sums: dict[str, Any] = {name: table[name].sum() for name in _ACTIVITY if name != "n_sessions"}
    return table.group_by(_KEYS).agg(n_sessions=table.count(), has_crash=any_of(table.has_crash), **sums)


def _bought(inputs: Inputs, days: Days | None) -> ibis.Table:
    table = inputs.marts["order_facts"]
    table = table.filter(table.user_id.notnull())
    table = table if days is None else days.keep(table)
    table = table.mutate(country=table.country.fill_null("??"))
    one = table.currency.min() == table.currency.max()
    return table.group_by(_KEYS).agg(
        n_orders=table.order_id.nunique(),
        n_lines=table.count(),
        n_units=table.quantity.sum(where=~table.is_invalid).fill_null(0),
        gmv_usd=exact_sum(table.gmv_usd),
        net_usd=exact_sum(table.net_usd),
        subsidy_usd=exact_sum(table.subsidy_usd),
        gmv_constant_usd=exact_sum(table.gmv_constant_usd),
        net_constant_usd=exact_sum(table.net_constant_usd),
        currency=ibis.ifelse(one, table.currency.max(), None),
        gmv_local=ibis.ifelse(one, exact_sum(table.gmv_local), None),
        net_local=ibis.ifelse(one, exact_sum(table.net_local), None),
        n_lines_without_usd=count_where(table.gmv_usd.isnull()),
    )


USER_DAYS = Mart(
    name="user_days",
    meaning=(
        "Users with a session or an order that day. A user active in two markets on a day has a row for each: their "
        "money is of two currencies and their days are two. Activity is null where the source has no events, 0 where "
        "it has and there was none. Whether an order was the user's first depends on all other days: ask order_facts."
    ),
    grain="One row per user, market and market-local day with a session or an order.",
    keys=("user_id", "country", "day"),
    columns=(
        column("user_id", "string", "The user.", required=True, personal=True),
        column("country", "string", "Market of the sessions and orders.", required=True),
        day_column(),
        *(column(name, "integer", f"{name} of the day's sessions.", unit) for name, unit in _ACTIVITY.items()),
        column("has_crash", "boolean", "Whether any session crashed."),
        column("n_orders", "integer", "Orders.", "orders"),
        column("n_lines", "integer", "Order lines.", "lines"),
        column("n_units", "integer", "Units bought, impossible lines left out.", "units"),
        column("n_lines_without_usd", "integer", "Lines without dollars (impossible, or no rate).", "lines"),
        column("gmv_usd", "number", "GMV.", "US dollars"),
        column("net_usd", "number", "GMV less what was lost.", "US dollars"),
        column("subsidy_usd", "number", "Coupon money.", "US dollars"),
        column("gmv_constant_usd", "number", "GMV.", "US dollars at constant rates"),
        column("net_constant_usd", "number", "GMV less what was lost.", "US dollars at constant rates"),
        column("currency", "string", "Currency of the local amounts; null without orders or with two currencies."),
        column("gmv_local", "number", "GMV; null with two currencies.", "money in `currency`"),
        column("net_local", "number", "GMV less what was lost, likewise.", "money in `currency`"),
    ),
    inputs=(),
    upstream=("order_facts",),
    optional_upstream=("sessions",),
    expression=expression,
)  # fmt: skip
