from __future__ import annotations

import os
import subprocess
import sys

import duckdb
import pandas as pd
import pytest

from analysis_lib import pipelines, warehouse
from analysis_lib.errors import ContractError, SourceError, UnknownName


def test_a_mart_joins_the_raw_tables(shop):
    shop.build()
    with shop.opened() as wh:
        facts, users = pipelines.mart(wh, "order_facts"), wh.table("users")
        joined = facts.join(users, "user_id").select("order_id", home=users.country)
        assert wh.query(joined).to_dict("list") == {"order_id": ["o1"], "home": ["GB"]}


def test_the_source_stays_as_it_was(shop):
    before = shop.write().read_bytes()
    shop.build()
    assert shop.path.read_bytes() == before


def test_an_unknown_mart(shop):
    shop.write()
    with shop.opened() as wh, pytest.raises(UnknownName, match="Did you mean 'order_facts'"):
        pipelines.mart(wh, "orders_facts")
    with pytest.raises(UnknownName, match="Did you mean 'sessions'"):
        shop.build(marts=["session"])


def test_a_mart_that_is_not_built(shop):
    shop.write()
    with shop.opened() as wh, pytest.raises(SourceError, match=r"not built\. Run `shopbook data build .*shop.duckdb`"):
        pipelines.mart(wh, "order_facts")


def test_a_mart_the_source_cannot_have(shop):
    shop.build()
    with shop.opened() as wh, pytest.raises(ContractError, match="has no events, which mart 'release_adoption'"):
        pipelines.mart(wh, "release_adoption")


def test_a_mart_of_another_version(shop, monkeypatch):
    shop.build()
    monkeypatch.setattr(pipelines.declaration, "_version", lambda mart: "another")
    with shop.opened() as wh, pytest.raises(SourceError, match="another version of this library"):
        pipelines.mart(wh, "order_facts")
    assert shop.findings()["order_facts", "stale"][0] == "error"


def test_a_mart_older_than_its_source(shop):
    """Yesterday's marts of today's orders would be yesterday's numbers under today's date."""
    shop.build()
    shop.change("UPDATE orders SET quantity = 9")
    with shop.opened() as wh, pytest.raises(SourceError, match="has changed since its mart 'order_facts' was built"):
        pipelines.mart(wh, "order_facts")
    shop.build()
    assert shop.mart("order_facts")["quantity"].tolist() == [9]


def test_a_warehouse_that_is_open_sees_the_next_build(shop):
    shop.build()
    with shop.opened() as wh:
        assert wh.query(pipelines.mart(wh, "order_facts").count()) == 1
        pipelines.build(wh, full=True)
        assert wh.query(pipelines.mart(wh, "order_facts").gmv_local.sum()) == 20.0
        shop.build(full=True)
        assert wh.query(pipelines.mart(wh, "order_facts").count()) == 1


HOLD = """
import duckdb, sys, time
c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reader"); print("held", flush=True); time.sleep(60)
"""


@pytest.mark.parametrize("who", ["reader", "writer"])
def test_marts_in_use_by_another_process(shop, who):
    shop.build()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(shop.store), who], stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            with pytest.raises(SourceError, match="in use by another process"):
                shop.build(full=True)
            if who == "writer":
                with pytest.raises(SourceError, match="in use by another process"):
                    shop.mart("order_facts")
        finally:
            holder.kill()
    assert shop.build(full=True).marts[0].n_built == 1


def test_a_damaged_store_says_what_to_do(shop):
    shop.build()
    os.truncate(shop.store, 5000)
    with pytest.raises(SourceError, match=r"cannot be opened.*remove data/built/marts"):
        shop.build()


def test_a_folder_of_parquet_files(shop, tmp_path):
    shop.write()
    folder = tmp_path / "export"
    folder.mkdir()
    with duckdb.connect(str(shop.path), read_only=True) as connection:
        for table in shop.tables:
            connection.execute(f"COPY {table} TO '{folder}/{table}.parquet'")
    assert pipelines.build(folder, project=shop.project).marts[0].n_built == 1
    with warehouse.connect(folder, project=shop.project) as wh:
        assert wh.query(pipelines.mart(wh, "order_facts").gmv_local.sum()) == 20.0
        assert pipelines.check(wh).ok


def test_types_a_forker_may_have(shop):
    """Decimals, text with a zone, enumerations: the marts have the declared types all the same."""
    shop.build()
    shop.change(
        "CREATE TYPE status AS ENUM ('paid', 'refunded')",
        "ALTER TABLE orders ALTER price_local TYPE DECIMAL(12, 2)",
        "ALTER TABLE orders ALTER quantity TYPE SMALLINT",
        "ALTER TABLE orders ALTER ordered_at TYPE TIMESTAMP WITH TIME ZONE USING ordered_at AT TIME ZONE 'UTC'",
        "ALTER TABLE orders ALTER status TYPE status",
    )
    shop.build()
    assert shop.mart("order_facts")[["gmv_local", "quantity"]].values.tolist() == [[20.0, 2]]
    assert shop.findings() == {("order_facts", "empty_market"): ("warning", 2)}


def test_two_files_of_one_name_are_two_sources(shop, tmp_path, make_warehouse):
    shop.build()
    other = tmp_path / "elsewhere"
    other.mkdir()
    frames = {name: pd.DataFrame(rows) for name, rows in shop.tables.items()}
    make_warehouse(other, frames, name="shop")
    pipelines.build(other / "shop.duckdb", project=shop.project)
    assert len(list((shop.project.built / "marts").glob("shop-*.duckdb"))) == 2


def test_the_report(shop):
    report = shop.build()
    frame = report.to_frame().set_index("mart")
    assert frame.loc["order_facts", ["n_rows", "n_built", "n_kept"]].tolist() == [1, 1, 0]
    assert frame.loc["sessions", "skipped"] == "the source has no events"
    assert "days built" in report.text and "sessions (the source has no events)" in report.text


def test_progress_names_marts_and_days(shop):
    seen = []
    shop.build(progress=seen.append)
    assert seen[:2] == ["order_facts: looking for changes", "order_facts: 0 of 1 days"]
