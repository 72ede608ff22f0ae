"""A little marketplace of three markets, written out by hand or drawn at random, and its marts."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis_lib import config, pipelines, warehouse

COUNTRIES = [
    {"country": "GB", "name": "United Kingdom", "currency": "GBP", "timezone": "Europe/London"},
    {"country": "SG", "name": "Singapore", "currency": "SGD", "timezone": "Asia/Singapore"},
    {"country": "US", "name": "United States", "currency": "USD", "timezone": "America/New_York"},
]
RATES = {"GBP": 1.25, "SGD": 0.75, "USD": 1.0}
LINE = {
    "order_id": "o1", "ordered_at": "2024-03-10 12:00", "user_id": "u1", "merchant_id": "m1", "product_id": "p1",
    "creator_id": None, "surface": "live", "country": "GB", "quantity": 2, "price_local": 10.0, "currency": "GBP",
    "discount_local": 0.0, "coupon_id": None, "platform_subsidy_local": 0.0, "shipping_local": 0.0,
    "payment_method": "card", "status": "paid",
}  # fmt: skip
EVENT = {
    "event_id": "e1", "at": "2024-03-10 12:00", "user_id": "u1", "session_id": "s1", "name": "product_view",
    "surface": "live", "content_id": None, "creator_id": None, "product_id": "p1", "country": "GB", "platform": "ios",
    "app_version": "1.0", "os_version": "ios 17", "value": None,
}  # fmt: skip
UPDATE = {"order_id": "o1", "at": "2024-03-10 12:05", "status": "paid", "amount_local": None}


class Shop:
    """A source file, the checkout it belongs to, and what the pipelines make of it."""

    def __init__(self, root: Path, write) -> None:
        self.root = root
        self._write = write
        self.project = config.Project(root)
        shutil.copytree(config.project().contract, self.project.contract)
        shutil.copy(config.project().data / "sources.yml", self.project.data)
        self.tables: dict[str, list[dict] | pd.DataFrame] = {
            "countries": [dict(row) for row in COUNTRIES],
            "fx_rates": [
                {"currency": code, "day": f"2024-03-{day:02d}", "usd_per_unit": rate}
                for code, rate in RATES.items() for day in range(1, 32)
            ],
            "users": [{"user_id": f"u{i}", "country": c, "signed_up_at": "2024-01-01", "platform": "ios"}
                      for i, c in enumerate(["GB", "GB", "SG", "US"])],
            "merchants": [{"merchant_id": "m1", "home_country": "GB", "is_cross_border": False},
                          {"merchant_id": "m2", "home_country": "CN", "is_cross_border": True}],
            "creators": [{"creator_id": "c1", "country": "GB"}],
            "products": [{"product_id": f"p{i}", "merchant_id": "m1", "category": "TEA"} for i in range(1, 4)],
            "orders": [dict(LINE)],
        }  # fmt: skip

    def lines(self, *changes: dict) -> Shop:
        """Order lines that differ from the usual one as said."""
        self.tables["orders"] = [{**LINE, **change} for change in changes]
        return self

    def updates(self, *changes: dict) -> Shop:
        """Order updates, likewise."""
        self.tables["order_updates"] = [{**UPDATE, **change} for change in changes]
        return self

    def events(self, *changes: dict) -> Shop:
        """Events, likewise; ids are given."""
        self.tables["events"] = [{**EVENT, "event_id": f"e{i}", **change} for i, change in enumerate(changes)]
        return self

    @property
    def path(self) -> Path:
        """The source file."""
        return self.root / "shop.duckdb"

    def write(self) -> Path:
        """The tables as a DuckDB file."""
        self.path.unlink(missing_ok=True)
        frames = {name: pd.DataFrame(rows) for name, rows in self.tables.items()}
        return self._write(self.root, frames, name="shop")

    def change(self, *statements: str) -> None:
        """SQL on the source file."""
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)

    def build(self, **options) -> pipelines.BuildReport:
        """Build the marts of the file that is there, or of the tables."""
        if not self.path.exists():
            self.write()
        return pipelines.build(self.path, project=self.project, **options)

    @contextmanager
    def opened(self):
        """The source as a warehouse."""
        with warehouse.connect(self.path, project=self.project) as wh:
            yield wh

    def mart(self, name: str, order: str | list[str] | None = None) -> pd.DataFrame:
        """A mart as a frame, sorted by its keys."""
        with self.opened() as wh:
            frame = wh.query(pipelines.mart(wh, name))
        return frame.sort_values(order or list(pipelines.MARTS[name].keys)).reset_index(drop=True)

    def made(self, name: str) -> pd.DataFrame:
        """Build, then the mart."""
        self.build()
        return self.mart(name)

    def findings(self) -> dict[tuple[str, str], tuple[str, int]]:
        """What the check finds: (mart, rule or flag) to (severity, rows)."""
        with self.opened() as wh:
            report = pipelines.check(wh)
        return {
            (item.table, item.column if item.rule == "flagged" else item.rule): (item.severity, item.count)
            for item in report.findings
        }

    @property
    def store(self) -> Path:
        """The file of the marts."""
        (path,) = (self.project.built / "marts").glob("*.duckdb")
        return path


@pytest.fixture
def shop(tmp_path, make_warehouse) -> Shop:
    """One order, no events: change what the test is about."""
    return Shop(tmp_path, make_warehouse)


@pytest.fixture
def second_shop(tmp_path_factory, make_warehouse) -> Shop:
    """Another one, to compare with."""
    return Shop(tmp_path_factory.mktemp("second"), make_warehouse)


def random_tables(seed: int, n_orders: int = 120, n_events: int = 900, n_days: int = 14) -> dict[str, pd.DataFrame]:
    """Every contract table that a mart reads, drawn at random around a change of clocks in two markets."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-03-05 03:17")
    countries = pd.DataFrame(COUNTRIES)
    users = pd.DataFrame({"user_id": [f"u{i:02d}" for i in range(25)]})
    users["country"] = rng.choice(["GB", "SG", "US"], len(users))
    users["signed_up_at"], users["platform"] = pd.Timestamp("2024-01-01"), "ios"

    def times(n: int) -> pd.DatetimeIndex:
        return start + pd.to_timedelta(rng.integers(0, n_days * 86_400, n), unit="s")

    def pick(values: list, n: int) -> pd.Series:
        return pd.Series(rng.choice(np.array(values, dtype=object), n), dtype=object)

    orders = pd.DataFrame({"order_id": [f"o{i:03d}" for i in range(n_orders)], "ordered_at": times(n_orders)})
    orders["user_id"] = pick(list(users["user_id"]), n_orders)
    orders = orders.merge(users[["user_id", "country"]]).merge(countries[["country", "currency"]])
    orders = pd.concat([orders, orders.sample(frac=0.3, random_state=seed)], ignore_index=True)
    n = len(orders)
    orders["product_id"] = [f"p{i % 7}" for i in range(n)]
    orders = orders.drop_duplicates(["order_id", "product_id"]).reset_index(drop=True)
    n = len(orders)
    orders["merchant_id"], orders["creator_id"] = pick(["m1", "m2"], n), pick(["c1", "c2", None], n)
    orders["surface"], orders["status"], orders["payment_method"] = "live", "created", "card"
    orders["quantity"] = rng.integers(1, 4, n)
    orders["price_local"] = rng.integers(100, 9_000, n) / 100
    orders["discount_local"] = rng.integers(0, 100, n) / 100
    orders["coupon_id"] = pick(["k1", "k2", None, None], n)
    orders["platform_subsidy_local"] = np.where(orders["coupon_id"].notna(), 0.5, 0.0)
    orders["commission_local"] = np.where(orders["creator_id"].notna(), 0.08 * orders["price_local"], 0.0)
    orders["shipping_local"], orders["received_at"] = 1.0, orders["ordered_at"] + pd.Timedelta("1min")

    events = pd.DataFrame({"event_id": [f"e{i:04d}" for i in range(n_events)], "at": times(n_events)})
    events["user_id"] = pick([*users["user_id"], None, None], n_events)
    events["session_id"] = pick(["s1", "s2", "s3"], n_events)
    events = events.merge(users[["user_id", "country"]], how="left")
    events["country"] = events["country"].fillna("SG")
    events["name"] = pick(
        ["app_start", "impression", "product_view", "add_to_cart", "checkout", "payment_attempt", "crash"], n_events
    )
    events["surface"] = pick(["live", "video", "search", None], n_events)
    events["content_id"], events["creator_id"] = pick(["v1", "v2", None], n_events), pick(["c1", "c2", None], n_events)
    events["product_id"], events["platform"] = "p1", pick(["ios", "android"], n_events)
    events["app_version"], events["os_version"] = pick(["1.0", "1.1"], n_events), "ios 17"
    events["value"] = rng.integers(0, 3, n_events).astype(float)
    events["received_at"] = events["at"] + pd.Timedelta("2s")
    return {
        "countries": countries, "users": users, "orders": orders, "events": events,
        "order_updates": random_updates(rng, orders), **_dimensions(), **_trials(rng, users, orders, start),
    }  # fmt: skip


