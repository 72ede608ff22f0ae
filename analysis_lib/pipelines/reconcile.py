"""Marts held against the raw tables, and against each other: what was lost, doubled or changed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis_lib.pipelines.expressions import count_where, exact_sum
from analysis_lib.pipelines.inputs import Inputs
from analysis_lib.warehouse import Finding

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse

#: Two totals agree when they are less than half a cent apart.
CENT = 0.005


@dataclass
class Ledger:
    """The tables a reconciliation reads, and the totals it has asked for.

    Attributes
    ----------
    warehouse : Warehouse
        The source, with its marts attached.
    marts : dict of str to ibis.Table
        Those that are built and up to date.
    """

    warehouse: Warehouse
    marts: dict[str, ibis.Table]
    inputs: Inputs = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.warehouse)

    def one(self, table: ibis.Table, **totals: Any) -> dict[str, float]:
        """One row of totals; a sum of nothing is 0."""
        row = self.warehouse.query(table.agg(**totals)).iloc[0]
        return {name: 0.0 if row[name] is None or row[name] != row[name] else float(row[name]) for name in totals}

    def rows(self, table: ibis.Table) -> list[dict[str, Any]]:
        """A small table as dictionaries."""
        return self.warehouse.query(table).to_dict("records")


def reconcile(name: str, ledger: Ledger) -> list[Finding]:
    """What does not add up in a mart that is built."""
    return list(_rules()[name](ledger))


def error(mart: str, rule: str, count: float, message: str) -> Finding:
    """A number of the mart is wrong."""
    return Finding(mart, "", rule, "error", int(count), message)


def warning(mart: str, rule: str, count: float, message: str) -> Finding:
    """Rows of the source that are not, or not as they came, in the mart."""
    return Finding(mart, "", rule, "warning", int(count), message)


def differ(mart: str, what: str, mine: float, theirs: float, where: str) -> Iterator[Finding]:
    """A finding unless two totals agree."""
    if abs(mine - theirs) >= CENT:
        yield error(mart, "reconcile", 0, f"{what} is {mine:,.2f} here and {theirs:,.2f} in {where}")


def gaps(mart: str, table: ibis.Table, ledger: Ledger, what: str) -> Iterator[Finding]:
    """A finding if days between the first and the last have no row."""
    days = table.group_by("day").agg(n=lambda row: row.count())
    found = ledger.rows(days.agg(n=days.count(), first=days.day.min(), last=days.day.max()))[0]
    if found["n"]:
        expected = (found["last"] - found["first"]).days + 1
        if expected > found["n"]:
            message = f"days between {found['first']:%Y-%m-%d} and {found['last']:%Y-%m-%d} have no {what}"
            yield warning(mart, "empty_day", expected - found["n"], message)


def empty_markets(mart: str, table: ibis.Table, ledger: Ledger, what: str) -> Iterator[Finding]:
    """A finding that names the markets without a row."""
    seen = {row["country"] for row in ledger.rows(table.select("country").distinct())}
    absent = sorted(set(ledger.inputs.zones) - seen)
    if absent:
        yield warning(mart, "empty_market", len(absent), f"markets have no {what}: {', '.join(absent)}")


def _user_days(ledger: Ledger) -> Iterator[Finding]:
    mine, facts = ledger.marts["user_days"], ledger.marts["order_facts"]
    yield from _sales("user_days", ledger, mine, facts.filter(facts.user_id.notnull()))
    if "sessions" in ledger.marts:
        visits = ledger.marts["sessions"]
        theirs = ledger.one(visits, n=count_where(visits.user_id.notnull()))["n"]
        yield from differ("user_days", "sessions", ledger.one(mine, n=mine.n_sessions.sum())["n"], theirs, "sessions")


def _merchant_days(ledger: Ledger) -> Iterator[Finding]:
    facts = ledger.marts["order_facts"]
    yield from _sales("merchant_days", ledger, ledger.marts["merchant_days"], facts.filter(facts.merchant_id.notnull()))
    without = ledger.one(facts, n=count_where(facts.merchant_id.isnull()))["n"]
    if without:
        yield warning("merchant_days", "left_out", without, "order lines name no merchant")


def _creator_days(ledger: Ledger) -> Iterator[Finding]:
    if "order_facts" in ledger.marts:
        facts, mine = ledger.marts["order_facts"], ledger.marts["creator_days"]
        yield from _sales("creator_days", ledger, mine, facts.filter(facts.creator_id.notnull()), lines=False)


def _sales(name: str, ledger: Ledger, mine: ibis.Table, facts: ibis.Table, lines: bool = True) -> Iterator[Finding]:
    """Money and lines of a mart by day against those of order facts."""
    money = ("gmv_usd", "net_usd", "subsidy_usd")
    own: dict[str, Any] = {column: exact_sum(mine[column]) for column in money}
    other: dict[str, Any] = {column: exact_sum(facts[column]) for column in money}
    if lines:
        own["n_lines"], other["n_lines"] = mine.n_lines.sum(), facts.count()
    totals, wanted = ledger.one(mine, **own), ledger.one(facts, **other)
    for column, total in totals.items():
        yield from differ(name, column, total, wanted[column], "order_facts")


def _release_adoption(ledger: Ledger) -> Iterator[Finding]:
    from analysis_lib.pipelines.release_adoption import bucket_names

    mine = ledger.marts["release_adoption"]
    totals = ledger.one(mine, sessions=mine.n_sessions.sum(), starts=mine.n_starts.sum(), buckets=sum(
        mine[name].sum() for name in bucket_names()))  # fmt: skip
    visits = ledger.one(ledger.marts["sessions"], n=ledger.marts["sessions"].count())["n"]
    yield from differ("release_adoption", "sessions", totals["sessions"], visits, "sessions")
    yield from differ("release_adoption", "starts in buckets", totals["buckets"], totals["starts"], "n_starts")


def _rules() -> dict[str, Callable[[Ledger], Iterator[Finding]]]:
    from analysis_lib.pipelines import reconcile_events, reconcile_orders, reconcile_people

    return {
        "order_facts": reconcile_orders.order_facts,
        "sessions": reconcile_events.sessions,
        "funnel_steps": reconcile_events.funnel_steps,
        "content_performance": reconcile_events.content_performance,
        "creator_days": _creator_days,
        "user_days": _user_days,
        "merchant_days": _merchant_days,
        "release_adoption": _release_adoption,
        "campaign_exposure": reconcile_people.campaign_exposure,
        "experiment_units": reconcile_people.experiment_units,
    }
