"""A shop of three markets written out by hand, its marts, and the metrics file beside it."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis_lib import config, metrics, warehouse
from analysis_lib.errors import ShopbookError

_path = Path(__file__).parent.parent / "pipelines" / "conftest.py"
_spec = importlib.util.spec_from_file_location("pipelines_fixtures", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

shop, draw_tables = _module.shop, _module.draw_tables

#: Two markets, two surfaces, one order with two lines, one buyer twice, one refund.
LINES = (
    {"order_id": "o1", "product_id": "p1", "surface": "live", "creator_id": "c1"},
    {"order_id": "o1", "product_id": "p2", "surface": "video", "quantity": 1, "discount_local": 4.0},
    {"order_id": "o2", "ordered_at": "2024-03-11 12:00", "coupon_id": "k1", "platform_subsidy_local": 5.0},
    {"order_id": "o3", "ordered_at": "2024-03-12 12:00", "user_id": "u3", "country": "US", "currency": "USD"},
    {"order_id": "o4", "ordered_at": "2024-03-20 12:00", "user_id": "u2", "country": "SG", "currency": "SGD",
     "surface": "search", "merchant_id": "m2"},
)  # fmt: skip
UPDATES = (
    *({"order_id": f"o{i}", "at": f"2024-03-2{i} 12:00", "status": "delivered"} for i in (1, 2)),
    {"order_id": "o3", "at": "2024-03-12 13:00", "status": "cancelled"},
)
EVENTS = (
    {"at": "2024-03-10 12:00", "name": "impression", "value": 10.0},
    {"at": "2024-03-10 12:01"},
    {"at": "2024-03-10 12:02", "name": "add_to_cart"},
    {"at": "2024-03-10 12:03", "name": "payment_attempt", "value": 0.0},
    {"at": "2024-03-10 12:04", "name": "payment_attempt", "value": 1.0},
    {"at": "2024-03-11 12:00"},
    {"at": "2024-03-11 14:00", "name": "crash", "surface": None},
    {"at": "2024-03-15 12:00", "user_id": "u2", "country": "SG", "surface": "video"},
    {"at": "2024-03-20 12:00", "user_id": "u2", "country": "SG", "surface": "search"},
)


class Counter:
    """An open shop, asked through ``metrics.query``."""

    def __init__(self, shop) -> None:
        self.shop = shop
        self.warehouse = warehouse.connect(shop.path, project=shop.project)

    def result(self, names, **options) -> metrics.MetricResult:
        """The answer."""
        return metrics.query(self.warehouse, names, **options)

    def frame(self, names, **options) -> pd.DataFrame:
        """The answer as a frame."""
        return self.result(names, **options).to_frame()

    def value(self, name: str, **options) -> float:
        """One number."""
        frame = self.frame(name, **options)
        assert len(frame) == 1
        return frame[name].iloc[0]

    def refusal(self, names, **options) -> str:
        """What is said instead of an answer."""
        with pytest.raises(ShopbookError) as caught:
            metrics.query(self.warehouse, names, **options)
        return str(caught.value)


def _equip(shop):
    for name in ("metrics.yml", "calendar.yml"):
        shutil.copy(config.project().data / name, shop.project.data)
    return shop


@pytest.fixture
def equipped(shop):
    """``shop`` with the metrics and the calendar of the checkout; nothing is built yet."""
    return _equip(shop)


@pytest.fixture(scope="session")
def counter(tmp_path_factory, make_warehouse):
    """The shop of ``LINES``, built once: ask it, do not change it."""
    one = _equip(_module.Shop(tmp_path_factory.mktemp("counter"), make_warehouse))
    one.lines(*LINES).updates(*UPDATES).events(*EVENTS).build()
    return Counter(one)


@pytest.fixture
def counter_of():
    """``counter_of(shop)``: build what the shop holds, and ask it."""

    def make(shop) -> Counter:
        shop.build()
        return Counter(shop)

    return make


@pytest.fixture(scope="session")
def drawn(tmp_path_factory, make_warehouse):
    """A shop drawn at random, built once."""
    one = _equip(_module.Shop(tmp_path_factory.mktemp("drawn"), make_warehouse))
    one.tables = _module.random_tables(7, n_orders=300, n_events=2000, n_days=9)
    one.build()
    return Counter(one)


@pytest.fixture
def registry_of(tmp_path):
    """``registry_of(text)``: the metrics of a file that says this."""

    def make(text: str) -> metrics.Registry:
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "metrics.yml").write_text(text, encoding="utf-8")
        return metrics.load_metrics(config.Project(tmp_path))

    return make
