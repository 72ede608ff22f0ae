"""The mapping of CDNOW, against the file of the package and what is in print about it.

Published: Fader and Hardie (2001), Interfaces 31(3), the cohort; Fader, Hardie and Lee (2005), "Counting your customers
the easy way", Marketing Science 24(2), how many of one in ten customers came back how often within 39 weeks.
"""

from __future__ import annotations

import importlib.metadata
import sys

import duckdb
import pytest

from analysis_lib import metrics
from analysis_lib.errors import BuildFailed
from analysis_lib.warehouse import cdnow as shipped
from analysis_lib.warehouse import check, find_source

#: Sums of seventy thousand doubles: half a cent is far above their rounding, far below a purchase.
CENT = 0.005

#: Customers by days on which they came back until the end of September 1997; the last is seven or more.
CAME_BACK = [1411, 439, 214, 100, 62, 38, 29, 64]

LOCAL_DAY = "((ordered_at AT TIME ZONE 'UTC') AT TIME ZONE (SELECT timezone FROM countries))::DATE"


def folder():
    return importlib.metadata.distribution(shipped.PACKAGE).locate_file(shipped.FILE).parent


@pytest.fixture(scope="module")
def raw():
    """Rows of the file: customer, day, CDs, dollars."""
    lines = (folder() / "CDNOW_master.txt").read_text().splitlines()[1:]
    return [(who, day, int(cds), float(dollars)) for who, day, cds, dollars in (line.split() for line in lines)]


@pytest.fixture
def built(cdnow):
    return lambda sql: cdnow.connection.execute(sql).fetchall()[0]


def test_money_customers_and_units_reconcile(raw, built):
    found = built("SELECT count(*), count(DISTINCT user_id), sum(quantity), sum(quantity * price_local) FROM orders")
    assert found[:2] == (len(raw), len({row[0] for row in raw})) == (69_659, 23_570)
    assert found[2] == sum(row[2] for row in raw) == 167_881
    assert found[3] == pytest.approx(sum(row[3] for row in raw), abs=CENT) == pytest.approx(2_500_315.63, abs=CENT)


def test_every_line_reconciles(raw, cdnow):
    sql = f"SELECT user_id, strftime({LOCAL_DAY}, '%Y%m%d'), quantity, quantity * price_local FROM orders"
    theirs = [("cd" + who, day, cds, pytest.approx(dollars, abs=1e-9)) for who, day, cds, dollars in raw]
    assert cdnow.connection.execute(f"{sql} ORDER BY order_id").fetchall() == theirs


@pytest.mark.parametrize(("table", "rows"), [
    ("orders", 69_659), ("users", 23_570), ("products", 1), ("merchants", 1), ("countries", 1), ("fx_rates", 609),
])  # fmt: skip
def test_rows(built, table, rows):
    assert built(f"SELECT count(*) FROM {table}") == (rows,)


def test_the_source_keeps_the_contract(cdnow):
    assert check(cdnow).findings == []


def test_an_order_is_one_line(built):
    assert built("SELECT count(DISTINCT order_id) FROM orders") == (69_659,)


def test_all_came_in_the_first_quarter(built):
    first, last, known = built(
        f"SELECT min(day)::VARCHAR, max(day)::VARCHAR, count(*) FROM (SELECT min({LOCAL_DAY}) AS day FROM orders"
        " GROUP BY user_id)"
    )
    assert (first, last, known) == ("1997-01-01", "1997-03-25", 23_570)
    seen = "SELECT user_id, min(ordered_at) AS first_at FROM orders GROUP BY user_id"
    assert built(f"SELECT count(*) FROM users JOIN ({seen}) USING (user_id) WHERE signed_up_at <> first_at") == (0,)


def test_one_in_ten_came_back_as_often_as_in_print(cdnow):
    """The package also has the systematic sample of one customer in ten; its first column is the customer here."""
    sample = {line.split()[0] for line in (folder() / "CDNOW_sample.txt").read_text().splitlines()[1:]}
    assert len(sample) == 2_357
    days = dict(cdnow.connection.execute(
        f"SELECT user_id, count(DISTINCT {LOCAL_DAY}) - 1 FROM orders WHERE {LOCAL_DAY} <= DATE '1997-09-30' GROUP BY 1"
    ).fetchall())  # fmt: skip
    back = [min(days["cd" + who], 7) for who in sample]
    assert [back.count(times) for times in range(8)] == CAME_BACK


def test_metrics_read_days_as_the_file_has_them(cdnow, raw):
    """Clock changes of the time would move days that begin at midnight."""
    found = metrics.query(cdnow, ["gmv", "orders"], grain="month").to_frame()
    assert len(found) == 18
    for month, gmv, orders in zip(found["period_start"], found["gmv"], found["orders"], strict=True):
        own = [row[3] for row in raw if row[1].startswith(f"{month:%Y%m}")]
        assert (gmv, orders) == (pytest.approx(sum(own), abs=CENT), len(own))


def test_ids_look_as_the_publish_gate_expects(cdnow, built):
    pattern = cdnow.source.user_id_pattern.replace(r"\b", "")
    assert built(f"SELECT count(*) FROM users WHERE NOT regexp_full_match(user_id, '{pattern}')") == (0,)


def test_what_the_file_holds_is_told(cdnow):
    assert cdnow.build_info["stats"] == {
        "purchases": 69_659, "customers": 23_570, "cds": 167_881, "dollars": 2_500_315.63,
        "purchases_of_no_dollars": 80, "purchases_on_a_day_with_an_earlier_one": 2_068,
        "purchases_alike_in_everything": 255,
    }  # fmt: skip


def test_purchases_of_no_dollars_are_kept_and_the_caveat_says_so(built):
    assert built("SELECT count(*), sum(quantity) FROM orders WHERE price_local = 0") == (80, 80)
    assert "80 purchases of no dollars are kept" in " ".join(find_source("cdnow").caveat.split())


def test_the_package_itself_is_not_imported():
    with duckdb.connect() as connection:
        shipped.fill(connection, lambda _: None)
    assert "lifetimes" not in sys.modules


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(shipped, "PACKAGE", "lifetimes-of-nobody")
    with pytest.raises(BuildFailed, match=r"requirements-data\.txt"):
        shipped.package_version()
