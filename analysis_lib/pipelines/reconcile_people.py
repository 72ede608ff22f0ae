"""Campaigns and experiments held against the raw targets, coupons and exposures."""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from analysis_lib.pipelines.expressions import count_where
from analysis_lib.pipelines.reconcile import Ledger, differ, warning
from analysis_lib.warehouse import Finding


def campaign_exposure(ledger: Ledger) -> Iterator[Finding]:
    """Every target and redemption once; those of no market of their campaign counted."""
    mine, name = ledger.marts["campaign_exposure"], "campaign_exposure"
    own = ledger.one(mine, targets=count_where(mine.is_targeted), redemptions=mine.n_redemptions.sum())
    targets = ledger.inputs.raw("campaign_targets").select("campaign_id", "user_id").distinct()
    n_in, n_out = _in_and_out(ledger, targets)
    yield from differ(name, "targets", own["targets"], n_in, "campaign_targets")
    if n_out:
        yield warning(name, "left_out", n_out, "targets live in no market of their campaign: they are not here")
    events = ledger.inputs.raw("coupon_events")
    events = events.filter(events.kind == "redemption").select("coupon_id", "user_id", "at").distinct()
    coupons = ledger.inputs.one_per("coupons", "coupon_id", "campaign_id")
    events = events.inner_join(coupons.filter(coupons.campaign_id.notnull()), "coupon_id")
    n_in, n_out = _in_and_out(ledger, events)
    yield from differ(name, "redemptions", own["redemptions"], n_in, "coupon_events")
    if n_out:
        yield warning(name, "left_out", n_out, "redemptions are by users of no market of the campaign: not here")


def _in_and_out(ledger: Ledger, rows: ibis.Table) -> tuple[float, float]:
    """Rows whose user lives in a market of the campaign, and the others."""
    users = ledger.inputs.one_per("users", "user_id", "country")
    windows = ledger.inputs.raw("campaigns")
    windows = windows.filter(windows.starts_on.notnull()).select("campaign_id", "country").distinct()
    inside = rows.inner_join(users, "user_id").semi_join(windows, ["campaign_id", "country"])
    n_in = ledger.one(inside, n=inside.count())["n"]
    return n_in, ledger.one(rows, n=rows.count())["n"] - n_in


def experiment_units(ledger: Ledger) -> Iterator[Finding]:
    """Every exposed unit once."""
    mine, raw = ledger.marts["experiment_units"], ledger.inputs.raw("exposures")
    whole = raw.experiment_id.notnull() & raw.unit_id.notnull() & raw.exposed_at.notnull()
    found = ledger.one(raw, lost=count_where(~whole), kept=count_where(whole))
    units = raw.filter(whole).select("experiment_id", "unit_id").distinct()
    own = ledger.one(mine, n=mine.count(), exposures=mine.n_exposures.sum())
    yield from differ("experiment_units", "units", own["n"], ledger.one(units, n=units.count())["n"], "exposures")
    yield from differ("experiment_units", "exposures", own["exposures"], found["kept"], "exposures")
    if found["lost"]:
        yield warning("experiment_units", "left_out", found["lost"], "exposures name no experiment, unit or time")
    if own["exposures"] > own["n"]:
        yield warning("experiment_units", "duplicate", own["exposures"] - own["n"], "exposures repeat a unit")
