"""Empty contract tables for the world to be written into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.warehouse import load_contract

if TYPE_CHECKING:
    import duckdb

#: Contract tables the world fills; the others are about shops with walls.
TABLES = (
    "countries", "country_factors", "fx_rates", "users", "merchants", "creators", "products", "contents", "campaigns",
    "campaign_products", "campaign_targets", "coupons", "coupon_products", "coupon_events", "experiments", "exposures",
    "app_releases", "launches", "events", "orders", "order_updates",
)  # fmt: skip

#: Contract columns the world leaves out: facts about households that a marketplace does not know.
LEFT_OUT = {
    "users": {"age_band", "income_band", "household_size", "home_ownership", "marital_status", "kids"},
    "orders": {"store_id"},
    "products": {"department", "brand", "name"},
}

_TYPES = {
    "string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP", "json": "JSON",
}  # fmt: skip


def columns(table: str) -> list[str]:
    """Columns of a table as the world fills them, in the order of the contract."""
    return [item.name for item in load_contract()[table].columns if item.name not in LEFT_OUT.get(table, ())]


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table of ``TABLES``, empty."""
    contract = load_contract()
    for table in TABLES:
        declared = ", ".join(f'"{name}" {_TYPES[contract[table].column(name).type]}' for name in columns(table))
        connection.execute(f"CREATE TABLE {table} ({declared})")
