"""A ramp whose arms were put together as they came said −11 % of a change that brought more.

Eager users are exposed first, while few are treated: control is made of better customers. Health found the arms to be
unlike beforehand, and blamed the split, which was as planned.
"""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.balancing import balanced
from analysis_lib.experiments.effects import effect_of
from analysis_lib.experiments.health import _alike
from analysis_lib.experiments.trial import Trial

#: Share treated and orders per user of those who are first exposed in the phase.
PHASES = {"5%": (0.05, 2.0), "50%": (0.5, 0.8)}
LIFT = 0.05


def arm(rows: np.ndarray) -> ArmMoments:
    return ArmMoments(float(len(rows)), rows.mean(axis=0), np.cov(rows, rowvar=False), False, True)


@pytest.fixture(scope="module")
def ramp():
    """Units of each arm and phase: orders, and orders beforehand."""
    rng = np.random.default_rng(1)
    found = {}
    for phase, (share, rate) in PHASES.items():
        for name, part in (("control", 1 - share), ("treatment", share)):
            n = int(40_000 * part)
            eager = rng.gamma(4.0, rate / 4, n)
            lift = 1 + LIFT * (name == "treatment")
            found[name, phase] = np.column_stack([rng.poisson(eager * lift), rng.poisson(eager)]).astype(float)
    return found


def test_as_they_came_the_arms_say_the_opposite(ramp):
    whole = {
        name: arm(np.concatenate([rows for key, rows in ramp.items() if key[0] == name]))
        for name in ("control", "treatment")
    }
    plain = effect_of(whole["control"].plain(), whole["treatment"].plain(), level=0.95, unit="")
    assert plain.rel_effect.ci_upper < -0.1


@pytest.mark.parametrize("adjusted", [False, True])
def test_phase_by_phase_the_interval_holds_what_was_planted(ramp, adjusted):
    arms = balanced({key: arm(rows) for key, rows in ramp.items()}, ["control", "treatment"])
    pair = [arms[name,] if adjusted else arms[name,].plain() for name in ("control", "treatment")]
    found = effect_of(*pair, level=0.95, unit="").rel_effect
    assert 0 < found.ci_lower < LIFT < found.ci_upper


def test_the_arms_are_alike_beforehand_once_they_are_weighted_alike(ramp):
    arms = balanced({key: arm(rows) for key, rows in ramp.items()}, ["control", "treatment"])
    beforehand = {"orders": {key[0]: one.beforehand() for key, one in arms.items()}}
    shares = {"control": 0.5, "treatment": 0.5}
    trial = Trial("x", "X", "", "user", shares, "control", "", (), None, None)  # type: ignore[arg-type]
    (check,) = _alike(beforehand, trial)
    assert check.passed
