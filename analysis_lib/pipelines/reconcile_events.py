"""Sessions, funnel and contents held against the raw events."""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from analysis_lib.pipelines.expressions import count_where
from analysis_lib.pipelines.reconcile import Ledger, differ, empty_markets, error, gaps, warning
from analysis_lib.warehouse import Finding


def sessions(ledger: Ledger) -> Iterator[Finding]:
    """Every event in one session; visits abroad and users of two markets counted."""
    mine, raw = ledger.marts["sessions"], ledger.inputs.raw("events")
    lost = ledger.one(raw, n=count_where(raw["at"].isnull()))["n"]
    if lost:
        yield error("sessions", "left_out", lost, "events have no time: they are in no mart")
    found = _events(ledger, raw)
    yield from differ("sessions", "events", ledger.one(mine, n=mine.n_events.sum())["n"], found["pairs"], "events")
    if found["rows"] > found["pairs"]:
        copies = found["rows"] - found["pairs"]
        yield warning("sessions", "duplicate", copies, "events were sent again (same id, same time); each counts once")
    if found["pairs"] > found["ids"]:
        again = found["pairs"] - found["ids"]
        yield error("sessions", "key", again, "event ids come again with another time: counted each time")
    yield from _two_countries(ledger, mine)
    yield from empty_markets("sessions", mine, ledger, "events")
    yield from gaps("sessions", mine, ledger, "events")


def _events(ledger: Ledger, raw: ibis.Table) -> dict[str, float]:
    raw = raw.filter(raw["at"].notnull())
    pairs = raw.group_by("event_id", "at").agg(n=raw.count())
    return ledger.one(pairs, rows=pairs.n.sum(), pairs=pairs.count(), ids=pairs.event_id.nunique())


def _two_countries(ledger: Ledger, mine: ibis.Table) -> Iterator[Finding]:
    users = ledger.inputs.raw("users")
    homes = users.group_by("user_id").agg(n=users.country.nunique())
    several = ledger.one(homes, n=count_where(homes.n > 1))["n"]
    if several:
        yield error("sessions", "two_countries", several, "users have two home markets in users; one of them is taken")
    away = ledger.one(mine, n=count_where(~mine.is_home_market))["n"]
    if away:
        yield warning("sessions", "away", away, "visits are in another market than the user's own")


def funnel_steps(ledger: Ledger) -> Iterator[Finding]:
    """As many events and sessions as in sessions."""
    mine, visits = ledger.marts["funnel_steps"], ledger.marts.get("sessions")
    if visits is None:
        return
    columns = ("n_events", "n_impressions", "n_views", "n_carts", "n_checkouts", "n_payment_attempts", "n_payments_ok")
    own = ledger.one(mine, **{name: mine[name].sum() for name in columns}, n_sessions=mine.session_key.nunique())
    other = ledger.one(visits, **{name: visits[name].sum() for name in columns}, n_sessions=visits.count())
    for name, total in own.items():
        yield from differ("funnel_steps", name, total, other[name], "sessions")


def content_performance(ledger: Ledger) -> Iterator[Finding]:
    """Every event in a content once."""
    mine, raw = ledger.marts["content_performance"], ledger.inputs.raw("events")
    raw = raw.filter(raw["at"].notnull(), raw.content_id.notnull())
    once = raw.select("event_id", "at").distinct()
    total = ledger.one(once, n=once.count())["n"]
    yield from differ("content_performance", "events", ledger.one(mine, n=mine.n_events.sum())["n"], total, "events")
