"""Series drawn: the same under one seed, and each part of what they are made of does what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis_lib.errors import InvalidValue
from analysis_lib.markets.market_panels import FESTIVAL_EVERY
from analysis_lib.markets.own_series import SeriesWorld, simulate

#: Noise alone.
BARE = SeriesWorld(week_spread=0.0, festival=0.0)


def test_runs_with_one_seed_are_the_same_but_for_the_effect():
    one, again, other = (simulate(SeriesWorld(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.log_sales, again.log_sales) and not np.array_equal(one.log_sales, other.log_sales)
    given = simulate(SeriesWorld(effect=0.1), seed=1)
    added = given.log_sales - one.log_sales
    assert added[112:] == pytest.approx(0.1) and np.abs(added[:112]).max() < 1e-12 and given.effect == 0.1


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_noise_persists_as_said(rho):
    noise = np.array([simulate(replace(BARE, persistence=rho), seed=seed).log_sales - 9 for seed in range(150)])
    assert (noise[:, 1:] * noise[:, :-1]).mean() / (noise**2).mean() == pytest.approx(rho, abs=0.03)
    assert noise.std() == pytest.approx(0.08, rel=0.05)


def test_a_level_that_drifts_stays_where_it_went():
    ends = [simulate(replace(BARE, noise=1e-9, drift=0.02), seed=seed).log_sales for seed in range(300)]
    assert np.std([one[-1] - one[-101] for one in ends]) == pytest.approx(0.2, rel=0.12)


@pytest.mark.parametrize("days", [3, 14, 28])
def test_festivals_come_a_month_apart_and_in_the_campaign_if_they_are_to(days):
    for seed in range(40):
        for inside in (False, True):
            world = SeriesWorld(days=days, festival_in_campaign=inside, week_spread=0.0, noise=1e-9)
            drawn = simulate(world, seed=seed)
            first = np.flatnonzero(drawn.festivals[:, 0])
            assert set(np.diff(first)) == {FESTIVAL_EVERY} and first[0] < FESTIVAL_EVERY
            assert (first[-1] >= 112) == inside and drawn.festivals[112:].any() == inside
            assert np.array_equal(drawn.log_sales > 9.05, drawn.festivals.any(axis=1))


@pytest.mark.parametrize(
    "wrong", [{"days_before": 0}, {"noise": 0.0}, {"drift": -1.0}, {"persistence": 1.0}, {"days": 29}]
)
def test_a_world_of_nothing_is_refused(wrong):
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        SeriesWorld(**wrong)