def random_updates(rng: np.random.Generator, orders: pd.DataFrame) -> pd.DataFrame:
    placed = orders.groupby("order_id", as_index=False)["ordered_at"].min()
    parts = []
    for status, share, hours in (
        ("paid", 0.9, 1),
        ("delivered", 0.7, 90),
        ("refunded", 0.15, 300),
        ("cancelled", 0.1, 5),
    ):
        part = placed[rng.random(len(placed)) < share].assign(status=status)
        part["at"] = part["ordered_at"] + pd.Timedelta(hours=hours)
        part["amount_local"] = 7.5 if status == "refunded" else np.nan
        parts.append(part)
    updates = pd.concat(parts, ignore_index=True)[["order_id", "at", "status", "amount_local"]]
    return updates.assign(received_at=updates["at"] + pd.Timedelta("1h"))


def _dimensions() -> dict[str, pd.DataFrame]:
    days = pd.date_range("2024-03-01", "2024-03-20")
    rates = [{"currency": c, "day": day, "usd_per_unit": rate * (1 + i / 100)}
             for c, rate in (("GBP", 1.25), ("SGD", 0.75)) for i, day in enumerate(days) if i % 4]  # fmt: skip
    return {
        "fx_rates": pd.DataFrame(rates),
        "merchants": pd.DataFrame([{"merchant_id": "m1", "home_country": "GB", "is_cross_border": False},
                                   {"merchant_id": "m2", "home_country": "CN", "is_cross_border": True}]),
        "creators": pd.DataFrame([{"creator_id": c, "country": "GB"} for c in ("c1", "c2")]),
        "products": pd.DataFrame([{"product_id": f"p{i}", "merchant_id": "m1", "category": "TEA"} for i in range(7)]),
        "contents": pd.DataFrame([
            {"content_id": "v1", "kind": "live", "creator_id": "c1", "country": "GB", "started_at": "2024-03-06 23:30"},
            {"content_id": "v2", "kind": "video", "creator_id": "c2", "country": "SG", "started_at": "2024-03-08"},
        ]),
        "campaigns": pd.DataFrame([
            {"campaign_id": "a", "name": "A", "country": c, "starts_on": "2024-03-08", "ends_on": "2024-03-12",
             "targeting": "holdout"} for c in ("GB", "SG")
        ]),
        "coupons": pd.DataFrame([{"coupon_id": "k1", "campaign_id": "a"}, {"coupon_id": "k2", "campaign_id": None}]),
    }  # fmt: skip


