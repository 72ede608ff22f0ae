"""Effects drawn to their mean: by quadrature, at the limits, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from analysis_lib.causal import drawn_effects

#: The eight schools of Rubin (1981): effects of coaching, and their standard errors.
SCHOOLS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def test_the_eight_schools_are_as_published():
    """Gelman et al., Bayesian Data Analysis, 3rd ed., table 5.3: medians 5 to 10, school A from -2 to 31."""
    found = drawn_effects(SCHOOLS, ERRORS**2, level=0.95)
    assert found.mean == pytest.approx(8.0, abs=0.5)
    assert found.value.min() >= 5.0 and found.value.max() <= 12.0
    assert found.ci_lower[0] == pytest.approx(-2, abs=2.5) and found.ci_upper[0] == pytest.approx(31, abs=3)


def test_the_mean_agrees_with_an_integral_by_quadrature():
    value, variance = np.array([1.0, 2.0, 6.0]), np.array([0.5, 1.0, 2.0])
    found = drawn_effects(value, variance, level=0.95)

    def centre(spread: float) -> tuple[float, float]:
        weight = 1 / (variance + spread**2)
        at = float(weight @ value / weight.sum())
        like = np.prod(norm.pdf(value, at, np.sqrt(variance + spread**2))) / np.sqrt(weight.sum())
        return at, float(like)

    # The same widest spread as the grid's.
    top = 4.0 * max(float(value.std()), float(np.sqrt(variance.min())))
    mass = quad(lambda s: centre(s)[1], 0, top)[0]
    mean = quad(lambda s: centre(s)[0] * centre(s)[1], 0, top)[0] / mass
    assert found.mean == pytest.approx(mean, rel=2e-3)


def test_what_is_measured_well_is_hardly_drawn():
    value = np.array([0.0, 5.0, 10.0])
    found = drawn_effects(value, np.full(3, 1e-6), level=0.95)
    np.testing.assert_allclose(found.value, value, atol=1e-3)


def test_intervals_hold_the_truth_of_a_few_effects():
    rng, hits = np.random.default_rng(4), []
    for _ in range(150):
        truth = rng.normal(1.0, 1.0, 4)
        se = rng.uniform(0.3, 2.0, 4)
        found = drawn_effects(rng.normal(truth, se), se**2, level=0.95)
        hits += list((found.ci_lower <= truth) & (truth <= found.ci_upper))
    assert np.mean(hits) >= 0.92
