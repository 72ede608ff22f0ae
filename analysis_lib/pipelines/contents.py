"""What lives and videos, and those who make them, brought about."""

from __future__ import annotations

import ibis

from analysis_lib.pipelines.declaration import Days, Feed, Input, Mart, column, day_column, flag
from analysis_lib.pipelines.events import EVENTS, event_rows, events, impressions, is_named
from analysis_lib.pipelines.expressions import count_where, exact_sum, where
from analysis_lib.pipelines.inputs import Inputs


def performance(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Contents of these days."""
    table = _distinct_events(inputs, days).filter(lambda row: row.content_id.notnull())
    by_content = table.group_by("content_id", "day").agg(
        n_events=table.count(),
        n_impressions=impressions(table).sum(),
        n_views=count_where(is_named(table, "product_view")),
        n_viewers=table.visitor.nunique(),
        n_carts=count_where(is_named(table, "add_to_cart")),
        n_checkouts=count_where(is_named(table, "checkout")),
        seen_creator=table.creator_id.max(),
    )
    known = inputs.one_per("contents", "content_id", "kind", "creator_id", "country")
    known = known.select(content=known.content_id, kind=known.kind, creator=known.creator_id, country=known.country)
    joined = by_content.left_join(known, by_content.content_id == known.content)
    return joined.mutate(
        creator_id=ibis.coalesce(joined.creator, joined.seen_creator), is_unknown_content=joined.content.isnull()
    )


def creator_days(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Creators of these days: what they published, who watched, what was sold."""
    parts = [_watched(inputs, days), _published(inputs, days)]
    if "order_facts" in inputs.marts:
        parts.append(_sold(inputs, days))
    keys = parts[0].select("creator_id", "day")
    for part in parts[1:]:
        keys = keys.union(part.select("creator_id", "day"))
    table = keys.distinct()
    for part in parts:
        table = table.left_join(part, ["creator_id", "day"]).drop("creator_id_right", "day_right")
    counts = [name for name in table.columns if name.startswith("n_") or name.endswith("_usd")]
    table = table.mutate(**{name: table[name].fill_null(0) for name in counts})
    creators = inputs.one_per("creators", "creator_id", "country")
    creators = creators.select(creator=creators.creator_id, country=creators.country)
    joined = table.left_join(creators, table.creator_id == creators.creator)
    return _with_sales(joined).mutate(is_unknown_creator=joined.creator.isnull())


def _with_sales(table: ibis.Table) -> ibis.Table:
    """Sales are unknown, not none, where order facts are not built."""
    absent = [name for name in ("n_orders", "n_buyers") if name not in table.columns]
    money = [name for name in ("gmv_usd", "net_usd", "subsidy_usd") if name not in table.columns]
    return table.mutate(
        **{name: ibis.null("int64") for name in absent}, **{name: ibis.null("float64") for name in money}
    )


def _watched(inputs: Inputs, days: Days | None) -> ibis.Table:
    table = _distinct_events(inputs, days).filter(lambda row: row.creator_id.notnull())
    return table.group_by("creator_id", "day").agg(
        n_impressions=impressions(table).sum(),
        n_views=count_where(is_named(table, "product_view")),
        n_viewers=table.visitor.nunique(),
        n_carts=count_where(is_named(table, "add_to_cart")),
    )


def _published(inputs: Inputs, days: Days | None) -> ibis.Table:
    table = content_rows(inputs)
    table = table.filter(table.creator_id.notnull(), table.day.notnull())
    table = table if days is None else days.keep(table)
    return table.group_by("creator_id", "day").agg(
        n_lives=where(table.kind == "live", table.content_id).nunique(),
        n_videos=where(table.kind == "video", table.content_id).nunique(),
    )


def _sold(inputs: Inputs, days: Days | None) -> ibis.Table:
    table = inputs.marts["order_facts"]
    table = table.filter(table.creator_id.notnull())
    table = table if days is None else days.keep(table)
    return table.group_by("creator_id", "day").agg(
        n_orders=table.order_id.nunique(),
        n_buyers=table.user_id.nunique(),
        gmv_usd=exact_sum(table.gmv_usd),
        net_usd=exact_sum(table.net_usd),
        subsidy_usd=exact_sum(table.subsidy_usd),
    )


def _distinct_events(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Events of these days, copies (same id, same time) dropped."""
    table = events(inputs, days)
    table = table.filter(table.content_id.notnull() | table.creator_id.notnull())
    columns = ["event_id", "at", "visitor", "day", "name", "content_id", "creator_id", "value"]
    return table.select(*columns).distinct()


def content_rows(inputs: Inputs) -> ibis.Table:
    """Feed: lives and videos with the market-local day they began, and who made them."""
    table = inputs.raw("contents")
    table = table.mutate(day=inputs.day_of(table.started_at, table.country))
    creators = inputs.one_per("creators", "creator_id", "country")
    creators = creators.select("creator_id", creator_country=creators.country)
    return table.left_join(creators, "creator_id").drop("creator_id_right")


CONTENT_PERFORMANCE = Mart(
    name="content_performance",
    meaning=(
        "What was seen and done in a live or video. Orders carry no content: what a creator sold is in creator_days. "
        "Days are those of the viewers' markets."
    ),
    grain="One row per live or video and market-local day with an event in it.",
    keys=("content_id", "day"),
    columns=(
        column("content_id", "string", "The live or video.", required=True),
        day_column("Market-local day of the events; the partition."),
        column("kind", "string", "live or video; null where contents does not have it."),
        column("creator_id", "string", "Who made it.", personal=True),
        column("country", "string", "Market it is made for."),
        column("n_events", "integer", "Events in it.", "events"),
        column("n_impressions", "integer", "Products shown in it.", "products"),
        column("n_views", "integer", "Product views in it.", "events"),
        column("n_viewers", "integer", "Different visitors with any event in it.", "visitors"),
        column("n_carts", "integer", "Additions to the cart in it.", "events"),
        column("n_checkouts", "integer", "Checkouts begun in it.", "events"),
        flag("is_unknown_content", "the content is not in contents"),
    ),
    inputs=(
        EVENTS, Input("events", ("content_id",)), Input("countries", ("country", "timezone")),
        Input("contents", ("content_id", "kind", "creator_id", "country"), required=False),
    ),
    expression=performance,
    feeds=(Feed("events", event_rows),),
)  # fmt: skip

CREATOR_DAYS = Mart(
    name="creator_days",
    meaning="What creators published, who watched, and what was sold through them.",
    grain="One row per creator and market-local day with anything to tell.",
    keys=("creator_id", "day"),
    columns=(
        column("creator_id", "string", "The creator.", required=True, personal=True),
        day_column("Market-local day: of the viewer, of the content, of the order; the partition."),
        column("country", "string", "Market the creator sells in."),
        column("n_lives", "integer", "Live sessions begun.", "lives"),
        column("n_videos", "integer", "Videos published.", "videos"),
        column("n_impressions", "integer", "Products shown in the creator's contents.", "products"),
        column("n_views", "integer", "Product views there.", "events"),
        column("n_viewers", "integer", "Different visitors with any event there.", "visitors"),
        column("n_carts", "integer", "Additions to the cart there.", "events"),
        column("n_orders", "integer", "Orders with a line credited to the creator.", "orders"),
        column("n_buyers", "integer", "Different buyers of such lines.", "buyers"),
        column("gmv_usd", "number", "GMV of such lines.", "US dollars"),
        column("net_usd", "number", "What is left of it after cancellations and refunds.", "US dollars"),
        column("subsidy_usd", "number", "Coupon money on such lines.", "US dollars"),
        flag("is_unknown_creator", "the creator is not in creators"),
    ),
    inputs=(
        EVENTS, Input("events", ("creator_id",)), Input("countries", ("country", "timezone")),
        Input("contents", ("content_id", "kind", "creator_id", "country", "started_at"), required=False),
        Input("creators", ("creator_id", "country"), required=False),
    ),
    expression=creator_days,
    optional_upstream=("order_facts",),
    feeds=(Feed("events", event_rows), Feed("contents", content_rows)),
)  # fmt: skip
