"""A world is a function of its arguments, whole or not there; its twin differs only where a plant is at work."""

from __future__ import annotations

import pytest

from analysis_lib import warehouse, world
from analysis_lib.errors import BuildFailed, InvalidValue, SourceError, UnknownName
from analysis_lib.world.builder import read_recipe
from analysis_lib.world.schema import TABLES

#: Rows that a plant of the bare world may reach, by table. ``ios_33`` is on phones until ``ios_34`` has replaced it, 42
#: days after its release; experiments end on 10 and 24 May.
IN_MAY = "BETWEEN '2026-04-12' AND '2026-05-26'"
ON_IOS = "BETWEEN '2026-03-22' AND '2026-09-22'"
IOS_USER = "user_id IN (SELECT user_id FROM a.users WHERE platform = 'ios')"
IN_SALE = "country = 'US' AND {at} BETWEEN '2025-08-03' AND '2025-09-16'"
BOUGHT = f"({IN_SALE} OR {{at}} {IN_MAY} OR {{at}} {ON_IOS} AND {IOS_USER})"
REACHED = {
    "events": f"{BOUGHT} OR country = 'MX' AND user_id IS NULL".format(at='"at"'),
    "orders": BOUGHT.format(at="ordered_at"),
    "order_updates": "order_id IN (SELECT order_id FROM (FROM a.orders UNION ALL FROM b.orders) WHERE "
    + BOUGHT.format(at="ordered_at")
    + ")",
    "exposures": f"experiment_id IN ('one_page_checkout', 'video_autoplay') OR exposed_at {ON_IOS}"
    f" AND unit_id IN (SELECT user_id FROM a.users WHERE platform = 'ios') OR exposed_at {IN_MAY}",
    "coupon_events": f'coupon_id = \'back_to_school_2025\' OR "at" {IN_MAY} OR "at" {ON_IOS} AND {IOS_USER}',
    "coupons": "campaign_id = 'back_to_school_2025'",
    "coupon_products": "coupon_id = 'back_to_school_2025'",
    "campaigns": "campaign_id = 'back_to_school_2025'",
    "campaign_products": "campaign_id = 'back_to_school_2025'",
    "campaign_targets": "campaign_id = 'back_to_school_2025'",
    "experiments": "experiment_id IN ('one_page_checkout', 'video_autoplay')",
    "app_releases": "platform = 'ios' AND version = '33.0'",
    "fx_rates": "currency = 'MYR' AND day BETWEEN '2026-04-21' AND '2026-04-22'",
}


def test_neither_threads_nor_memory_change_a_row_or_its_place(world_path, digest, tmp_path):
    made = read_recipe(world_path)
    other = world.build(tmp_path / "other.duckdb", seed=made.seed, scale=made.scale, threads=1, memory_limit="700MB")
    assert digest(other) == digest(world_path)


@pytest.mark.parametrize("table", TABLES)
def test_what_a_plant_does_not_reach_is_the_same_without_it(compare, table):
    different = f"(FROM a.{table} EXCEPT ALL FROM b.{table}) UNION ALL (FROM b.{table} EXCEPT ALL FROM a.{table})"
    reached = REACHED.get(table, "false")
    total, outside = compare(
        f"SELECT count(*), count(*) FILTER (NOT coalesce({reached}, false)) FROM (FROM ({different}))"
    )[0]
    assert outside == 0
    assert (total > 0) == (table in REACHED), "the plants left out leave their mark"


def test_a_world_keeps_the_contract(world_path):
    with warehouse.connect(str(world_path)) as opened:
        report = warehouse.check(opened)
    assert report.ok and report.findings == [], report.text
    assert {row.table for row in report.rows if row.present} == set(TABLES)


def test_a_world_says_what_it_is_made_of(world_path, bare_path):
    whole, bare = read_recipe(world_path), read_recipe(bare_path)
    assert whole.settings == world.load_settings() and whole.without == frozenset()
    assert "release:ios_33" in bare.without and "ios_33" not in bare.releases and "ios_33" in whole.releases
    assert (bare.seed, bare.scale, bare.settings) == (whole.seed, whole.scale, whole.settings)


def test_another_file_is_no_world(tmp_path):
    import duckdb

    duckdb.connect(str(tmp_path / "shop.duckdb")).close()
    with pytest.raises(SourceError, match="no world"):
        read_recipe(tmp_path / "shop.duckdb")
    with pytest.raises(SourceError):
        read_recipe(tmp_path / "missing.duckdb")


class Stop(Exception):
    pass


@pytest.mark.parametrize("words", ["people", "days 0 to"])
def test_a_build_that_is_stopped_leaves_everything_as_it_was(tmp_path, words):
    target = tmp_path / "world.duckdb"
    target.write_bytes(b"what was there before")

    def stop(text):
        if text.startswith(words):
            raise Stop

    with pytest.raises(Stop):
        world.build(target, scale=0.001, progress=stop)
    assert target.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [target]


def test_no_place_to_write_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildFailed):
        world.build(tmp_path / "file" / "world.duckdb", scale=0.001)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, None])
def test_seeds_are_whole_numbers_from_0(tmp_path, seed):
    with pytest.raises(InvalidValue, match="seed must be a whole number"):
        world.build(tmp_path / "w.duckdb", seed=seed, scale=0.001)


@pytest.mark.parametrize("scale", [0, -1, 0.0001, 1001, float("nan"), float("inf"), "1", True, None])
def test_scales_lie_in_their_range(tmp_path, scale):
    with pytest.raises(InvalidValue, match="scale must be between"):
        world.build(tmp_path / "w.duckdb", scale=scale)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("plant", "hint"),
    [
        ("campaign:nine_nine_2062", "campaign:nine_nine_2026"),
        ("nine_nine_2026", "campaign:nine_nine_2026"),
        ("incidents:strike_europe", "incident:strike_europe"),
        ("release:android_3", "release:android_3"),
    ],
)
def test_unknown_plants_name_the_nearest(tmp_path, plant, hint):
    with pytest.raises(UnknownName, match=hint):
        world.build(tmp_path / "w.duckdb", without=[plant])


def test_plants_come_as_a_list(tmp_path):
    with pytest.raises(InvalidValue, match="list of plants"):
        world.build(tmp_path / "w.duckdb", without="campaign:nine_nine_2026")
