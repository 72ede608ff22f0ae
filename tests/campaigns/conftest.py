"""A small simulated shop with a campaign whose truth is planted, as contract tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns, warehouse

START = pd.Timestamp("2023-08-07")  # a Monday
N_DAYS = 21
WEEKS_BEFORE, WEEKS_AFTER = 16, 2
FIRST_WEEK, LAST_WEEK = -26, 5


@dataclass(frozen=True)
class Planted:
    """Change of spending per targeted buyer and week, by ledger outcome."""

    promoted: float = 6.0
    other: float = -2.0
    after: float = -3.0


NOTHING = Planted(0.0, 0.0, 0.0)


@dataclass
class Shop:
    """Contract tables of one simulated market, and what the campaign truly changed, in money."""

    tables: dict[str, pd.DataFrame]
    truth: dict[str, float] = field(default_factory=dict)

    def replace(self, **tables: pd.DataFrame | None) -> Shop:
        chosen = {name: frame for name, frame in {**self.tables, **tables}.items() if frame is not None}
        return Shop(chosen, self.truth)


def _spending(rng: np.random.Generator, n_users: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weekly spending on couponed and other products, shape (users, weeks), and who is targeted on past spending."""
    weeks = np.arange(FIRST_WEEK, LAST_WEEK)
    level = np.exp(rng.normal(3.2, 0.5, n_users))
    season = 1.0 + 0.15 * np.sin(weeks / 4.0)
    # Every week has a purchase of at least 4 on other products, so that the planted cannibalisation fits in.
    other = 4.0 + level[:, None] * season * rng.gamma(8.0, 0.125, (n_users, len(weeks)))
    promoted = 0.2 * level[:, None] * rng.gamma(2.0, 0.5, (n_users, len(weeks)))
    # Some never drink tea and some always do: each history of tea weeks is shared by many.
    promoted *= rng.random((n_users, len(weeks))) < rng.beta(0.5, 2.5, n_users)[:, None]
    # Only what the review can see decides on targeting: the weeks before the start.
    past = np.log((other + promoted)[:, -FIRST_WEEK - WEEKS_BEFORE : -FIRST_WEEK].mean(axis=1))
    score = (past - past.mean()) / past.std()
    targeted = rng.random(n_users) < 1.0 / (1.0 + np.exp(-0.6 * score + 0.4))
    return promoted, other, targeted


