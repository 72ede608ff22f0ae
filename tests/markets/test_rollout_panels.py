"""Simulated markets of a rollout do what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis_lib.markets.rollout_panels import CARRIED, Rolled, rolled_markets


def wide(rolled: Rolled, seed: int = 1) -> np.ndarray:
    frame, _ = rolled_markets(rolled, np.random.default_rng(seed))
    return frame.pivot(index="market", columns="week", values="outcome").to_numpy()


def test_the_effect_is_the_difference_to_the_same_markets_without_it():
    rolled = Rolled(effect=0.1, grows=4, announced=2, waiting=-0.05)
    added = wide(rolled) - wide(replace(rolled, effect=0.0, waiting=0.0))
    first = added[0]
    assert np.allclose(first[:44], 0)
    assert first[44:46] == pytest.approx([-0.05, -0.05])
    assert first[46:51] == pytest.approx([0.0125, 0.0375, 0.0625, 0.0875, 0.1])
    assert np.allclose(added[-1][96:], 0.0875 + 0.0125 * (np.arange(8) > 1), atol=0.1)


def test_effects_are_told_by_market():
    frame, effects = rolled_markets(Rolled(effect=0.1, differs=0.05), np.random.default_rng(3))
    assert len(effects) == frame["market"].nunique() == 12
    assert np.std(effects) > 0.02


def test_noise_lasts_as_it_says():
    quiet = Rolled(waves=(999,) * 60, weeks=200, passing=1e-9, lasting=0.02)
    path = wide(quiet)
    path = path - path.mean(axis=0)
    path -= path.mean(axis=1, keepdims=True)
    assert path.std() == pytest.approx(0.02, rel=0.15)
    again = (path[:, 1:] * path[:, :-1]).mean() / (path**2).mean()
    assert again == pytest.approx(CARRIED, abs=0.05)


def test_heavy_tails_have_the_same_variance():
    loud = Rolled(waves=(999,) * 80, weeks=200, passing=0.03, lasting=0.0)
    spreads = [np.diff(wide(replace(loud, tails=tails)), axis=1).std() for tails in (np.inf, 5.0)]
    assert spreads[1] == pytest.approx(spreads[0], rel=0.25)


def test_a_launch_after_the_end_is_none():
    frame, _ = rolled_markets(Rolled(waves=(10, 200), weeks=50), np.random.default_rng(1))
    assert frame.groupby("market")["first_live"].first().isna().tolist() == [False, True]