def _trials(rng: np.random.Generator, users: pd.DataFrame, orders: pd.DataFrame, start: pd.Timestamp) -> dict:
    targets = users[rng.random(len(users)) < 0.6][["user_id"]].assign(campaign_id="a")
    targets["is_holdout"] = rng.random(len(targets)) < 0.2
    used = orders[orders["coupon_id"] == "k1"].drop_duplicates(["user_id", "ordered_at"])
    redeemed = used[["coupon_id", "user_id"]].assign(at=used["ordered_at"], kind="redemption")
    arms = [{"experiment_id": "x", "name": "X", "unit": "user", "variant": v, "planned_share": 0.5,
             "starts_at": "2024-03-06", "ends_at": None} for v in ("control", "treatment")]  # fmt: skip
    exposed = users[["user_id"]].rename(columns={"user_id": "unit_id"}).assign(experiment_id="x", phase="full")
    exposed["variant"] = rng.choice(["control", "treatment"], len(exposed))
    exposed["exposed_at"] = start + pd.to_timedelta(rng.integers(90_000, 900_000, len(exposed)), unit="s")
    return {
        "campaign_targets": targets, "coupon_events": redeemed, "experiments": pd.DataFrame(arms), "exposures": exposed,
    }  # fmt: skip


def stored(shop: Shop) -> dict[str, pd.DataFrame]:
    """Everything the store of a shop holds, mart by mart, in the order of the keys."""
    with duckdb.connect(str(shop.store), read_only=True) as connection:
        held = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {
            name: connection.execute(f"FROM {name} ORDER BY {', '.join(mart.keys)}").df()
            for name, mart in pipelines.MARTS.items()
            if name in held
        }


def assert_same(one: Shop, other: Shop) -> None:
    """Two stores hold the same, to the last digit."""
    mine, theirs = stored(one), stored(other)
    assert mine.keys() == theirs.keys()
    for name, frame in mine.items():
        pd.testing.assert_frame_equal(frame, theirs[name], check_exact=True, obj=name)


@pytest.fixture(scope="session")
def same_marts():
    """``same_marts(shop, other)``: two stores hold the same, to the last digit."""
    return assert_same


@pytest.fixture(scope="session")
def draw_tables():
    """``draw_tables(seed)``: a little marketplace at random."""
    return random_tables
