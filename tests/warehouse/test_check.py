from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from analysis_lib.warehouse import check, connect
from analysis_lib.warehouse.rules import type_matches


def _check(path):
    with connect(path) as warehouse:
        return check(warehouse)


def _with(frame, row=0, **values):
    """The frame with values of one row changed; the original stays as it was."""
    changed = frame.copy()
    for column, value in values.items():
        changed[column] = changed[column].astype(object) if column in changed else None
        changed.loc[row, column] = value
    return changed


def test_a_clean_source_has_no_findings(small_warehouse):
    report = _check(small_warehouse())
    assert report.ok and report.findings == []
    rows = {row.table: row for row in report.rows}
    assert rows["orders"].n_rows == 3 and rows["orders"].present
    assert not rows["events"].present and rows["events"].findings == []
    assert "no rule is broken" in report.text


# table, changed values of its first row → column, rule, severity
FAULTS = [
    ("orders", {"user_id": None}, "user_id", "null", "error"),
    ("orders", {"status": "lost"}, "status", "allowed", "error"),
    ("orders", {"surface": "radio"}, "surface", "allowed", "warning"),
    ("orders", {"price_local": -1.0}, "price_local", "range", "error"),
    ("orders", {"price_local": float("inf")}, "price_local", "finite", "error"),
    ("orders", {"shipping_local": -1.0}, "shipping_local", "range", "warning"),
    ("orders", {"quantity": -2}, "quantity", "range", "error"),
    ("orders", {"currency": "EUR"}, "currency", "reference", "error"),
    ("users", {"country": "FR"}, "country", "reference", "error"),
    ("merchants", {"home_country": "usa"}, "home_country", "pattern", "error"),
    ("orders", {"user_id": "u9"}, "user_id", "reference", "error"),
    ("orders", {"product_id": "p9"}, "product_id", "reference", "error"),
    ("orders", {"coupon_id": "c9"}, "coupon_id", "reference", "warning"),
    ("orders", {"ordered_at": "1970-01-01"}, "ordered_at", "date", "error"),
    ("orders", {"ordered_at": "2199-01-01"}, "ordered_at", "date", "error"),
    ("campaigns", {"ends_on": "2024-02-19"}, "ends_on", "order", "error"),
    ("campaigns", {"targeting": "some"}, "targeting", "allowed", "warning"),
    ("campaigns", {"holdout_share": 10.0}, "holdout_share", "range", "warning"),
    ("campaigns", {"starts_on": None}, "starts_on", "null", "error"),
    ("campaign_targets", {"is_holdout": None}, "is_holdout", "null", "error"),
    ("fx_rates", {"usd_per_unit": 0.0}, "usd_per_unit", "range", "error"),
    ("fx_rates", {"day": None}, "day", "null", "error"),
    ("coupon_events", {"kind": "burned"}, "kind", "allowed", "error"),
    ("users", {"signed_up_at": "1989-12-31"}, "signed_up_at", "date", "error"),
]


@pytest.mark.parametrize(("table", "values", "column", "rule", "severity"), FAULTS)
def test_one_planted_fault_is_the_only_finding(small_warehouse, small_tables, table, values, column, rule, severity):
    report = _check(small_warehouse(**{table: _with(small_tables[table], **values)}))
    (finding,) = report.findings
    assert (finding.table, finding.column, finding.rule) == (table, column, rule)
    assert (finding.severity, finding.count) == (severity, 1)
    assert column in finding.example
    assert report.ok is (severity == "warning")


def test_plans_may_lie_in_the_future_and_an_open_end_is_no_fault(small_warehouse, small_tables):
    planned = _with(small_tables["campaigns"], starts_on="2190-01-01", ends_on="2190-02-01")
    assert _check(small_warehouse(campaigns=planned)).findings == []


@pytest.mark.parametrize("times", [1, 4])
def test_duplicate_keys_are_counted_as_surplus_rows(small_warehouse, small_tables, times):
    orders = small_tables["orders"]
    doubled = pd.concat([orders, *[orders.head(1)] * times])
    (finding,) = _check(small_warehouse(orders=doubled)).findings
    assert (finding.rule, finding.column, finding.count) == ("key", "order_id, product_id", times)
    assert finding.example == {"order_id": "o1", "product_id": "p1", "times": times + 1}


def test_a_null_in_the_key_is_one_finding_not_two(small_warehouse, small_tables):
    orders = pd.concat([small_tables["orders"], _with(small_tables["orders"].head(2), order_id=None)[:1]] * 1)
    (finding,) = _check(small_warehouse(orders=orders)).findings
    assert (finding.column, finding.rule, finding.count) == ("order_id", "null", 1)


def test_orphans_are_found_although_the_parent_holds_a_null(small_warehouse, small_tables):
    parents = pd.concat([small_tables["products"], small_tables["products"].head(1).assign(product_id=None)])
    orders = _with(small_tables["orders"], product_id="p9")
    rules = {(f.table, f.rule): f.count for f in _check(small_warehouse(products=parents, orders=orders)).findings}
    assert rules == {("products", "null"): 1, ("orders", "reference"): 1}


