"""Client events by market-local day, and the sessions they fall into."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Input
from analysis_lib.pipelines.expressions import where
from analysis_lib.pipelines.inputs import Inputs

#: Longest pause within a session; the field's convention.
GAP_MINUTES = 30

#: What an event without a surface is filed under.
NO_SURFACE = "none"

EVENTS = Input("events", ("event_id", "at", "user_id", "name", "country"))


def events(inputs: Inputs, days: Days | None = None) -> ibis.Table:
    """Events with ``day`` and ``visitor``; those without a time belong to no day and are left to the check.

    A visitor is a user, or the session id of somebody signed out, or else the lone event.
    """
    raw = inputs.raw("events")
    raw = raw.filter(raw["at"].notnull())
    if days is not None:
        raw = raw.filter(days.near(raw["at"]))
    table = raw.mutate(
        day=inputs.day_of(raw["at"], raw.country),
        is_unknown_country=inputs.is_unknown_market(raw.country),
        country=raw.country.fill_null("??"),
        visitor=ibis.coalesce("u:" + raw.user_id, "s:" + raw.session_id, "e:" + raw.event_id, "?"),
    )
    return table if days is None else days.keep(table)


def session_events(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Events with ``session`` (number within visitor, market and day), ``position`` and ``is_first``.

    A copy of an event (same id, same time) is dropped: a client that sends twice is not two clicks.
    """
    table = events(inputs, days)
    group, order = ["visitor", "country", "day"], [table["at"], table.event_id]
    window = ibis.window(group_by=group, order_by=order)
    table = table.mutate(
        previous_at=table["at"].lag().over(window),
        previous_id=table.event_id.lag().over(window),
        position=ibis.row_number().over(window),
    )
    table = table.filter((table.previous_id != table.event_id).fill_null(True))
    pause = table["at"] > table.previous_at + ibis.interval(minutes=GAP_MINUTES)
    table = table.mutate(is_first=table.previous_at.isnull() | pause.fill_null(False))
    counted = ibis.cumulative_window(group_by=group, order_by=[table["at"], table.event_id])
    return table.mutate(session=table.is_first.cast("int64").sum().over(counted))


def session_key(table: ibis.Table) -> Any:
    """The name of a session: visitor, market, day and number within the day."""
    return table.visitor.concat("/", table.country, "/", table.day.cast("string"), "/", table.session.cast("string"))


def is_named(table: ibis.Table, name: str) -> Any:
    """Whether an event is of this kind."""
    return (table.name == name).fill_null(False)


def is_paid(table: ibis.Table) -> Any:
    """Whether an event is a payment that succeeded."""
    return is_named(table, "payment_attempt") & (table.value == 1).fill_null(False)


def impressions(table: ibis.Table) -> Any:
    """Products shown by an event: 0 unless it is an impression, 1 where the number is missing or absurd."""
    sane = (table.value >= 0) & (table.value < 1e6) & ~table.value.isnan()
    shown = ibis.ifelse(sane.fill_null(False), where(sane, table.value), 1.0).round().cast("int64")
    return ibis.ifelse(is_named(table, "impression"), shown, 0)


def event_rows(inputs: Inputs) -> ibis.Table:
    """Feed: every event with what marts take from the tables it points into."""
    table = events(inputs)
    users = inputs.one_per("users", "user_id", "country", "signed_up_at")
    users = users.select("user_id", home_country=users.country, signed_up_at=users.signed_up_at)
    contents = inputs.one_per("contents", "content_id", "kind", "creator_id", "country")
    contents = contents.select("content_id", kind=contents.kind, made_by=contents.creator_id, made_in=contents.country)
    creators = inputs.one_per("creators", "creator_id", "country")
    creators = creators.select("creator_id", creator_country=creators.country)
    joined = table.left_join(users, "user_id").drop("user_id_right")
    joined = joined.left_join(contents, "content_id").drop("content_id_right")
    return joined.left_join(creators, "creator_id").drop("creator_id_right", "visitor")
