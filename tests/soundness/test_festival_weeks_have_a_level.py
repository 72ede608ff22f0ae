"""A stretch without a usual day was given the level 1, so that growth over it seemed all but certain."""

from __future__ import annotations

import numpy as np

from analysis_lib.countries.season_lift import BLOCK, series_of


def test_a_block_without_usual_days_has_the_level_between_its_neighbours():
    n = 10 * BLOCK
    usual = np.ones(n, bool)
    usual[4 * BLOCK : 5 * BLOCK] = False
    values = np.where(np.arange(n) < 4 * BLOCK, 100.0, 400.0)
    series = series_of(values, usual, np.arange(n) % 7, None)
    inside = series.fitted[4 * BLOCK : 5 * BLOCK]
    assert np.allclose(inside, 200.0, rtol=0.01)
