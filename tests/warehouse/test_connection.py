from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from analysis_lib.errors import ContractError, SourceError, UnknownName
from analysis_lib.warehouse import connect


@pytest.fixture
def opened(small_warehouse):
    with connect(small_warehouse()) as warehouse:
        yield warehouse


def test_contract_tables_come_as_expressions(opened):
    orders = opened.table("orders")
    frame = opened.query(orders.group_by("user_id").agg(units=orders.quantity.sum()).order_by("user_id"))
    assert frame.to_dict("list") == {"user_id": ["u1", "u2"], "units": [4, 2]}


def test_what_is_there(opened):
    assert "orders" in opened.tables() and "events" not in opened.tables()
    assert opened.has("orders") and opened.has("orders", "price_local", "currency")
    assert not opened.has("orders", "price_local", "gmv") and not opened.has("events")
    assert opened.source is None and opened.name == "small"
    assert opened.columns("fx_rates") == {"currency": "VARCHAR", "day": "DATE", "usd_per_unit": "DOUBLE"}


def test_an_unknown_table_gets_the_nearest(opened):
    with pytest.raises(UnknownName, match="Did you mean 'orders'"):
        opened.table("order")


def test_a_table_this_source_lacks(opened):
    with pytest.raises(ContractError, match="source 'small' has no table 'events'"):
        opened.table("events")


def test_a_renamed_column_is_named(small_warehouse, small_tables):
    renamed = small_tables["orders"].rename(columns={"price_local": "price_locl"})
    with connect(small_warehouse(orders=renamed)) as warehouse, pytest.raises(ContractError) as error:
        warehouse.require({"orders": ["quantity", "price_local"], "users": ["user_id"]})
    assert str(error.value) == (
        "source 'small': orders.price_local is missing; the source has 'price_locl': rename it, or map it in a view."
    )


def test_all_missing_columns_are_named_at_once(opened):
    with pytest.raises(ContractError, match=r"orders\.a1 is missing.*users\.b1 is missing"):
        opened.require({"orders": ["a1"], "users": ["b1"]})
    opened.require({"orders": ["price_local"]})


def test_values(opened):
    assert opened.values("orders", "product_id") == ["p1", "p2"]
    assert opened.values("orders", "product_id", limit=1) == ["p1"]
    assert opened.values("orders", "coupon_id") == ["c1"]
    assert opened.value_exists("campaigns", "campaign_id", 1) and opened.value_exists("users", "user_id", "u2")
    assert not opened.value_exists("users", "user_id", "u2' OR '1'='1")


def test_a_connection_cannot_write(opened):
    with pytest.raises(duckdb.Error, match="read-only"):
        opened.connection.execute("DELETE FROM orders")


def test_two_connections_at_once(small_warehouse):
    path = small_warehouse()
    with connect(path) as one, connect(path) as other:
        assert one.fingerprint == other.fingerprint


def test_the_fingerprint_follows_the_data(small_warehouse):
    path = small_warehouse()
    with connect(path) as before:
        first = before.fingerprint
    with duckdb.connect(str(path)) as writer:
        writer.execute("UPDATE orders SET quantity = 7")
    with connect(path) as after:
        assert after.fingerprint != first


@pytest.fixture
def parquet_folder(tmp_path, small_tables):
    folder = tmp_path / "export"
    (folder / "orders" / "month=1").mkdir(parents=True)
    for name, frame in small_tables.items():
        if name != "orders":
            frame.to_parquet(folder / f"{name}.parquet")
    small_tables["orders"].head(1).to_parquet(folder / "orders" / "a.parquet")
    small_tables["orders"].tail(2).to_parquet(folder / "orders" / "month=1" / "b.parquet")
    return folder


@pytest.mark.parametrize("form", [str, Path, lambda path: f"parquet://{path}"])
def test_a_folder_of_parquet_files(parquet_folder, form):
    with connect(form(parquet_folder)) as warehouse:
        assert warehouse.query(warehouse.table("orders").count()) == 3
        assert {"users", "orders"} <= set(warehouse.tables()) and not warehouse.has("events")
        first = warehouse.fingerprint
    os.utime(parquet_folder / "orders" / "a.parquet", (1, 1))
    with connect(form(parquet_folder)) as warehouse:
        assert warehouse.fingerprint != first


def test_a_truncated_parquet_file(parquet_folder):
    path = parquet_folder / "users.parquet"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SourceError, match="users cannot be read as Parquet"):
        connect(parquet_folder)


