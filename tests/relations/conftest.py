"""Metrics of eight small markets, made by hand and handed over in place of the engine's."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis_lib import warehouse
from analysis_lib.relations import cells

MARKETS = ("AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH")
WEEKS = pd.date_range("2025-01-06", periods=40, freq="W-MON")


def weeks_of(
    seed: int = 0, slope: float = 0.3, markets: tuple[str, ...] = MARKETS, zeros: bool = False
) -> pd.DataFrame:
    """Sales that go with creators by a power ``slope``, in markets of any size and weeks of any."""
    rng = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product([markets, WEEKS], names=["country", "period_start"]).to_frame(index=False)
    n = len(rows)
    size = rows["country"].map(dict(zip(markets, rng.normal(8, 1, len(markets)), strict=True)))
    season = rows["period_start"].map(dict(zip(WEEKS, rng.normal(0, 0.3, len(WEEKS)), strict=True)))
    creators = np.exp(0.5 * size + 0.4 * rng.normal(size=n))
    rows["active_creators"] = creators.round(2)
    rows["refund_rate"] = rng.uniform(0.02, 0.12, n)
    rows["gmv"] = np.exp(size + season + slope * np.log(creators) + 0.2 * rng.normal(size=n))
    if zeros:
        rows.loc[::9, "gmv"] = 0.0
    return rows.assign(is_partial=rows["period_start"] == WEEKS[0], is_incomplete=False, is_immature=False)


@pytest.fixture(scope="session")
def weeks():
    """``weeks(seed, slope, markets, zeros)``: metrics by market and week."""
    return weeks_of


@pytest.fixture
def handed(monkeypatch):
    """``handed(frame)``: what the metrics layer answers."""

    def hand(frame: pd.DataFrame) -> None:
        answer = SimpleNamespace(
            to_frame=lambda: frame.copy(), start=date(2025, 1, 8), end=WEEKS[-1].date() + pd.Timedelta(days=6)
        )
        monkeypatch.setattr(cells.metrics, "query", lambda *_, **__: answer)

    return hand


@pytest.fixture
def opened(make_warehouse, tmp_path):
    """A warehouse of the markets and their factors."""
    months = pd.date_range("2025-01-01", periods=11, freq="MS")
    factors = pd.MultiIndex.from_product([MARKETS, months], names=["country", "month"]).to_frame(index=False)
    rng = np.random.default_rng(1)
    factors["gdp_per_capita_ppp"] = rng.uniform(2e4, 8e4, len(factors)).round(2)
    factors["card_share"] = rng.uniform(0.3, 0.9, len(factors)).round(3)
    countries = pd.DataFrame({"country": MARKETS, "name": MARKETS, "currency": "USD", "timezone": "UTC"})
    with warehouse.connect(make_warehouse(tmp_path, {"countries": countries, "country_factors": factors})) as wh:
        yield wh
