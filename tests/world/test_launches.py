"""A launch reaches its markets from the day it is announced on, as strongly as is set, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from analysis_lib import world
from analysis_lib.world.schema import TABLES

SCALE, SEED = 0.02, 3
LAUNCH = "launch:free_returns"
LIVE_ON, ANNOUNCED = world.load_settings().launches["free_returns"].live_on, timedelta(days=14)

#: A launch so strong that a small world shows it: every cart is checked out once it is full.
STRONG = {
    "launches": {
        "one_tap_checkout": None,
        "free_returns": {
            "effect": {"cart": 0.0, "returned": 0.0, "checkout": 0.25}, "by_country": {"MY": {"checkout": 0.0}},
            "waiting": {"cart": 0.0, "checkout": -0.5},
            "grows": 0,
        },
    }
}  # fmt: skip


def built(folder: Path, **options) -> Path:
    return world.build(folder / "w.duckdb", scale=SCALE, seed=SEED, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return built(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> Path:
    return built(tmp_path_factory.mktemp("without"), without=[LAUNCH])


@pytest.fixture(scope="module")
def strong(tmp_path_factory) -> Path:
    return built(tmp_path_factory.mktemp("strong"), settings=STRONG)


def both(whole: Path, without: Path, sql: str) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in (("a", whole), ("b", without)):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        return connection.execute(sql).fetchall()


def local_day(column: str) -> str:
    return f"(({column} AT TIME ZONE 'UTC') AT TIME ZONE timezone)::DATE"


def test_the_plan_is_a_table(whole, without):
    rows = both(whole, without, "FROM a.launches WHERE launch_id = 'free_returns' ORDER BY live_on, country")
    assert [(row[2], row[4]) for row in rows] == sorted(LIVE_ON.items(), key=lambda item: (item[1], item[0]))
    assert all(row[4] - row[3] == ANNOUNCED and row[5] == "cart_rate" for row in rows)
    untold = both(whole, without, "SELECT DISTINCT announced_on FROM a.launches WHERE launch_id = 'one_tap_checkout'")
    assert untold == [(None,)]
    assert both(whole, without, "SELECT DISTINCT launch_id FROM b.launches") == [("one_tap_checkout",)]


@pytest.mark.parametrize("table", [name for name in TABLES if name != "launches"])
def test_nothing_outside_its_markets_and_days_differs(whole, without, table):
    """Orders, their updates and events differ, in markets of the launch and from the announcement on only."""
    different = f"(FROM a.{table} EXCEPT ALL FROM b.{table}) UNION ALL (FROM b.{table} EXCEPT ALL FROM a.{table})"
    since = " ".join(f"WHEN '{country}' THEN DATE '{day - ANNOUNCED}'" for country, day in LIVE_ON.items())
    reached = {
        "events": f'CASE country {since} END <= "at" + INTERVAL 1 DAY',
        "orders": f"CASE country {since} END <= ordered_at + INTERVAL 1 DAY",
        "order_updates": f"\"at\" >= DATE '{min(LIVE_ON.values()) - ANNOUNCED}' - INTERVAL 1 DAY",
        "coupon_events": f"\"at\" >= DATE '{min(LIVE_ON.values()) - ANNOUNCED}' - INTERVAL 1 DAY",
        # Experiments that begin at the cart meet those who put something into it.
        "exposures": f"exposed_at >= DATE '{min(LIVE_ON.values()) - ANNOUNCED}' - INTERVAL 1 DAY",
    }
    total, outside = both(
        whole, without,
        f"SELECT count(*), count(*) FILTER (NOT coalesce({reached.get(table, 'false')}, false)) FROM ({different})",
    )[0]  # fmt: skip
    assert outside == 0
    assert total == 0 or table in reached
    assert total > 0 or table not in ("events", "orders", "order_updates")


def test_the_truth_is_the_difference_of_the_files(whole, without):
    told = world.truth(whole, plants=[LAUNCH])
    counted = f"""SELECT coalesce(sum((quantity * price_local - discount_local) * usd_per_unit), 0),
            count(DISTINCT order_id)
        FROM (SELECT o.*, {local_day("ordered_at")} AS local_day FROM {{}}.orders AS o JOIN a.countries
            USING (country, currency)) JOIN a.fx_rates AS f USING (currency)
        WHERE f.day = local_day AND country = '{{}}' AND local_day BETWEEN '{{}}' AND '{{}}'"""
    compared = 0
    for row in told[told["metric"].isin(["gmv", "orders"]) & told["country"].isin(["TH", "US", "SG"])].itertuples():
        (with_it,), (before,) = (
            both(whole, without, counted.format(name, row.country, row.starts_on, row.ends_on)) for name in "ab"
        )
        place = ("gmv", "orders").index(row.metric)
        assert row.value == pytest.approx(float(with_it[place]) - float(before[place]), abs=0.01)
        compared += row.value != 0
    assert compared > 10


def test_segments_follow_each_other(whole):
    told = world.truth(whole, plants=[LAUNCH])
    own = told[(told["country"] == "TH") & (told["metric"] == "orders")].set_index("segment")
    assert list(own.index[1:]) == ["announced", "weeks 1-2", "weeks 3-4", "weeks 5-6", "weeks 7-"]
    assert own.loc["announced", "ends_on"] == LIVE_ON["TH"] - timedelta(days=1)
    assert own.loc["weeks 3-4", "starts_on"] == LIVE_ON["TH"] + timedelta(days=14)
    assert own.loc["weeks 7-", "ends_on"] == date(2026, 10, 31)
    live = own.iloc[0]
    assert live["value"] == own.loc["weeks 1-2":, "value"].sum()
    assert set(told["country"]) == set(LIVE_ON)


def test_its_size_is_what_is_set(strong):
    """A chance of 0.76 rises by a quarter, or halves while people wait; one market is told apart; others stay."""
    told = world.truth(strong, plants=[LAUNCH])
    rate = told[told["metric"] == "checkout_rate"].set_index(["country", "segment"])["value"]
    for segment, size in (("announced", -0.5), ("weeks 7-", 0.25)):
        found = [rate[country, segment] for country in ("TH", "US", "PH", "SA", "SG")]
        assert sum(found) / len(found) == pytest.approx(size, abs=0.06)
    assert rate["MY", "weeks 7-"] == 0
    assert (told[told["metric"] == "cart_rate"]["value"] == 0).all()


def test_it_grows(tmp_path):
    """Half of its growing days on, it is half of itself."""
    crashing = {"by_country": None, "grows": 42, "effect": {"crash": 20.0}}
    launches = {"free_returns": None, "one_tap_checkout": crashing}
    path = built(tmp_path, settings={"launches": launches, "releases": None, "experiments": None})
    crashes = f"""SELECT least(6, (day - live_on) // 7),
            count(*) FILTER (what = 'crash') / count(*) FILTER (what = 'app_start')
        FROM (SELECT country, {local_day('"at"')} AS day, e.name AS what
              FROM events AS e JOIN countries USING (country))
        JOIN launches USING (country) WHERE day >= live_on GROUP BY 1"""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        by_week = dict(connection.execute(crashes).fetchall())
    full = by_week[6]
    assert full == pytest.approx(0.006 * 21, rel=0.1)
    assert [by_week[week] / full for week in (0, 2, 5)] == pytest.approx([0.15, 0.45, 0.93], abs=0.15)
