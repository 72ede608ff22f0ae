"""Beliefs: the prior that past tests give, the luck that it takes away, and the chance to be best."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import norm

from analysis_lib.experiments.belief import FEWEST_PAST, Prior, believe, corrected, learn_prior
from analysis_lib.results import Estimate


def estimate(value, se):
    return Estimate(value, se, value - 1.96 * se, value + 1.96 * se, 0.95, "share", 1000, "mean")


def test_a_prior_finds_the_spread_that_was_drawn():
    rng = np.random.default_rng(0)
    true = rng.normal(0.01, 0.04, 400)
    prior = learn_prior([estimate(t + rng.normal(0, 0.02), 0.02) for t in true])
    assert prior.spread == pytest.approx(0.04, rel=0.1) and prior.mean == pytest.approx(0.01, abs=0.005)


def test_too_few_tests_teach_nothing():
    prior = learn_prior([estimate(0.3, 0.01)] * (FEWEST_PAST - 1) + [estimate(float("nan"), 0.1)])
    assert (prior.mean, prior.n_past) == (0.0, 0)
    assert "too few tests" in prior.text


def test_luck_is_taken_away_on_average():
    """Among the tests that look significant, the plain estimates are too large and the corrected ones are not."""
    rng = np.random.default_rng(1)
    true = rng.normal(0.0, 0.02, 20_000)
    seen = true + rng.normal(0, 0.03, len(true))
    prior = Prior(0.0, 0.02, 100)
    winners = seen > 1.96 * 0.03
    drawn = np.array([corrected(estimate(value, 0.03), prior).value for value in seen[winners]])
    assert (seen[winners] - true[winners]).mean() > 0.03
    assert (drawn - true[winners]).mean() == pytest.approx(0, abs=0.002)


def test_corrected_intervals_hold_the_truth():
    rng = np.random.default_rng(2)
    true = rng.normal(0.0, 0.02, 5_000)
    prior = Prior(0.0, 0.02, 100)
    found = [corrected(estimate(t + rng.normal(0, 0.03), 0.03), prior) for t in true]
    held = np.mean([one.ci_lower <= t <= one.ci_upper for one, t in zip(found, true, strict=True)])
    assert held == pytest.approx(0.95, abs=0.01)


def test_expected_loss_is_the_integral_it_is_defined_by():
    one = believe({"a": estimate(0.01, 0.02)}, Prior(0.0, 0.03, 0))["a"]
    loss, _ = integrate.quad(lambda x: -x * norm.pdf(x, one.effect.value, one.effect.se), -1, 0)
    assert one.expected_loss == pytest.approx(loss, rel=1e-6)
    assert one.chance_better == pytest.approx(norm.cdf(one.effect.value / one.effect.se), rel=1e-9)


def test_chances_to_be_best_add_up_with_control():
    found = believe({"a": estimate(0.0, 0.01), "b": estimate(0.0, 0.01), "c": estimate(0.0, 0.01)}, Prior(0, 0.03, 0),
                    shared=0.5e-4)  # fmt: skip
    chances = [one.chance_best for one in found.values()]
    assert max(chances) - min(chances) < 0.02
    assert 0.6 < sum(chances) < 0.9, "control is the best in the rest"
