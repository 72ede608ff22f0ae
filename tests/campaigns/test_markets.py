"""Campaigns for everybody: planted effects, which markets stand for the campaign's own, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns import cells
from analysis_lib.campaigns.market_days import MarketDays, market_days
from analysis_lib.campaigns.market_effect import market_effect
from analysis_lib.campaigns.windows import Campaign, Windows, find_campaign, plan_windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart

STARTS, N_DAYS, WEEKS_AFTER = date(2025, 6, 2), 7, 2


def window(weeks_after: int = WEEKS_AFTER) -> Windows:
    campaign = Campaign("c", "C", "AA", "Aland", "usd", "UTC", "flash_sale", STARTS, date(2025, 6, 8))
    return Windows(campaign, 8, weeks_after, date(2024, 6, 1), date(2025, 7, 31))


def planted(seed: int, during: float = 0.0, after: float = 0.0) -> MarketDays:
    """Seven markets that move together, and what the campaign changed in the first of them."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-06-01", "2025-06-22")
    common = np.cumsum(rng.normal(0, 0.01, len(days))) + 0.1 * np.sin(np.arange(len(days)) * 2 * np.pi / 7)
    logs = 8 + rng.normal(0, 1, 7) + common[:, None] + rng.normal(0, 0.1, (len(days), 7))
    since = (days - pd.Timestamp(STARTS)).days
    logs[:, 0] += during * ((since >= 0) & (since < N_DAYS)) + after * (since >= N_DAYS)
    return MarketDays(pd.DataFrame(np.exp(logs), index=days, columns=["AA", *"BCDEFG"]), STARTS, {})


def truth(days: MarketDays, during: float, after: float) -> tuple[float, float]:
    sales = days.sales.loc[pd.Timestamp(STARTS) :, "AA"]
    return sales.iloc[:N_DAYS].sum() * (1 - np.exp(-during)), sales.iloc[N_DAYS:].sum() * (1 - np.exp(-after))


def test_planted_effects_are_found_and_add_up():
    inside = {"during": [], "after": [], "total": []}
    for seed in range(40):
        days = planted(seed, during=0.3, after=-0.1)
        found = market_effect(days, window(), level=0.95).effects
        first, later = truth(days, 0.3, -0.1)
        for name, true in {"during": first, "after": later, "total": first + later}.items():
            inside[name].append(found[name].ci_lower <= true <= found[name].ci_upper)
        assert found["during"].value + found["after"].value == pytest.approx(found["total"].value)
    assert min(np.mean(held) for held in inside.values()) >= 0.85
    assert np.mean(inside["after"]) >= 0.95, "the rest is told with care: its interval is rather too wide"


def test_without_weeks_after_there_is_one_row():
    found = market_effect(planted(1, during=0.3), window(0), level=0.95)
    assert found.outcomes == ("during",) and found.effects["during"] is found.effects["total"]


def test_a_market_that_sold_nothing_on_a_day_does_not_stand_for_another():
    days = planted(2)
    days.sales.loc["2025-05-20", "G"] = 0.0
    assert "G" not in set(days.long(date(2025, 6, 8))["market"])
    days.sales.loc["2025-05-20", "AA"] = 0.0
    with pytest.raises(NotEnoughData, match="AA sold nothing"):
        days.long(date(2025, 6, 8))


# ----------------------------------------------------------------------------------------------------------- the world


@pytest.fixture(scope="module")
def thailand(world):
    return campaigns.review(world, "thailand_may_2026", country="TH", weeks_after=1)


def test_a_campaign_for_everybody_is_read_from_other_markets(world, thailand):
    assert thailand.effect.KIND == "markets" and thailand.missing == ()
    assert thailand.ledger["value"].iloc[:-1].sum() == pytest.approx(thailand.ledger["value"].iloc[-1])
    facts = world.query(
        mart(world, "order_facts")
        .filter(lambda t: t.country == "TH")
        .select("day", "gmv_usd", "coupon_id", "subsidy_usd")
    )
    day = pd.to_datetime(facts["day"])
    during = facts[day.between("2026-05-11", "2026-05-24")]
    whole = facts[day.between("2026-05-11", "2026-05-31")]
    assert thailand.effect.days.sold(date(2026, 5, 31)) == pytest.approx(whole["gmv_usd"].astype(float).sum())
    given = during.loc[during["coupon_id"] == "thailand_may_2026", "subsidy_usd"].astype(float).sum()
    assert thailand.cost.recorded == pytest.approx(given)
    for name in thailand.SENTENCES:
        assert thailand.sentence(name)
    for name in thailand.EXHIBITS:
        assert thailand.exhibit(name).title


@pytest.mark.parametrize(
    ("campaign", "country", "weeks", "reason"),
    [
        ("songkran_2026", "TH", 2, "fell on Songkran"),
        ("nine_nine_2026", "VN", 4, "fell on 9.9"),
        ("songkran_2026", "TH", 5, "fell on Songkran"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(world, campaign, country, weeks, reason):
    review = campaigns.review(world, campaign, country=country, weeks_after=weeks)
    assert review.effect is None and reason in review.missing[0]
    assert review.decision.action == "Cannot tell"
    for name in review.EXHIBITS:
        assert review.exhibit(name).title


def test_markets_with_a_campaign_of_their_own_are_left_out(world):
    campaign = find_campaign(world, "mid_year_2026", "ID")
    windows = plan_windows(campaign, cells.days_with_orders(world, campaign), 8, 4, fewest=0)
    found = market_days(world, windows, "gmv")
    assert {"VN", "PH", "GB"} <= set(found.left_out) and not set(found.left_out) & set(found.sales.columns)
    with pytest.raises(NotEnoughData, match="ran in Thailand on some of these days too"):
        own = replace(campaign, campaign_id="another", country="TH", market="Thailand",
                      starts_on=date(2026, 5, 10), ends_on=date(2026, 5, 12))  # fmt: skip
        market_days(world, replace(windows, campaign=own), "gmv")
    with pytest.raises(NotEnoughData, match="single day"):
        market_days(world, replace(windows, campaign=replace(campaign, ends_on=campaign.starts_on)), "gmv")
