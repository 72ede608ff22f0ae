"""Markets drawn: the same under one seed, and each part of what they are made of does what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis_lib.errors import InvalidValue
from analysis_lib.markets.market_panels import MarketWorld, simulate

#: Noise alone: nothing common, no week, no festival, markets of one size.
BARE = MarketWorld(size_spread=0.0, week_spread=0.0, festival=0.0)


def own_noise(world: MarketWorld, seeds: range) -> np.ndarray:
    """What is left of markets that follow the common movements alike: (draws, markets, days), less the mean market."""
    drawn = np.array([simulate(world, seed=seed).log_sales for seed in seeds])
    return drawn - drawn.mean(axis=1, keepdims=True)


def test_runs_with_one_seed_are_the_same():
    one, again, other = (simulate(MarketWorld(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.log_sales, again.log_sales) and one.treated == again.treated
    assert not np.array_equal(one.log_sales, other.log_sales)


def test_the_effect_is_added_to_the_treated_market_in_the_campaign_and_nowhere_else():
    world = MarketWorld(n_donors=5)
    without, given = (simulate(replace(world, effect=effect), seed=3) for effect in (0.0, 0.1))
    added = given.log_sales - without.log_sales
    assert added[given.treated, 112:] == pytest.approx(0.1) and np.count_nonzero(np.abs(added) > 1e-12) == 14
    assert given.effect == 0.1 and given.donors.shape == (5, 126)
    assert np.array_equal(given.donors, without.donors)


def test_any_market_may_have_the_campaign_or_the_smallest_has_it():
    treated = [simulate(MarketWorld(n_donors=5), seed=seed).treated for seed in range(200)]
    assert np.bincount(treated, minlength=6).min() > 15
    world = MarketWorld(n_donors=5, size_spread=1.0, in_smallest=True)
    levels = [(panel.treated, panel.log_sales.mean(axis=1).argmin()) for panel in map(drawn_of(world), range(20))]
    assert np.mean([one == least for one, least in levels]) > 0.8


def drawn_of(world: MarketWorld):
    return lambda seed: simulate(world, seed=seed)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_noise_persists_as_said(rho):
    noise = own_noise(replace(BARE, persistence=(rho, rho)), range(60))
    lagged = (noise[..., 1:] * noise[..., :-1]).mean() / (noise**2).mean()
    # Taking the mean market off costs a twelfth of the variance.
    assert lagged == pytest.approx(rho, abs=0.03)
    assert noise.std() == pytest.approx(0.08 * (11 / 12) ** 0.5, rel=0.04)


def test_small_markets_are_noisier():
    world = replace(BARE, noise=1.0, size_spread=1.0, persistence=(0.0, 0.0))  # so much that nothing else is seen
    pairs = []
    for seed in range(30):
        drawn = simulate(world, seed=seed).log_sales
        pairs += list(zip(drawn.mean(axis=1), np.log(drawn.std(axis=1)), strict=True))
    size, noise = np.array(pairs).T
    assert np.polyfit(size, noise, 1)[0] == pytest.approx(-0.5, abs=0.1)


def test_markets_alike_move_together_and_unlike_ones_drift_apart():
    quiet = replace(BARE, noise=1e-6)
    alike, unlike = (own_noise(replace(quiet, loading_spread=spread), range(20)) for spread in (0.0, 0.5))
    assert alike.std(axis=2).max() < 1e-4 < 0.03 < unlike.std(axis=2).mean()


def test_festivals_are_common_in_days_and_not_in_size():
    world = replace(BARE, noise=1e-6, festival=0.5, festival_share=0.7, festival_spread=0.4, n_donors=29)
    spikes = own_noise(world, range(10)).std(axis=1)
    days = (spikes > 0.05).sum(axis=1)
    assert np.all((days >= 8) & (days <= 10))  # two days of four or five festivals
    joined = own_noise(replace(world, festival_spread=0.0), range(10))
    assert np.all([len(np.unique(np.round(one[:, one.std(axis=0).argmax()], 4))) == 2 for one in joined])


def test_a_shock_of_a_donors_own_begins_in_the_campaign():
    world = MarketWorld(n_donors=5)
    for seed in range(20):
        plain, shocked = (simulate(replace(world, donor_shock=shock), seed=seed) for shock in (False, True))
        lost = shocked.log_sales - plain.log_sales
        hit = np.flatnonzero(np.abs(lost).sum(axis=1) > 1e-9)
        assert len(hit) == 1 and hit[0] != plain.treated
        assert np.abs(lost[:, :112]).max() < 1e-12 and lost.min() == pytest.approx(-0.3)


@pytest.mark.parametrize(
    "wrong",
    [{"n_donors": 0}, {"days": -1}, {"noise": 0.0}, {"loading_spread": -1.0}, {"persistence": (0.5, 1.0)},
     {"festival_share": 1.5}],
)  # fmt: skip
def test_a_world_of_nothing_is_refused(wrong):
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        MarketWorld(**wrong)
