"""Arms, crowds and plans of experiments that tests share."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib import config, metrics
from analysis_lib.calibration.crowds import Crowd
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.plan import Plan


def arm_of(values: np.ndarray, *, is_ratio: bool = False, has_covariate: bool = False) -> ArmMoments:
    """Moments of rows of units."""
    values = np.atleast_2d(values.T).T
    cov = np.cov(values, rowvar=False).reshape((values.shape[1],) * 2)
    return ArmMoments(float(len(values)), values.mean(axis=0), cov, is_ratio, has_covariate)


@pytest.fixture(scope="session")
def arm():
    """``arm(values, is_ratio=, has_covariate=)``: an arm from rows of units."""
    return arm_of


@pytest.fixture(scope="session")
def registry():
    """The metrics of the checkout."""
    return metrics.load_metrics(config.project())


@pytest.fixture(scope="session")
def plan():
    """``plan(**changes)``: a plan of two even arms over 28 days."""

    def make(**changes) -> Plan:
        base = {
            "experiment": "x", "arms": {"control": 0.5, "treatment": 0.5}, "days": 28, "success": ["orders_per_user"],
            "smallest": 0.03, "segments": ["country"],
        }  # fmt: skip
        return Plan.model_validate(base | changes)

    return make


@pytest.fixture(scope="session")
def crowd():
    """``crowd(n, effect, ...)``: users who order at random; under treatment as many times more as ``effect`` says.

    ``effect`` may be a number, or a function of (market, day since the exposure) as arrays.
    """

    def make(n=8_000, effect=0.0, *, days=28, rate=0.06, seed=1, countries=("GB", "ID"), phases=False) -> Crowd:
        rng = np.random.default_rng(seed)
        exposed = np.minimum(rng.geometric(0.15, n) - 1, days - 2)
        country = np.array(countries)[np.arange(n) % len(countries)]
        eager = rng.gamma(2.0, 0.5, n)
        since = np.arange(days)[None, :] - exposed[:, None]
        factor = effect(country[:, None], since) if callable(effect) else effect
        seen = since >= 0
        mean = rate * eager[:, None] * seen
        done = {
            "control": {"orders": rng.poisson(mean).astype(float)},
            "treatment": {"orders": rng.poisson(mean * (1 + factor)).astype(float)},
        }
        for sums in done.values():
            sums["gmv"] = sums["orders"] * rng.lognormal(3, 1, sums["orders"].shape)
        phase = np.where(exposed < 3, "5%", "50%") if phases else np.full(n, "full")
        before = {"orders": rng.poisson(rate * eager * 28).astype(float)}
        before["gmv"] = before["orders"] * 20.0
        return Crowd(exposed, country, phase, done, before)

    return make
