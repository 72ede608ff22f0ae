"""The same expressions on DuckDB and on Spark: the same marts."""

from __future__ import annotations

import pytest

from analysis_lib import pipelines, warehouse
from analysis_lib.errors import BuildFailed, SourceError
from analysis_lib.pipelines import planning

pytestmark = pytest.mark.spark

NAMES = list(pipelines.MARTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_mart_is_the_same_on_both_engines(pair, agree, name):
    one, other = (pair.frame(engine, lambda wh: pipelines.mart(wh, name)) for engine in ("duckdb", "spark"))
    assert len(one) > 0
    agree(one, other, list(pipelines.MARTS[name].keys))


def test_the_same_days_were_built(pair):
    counts = [{built.mart: (built.n_rows, built.n_built) for built in pair.reports[name].marts}
              for name in ("shop", "shop_spark")]  # fmt: skip
    assert counts[0] == counts[1]


def test_what_was_known_then(pair, agree):
    one, other = (
        pair.frame(engine, lambda wh: pipelines.order_facts(wh, as_of="2024-03-14 12:00"))
        for engine in ("duckdb", "spark")
    )
    agree(one, other, ["order_id", "product_id"])


def test_the_checks_find_the_same(pair):
    found = []
    for engine in ("duckdb", "spark"):
        with pair.opened(engine) as wh:
            report = pipelines.check(wh)
            assert report.ok and report.is_built
            found.append([(item.table, item.rule, item.column, item.count) for item in report.findings])
    assert found[0] == found[1]


def test_the_front_is_that_of_any_source(pair):
    with pair.opened("duckdb") as one, pair.opened("spark") as other:
        assert one.tables() == other.tables()
        assert other.columns("orders") == one.columns("orders")
        assert other.values("orders", "currency") == one.values("orders", "currency")
        assert other.value_exists("users", "user_id", "u01") and not other.value_exists("users", "user_id", "x")
        assert other.has("orders", "quantity") and not other.has("orders", "nothing")
        assert other.query(other.table("orders").count()) == one.query(one.table("orders").count())
        assert other.fingerprint != one.fingerprint and other.build_info["exported_from"] == "shop"
        mine, theirs = warehouse.check(one), warehouse.check(other)
        assert [(row.table, row.n_rows, len(row.findings)) for row in mine.rows] == [
            (row.table, row.n_rows, len(row.findings)) for row in theirs.rows
        ]


def test_an_unfinished_export_cannot_be_opened(pair):
    signature = pair.shop.root / "spark" / "shop_spark.export.json"
    text = signature.read_text()
    signature.unlink()
    try:
        with pytest.raises(SourceError, match="shopbook data build shop --engine spark"):
            pair.opened("spark")
    finally:
        signature.write_text(text)


def test_a_second_metastore_in_one_process_is_refused(pair, tmp_path):
    from analysis_lib.warehouse.spark import session

    with pytest.raises(SourceError, match="opened once in a process"):
        session(tmp_path / "other")


def test_later_days_late_updates_and_a_build_that_stops_half_way(pair, agree, monkeypatch):
    """The last test: it changes the data the others look at."""
    monkeypatch.setattr(planning, "BATCH_DAYS", 6)
    pair.shop.change(
        "INSERT INTO order_updates SELECT order_id, ordered_at + INTERVAL 9 DAY, 'refunded', 3.0, ordered_at +"
        " INTERVAL 9 DAY FROM orders WHERE hash(order_id) % 5 = 1",
        "DELETE FROM orders WHERE ordered_at::DATE IN (DATE '2024-03-07', DATE '2024-03-08')",
        "DELETE FROM events WHERE user_id IS NOT NULL AND \"at\"::DATE = DATE '2024-03-10'",
        "INSERT INTO orders SELECT * REPLACE ('z' || order_id AS order_id, ordered_at + INTERVAL 20 DAY AS ordered_at)"
        " FROM orders WHERE hash(order_id) % 9 = 1",
    )

    def stop(text: str) -> None:
        if text.startswith("order_facts: 6 of") and text.endswith("signing"):
            raise BuildFailed("the power went")

    from analysis_lib.warehouse.export import export

    export("shop", project=pair.project)
    with pytest.raises(BuildFailed, match="power"):
        pipelines.build("shop_spark", project=pair.project, progress=stop)
    with pair.opened("spark") as wh, pytest.raises(SourceError, match="not built"):
        pipelines.mart(wh, "order_facts")
    pair.build()
    for name in NAMES:
        one, other = (
            pair.frame(engine, lambda wh, name=name: pipelines.mart(wh, name)) for engine in ("duckdb", "spark")
        )
        agree(one, other, list(pipelines.MARTS[name].keys))
    again = pair.build()
    assert all(built.n_built == 0 for report in again.values() for built in report.marts)
