"""Sessions: what a visitor did between two pauses of half an hour, within one market-local day."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Feed, Input, Mart, column, day_column, flag
from analysis_lib.pipelines.events import (
    EVENTS,
    event_rows,
    impressions,
    is_named,
    is_paid,
    session_events,
    session_key,
)
from analysis_lib.pipelines.expressions import any_of, count_where, first_number, first_text, seconds_between
from analysis_lib.pipelines.inputs import Inputs


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Sessions of these days."""
    table = _grouped(session_events(inputs, days))
    users = inputs.one_per("users", "user_id", "country", "signed_up_at")
    users = users.select(owner=users.user_id, home_country=users.country, signed_up_at=users.signed_up_at)
    table = table.left_join(users, table.user_id == users.owner)
    early = table.started_at < table.signed_up_at - ibis.interval(days=1)
    return table.mutate(
        session_key=session_key(table),
        is_signed_in=table.user_id.notnull(),
        duration_s=seconds_between(table.ended_at, table.started_at),
        has_clock_skew=table.is_ahead | early.fill_null(False),
        is_home_market=table.country == table.home_country,
        is_unknown_user=table.user_id.notnull() & table.owner.isnull(),
    )


def _grouped(table: ibis.Table) -> ibis.Table:
    return table.group_by("visitor", "country", "day", "session").agg(
        user_id=table.user_id.max(),
        started_at=table["at"].min(),
        ended_at=table["at"].max(),
        platform=first_text(table.platform, table.position),
        app_version=first_text(table.app_version, table.position),
        os_version=first_text(table.os_version, table.position),
        entry_surface=first_text(table.surface, table.position),
        start_ms=first_number(ibis.ifelse(is_named(table, "app_start"), table.value, None), table.position),
        n_events=table.count(),
        n_surfaces=table.surface.nunique(),
        n_crashes=count_where(table.name == "crash"),
        has_crash=any_of(table.name == "crash"),
        is_ahead=any_of(table["at"] > table.received_at),
        is_unknown_country=any_of(table.is_unknown_country),
        **_steps(table),
    )


def _steps(table: ibis.Table) -> dict[str, Any]:
    return {
        "n_impressions": impressions(table).sum(),
        "n_views": count_where(is_named(table, "product_view")),
        "n_carts": count_where(is_named(table, "add_to_cart")),
        "n_checkouts": count_where(is_named(table, "checkout")),
        "n_payment_attempts": count_where(is_named(table, "payment_attempt")),
        "n_payments_ok": count_where(is_paid(table)),
        "has_payment": any_of(is_paid(table)),
    }


SESSIONS = Mart(
    name="sessions",
    meaning=(
        "Visits. A pause of more than 30 minutes, the market's midnight and a change of market each begin a new one. "
        "Copies of an event (same id, same time) count once."
    ),
    grain="One row per visitor, market, market-local day and visit.",
    keys=("session_key",),
    columns=(
        column("session_key", "string", "Visitor, market, day, number within the day.", required=True, personal=True),
        column("visitor", "string", "u:user, s:session id of a signed-out visitor, or e:the lone event.", required=True,
               personal=True),
        column("user_id", "string", "Who; null when signed out.", personal=True),
        column("country", "string", "Market of the events; ?? where an event names none.", required=True),
        day_column("Market-local day of the events; the partition."),
        column("started_at", "timestamp", "First event.", "UTC", required=True),
        column("ended_at", "timestamp", "Last event.", "UTC", required=True),
        column("duration_s", "integer", "From the first event to the last.", "s"),
        column("platform", "string", "Client platform of the first event that names one."),
        column("app_version", "string", "Client version, likewise."),
        column("os_version", "string", "Operating system, likewise."),
        column("entry_surface", "string", "First surface of the visit."),
        column("n_events", "integer", "Events.", "events"),
        column("n_surfaces", "integer", "Different surfaces.", "surfaces"),
        column("start_ms", "number", "Milliseconds until usable, of the first app_start.", "ms"),
        column("n_crashes", "integer", "Crashes.", "crashes"),
        column("has_crash", "boolean", "Whether it crashed."),
        column("n_impressions", "integer", "Products shown.", "products"),
        column("n_views", "integer", "Product views.", "events"),
        column("n_carts", "integer", "Additions to the cart.", "events"),
        column("n_checkouts", "integer", "Checkouts begun.", "events"),
        column("n_payment_attempts", "integer", "Payments tried.", "events"),
        column("n_payments_ok", "integer", "Payments that succeeded.", "events"),
        column("has_payment", "boolean", "Whether a payment succeeded: the visit converted."),
        column("is_signed_in", "boolean", "Whether the visitor is a user."),
        column("is_home_market", "boolean", "Whether the market is the user's own; null when signed out or unknown."),
        flag("has_clock_skew", "an event is dated after it was received, or over a day before the user's sign-up"),
        flag("is_unknown_country", "the market is not in countries: its day is the UTC day"),
        flag("is_unknown_user", "the user is not in users"),
    ),
    inputs=(
        EVENTS, Input("countries", ("country", "timezone")), Input("users", ("user_id", "country"), required=False),
    ),
    expression=expression,
    feeds=(Feed("events", event_rows),),
)  # fmt: skip
