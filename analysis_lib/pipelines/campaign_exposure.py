"""Whom a campaign reached in a market, and what they did while it ran."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Feed, Input, Mart, column, day_column, flag
from analysis_lib.pipelines.expressions import any_of, count_where, exact_sum, where
from analysis_lib.pipelines.inputs import Inputs

_KEYS = ["campaign_id", "country", "user_id"]


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Users of the campaigns that began on these days."""
    windows = _windows(inputs, days)
    targets = _in_market(_targets(inputs), inputs, windows)
    coupons = _in_market(_coupon_events(inputs), inputs, windows)
    parts = [_targeted(targets), _handed_out(coupons)]
    sold = _orders_on_coupons(inputs, windows)
    keys = sold.select(*_KEYS)
    for part in parts:
        keys = keys.union(part.select(*_KEYS))
    keys = keys.distinct().inner_join(windows, ["campaign_id", "country"])
    table = keys
    for part in [*parts, sold, _orders(inputs, keys), _sessions(inputs, keys)]:
        table = table.left_join(part, _KEYS).drop(*(f"{name}_right" for name in _KEYS))
    zero = [name for name in table.columns if name.startswith("n_") or name.endswith("_usd")]
    table = table.mutate(**{name: table[name].fill_null(0) for name in zero})
    if "sessions" not in inputs.marts:
        table = table.mutate(n_sessions=ibis.null("int64"))
    return table.mutate(
        is_targeted=table.is_targeted.fill_null(False),
        is_redeemed_by_holdout=(table.is_holdout & ((table.n_redemptions > 0) | (table.n_coupon_orders > 0)))
        .fill_null(False),
        is_redeemed_untargeted=(table.targeting.isin(["segment", "holdout"]) & table.is_targeted.isnull())
        .fill_null(False),
    )  # fmt: skip


