"""Order facts held against the raw orders, updates and rates."""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from analysis_lib.pipelines.expressions import count_where, exact_sum, is_amount
from analysis_lib.pipelines.rates import DOLLAR, quoted_rates
from analysis_lib.pipelines.reconcile import CENT, Ledger, differ, empty_markets, error, gaps, warning
from analysis_lib.warehouse import Finding

NAME = "order_facts"


def order_facts(ledger: Ledger) -> Iterator[Finding]:
    """Everything that can be wrong with order facts."""
    facts = ledger.marts[NAME]
    yield from _lines(ledger, facts)
    yield from _money(ledger, facts)
    yield from _inside(ledger, facts)
    yield from _updates(ledger, facts)
    yield from _rates(ledger, facts)
    yield from empty_markets(NAME, facts, ledger, "orders")
    yield from gaps(NAME, facts, ledger, "orders")


def _lines(ledger: Ledger, facts: ibis.Table) -> Iterator[Finding]:
    """Every raw line once."""
    raw = ledger.inputs.raw("orders")
    whole = raw.order_id.notnull() & raw.product_id.notnull() & raw.ordered_at.notnull()
    lost = ledger.one(raw, n=count_where(~whole))["n"]
    if lost:
        yield error(NAME, "left_out", lost, "order rows name no order, product or time: they are in no mart")
    raw = raw.filter(whole)
    lines = raw.group_by("order_id", "product_id").agg(n=raw.count())
    found = ledger.one(lines, lines=lines.count(), copies=(lines.n - 1).sum())
    yield from differ(NAME, "order lines", ledger.one(facts, n=facts.count())["n"], found["lines"], "orders")
    if found["copies"]:
        yield error(NAME, "duplicate", found["copies"], "order rows repeat a line; one row of each is kept")


def _money(ledger: Ledger, facts: ibis.Table) -> Iterator[Finding]:
    """Money of the lines that the source has once, by currency, computed here from the raw columns."""
    raw = ledger.inputs.raw("orders")
    sane = (raw.quantity >= 0).fill_null(False)
    for column in ("price_local", "discount_local", "platform_subsidy_local"):
        sane = sane & is_amount(raw[column])
    once = raw.group_by("order_id", "product_id").agg(n=raw.count()).filter(lambda row: row.n == 1)
    raw = raw.filter(sane).semi_join(once, ["order_id", "product_id"])
    shipping = ibis.ifelse(is_amount(raw.shipping_local), raw.shipping_local, 0.0)
    gmv = raw.quantity * raw.price_local - raw.discount_local
    raw = raw.mutate(gmv=gmv, paid=gmv - raw.platform_subsidy_local + shipping).filter(lambda row: row.gmv >= -CENT)
    raw = raw.mutate(currency=raw.currency.fill_null("none"))
    theirs = raw.group_by("currency").agg(
        gmv_local=exact_sum(raw.gmv),
        paid_local=exact_sum(raw.paid),
        subsidy_local=exact_sum(raw.platform_subsidy_local),
    )
    mine = facts.filter(~facts.is_duplicate).mutate(currency=lambda row: row.currency.fill_null("none"))
    columns = ("gmv_local", "paid_local", "subsidy_local")
    mine = mine.group_by("currency").agg(**{column: exact_sum(mine[column]) for column in columns})
    wanted = {row["currency"]: row for row in ledger.rows(theirs)}
    held = {row["currency"]: row for row in ledger.rows(mine)}
    for currency in sorted(wanted.keys() | held.keys()):
        for column in columns:
            ours, raws = (rows.get(currency, {}).get(column, 0.0) for rows in (held, wanted))
            yield from differ(NAME, f"{column} in {currency}", ours, raws, "orders")


