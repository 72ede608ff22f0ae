"""Ways to look early, against published bounds and against simulated looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from analysis_lib.causal.sequential import (
    fractions_of,
    group_bounds,
    harm_bounds,
    sequence_pvalue,
    sequence_reach,
    spent,
)
from analysis_lib.errors import InvalidValue

FIVE = [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.fixture(scope="module")
def walks():
    """z-values of 100,000 tests without effect at 20 even looks."""
    steps = np.random.default_rng(0).normal(size=(100_000, 20))
    return np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, 21))


@pytest.mark.parametrize(
    ("kind", "published"),
    [
        # Reboussin, DeMets, Kim and Lan (2000), programs for Lan-DeMets bounds, five even looks, 5 % two-sided.
        ("obrien_fleming", [4.877, 3.357, 2.680, 2.290, 2.031]),
        ("pocock", [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_bounds_are_the_published_ones(kind, published):
    assert group_bounds(FIVE, 0.05, kind) == pytest.approx(published, abs=0.002)


@pytest.mark.parametrize("kind", ["obrien_fleming", "pocock"])
def test_all_looks_together_are_wrong_as_often_as_promised(walks, kind):
    bounds = group_bounds([(k + 1) / 20 for k in range(20)], 0.05, kind)
    assert (np.abs(walks) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.003)


def test_harm_alone_is_wrong_in_half_of_it(walks):
    bounds = harm_bounds([(k + 1) / 20 for k in range(20)], 0.95)
    assert (walks < -bounds).any(axis=1).mean() == pytest.approx(0.025, abs=0.003)


def test_a_sequence_may_be_looked_at_any_time(walks):
    reach = np.array([sequence_reach(k + 1, 20, 0.95) for k in range(20)])
    wrong = (np.abs(walks) > reach).any(axis=1).mean()
    assert 0.005 < wrong < 0.05
    # Ordinary intervals at 20 looks are fooled five times as often as they promise (Armitage and others 1969).
    assert (np.abs(walks) > 1.96).any(axis=1).mean() == pytest.approx(0.248, abs=0.01)


def test_a_sequence_excludes_nothing_where_its_pvalue_is_the_level():
    reach = sequence_reach(500, 1000, 0.95)
    assert sequence_pvalue(reach, 500, 1000) == pytest.approx(0.05, rel=1e-6)
    assert sequence_pvalue(0.0, 500, 1000) == 1.0


def test_one_look_is_the_ordinary_test():
    assert group_bounds([1.0], 0.05)[0] == pytest.approx(norm.isf(0.025), rel=1e-9)


@given(st.lists(st.floats(0.02, 1.0), min_size=1, max_size=8, unique=True))
def test_what_is_spent_rises_to_the_whole(fractions):
    t = fractions_of(sorted(fractions), max(fractions))
    for kind in ("obrien_fleming", "pocock"):
        used = spent(t, 0.05, kind)
        assert np.all(np.diff(used) >= 0) and used[-1] == pytest.approx(0.05, rel=1e-6)


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=12), st.floats(0.1, 10.0))
def test_fractions_rise_within_0_and_1_whatever_the_information(information, end):
    t = fractions_of(information, end)
    assert np.all(np.diff(t) > 0) and t[0] > 0 and t[-1] <= 1


@pytest.mark.parametrize("fractions", [[0.5, 0.5], [0.0, 1.0], [0.5, 1.2], [0.6, 0.4]])
def test_fractions_that_do_not_rise_are_refused(fractions):
    with pytest.raises(InvalidValue, match="must rise"):
        spent(fractions, 0.05, "pocock")


def test_an_unknown_way_to_spend_is_refused():
    with pytest.raises(InvalidValue, match="choose obrien_fleming or pocock"):
        spent(FIVE, 0.05, "haybittle")