def _windows(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Campaigns by market: one row each, whatever the source repeats."""
    raw = inputs.raw("campaigns")
    raw = raw.filter(raw.campaign_id.notnull(), raw.country.notnull(), raw.starts_on.notnull())
    table = raw.group_by("campaign_id", "country").agg(
        day=raw.starts_on.min(), ends_on=raw.ends_on.max(), targeting=raw.targeting.max()
    )
    table = table.mutate(ends_on=ibis.coalesce(table.ends_on, table.day))
    return table if days is None else days.keep(table)


def _targets(inputs: Inputs) -> ibis.Table:
    return inputs.raw("campaign_targets").select("campaign_id", "user_id", "is_holdout")


def _coupon_events(inputs: Inputs) -> ibis.Table:
    coupons = inputs.one_per("coupons", "coupon_id", "campaign_id")
    events = inputs.raw("coupon_events").select("coupon_id", "user_id", "at", "kind").distinct()
    return events.inner_join(coupons.filter(coupons.campaign_id.notnull()), "coupon_id")


def _in_market(rows: ibis.Table, inputs: Inputs, windows: ibis.Table) -> ibis.Table:
    """Rows of users whose home market the campaign ran in: elsewhere it is the same campaign's other row."""
    users = inputs.one_per("users", "user_id", "country")
    rows = rows.inner_join(users, "user_id")
    return rows.inner_join(windows.select("campaign_id", "country", "day"), ["campaign_id", "country"])


def _targeted(rows: ibis.Table) -> ibis.Table:
    return rows.group_by(_KEYS).agg(is_targeted=ibis.literal(True), is_holdout=any_of(rows.is_holdout))


def _handed_out(rows: ibis.Table) -> ibis.Table:
    granted, redeemed = rows.kind == "grant", rows.kind == "redemption"
    return rows.group_by(_KEYS).agg(
        granted_at=where(granted, rows["at"]).min(),
        first_redeemed_at=where(redeemed, rows["at"]).min(),
        n_grants=count_where(granted),
        n_redemptions=count_where(redeemed),
    )


def _orders_on_coupons(inputs: Inputs, windows: ibis.Table) -> ibis.Table:
    """Orders while the campaign ran that used one of its coupons, in the market of the order."""
    facts = _facts(inputs)
    coupons = inputs.one_per("coupons", "coupon_id", "campaign_id")
    table = facts.inner_join(coupons.filter(coupons.campaign_id.notnull()), "coupon_id")
    table = _while_running(table, windows, ["campaign_id", "country"])
    return table.group_by(_KEYS).agg(
        n_coupon_orders=table.order_id.nunique(),
        coupon_gmv_usd=exact_sum(table.gmv_usd),
        coupon_subsidy_usd=exact_sum(table.subsidy_usd),
    )


def _orders(inputs: Inputs, keys: ibis.Table) -> ibis.Table:
    """All orders of these users in the market while the campaign ran."""
    table = _while_running(_facts(inputs), keys, ["country", "user_id"])
    return table.group_by(_KEYS).agg(
        n_orders=table.order_id.nunique(),
        gmv_usd=exact_sum(table.gmv_usd),
        net_usd=exact_sum(table.net_usd),
        subsidy_usd=exact_sum(table.subsidy_usd),
    )


def _sessions(inputs: Inputs, keys: ibis.Table) -> ibis.Table:
    """Visits of these users in the market while the campaign ran."""
    if "sessions" not in inputs.marts:
        nobody = keys.select(*_KEYS, first_session_at=ibis.null("timestamp"), n_sessions=ibis.null("int64"))
        return nobody.filter(ibis.literal(False))
    visits = inputs.marts["sessions"].select("user_id", "country", "started_at", on=lambda row: row.day)
    table = _while_running(visits, keys, ["country", "user_id"])
    return table.group_by(_KEYS).agg(first_session_at=table.started_at.min(), n_sessions=table.count())


def _facts(inputs: Inputs) -> ibis.Table:
    facts = inputs.marts["order_facts"]
    names = ["order_id", "user_id", "country", "coupon_id", "gmv_usd", "net_usd", "subsidy_usd"]
    return facts.select(*names, on=facts.day)


def _while_running(rows: ibis.Table, windows: ibis.Table, keys: list[str]) -> ibis.Table:
    """Rows (with the day ``on``) that fall into the window of the campaign they are joined to."""
    ours = [name for name in ("campaign_id", "country", "user_id") if name in windows.columns]
    joined = rows.inner_join(windows.select(*ours, starts_on=windows.day, ends_on=windows.ends_on), keys)
    return joined.filter(joined.on >= joined.starts_on, joined.on <= joined.ends_on)


def spans(inputs: Inputs) -> dict[date, tuple[date, date]]:
    """The days of sales and visits that the campaigns of each first day look at."""
    windows = _windows(inputs, None)
    found = inputs.reader.query(windows.group_by("day").agg(last=windows.ends_on.max()))
    return {_date(first): (_date(first), _date(last)) for first, last in found.itertuples(index=False)}


def _date(value: Any) -> date:
    return value.date() if hasattr(value, "date") else value


def campaign_rows(inputs: Inputs) -> ibis.Table:
    """Feed: campaigns by market, under their first day."""
    return _windows(inputs, None)


def target_rows(inputs: Inputs) -> ibis.Table:
    """Feed: targeted users under the first day of the campaign in their market."""
    return _in_market(_targets(inputs), inputs, _windows(inputs, None))


def coupon_rows(inputs: Inputs) -> ibis.Table:
    """Feed: grants and redemptions under the first day of the campaign in the user's market."""
    return _in_market(_coupon_events(inputs), inputs, _windows(inputs, None))


def coupon_terms(inputs: Inputs) -> ibis.Table:
    """Feed: the coupons of each campaign."""
    coupons = inputs.one_per("coupons", "coupon_id", "campaign_id")
    return coupons.inner_join(_windows(inputs, None).select("campaign_id", "country", "day"), "campaign_id")


CAMPAIGN_EXPOSURE = Mart(
    name="campaign_exposure",
    meaning=(
        "Users a campaign was aimed at in their home market, with holdouts, and users who got, redeemed or used one of "
        "its coupons without being aimed at (is_targeted false). The latter chose themselves: of a campaign for "
        "everybody, which names no targets, only they are here, and comparing them with anybody is not an effect. "
        "Sales and visits are those in the market between the campaign's first and last day."
    ),
    grain="One row per campaign, market and user.",
    keys=("campaign_id", "country", "user_id"),
    columns=(
        column("campaign_id", "string", "The campaign.", required=True),
        column("country", "string", "Market: home of the user, or of the order that used a coupon.", required=True),
        column("user_id", "string", "The user.", required=True, personal=True),
        day_column("First market-local day of the campaign in the market; the partition."),
        column("ends_on", "date", "Its last market-local day, included."),
        column("targeting", "string", "all, segment or holdout."),
        column("is_targeted", "boolean", "Whether campaign_targets names the user."),
        column("is_holdout", "boolean", "Whether the user was kept out at random; null when not targeted."),
        column("granted_at", "timestamp", "First coupon given.", "UTC"),
        column("first_redeemed_at", "timestamp", "First coupon redeemed.", "UTC"),
        column("n_grants", "integer", "Coupons given, at any time.", "coupons"),
        column("n_redemptions", "integer", "Coupons redeemed, at any time.", "redemptions"),
        column("n_coupon_orders", "integer", "Orders in the window on the campaign's coupons.", "orders"),
        column("coupon_gmv_usd", "number", "GMV of their lines that carry the coupon.", "US dollars"),
        column("coupon_subsidy_usd", "number", "Coupon money of those lines.", "US dollars"),
        column("n_orders", "integer", "All orders of the user in the window.", "orders"),
        column("gmv_usd", "number", "Their GMV.", "US dollars"),
        column("net_usd", "number", "Their GMV less what was lost.", "US dollars"),
        column("subsidy_usd", "number", "Their coupon money, of any campaign.", "US dollars"),
        column("n_sessions", "integer", "Visits in the window; null where the source has no events.", "sessions"),
        column("first_session_at", "timestamp", "First visit in the window.", "UTC"),
        flag("is_redeemed_by_holdout", "a user who was kept out redeemed or used a coupon"),
        flag("is_redeemed_untargeted", "the campaign was for chosen users, and this one was not chosen"),
    ),
    inputs=(
        Input("campaigns", ("campaign_id", "country", "starts_on", "ends_on")),
        Input("users", ("user_id", "country")),
        Input("campaign_targets", ("campaign_id", "user_id", "is_holdout"), required=False),
        Input("coupons", ("coupon_id", "campaign_id"), required=False),
        Input("coupon_events", ("coupon_id", "user_id", "at", "kind"), required=False),
    ),
    upstream=("order_facts",),
    optional_upstream=("sessions",),
    expression=expression,
    feeds=(
        Feed("campaigns", campaign_rows), Feed("campaign_targets", target_rows), Feed("coupon_events", coupon_rows),
        Feed("coupons", coupon_terms),
    ),
    partition_meaning="The first market-local day of the campaign in the market.",
    spans=spans,
)  # fmt: skip