def test_references_into_an_absent_table_are_not_faults(small_warehouse):
    assert _check(small_warehouse(merchants=None, coupon_events=None, coupon_products=None, coupons=None)).ok


def test_a_missing_required_column_names_the_nearest(small_warehouse, small_tables):
    renamed = small_tables["orders"].rename(columns={"price_local": "price_locl"})
    (finding,) = _check(small_warehouse(orders=renamed)).findings
    assert (finding.column, finding.rule, finding.severity) == ("price_local", "missing", "error")
    assert "the source has 'price_locl'" in finding.message


def test_a_missing_key_column_leaves_the_other_rules_working(small_warehouse, small_tables):
    orders = _with(small_tables["orders"], status="lost").drop(columns="product_id")
    found = {(f.column, f.rule) for f in _check(small_warehouse(orders=orders)).findings}
    assert found == {("product_id", "missing"), ("status", "allowed")}


def test_a_missing_required_table_names_the_nearest(small_warehouse):
    path = small_warehouse(users=None)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE user_s (user_id VARCHAR)")
    (finding,) = _check(path).findings
    assert (finding.table, finding.rule, finding.severity) == ("users", "missing", "error")
    assert "'user_s'" in finding.message


def test_a_required_table_without_rows(small_warehouse, small_tables):
    report = _check(small_warehouse(orders=small_tables["orders"].head(0)))
    assert [(f.table, f.rule) for f in report.findings] == [("orders", "empty")]


@pytest.mark.parametrize(
    ("column", "values", "engine_type"),
    [("ordered_at", ["2024-03-01"] * 3, "VARCHAR"), ("quantity", [1.5, 1.0, 1.0], "DOUBLE")],
)
def test_a_wrong_type(small_warehouse, small_tables, column, values, engine_type):
    orders = small_tables["orders"].assign(**{column: values})
    path = small_warehouse()
    with duckdb.connect(str(path)) as connection:
        connection.register("given", orders)
        connection.execute(f"ALTER TABLE orders ALTER {column} TYPE {engine_type}")
    (finding,) = _check(path).findings
    assert (finding.column, finding.rule, finding.severity, finding.count) == (column, "type", "error", 3)
    assert engine_type in finding.message


@pytest.mark.parametrize(
    ("declared", "engine_type", "fits"),
    [
        ("string", "VARCHAR", True), ("string", "ENUM('a', 'b')", True), ("string", "BIGINT", False),
        ("integer", "UTINYINT", True), ("integer", "HUGEINT", True), ("integer", "DOUBLE", False),
        ("number", "DECIMAL(18,3)", True), ("number", "INTEGER", True), ("number", "VARCHAR", False),
        ("timestamp", "TIMESTAMP_NS", True), ("timestamp", "TIMESTAMP WITH TIME ZONE", True),
        ("timestamp", "DATE", False), ("date", "TIMESTAMP", False), ("boolean", "INTEGER", False),
        ("json", "STRUCT(a INTEGER)[]", True), ("json", "VARCHAR", True), ("array", "VARCHAR[]", True),
        ("number", "INTERVAL", False), ("number", "DOUBLE[]", False),
    ],
)  # fmt: skip
def test_types(declared, engine_type, fits):
    assert type_matches(declared, engine_type) is fits


def test_a_currency_in_small_letters_breaks_two_rules(small_warehouse, small_tables):
    report = _check(small_warehouse(orders=_with(small_tables["orders"], currency="usd")))
    assert {(f.column, f.rule) for f in report.findings} == {("currency", "pattern"), ("currency", "reference")}


def test_several_faults_are_all_counted(small_warehouse, small_tables):
    orders = small_tables["orders"].assign(price_local=[-1.0, -2.0, 3.0], status=["lost"] * 3)
    report = _check(small_warehouse(orders=orders))
    assert {(f.rule, f.count) for f in report.findings} == {("range", 2), ("allowed", 3)}
    frame = report.to_frame()
    assert set(frame.loc[frame["table"] == "orders", "n_broken"]) == {2, 3}
    assert set(frame.loc[frame["table"] == "events", "severity"]) == {"absent"}
    assert set(frame.loc[frame["table"] == "users", "severity"]) == {"ok"}
    assert "2 errors, 0 warnings" in report.text


def test_a_folder_of_parquet_files_is_checked_alike(tmp_path, small_warehouse, small_tables):
    with connect(small_warehouse(orders=_with(small_tables["orders"], status="lost"))) as warehouse:
        for table in warehouse.tables():
            warehouse.connection.execute(f"COPY {table} TO '{tmp_path / table}.parquet'")
    (finding,) = _check(tmp_path).findings
    assert (finding.rule, finding.count) == ("allowed", 1)
