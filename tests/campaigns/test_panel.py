"""Sums over windows of any length are those of the raw orders by market-local dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib.campaigns import cells
from analysis_lib.campaigns.windows import find_campaign, plan_windows

#: Sums of doubles in another order.
ROUNDING = 1e-6


def _near_midnight(rng, timezone: str, days: pd.DatetimeIndex, n: int) -> pd.Series:
    """UTC times, most of them within three hours of a local midnight, clock changes included."""
    local = pd.Series(days[rng.integers(0, len(days), n)]) + pd.to_timedelta(rng.normal(0, 90, n), unit="min")
    aware = local.dt.tz_localize(timezone, nonexistent="shift_forward", ambiguous=rng.random(n) < 0.5)
    return aware.dt.tz_convert("UTC").dt.tz_localize(None).dt.floor("s")


def _tables(timezone: str, starts_on: date, n_days: int, seed: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    n, users = 4000, np.array([f"u{i}" for i in range(25)])
    days = pd.date_range(starts_on - timedelta(days=100), periods=100 + n_days + 40)
    orders = pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(n)], "ordered_at": _near_midnight(rng, timezone, days, n),
            "user_id": users[rng.integers(0, 25, n)], "product_id": np.array(["p1", "p2", "p3"])[rng.integers(0, 3, n)],
            "country": np.array(["AA", "AA", "AA", "BB"])[rng.integers(0, 4, n)], "quantity": rng.integers(1, 5, n),
            "price_local": rng.uniform(1, 9, n).round(2), "currency": "USD",
            "discount_local": rng.uniform(0, 0.9, n).round(2), "status": "paid", "coupon_id": None,
            "platform_subsidy_local": np.where(rng.random(n) < 0.3, 0.5, 0.0),
        }
    )  # fmt: skip
    ends_on = starts_on + timedelta(days=n_days - 1)
    signed_up = pd.Timestamp(starts_on) - timedelta(days=200)
    return {
        "countries": pd.DataFrame(
            [{"country": c, "name": c, "currency": "USD", "timezone": timezone} for c in ("AA", "BB")]
        ),
        "users": pd.DataFrame({"user_id": users, "country": "AA", "signed_up_at": signed_up}),
        "products": pd.DataFrame({"product_id": ["p1", "p2", "p3"], "category": "X"}),
        "orders": orders,
        "campaigns": pd.DataFrame(
            [{"campaign_id": "c", "name": "C", "country": "AA", "mechanic": "m", "starts_on": starts_on,
              "ends_on": ends_on}]
        ),
        "campaign_targets": pd.DataFrame({"campaign_id": "c", "user_id": users[:10], "is_holdout": False}),
        "coupons": pd.DataFrame([{"coupon_id": "k", "campaign_id": "c"}]),
        "coupon_products": pd.DataFrame([{"coupon_id": "k", "product_id": "p1"}]),
        "coupon_events": pd.DataFrame(
            {"coupon_id": ["k"], "user_id": ["u0"], "at": [pd.Timestamp(starts_on)], "kind": ["redemption"]}
        ),
    }  # fmt: skip


def _by_date(orders: pd.DataFrame, timezone: str, measure: str) -> pd.DataFrame:
    """Orders of market AA with local day and value."""
    day = orders["ordered_at"].dt.tz_localize("UTC").dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    value = orders["quantity"] * orders["price_local"] - orders["discount_local"]
    value = value if measure == "gmv" else value - orders["platform_subsidy_local"]
    return orders.assign(day=day, value=value)[orders["country"] == "AA"]


def _sum(lines: pd.DataFrame, users: pd.Index, first: date, n_days: int) -> np.ndarray:
    inside = lines["day"].between(pd.Timestamp(first), pd.Timestamp(first) + timedelta(days=n_days - 1))
    return lines[inside].groupby("user_id")["value"].sum().reindex(users, fill_value=0.0).to_numpy()


PLACES = [
    ("America/New_York", date(2023, 11, 1)),  # the clock goes back on 5 November
    ("America/New_York", date(2023, 3, 8)),  # and forward on 12 March
    ("Asia/Kolkata", date(2023, 6, 1)),
    ("Pacific/Auckland", date(2023, 9, 20)),
    ("Australia/Lord_Howe", date(2023, 9, 28)),  # half an hour
    ("Pacific/Kiritimati", date(2024, 2, 20)),  # fourteen hours ahead, a leap day
    ("UTC", date(2023, 12, 28)),
]


@pytest.mark.parametrize(("timezone", "starts_on"), PLACES)
@pytest.mark.parametrize(("n_days", "measure"), [(1, "gmv"), (7, "paid"), (10, "paid"), (20, "gmv")])
def test_windows_equal_sums_by_local_dates(opened_tables, timezone, starts_on, n_days, measure):
    tables = _tables(timezone, starts_on, n_days, seed=n_days)
    wh = opened_tables(tables)
    campaign = find_campaign(wh, "c", None)
    windows = plan_windows(campaign, cells.days_with_orders(wh, campaign), 8, 3)
    panel = cells.spending(wh, windows, measure)
    lines = _by_date(tables["orders"], timezone, measure)
    assert (windows.first_day, windows.last_day) == (lines["day"].min().date(), lines["day"].max().date())
    assert panel.users.tolist() == sorted(tables["users"]["user_id"])
    promoted = lines[lines["product_id"] == "p1"]
    other = lines[lines["product_id"] != "p1"]
    for start in (panel.first_week, -5, 0, 1):
        first = starts_on + timedelta(weeks=start)
        for kind, rows in ((panel.promoted, promoted), (panel.other, other)):
            expected = _sum(rows, panel.users, first, n_days)
            assert panel.during(start, kind) == pytest.approx(expected, abs=ROUNDING)
            week = panel.weekly(start, start + 1, kind)[:, 0]
            assert week == pytest.approx(_sum(rows, panel.users, first, 7), abs=ROUNDING)
        for weeks in (1, 3):
            expected = _sum(lines, panel.users, first + timedelta(days=n_days), 7 * weeks)
            assert panel.after(start, weeks) == pytest.approx(expected, abs=ROUNDING)
    whole = panel.weekly(panel.first_week, 0)
    assert whole.shape == (25, -panel.first_week)
    assert whole.sum() == pytest.approx(
        _sum(lines, panel.users, starts_on + timedelta(weeks=panel.first_week), -7 * panel.first_week).sum()
    )


def test_the_test_above_would_notice_utc_days():
    """So many orders lie near midnight that sums by UTC days are others."""
    tables = _tables("America/New_York", date(2023, 11, 1), 10, seed=10)
    local = _by_date(tables["orders"], "America/New_York", "gmv")
    utc = _by_date(tables["orders"], "UTC", "gmv")
    assert (local["day"] != utc["day"]).mean() > 0.3


def test_a_panel_holds_known_buyers_of_the_market_only(opened_tables):
    """Signed up before the first local day, at home in the market; the hour decides on the last evening."""
    starts_on = date(2023, 11, 1)
    tables = _tables("America/New_York", starts_on, 7, seed=1)
    users = tables["users"].assign(signed_up_at=pd.Timestamp("2023-01-01"))
    users.loc[0, "signed_up_at"] = pd.Timestamp("2023-11-01 03:59")  # 23:59 on 31 October
    users.loc[1, "signed_up_at"] = pd.Timestamp("2023-11-01 04:00")  # midnight
    users.loc[2, "signed_up_at"] = pd.NaT
    users.loc[3, "country"] = "BB"
    wh = opened_tables({**tables, "users": users})
    campaign = find_campaign(wh, "c", None)
    panel = cells.spending(wh, plan_windows(campaign, cells.days_with_orders(wh, campaign), 8, 1), "gmv")
    assert "u0" in panel.users
    assert not {"u1", "u2", "u3"} & set(panel.users)
    assert len(panel.users) == 22


def test_everything_spent_is_in_exactly_one_place(opened_tables):
    """Promoted and other, week by week: nothing is lost and nothing counted twice."""
    tables = _tables("Asia/Kolkata", date(2023, 6, 1), 10, seed=3)
    wh = opened_tables(tables)
    campaign = find_campaign(wh, "c", None)
    windows = plan_windows(campaign, cells.days_with_orders(wh, campaign), 8, 3)
    panel = cells.spending(wh, windows, "gmv")
    lines = _by_date(tables["orders"], "Asia/Kolkata", "gmv")
    first = pd.Timestamp(campaign.starts_on) + timedelta(weeks=panel.first_week)
    assert (panel.promoted + panel.other).sum() == pytest.approx(lines.loc[lines["day"] >= first, "value"].sum())
