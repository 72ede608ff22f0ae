"""Fieller's interval: by simulation, by inversion, and its refusal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from analysis_lib.causal import ratio_interval
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate


def told(value: float, se: float) -> Estimate:
    return Estimate(value, se, value - 1.96 * se, value + 1.96 * se, 0.95, "usd", 100, "drawn")


def test_its_ends_are_the_ratios_at_which_the_test_turns():
    above, below, covariance = told(3.0, 1.0), told(2.0, 0.4), 0.1
    found = ratio_interval(above, below, covariance=covariance, unit="")
    for end in (found.ci_lower, found.ci_upper):
        gap = above.value - end * below.value
        se = np.sqrt(above.se**2 - 2 * end * covariance + end**2 * below.se**2)
        assert abs(gap) / se == pytest.approx(norm.ppf(0.975))


def test_it_covers():
    rng = np.random.default_rng(1)
    # Correlated errors, and a denominator only five errors from zero, where the delta method falls short.
    draws = rng.multivariate_normal([3.0, 2.0], [[1.0, 0.2], [0.2, 0.16]], 4000)
    found = [ratio_interval(told(a, 1.0), told(b, 0.4), covariance=0.2, unit="") for a, b in draws if b > 0.8]
    inside = np.mean([one.ci_lower <= 1.5 <= one.ci_upper for one in found])
    assert inside == pytest.approx(0.95, abs=0.012)


def test_a_known_denominator_only_scales():
    found = ratio_interval(told(3.0, 1.0), told(2.0, 0.0), unit="")
    assert (found.value, found.se) == (1.5, 0.5)
    assert found.ci_upper - found.value == pytest.approx(0.5 * norm.ppf(0.975))


def test_a_denominator_that_may_be_zero_is_refused():
    with pytest.raises(NotEnoughData, match="cannot be told from zero"):
        ratio_interval(told(3.0, 1.0), told(0.5, 0.4), unit="")