def _inside(ledger: Ledger, facts: ibis.Table) -> Iterator[Finding]:
    """Amounts of a line against each other."""
    lost, gmv = facts.lost_local, facts.gmv_local
    outside = (lost < -CENT) | (lost > ibis.greatest(gmv, 0.0) + CENT)
    open_dollars = gmv.notnull() & facts.gmv_usd.isnull() & ~facts.is_fx_missing
    guessed = (facts.is_fx_missing | facts.is_invalid) & (facts.gmv_usd.notnull() | facts.net_usd.notnull())
    found = ledger.one(
        facts,
        outside=count_where(outside),
        unequal=count_where((gmv - lost - facts.net_local).abs() > CENT),
        open_dollars=count_where(open_dollars),
        guessed=count_where(guessed),
        not_one=count_where((facts.currency == DOLLAR) & (facts.usd_per_unit != 1)),
    )
    told = {
        "outside": "lost_local is below 0 or above GMV",
        "unequal": "GMV, lost and net do not add up",
        "open_dollars": "there is a rate and no amount in dollars",
        "guessed": "there is no rate or no amount, and yet dollars",
        "not_one": "a dollar is not one dollar",
    }
    for rule, message in told.items():
        if found[rule]:
            yield error(NAME, rule, found[rule], message)


def _updates(ledger: Ledger, facts: ibis.Table) -> Iterator[Finding]:
    """Status changes that cannot be used, and those that the lines contradict."""
    if not ledger.inputs.has("order_updates"):
        return
    raw = ledger.inputs.raw("order_updates")
    orders = ledger.inputs.raw("orders").select("order_id").distinct()
    orphans = raw.filter(raw.order_id.notnull()).anti_join(orders, "order_id")
    n_orphans = ledger.one(orphans, n=orphans.count())["n"]
    if n_orphans:
        yield warning(NAME, "orphan_update", n_orphans, "order updates are for no order in orders: they are in no mart")
    incomplete = raw.order_id.isnull() | raw["at"].isnull() | raw.status.isnull()
    changes = raw.filter(~incomplete).select("order_id", "at", "status").distinct()
    n_rows = ledger.one(raw, n=raw.count(), incomplete=count_where(incomplete))
    repeated = n_rows["n"] - n_rows["incomplete"] - ledger.one(changes, n=changes.count())["n"]
    if n_rows["incomplete"]:
        yield warning(NAME, "left_out", n_rows["incomplete"], "order updates name no order, time or status")
    if repeated:
        yield warning(NAME, "duplicate_update", repeated, "order updates repeat a change; each counts once")
    yield from _contradicted(ledger, facts)


def _contradicted(ledger: Ledger, facts: ibis.Table) -> Iterator[Finding]:
    raw = ledger.inputs.raw("orders").select("order_id", "product_id", said="status").distinct()
    both = facts.filter(~facts.is_duplicate).inner_join(raw, ["order_id", "product_id"])
    n = ledger.one(both, n=count_where(both.status != both.said))["n"]
    if n:
        yield warning(NAME, "status", n, "the line's own status is not the farthest its updates tell")


def _rates(ledger: Ledger, facts: ibis.Table) -> Iterator[Finding]:
    """Currencies that cannot be converted, and days whose rates contradict each other."""
    known = quoted_rates(ledger.inputs).select("currency").distinct()
    strange = facts.filter(facts.currency != DOLLAR).anti_join(known, "currency")
    found = ledger.rows(strange.group_by("currency").agg(n=strange.count()).order_by("currency"))
    if found:
        codes = ", ".join(str(row["currency"]) for row in found)
        n = sum(row["n"] for row in found)
        yield error(NAME, "unknown_currency", n, f"lines are in currencies without any rate: {codes}")
    raw = ledger.inputs.raw("fx_rates")
    days = raw.group_by("currency", "day").agg(low=raw.usd_per_unit.min(), high=raw.usd_per_unit.max())
    twice = ledger.one(days, n=count_where(days.low != days.high))["n"]
    if twice:
        yield error(NAME, "two_rates", twice, "days have two different rates of a currency; the last known is used")
    wrong = ledger.one(raw, n=count_where((raw.currency == DOLLAR) & (raw.usd_per_unit != 1)))["n"]
    if wrong:
        yield error(NAME, "dollar_rate", wrong, "fx_rates says that a US dollar is not one US dollar; 1 is used")
