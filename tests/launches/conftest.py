"""A launch in eight small markets, made by hand: a warehouse of plans, and metrics that are handed over."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis_lib import metrics, warehouse
from analysis_lib.launches import weeks
from analysis_lib.launches.launch import find_launch
from analysis_lib.launches.setting import Setting, checked

MARKETS = ("AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH")
FIRST, LAST = date(2024, 12, 30), date(2026, 1, 4)  # a Monday and a Sunday, 53 weeks apart
LIVE_ON = {"AA": "2025-07-07", "BB": "2025-07-07", "CC": "2025-08-18", "DD": "2025-08-18", "EE": "2025-09-29"}


def plan_of(**changes) -> pd.DataFrame:
    """Rows of the table of launches: five markets in three waves, three never."""
    rows = pd.DataFrame({
        "launch_id": "gift_notes", "name": "Gift notes", "country": list(LIVE_ON), "announced_on": pd.NaT,
        "live_on": list(LIVE_ON.values()), "metric": "checkout_rate",
    })  # fmt: skip
    return rows.assign(**changes)


def days_of(seed: int = 1, effect: float = 0.1, size: float = 300.0, share: float = 0.6) -> pd.DataFrame:
    """Counts by market and day: carts, and checkouts whose chance a launch raises by a factor."""
    rng = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product([MARKETS, pd.date_range(FIRST, LAST)], names=["country", "period_start"])
    frame = rows.to_frame(index=False)
    live = pd.to_datetime(frame["country"].map(LIVE_ON))
    grown = ((frame["period_start"] - live).dt.days / 42).clip(0, 1).fillna(0)
    carts = rng.poisson(size, len(frame))
    chance = share * (1 + 0.05 * np.sin(frame["period_start"].dt.dayofyear / 30)) * (1 + effect * grown)
    checkouts = rng.binomial(carts, chance.clip(0, 1))
    frame = frame.assign(numerator=checkouts.astype(float), denominator=carts.astype(float))
    frame.attrs["counted"] = True
    return frame


@pytest.fixture(scope="session")
def plan():
    """``plan(**columns)``: rows of the table of launches."""
    return plan_of


@pytest.fixture(scope="session")
def days():
    """``days(seed, effect, size, share)``: numerator and denominator by market and day."""
    return days_of


@pytest.fixture
def opened(make_warehouse, tmp_path):
    """``opened(plan, **tables)``: a warehouse with the plan and the markets."""
    made = []

    def make(plan: pd.DataFrame, **tables: pd.DataFrame):
        countries = pd.DataFrame({"country": MARKETS, "name": MARKETS, "currency": "USD", "timezone": "UTC"})
        made.append(warehouse.connect(make_warehouse(tmp_path, {"countries": countries, "launches": plan, **tables},
                                                     name=f"plans{len(made)}")))  # fmt: skip
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def handed(monkeypatch):
    """``handed(frame)``: what ``parts`` answers."""

    def hand(frame: pd.DataFrame) -> None:
        monkeypatch.setattr(weeks, "parts", lambda *_, **__: frame.copy())

    return hand


@pytest.fixture(scope="session")
def setting():
    """``setting(**changes)``: how a launch is looked at."""
    registry = metrics.load_metrics()

    def make(**changes) -> Setting:
        base = {
            "metric": registry.get("checkout_rate"), "beside": (), "level": 0.95, "weeks_before": 20,
            "learning_weeks": 6, "depends_on": "", "campaign_days": "leave_out", "sure": 0.8,
        }  # fmt: skip
        return checked(Setting(**{**base, **changes}))

    return make


@pytest.fixture
def launch(opened, plan):
    """The launch and its warehouse, as known on the last day."""
    wh = opened(plan())
    return wh, find_launch(wh, "gift_notes", until=LAST)
