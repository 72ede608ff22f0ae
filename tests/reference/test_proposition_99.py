"""California's tobacco programme (Proposition 99): packs sold per head in 39 states, 1970 to 2000.

Data: package synthdid-py 0.1.0, ``california_prop99``.
Published: the effect after 1988 by R's synthdid 0.0.9 (its vignette, and Arkhangelsky et al. 2021,
Table 1: -15.6, -19.6, -27.3 packs).
"""

from __future__ import annotations

import numpy as np
import pytest
import synthdid

from analysis_lib.causal import panel_of, synthetic_control, synthetic_did
from analysis_lib.causal.difference_in_differences import did_value
from analysis_lib.causal.donor_weights import FITS, estimator

PUBLISHED = {"synthetic_did": -15.60383, "synthetic_control": -19.61966, "difference_in_differences": -27.34911}
COLUMNS = {"outcome": "PacksPerCapita", "unit": "State", "time": "Year", "treated": "treated"}


@pytest.fixture(scope="module")
def states():
    return synthdid.load_california_prop99()


@pytest.fixture(scope="module")
def panel(states):
    return panel_of(states, **COLUMNS)


@pytest.fixture(scope="module")
def matrices(states):
    return synthdid.panel_matrices(states)


@pytest.mark.parametrize("method", PUBLISHED)
def test_the_published_effects(panel, method):
    assert estimator(method)(panel) == pytest.approx(PUBLISHED[method], abs=1e-5)


def test_difference_in_differences_is_that_of_the_means(panel):
    assert did_value(panel) == pytest.approx(PUBLISHED["difference_in_differences"], abs=1e-5)


@pytest.mark.parametrize(
    ("method", "second"),
    [("synthetic_did", synthdid.synthdid_estimate), ("synthetic_control", synthdid.sc_estimate)],
)
def test_weights_are_those_of_a_second_library(panel, matrices, method, second):
    fit, other = FITS[method](panel), second(matrices.Y, matrices.N0, matrices.T0)
    assert fit.value_on(panel) == pytest.approx(float(other), abs=1e-9)
    assert fit.unit_weights == pytest.approx(np.asarray(other.weights.omega), abs=1e-9)
    if fit.time_weights is not None:
        assert fit.time_weights == pytest.approx(np.asarray(other.weights.lambda_), abs=1e-9)


def test_the_paths_hold_the_effects(states):
    for method, call in (("synthetic_did", synthetic_did), ("synthetic_control", synthetic_control)):
        found = call(states, **COLUMNS)
        after = found.path[found.path["is_after"]]
        assert after["effect"].mean() == pytest.approx(PUBLISHED[method], abs=1e-5)
        assert after["time"].tolist() == list(range(1989, 2001))
    assert found.unit_weights.nlargest(1).index.tolist() == ["Utah"]  # as Abadie, Diamond and Hainmueller find


def test_the_placebo_error_is_near_the_published(states):
    """Table 1 gives 8.4 by placebos on random draws; each donor in turn is the same up to the draws."""
    assert synthetic_did(states, **COLUMNS).estimate.se == pytest.approx(8.4, abs=1.5)