def test_a_folder_without_tables(tmp_path):
    with pytest.raises(SourceError, match="holds no Parquet file named after a contract table"):
        connect(tmp_path)


def test_url_of_a_file(small_warehouse):
    with connect(f"duckdb://{small_warehouse()}") as warehouse:
        assert warehouse.has("orders")


@pytest.mark.parametrize("url", ["s3://bucket/x", "spark://host", "postgres://u:p@host/db", "duckdb://"])
def test_another_url_is_refused_with_what_is_understood(url):
    with pytest.raises(SourceError, match=r"duckdb:///path.*parquet:///path"):
        connect(url)


def test_a_password_in_a_url_is_not_repeated():
    with pytest.raises(SourceError) as error:
        connect("postgres://me:secret@host/db")
    assert "secret" not in str(error.value)


def test_a_named_source_that_is_not_built(project):
    with pytest.raises(SourceError) as error:
        connect("complete_journey", project=project)
    assert str(error.value) == (
        "source 'complete_journey' (data/built/complete_journey.duckdb) does not exist."
        " Run `shopbook data build complete_journey`."
    )


def test_a_misspelt_name():
    with pytest.raises(UnknownName, match="Did you mean 'complete_journey'"):
        connect("complete_journy")


def test_a_missing_file(tmp_path):
    with pytest.raises(SourceError, match="does not exist"):
        connect(tmp_path / "none.duckdb")


def _sqlite(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (a)")
    connection.close()


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (_sqlite, "an SQLite database"),
        (lambda path: path.write_text("order_id,price\n1,2\n"), "a text file"),
        (lambda path: pd.DataFrame({"a": [1]}).to_parquet(path), "a single Parquet file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(bytes(range(256)) * 10), "neither a DuckDB file"),
    ],
)
def test_a_file_in_disguise(tmp_path, write, said):
    path = tmp_path / "shop.duckdb"
    write(path)
    with pytest.raises(SourceError, match=said):
        connect(path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95])
def test_a_truncated_file(tmp_path, share):
    path = tmp_path / "cut.duckdb"
    with duckdb.connect(str(path)) as writer:
        writer.execute("CREATE TABLE orders AS SELECT hash(i) AS a FROM range(1000000) AS r(i)")
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(SourceError, match=r"cut off|damaged"):
        connect(path)


def test_overwritten_blocks_are_a_source_error_when_they_are_read(tmp_path):
    path = tmp_path / "rot.duckdb"
    with duckdb.connect(str(path)) as writer:
        writer.execute("CREATE TABLE orders AS SELECT hash(i) AS quantity FROM range(1000000) AS r(i)")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 300_000)
    with pytest.raises(SourceError, match=r"damaged|cannot be read"), connect(path) as warehouse:
        warehouse.query(warehouse.table("orders").quantity.sum())


HOLD = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"


def test_a_file_held_by_a_writer(small_warehouse):
    path = small_warehouse()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            with pytest.raises(SourceError, match="being written by another process"):
                connect(path)
        finally:
            holder.kill()
    with connect(path) as warehouse:
        assert warehouse.has("orders")


CRASH = """
import duckdb, os, sys
c = duckdb.connect(sys.argv[1])
c.execute("PRAGMA disable_checkpoint_on_shutdown; SET checkpoint_threshold = '1GB'")
c.execute("CREATE TABLE extra AS SELECT hash(i) AS a FROM range(300000) AS r(i)")
os._exit(9)
"""


def test_a_file_whose_writer_crashed_after_its_last_commit(small_warehouse):
    """The last changes lie in a log beside the file; that is not a truncated file."""
    path = small_warehouse()
    subprocess.run([sys.executable, "-c", CRASH, str(path)], check=False)
    with connect(path) as warehouse:
        assert "extra" in warehouse.other_tables()


def test_connecting_is_cheap(complete_journey):
    """The slow imports wait for the first table."""
    code = "import sys; from analysis_lib.warehouse import connect; connect(sys.argv[1]).close(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code, str(complete_journey.path)], capture_output=True, text=True)
    assert {"duckdb"} <= set(loaded.stdout.split())
    assert {"ibis", "pandas", "pyarrow"}.isdisjoint(loaded.stdout.split())


def test_importing_and_connecting_needs_neither_pandas_nor_ibis(small_warehouse):
    code = (
        "import sys; from analysis_lib import warehouse; warehouse.connect(sys.argv[1]).close();"
        "print([m for m in ('pandas', 'ibis', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(small_warehouse())], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
