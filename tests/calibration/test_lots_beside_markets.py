"""A lot held against other markets: the market's days hold what the reached buy more, and the world leaves nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis_lib import config
from analysis_lib.calibration import reviews
from analysis_lib.calibration.lots_beside_markets import beside_of
from analysis_lib.calibration.paired_campaigns import lots_of, pair_of
from analysis_lib.campaigns.lot_effect import lot_effect
from analysis_lib.campaigns.market_days import daily_sales
from analysis_lib.pipelines.store import store_path

COUNTRY = "ID"


@pytest.fixture(scope="module")
def drawn():
    """A market in a small pair of worlds: its lots, its days, and where it keeps its marts."""
    with pair_of((reviews.LOT,), seed=1, scale=0.05) as pair:
        lots = lots_of(pair, reviews.LOT, COUNTRY)
        market = beside_of(pair, reviews.LOT, COUNTRY, lots.left.index)
        sales = [daily_sales(side, market.windows, "gmv")[COUNTRY] for side in (pair.reached, pair.left)]
        marts = [store_path(side) for side in (pair.reached, pair.left)]
        assert all(path.exists() for path in marts)
        yield SimpleNamespace(lots=lots, market=market, sales=sales, marts=marts)
    assert not any(path.exists() for path in marts)


def test_what_users_buy_more_is_what_the_market_sells_more(drawn):
    reached, left = drawn.sales
    assert drawn.market.days.sales[COUNTRY].to_numpy() == pytest.approx(left.to_numpy())
    assert drawn.market.more.sum(axis=0) == pytest.approx((reached - left).to_numpy(), abs=0.01)
    before = left.index < pd.Timestamp(drawn.market.days.starts_on)
    assert not drawn.market.more.sum(axis=0)[before].any() and drawn.market.more.sum() > 0


def test_other_markets_see_what_the_reached_buy_and_only_if_it_works(drawn):
    lots, days = drawn.lots, drawn.market.days
    # In a world this small some markets sell nothing on some days, and could not stand for others.
    market = replace(drawn.market, days=replace(days, sales=days.sales + 200.0))
    held_out = np.random.default_rng(1).random(len(lots.left)) < 0.3
    found = {}
    for works in (True, False):
        effect = lot_effect(lots.drawn(held_out, works=works), planned_share=0.3, level=config.LEVEL, unit="usd")
        found[works] = market.told(effect, held_out, works=works, level=config.LEVEL)
    sold = market.days.sold(market.windows.ends_on)
    more = market.more[~held_out].sum()
    # Without a campaign the others say some share of sales; with it the market has sold so much more besides.
    share = found[False].markets.value / (sold - found[False].markets.value)
    by_hand = (sold + more) - sold / (1 + share)
    assert found[True].markets.value == pytest.approx(by_hand, rel=0.02)
    for told in found.values():
        assert told.gap.value == pytest.approx(told.markets.value - told.lot.value)
        assert told.gap.ci_upper - told.gap.ci_lower > told.markets.ci_upper - told.markets.ci_lower - 1e-9