def _simulate(seed: int, planted: Planted = NOTHING, n_users: int = 600) -> Shop:
    rng = np.random.default_rng(seed)
    promoted, other, targeted = _spending(rng, n_users)
    weeks = np.arange(FIRST_WEEK, LAST_WEEK)
    during = (weeks >= 0) & (weeks < N_DAYS // 7)
    after = (weeks >= N_DAYS // 7) & (weeks < N_DAYS // 7 + WEEKS_AFTER)
    n_during, n_after, n_targeted = int(during.sum()), int(after.sum()), int(targeted.sum())
    promoted[np.ix_(targeted, during)] += planted.promoted
    other[np.ix_(targeted, during)] += planted.other
    other[np.ix_(targeted, after)] += planted.after
    truth = {
        "promoted_during": planted.promoted * n_during * n_targeted,
        "other_during": planted.other * n_during * n_targeted,
        "after": planted.after * n_after * n_targeted,
    }
    truth["total"] = sum(truth.values())
    return Shop(_tables(rng, promoted, other, targeted), truth)


def _tables(rng, promoted: np.ndarray, other: np.ndarray, targeted: np.ndarray) -> dict[str, pd.DataFrame]:
    users = np.array([f"u{i:04d}" for i in range(len(targeted))])
    orders = pd.concat([_lines("tea", promoted, users, rng), _lines("jam", other, users, rng)], ignore_index=True)
    inside = orders["ordered_at"].between(START, START + timedelta(days=N_DAYS))
    redeem = inside & (orders["product_id"] == "tea") & orders["user_id"].isin(users[targeted])
    redeem &= rng.random(len(orders)) < 0.5
    orders["coupon_id"] = pd.Series(np.where(redeem, "c1", None), dtype=object)
    orders["platform_subsidy_local"] = np.where(redeem, 1.5, 0.0)
    events = orders.loc[redeem, ["coupon_id", "user_id", "ordered_at"]].rename(columns={"ordered_at": "at"})
    campaign = {
        "campaign_id": "tea", "name": "Tea weeks", "country": "GB", "mechanic": "coupon_mailer",
        "starts_on": START.date(), "ends_on": (START + timedelta(days=N_DAYS - 1)).date(),
    }  # fmt: skip
    return {
        "countries": pd.DataFrame(
            [{"country": "GB", "name": "United Kingdom", "currency": "GBP", "timezone": "Europe/London"}]
        ),
        "users": pd.DataFrame({"user_id": users, "country": "GB", "signed_up_at": pd.Timestamp("2022-12-01")}),
        "products": pd.DataFrame({"product_id": ["tea", "jam"], "category": "FOOD"}),
        "orders": orders,
        "campaigns": pd.DataFrame([campaign]),
        "campaign_targets": pd.DataFrame({"campaign_id": "tea", "user_id": users[targeted], "is_holdout": False}),
        "coupons": pd.DataFrame([{"coupon_id": "c1", "campaign_id": "tea"}]),
        "coupon_products": pd.DataFrame([{"coupon_id": "c1", "product_id": "tea"}]),
        "coupon_events": events.assign(kind="redemption").reset_index(drop=True),
    }


def _lines(product: str, spent: np.ndarray, users: np.ndarray, rng) -> pd.DataFrame:
    who, week = np.nonzero(spent > 0)
    days = 7 * (week + FIRST_WEEK) + rng.integers(0, 7, len(who))
    return pd.DataFrame(
        {
            "order_id": [f"{product}{i}" for i in range(len(who))],
            "ordered_at": START + pd.to_timedelta(days, unit="D") + timedelta(hours=11),
            "user_id": users[who], "product_id": product, "country": "GB", "quantity": 1,
            "price_local": spent[who, week], "currency": "GBP", "discount_local": 0.0, "status": "paid",
        }
    )  # fmt: skip


@pytest.fixture(scope="session")
def simulate():
    """``simulate(seed, planted, n_users) -> Shop``."""
    return _simulate


@pytest.fixture(scope="session")
def planted_effect():
    return Planted()


@pytest.fixture(scope="session")
def opened(make_warehouse, tmp_path_factory):
    """``opened(shop)``: the tables as an open warehouse."""
    open_ones = []

    def open_shop(shop: Shop):
        open_ones.append(warehouse.connect(make_warehouse(tmp_path_factory.mktemp("shop"), shop.tables)))
        return open_ones[-1]

    yield open_shop
    for one in open_ones:
        one.close()


@pytest.fixture(scope="session")
def reviewed(opened):
    """``reviewed(shop, **options)``: the review of the shop's campaign over its usual windows."""

    def run(shop: Shop, campaign_id: str = "tea", **options):
        chosen = {"weeks_before": WEEKS_BEFORE, "weeks_after": WEEKS_AFTER, **options}
        return campaigns.review(opened(shop), campaign_id, **chosen)

    return run


@pytest.fixture(scope="session")
def shop(simulate, planted_effect) -> Shop:
    """One shop with a planted effect."""
    return simulate(1, planted_effect)


@pytest.fixture(scope="session")
def review(shop, reviewed):
    """Its review."""
    return reviewed(shop)


@pytest.fixture(scope="session")
def small_shop(simulate, planted_effect) -> Shop:
    """A shop small enough to be changed and reviewed many times."""
    return simulate(2, planted_effect, 300)


@pytest.fixture
def opened_tables(opened):
    """``opened_tables({table: frame})``: the same for bare tables."""
    return lambda tables: opened(Shop(tables))
