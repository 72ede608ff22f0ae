"""Totals and their parts, on a shop drawn at random and on the simulated marketplace."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.metrics.declaration import EVERYTHING, TIME, Simple

REGISTRY = metrics.load_metrics()
SIMPLE = [metric for metric in REGISTRY.metrics.values() if isinstance(metric, Simple)]
MARTS = sorted({metric.mart for metric in SIMPLE})


def of(mart: str, kinds: tuple[str, ...]) -> list[str]:
    return [metric.name for metric in SIMPLE if metric.mart == mart and metric.type in kinds]


@pytest.mark.parametrize("mart", [mart for mart in MARTS if of(mart, ("sum", "count"))])
def test_what_adds_up_is_the_sum_of_its_parts(drawn, mart):
    names = of(mart, ("sum", "count"))
    whole = drawn.frame(names)[names].iloc[0]
    for name in REGISTRY.marts[mart].dimensions:
        parts = drawn.result(names, by=name, grain="day")
        assert parts.frame[names].sum().tolist() == pytest.approx(whole.tolist(), rel=1e-9)
        assert parts.summed([name, TIME]).frame[names].iloc[0].tolist() == pytest.approx(whole.tolist(), rel=1e-9)


@pytest.mark.parametrize("mart", [mart for mart in MARTS if of(mart, ("distinct",))])
def test_different_ones_are_at_most_the_sum_of_the_parts(drawn, mart):
    names = of(mart, ("distinct",))
    whole = drawn.frame(names)[names].iloc[0]
    for name in REGISTRY.marts[mart].dimensions:
        parts = drawn.frame(names, by=name)[names]
        assert (parts.sum() >= whole).all() and (parts.max() <= whole).all()


@pytest.mark.parametrize(
    "metric", [m for m in SIMPLE if m.type == "distinct" and m.additive_over], ids=lambda m: m.name
)
def test_distinct_counts_add_up_over_what_they_say(drawn, metric):
    if metric.additive_over in (EVERYTHING, "nothing"):
        return
    whole = drawn.value(metric.name)
    for name in metric.additive_over:
        cut = {"grain": "day"} if name == TIME else {"by": name}
        assert drawn.frame(metric.name, **cut)[metric.name].sum() == whole


def test_each_surface_is_a_part_of_gmv(drawn):
    parts = [name for name, role in REGISTRY.tree()["gmv"].items() if role == "part"]
    row = drawn.frame(["gmv", *parts]).iloc[0]
    assert row[parts].sum() == pytest.approx(row["gmv"], rel=1e-9)


def test_one_pass_per_mart(drawn, monkeypatch):
    asked = []
    real = type(drawn.warehouse).query
    monkeypatch.setattr(type(drawn.warehouse), "query", lambda self, e: (asked.append(e), real(self, e))[1])
    names = ["gmv", "orders", "aov", "refund_rate", "delivery_days_p95", "sessions", "visitors", "crash_free_rate"]
    drawn.frame(names, by="country", grain="week")
    # Two marts, and one small question: which days they hold.
    assert len(asked) == 2 + 1
    drawn.frame(names, by="country", start="2024-03-10", end="2024-03-12", compare="previous_period")
    assert len(asked) == 2 * (2 + 1)


RECONCILED = {
    "orders": "count(DISTINCT order_id)",
    "buyers": "count(DISTINCT user_id)",
    "units": "sum(quantity)",
    "active_creators": "count(DISTINCT creator_id)",
    "active_merchants": "count(DISTINCT merchant_id)",
    "coupon_orders": "count(DISTINCT order_id) FILTER (WHERE coupon_id IS NOT NULL)",
}


@pytest.fixture(scope="module")
def totals(world):
    return metrics.query(world, [*RECONCILED, "gmv", "visitors", "orders_per_buyer"]).frame.iloc[0]


@pytest.mark.parametrize("name", RECONCILED)
def test_counts_are_those_of_the_raw_orders(world, totals, name):
    assert world.connection.execute(f"SELECT {RECONCILED[name]} FROM orders").fetchone()[0] == totals[name]


def test_local_money_is_that_of_the_raw_orders(world):
    found = metrics.query(world, "gmv", by="currency", currency="local").frame.set_index("currency")["gmv"]
    sql = "SELECT currency, sum(quantity * price_local - discount_local) FROM orders GROUP BY 1"
    for currency, value in world.connection.execute(sql).fetchall():
        assert found[currency] == pytest.approx(value, rel=1e-9)


def test_visitors_are_those_of_the_raw_events(world, totals):
    sql = "SELECT count(DISTINCT coalesce('u:' || user_id, 's:' || session_id)) FROM events"
    assert world.connection.execute(sql).fetchone()[0] == totals["visitors"]


def test_twenty_metrics_by_market_and_week_take_a_moment(world):
    names = [metric.name for metric in SIMPLE if metric.mart in ("order_facts", "sessions")][:20]
    frame = metrics.query(world, names, by="country", grain="week").frame
    assert len(frame) == 12 * frame["period_start"].nunique() and frame[names].notna().all().all()
