"""How far each session came on each surface, from impression to payment."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Feed, Input, Mart, column, day_column
from analysis_lib.pipelines.events import (
    EVENTS,
    NO_SURFACE,
    event_rows,
    impressions,
    is_named,
    is_paid,
    session_events,
    session_key,
)
from analysis_lib.pipelines.expressions import any_of, count_where, first_text, where
from analysis_lib.pipelines.inputs import Inputs

#: Step of the funnel and the event that reaches it.
STEPS = {"view": "product_view", "cart": "add_to_cart", "checkout": "checkout", "payment_attempt": "payment_attempt"}


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Sessions by surface, of these days."""
    table = session_events(inputs, days)
    table = table.mutate(surface=table.surface.fill_null(NO_SURFACE))
    grouped = table.group_by("visitor", "country", "day", "session", "surface").agg(
        user_id=table.user_id.max(),
        platform=first_text(table.platform, table.position),
        first_at=table["at"].min(),
        n_events=table.count(),
        first_content_id=first_text(table.content_id, table.position),
        first_creator_id=first_text(table.creator_id, table.position),
        n_impressions=impressions(table).sum(),
        has_impression=any_of(is_named(table, "impression")),
        n_payments_ok=count_where(is_paid(table)),
        has_payment=any_of(is_paid(table)),
        first_payment_at=where(is_paid(table), table["at"]).min(),
        **_steps(table),
    )
    return grouped.mutate(session_key=session_key(grouped))


def _steps(table: ibis.Table) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for step, event in STEPS.items():
        reached = is_named(table, event)
        found[f"has_{step}"] = any_of(reached)
        found[f"n_{step}s"] = count_where(reached)
        found[f"first_{step}_at"] = where(reached, table["at"]).min()
    return found


FUNNEL_STEPS = Mart(
    name="funnel_steps",
    meaning=(
        "The funnel of each visit on each surface. Steps are not forced into order: a cart without a view is shown."
    ),
    grain="One row per session and surface.",
    keys=("session_key", "surface"),
    columns=(
        column("session_key", "string", "The session.", required=True, personal=True),
        column("user_id", "string", "Who; null when signed out.", personal=True),
        column("country", "string", "Market.", required=True),
        day_column("Market-local day of the session; the partition."),
        column("platform", "string", "Client platform."),
        column("surface", "string", "Surface; none for events outside of one.", required=True),
        column("first_at", "timestamp", "First event on the surface.", "UTC"),
        column("n_events", "integer", "Events on the surface.", "events"),
        column("first_content_id", "string", "First live or video touched on the surface."),
        column("first_creator_id", "string", "First creator touched on the surface.", personal=True),
        column("n_impressions", "integer", "Products shown (an impression without a number is one).", "products"),
        column("has_impression", "boolean", "Whether products were shown."),
        column("n_views", "integer", "Product views.", "events"),
        column("has_view", "boolean", "Whether a product was viewed."),
        column("first_view_at", "timestamp", "First product view.", "UTC"),
        column("n_carts", "integer", "Additions to the cart.", "events"),
        column("has_cart", "boolean", "Whether something was put in the cart."),
        column("first_cart_at", "timestamp", "First addition to the cart.", "UTC"),
        column("n_checkouts", "integer", "Checkouts begun.", "events"),
        column("has_checkout", "boolean", "Whether a checkout began."),
        column("first_checkout_at", "timestamp", "First checkout.", "UTC"),
        column("n_payment_attempts", "integer", "Payments tried.", "events"),
        column("has_payment_attempt", "boolean", "Whether a payment was tried."),
        column("first_payment_attempt_at", "timestamp", "First payment tried.", "UTC"),
        column("n_payments_ok", "integer", "Payments that succeeded.", "events"),
        column("has_payment", "boolean", "Whether a payment succeeded."),
        column("first_payment_at", "timestamp", "First payment that succeeded.", "UTC"),
    ),
    inputs=(EVENTS, Input("countries", ("country", "timezone"))),
    expression=expression,
    feeds=(Feed("events", event_rows),),
)  # fmt: skip
