"""Warehouses that tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import hypothesis
import pandas as pd
import pytest

from analysis_lib import metrics, warehouse
from analysis_lib.errors import ShopbookError

#: Folders whose tests share what is slow to make, or the lock of this checkout: one worker runs all of a group.
_TOGETHER = {"site": "checkout", "cli": "checkout", "notebooks": "checkout", "world": "world"}

# On a machine with two workers a slow example says nothing about the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers (``-n 2``) a file stays in one worker, and so does a folder of ``_TOGETHER``."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return _TOGETHER.get(Path(file).parent.name, file)

    return Together(config, log)


_ENGINE_TYPES = {
    "string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP", "json": "JSON",
}  # fmt: skip


@pytest.fixture(scope="session")
def complete_journey():
    """The real source, read only; built when it is not there or another version made it."""
    yield from _built("complete_journey")


@pytest.fixture(scope="session")
def cdnow():
    """The shop with one year's newcomers, read only; built when it is not there or another version made it."""
    yield from _built("cdnow")


def _built(name: str):
    if not warehouse.is_current(name):
        warehouse.build(name)
    with warehouse.connect(name) as opened:
        yield opened


@pytest.fixture(scope="session")
def world():
    """The simulated marketplace with its marts."""
    with warehouse.connect("world") as opened:
        try:
            metrics.query(opened, "gmv", start="2026-01-01", end="2026-01-01")
        except ShopbookError as error:
            pytest.skip(f"the marts of 'world' are not there: {error}")
        yield opened


def _write(folder: Path, tables: dict[str, pd.DataFrame], *, name: str = "small", cast: bool = True) -> Path:
    """A DuckDB file with exactly these tables; columns get the contract's types unless ``cast`` is False."""
    path, contract = Path(folder) / f"{name}.duckdb", warehouse.load_contract()
    with duckdb.connect(str(path)) as connection:
        for table, frame in tables.items():
            declared = {column.name: _ENGINE_TYPES[column.type] for column in contract[table].columns} if cast else {}
            columns = (f'"{c}"::{declared[c]} AS "{c}"' if c in declared else f'"{c}"' for c in frame.columns)
            connection.register("given", frame)
            connection.execute(f'CREATE OR REPLACE TABLE "{table}" AS SELECT {", ".join(columns)} FROM given')
    return path


@pytest.fixture(scope="session")
def make_warehouse():
    """``make_warehouse(tmp_path, {table: frame}) -> Path``: a DuckDB file with exactly these tables."""
    return _write


@pytest.fixture
def small_tables() -> dict[str, pd.DataFrame]:
    """Frames of a clean little source: 2 users, 2 products, 3 order lines, 1 campaign with a coupon."""
    line = {
        "ordered_at": "2024-03-01 10:00", "user_id": "u1", "merchant_id": "m1", "product_id": "p1", "country": "US",
        "quantity": 2, "price_local": 5.0, "currency": "USD", "discount_local": 1.0, "coupon_id": None,
        "platform_subsidy_local": 0.0, "shipping_local": 0.0, "status": "paid",
    }  # fmt: skip
    lines = [
        {"order_id": "o1", **line},
        {"order_id": "o1", **line, "product_id": "p2", "coupon_id": "c1", "platform_subsidy_local": 2.0},
        {"order_id": "o2", **line, "user_id": "u2", "ordered_at": "2024-03-05 10:00"},
    ]
    records = {
        "countries": [{"country": "US", "name": "United States", "currency": "USD", "timezone": "America/New_York"}],
        "users": [{"user_id": u, "country": "US", "signed_up_at": "2024-01-01"} for u in ("u1", "u2")],
        "merchants": [{"merchant_id": "m1", "home_country": "US", "is_cross_border": False}],
        "products": [{"product_id": p, "merchant_id": "m1", "category": "TEA"} for p in ("p1", "p2")],
        "orders": lines,
        "fx_rates": [{"currency": "USD", "day": "2024-03-01", "usd_per_unit": 1.0}],
        "campaigns": [
            {"campaign_id": "1", "name": "Spring", "country": "US", "starts_on": "2024-02-20", "ends_on": "2024-03-10",
             "targeting": "segment"},
        ],
        "campaign_targets": [{"campaign_id": "1", "user_id": "u1", "is_holdout": False}],
        "coupons": [{"coupon_id": "c1", "campaign_id": "1", "terms": "2 off"}],
        "coupon_products": [{"coupon_id": "c1", "product_id": p} for p in ("p1", "p2")],
        "coupon_events": [{"coupon_id": "c1", "user_id": "u1", "at": "2024-03-01 10:00", "kind": "redemption"}],
    }  # fmt: skip
    return {table: pd.DataFrame(rows) for table, rows in records.items()}


@pytest.fixture
def small_warehouse(tmp_path, small_tables):
    """``small_warehouse(orders=frame) -> Path``: the clean little source; tables replaced, or left out with None."""

    def make(*, cast: bool = True, **tables: pd.DataFrame | None) -> Path:
        chosen = {name: frame for name, frame in {**small_tables, **tables}.items() if frame is not None}
        return _write(tmp_path, chosen, cast=cast)

    return make
