"""Built day by day as the data change, or all at once: the same."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis_lib import pipelines
from analysis_lib.pipelines import planning

#: What happens to a warehouse: late rows, corrections, deletions. ``{n}`` is a small number drawn by the test.
CHANGES = (
    "INSERT INTO order_updates SELECT order_id, ordered_at + INTERVAL 20 DAY, 'refunded', {n}, ordered_at + INTERVAL 21"
    " DAY FROM orders WHERE hash(order_id) % 9 = {n}",
    "INSERT INTO order_updates VALUES ('nowhere', TIMESTAMP '2024-03-08', 'cancelled', NULL, TIMESTAMP '2024-03-08')",
    "DELETE FROM order_updates WHERE hash(order_id) % 7 = {n}",
    "UPDATE orders SET price_local = price_local + {n} WHERE hash(order_id) % 11 = {n}",
    "DELETE FROM orders WHERE hash(order_id) % 13 = {n}",
    "INSERT INTO orders SELECT * REPLACE ('late' || order_id AS order_id) FROM orders WHERE hash(order_id) % 10 = {n}",
    "INSERT INTO orders SELECT * REPLACE (ordered_at + INTERVAL 30 HOUR AS ordered_at) FROM orders"
    " WHERE hash(order_id) % 17 = {n}",
    'INSERT INTO events SELECT * REPLACE (event_id || \'x\' AS event_id, "at" + INTERVAL 7 MINUTE AS "at") FROM events'
    " WHERE hash(event_id) % 19 = {n}",
    "DELETE FROM events WHERE \"at\"::DATE = DATE '2024-03-06' + {n}::INT",
    "UPDATE events SET country = 'US' WHERE hash(event_id) % 23 = {n}",
    "UPDATE events SET user_id = NULL WHERE user_id = 'u0{n}'",
    "UPDATE users SET country = 'SG' WHERE user_id = 'u0{n}'",
    "UPDATE users SET signed_up_at = TIMESTAMP '2024-03-12' WHERE user_id = 'u0{n}'",
    "UPDATE fx_rates SET usd_per_unit = usd_per_unit * 1.5 WHERE day = DATE '2024-03-06' + {n}::INT",
    "DELETE FROM fx_rates WHERE day = DATE '2024-03-06' + {n}::INT",
    "DELETE FROM fx_rates WHERE currency = 'SGD' AND day < DATE '2024-03-06' + {n}::INT",
    "UPDATE products SET category = 'JAM' WHERE product_id = 'p{n}'",
    "UPDATE merchants SET home_country = 'SG' WHERE merchant_id = 'm{n}'",
    "UPDATE creators SET country = 'SG' WHERE creator_id = 'c{n}'",
    "UPDATE contents SET kind = 'video', started_at = started_at + INTERVAL 1 DAY WHERE content_id = 'v{n}'",
    "UPDATE countries SET timezone = 'Asia/Tokyo' WHERE country = 'SG' AND {n} > 4",
    "UPDATE campaigns SET ends_on = ends_on + {n}::INT WHERE country = 'GB'",
    "UPDATE campaigns SET starts_on = starts_on - {n}::INT WHERE country = 'SG'",
    "INSERT INTO campaign_targets (user_id, campaign_id, is_holdout) SELECT DISTINCT 'u2{n}', 'a', true FROM users"
    " WHERE {n} < 5 AND NOT EXISTS (SELECT 1 FROM campaign_targets WHERE user_id = 'u2{n}')",
    "UPDATE coupons SET campaign_id = 'a'",
    "DELETE FROM coupon_events WHERE hash(user_id) % 5 = {n}",
    "UPDATE experiments SET starts_at = starts_at + INTERVAL {n} DAY, planned_share = 0.4",
    "UPDATE exposures SET variant = 'control' WHERE hash(unit_id) % 6 = {n}",
    "DELETE FROM exposures WHERE hash(unit_id) % 8 = {n}",
)


@pytest.fixture
def rewind(shop, draw_tables):
    """``rewind()`` puts source and store back to how they were after a first build."""
    shop.tables = draw_tables(1)
    shop.build()
    kept = shop.root / "kept"
    kept.mkdir()
    places = {kept / path.name: path for path in (shop.path, shop.store)}

    def back() -> None:
        for copy, path in places.items():
            shutil.copy2(copy, path)

    for copy, path in places.items():
        shutil.copy2(path, copy)
    return back


def _against_full(shop, same_marts, tmp):
    """What a build from nothing makes of the same file."""
    other = type(shop).__new__(type(shop))
    other.__dict__.update(shop.__dict__)
    shutil.rmtree(tmp, ignore_errors=True)
    (tmp / "data").mkdir(parents=True)
    shutil.copytree(shop.project.contract, tmp / "data" / "contract")
    other.project = type(shop.project)(tmp)
    other.build()
    same_marts(shop, other)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(1, 6)), min_size=1, max_size=5))
def test_whatever_changes_an_incremental_build_equals_a_full_one(shop, rewind, same_marts, tmp_path, changes):
    rewind()
    for change, n in changes:
        shop.change(change.format(n=n))
    shop.build()
    _against_full(shop, same_marts, tmp_path / "full")


@pytest.mark.parametrize("n", range(4))
def test_each_kind_of_change(shop, rewind, same_marts, tmp_path, monkeypatch, n):
    """All of them, a quarter at a time, in portions of a few days."""
    monkeypatch.setattr(planning, "BATCH_DAYS", 9)
    for change in CHANGES[n::4]:
        shop.change(change.format(n=2))
    shop.build()
    _against_full(shop, same_marts, tmp_path / "full")


def test_data_that_arrive_day_by_day(shop, draw_tables, same_marts, tmp_path):
    """Each evening the rows of the day are loaded, with the updates that arrived by then."""
    shop.tables = draw_tables(3)
    shop.write()
    clocks = {"orders": "ordered_at", "events": "at", "order_updates": "received_at"}
    shop.change(*(f"CREATE TABLE later_{table} AS FROM {table}" for table in clocks))
    for day in ("2024-03-08", "2024-03-12", "2024-04-30"):
        for table, clock in clocks.items():
            shop.change(f"CREATE OR REPLACE TABLE {table} AS FROM later_{table} WHERE \"{clock}\" < DATE '{day}'")
        shop.build()
    _against_full(shop, same_marts, tmp_path / "full")


def _counts(report):
    return {built.mart: (built.n_built, built.n_kept, built.n_removed) for built in report.marts}


def test_nothing_changed(shop, draw_tables):
    shop.tables = draw_tables(4)
    first = _counts(shop.build())
    assert all(built > 0 and kept == 0 for built, kept, _ in first.values())
    report = shop.build()
    assert {name: (0, built, 0) for name, (built, _, _) in first.items()} == _counts(report)
    assert "nothing had changed" in report.text


def test_a_touched_file_is_looked_at_and_left(shop, draw_tables):
    """The same rows in another order, in a file written anew."""
    shop.tables = draw_tables(4)
    first = _counts(shop.build())
    shop.tables = {name: frame.sample(frac=1.0, random_state=9) for name, frame in shop.tables.items()}
    shop.write()
    assert {name: (0, built, 0) for name, (built, _, _) in first.items()} == _counts(shop.build())


def test_one_late_refund_rebuilds_one_day(shop, draw_tables):
    shop.tables = draw_tables(4)
    shop.build()
    shop.change("INSERT INTO order_updates SELECT order_id, ordered_at + INTERVAL 30 DAY, 'cancelled', NULL, NULL"
                " FROM orders WHERE order_id = 'o001' LIMIT 1")  # fmt: skip
    counts = _counts(shop.build())
    assert counts["order_facts"][0] == counts["user_days"][0] == counts["merchant_days"][0] == 1
    assert counts["sessions"][0] == counts["funnel_steps"][0] == counts["release_adoption"][0] == 0


def test_a_new_rate_rebuilds_only_days_that_use_it(shop):
    shop.lines(*({"order_id": f"o{day}", "ordered_at": f"2024-03-{day} 12:00"} for day in (10, 11, 12)))
    shop.build()
    shop.change("UPDATE fx_rates SET usd_per_unit = 2 WHERE currency = 'GBP' AND day = DATE '2024-03-11'")
    assert _counts(shop.build())["order_facts"] == (1, 2, 0)


def test_days_that_vanish_are_removed(shop):
    shop.lines({}, {"order_id": "o2", "ordered_at": "2024-03-11 12:00"})
    shop.build()
    shop.change("DELETE FROM orders WHERE order_id = 'o1'")
    assert _counts(shop.build())["order_facts"] == (0, 1, 1)
    assert shop.mart("order_facts")["order_id"].tolist() == ["o2"]


def test_rows_that_swap_a_value_are_noticed(shop):
    """A sum of column hashes would not see that two orders exchanged their buyers."""
    shop.lines({}, {"order_id": "o2", "user_id": "u2"})
    shop.build()
    shop.change("UPDATE orders SET user_id = CASE user_id WHEN 'u1' THEN 'u2' ELSE 'u1' END")
    assert _counts(shop.build())["order_facts"][0] == 1
    assert shop.mart("order_facts")["user_id"].tolist() == ["u2", "u1"]


def test_full_builds_every_day(shop):
    shop.build()
    assert _counts(shop.build(full=True))["order_facts"] == (1, 0, 0)


def test_another_version_of_a_mart_is_built_anew(shop, monkeypatch):
    shop.build()
    shop.change("ALTER TABLE users ADD COLUMN note VARCHAR")
    monkeypatch.setattr(pipelines.declaration, "_version", lambda mart: "another")
    assert _counts(shop.build())["order_facts"] == (1, 0, 0)


def test_some_marts_bring_those_they_read(shop):
    report = shop.build(marts=["merchant_days"])
    assert [built.mart for built in report.marts] == ["order_facts", "merchant_days"]
    assert len(shop.mart("merchant_days")) == 1


def test_a_source_that_loses_its_events_loses_their_marts(shop):
    shop.events({})
    shop.build()
    assert shop.mart("user_days")["n_sessions"].tolist() == [1]
    shop.change("DROP TABLE events")
    report = shop.build()
    skipped = {built.mart: built.skipped for built in report.marts if built.skipped}
    assert skipped["sessions"] == "the source has no events"
    assert skipped["release_adoption"] == "sessions cannot be built"
    assert shop.mart("user_days")["n_sessions"].isna().all()
