"""Ramps: arms whose shares changed are compared phase by phase."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.experiments.balancing import balanced, balanced_days, balanced_quantiles
from analysis_lib.experiments.effects import effect_of

ARMS = ["control", "treatment"]


def ramp(arm, lift=0.0, seed=0):
    """Eager users come in the first phase, of whom few are treated."""
    rng = np.random.default_rng(seed)
    sizes = {("control", "5%"): (9_500, 3.0), ("treatment", "5%"): (500, 3.0), ("control", "50%"): (3_000, 1.0),
             ("treatment", "50%"): (3_000, 1.0)}  # fmt: skip
    return {
        key: arm(rng.normal(mean * (1 + lift * (key[0] == "treatment")), 0.8, n)) for key, (n, mean) in sizes.items()
    }


def test_a_ramp_without_effect_shows_none_where_the_arms_as_they_came_do(arm):
    from analysis_lib.experiments.arms import pooled

    cells = ramp(arm)
    naive = effect_of(*(pooled([one for key, one in cells.items() if key[0] == name]) for name in ARMS),
                      level=0.95, unit="")  # fmt: skip
    assert naive.rel_effect.ci_upper < -0.3
    arms = balanced(cells, ARMS)
    found = effect_of(arms["control",], arms["treatment",], level=0.95, unit="")
    assert found.rel_effect.ci_lower < 0 < found.rel_effect.ci_upper


def test_intervals_of_a_ramp_hold_the_truth(arm):
    held = []
    for seed in range(200):
        arms = balanced(ramp(arm, lift=0.05, seed=seed), ARMS)
        found = effect_of(arms["control",], arms["treatment",], level=0.95, unit="").rel_effect
        held.append(found.ci_lower <= 0.05 <= found.ci_upper)
    assert 0.90 <= np.mean(held) <= 0.99


def test_the_estimate_is_the_mean_of_phases_by_their_units(arm):
    cells = ramp(arm, lift=0.1)
    arms = balanced(cells, ARMS)
    shares = {"5%": 10_000 / 16_000, "50%": 6_000 / 16_000}
    for name in ARMS:
        by_hand = sum(share * cells[name, phase].mean[0] for phase, share in shares.items())
        assert arms[name,].mean[0] == pytest.approx(by_hand, rel=1e-12)
        variance = sum(share**2 * cells[name, p].cov[0, 0] / cells[name, p].n for p, share in shares.items())
        assert arms[name,].cov[0, 0] / arms[name,].n == pytest.approx(variance, rel=1e-12)
        assert arms[name,].n == sum(cells[name, phase].n for phase in shares)


def test_a_phase_without_an_arm_compares_nothing(arm):
    cells = ramp(arm) | {("treatment", "100%"): arm(np.full(400, 99.0) + np.arange(400))}
    assert balanced(cells, ARMS)["treatment",].mean[0] < 10


def test_segments_are_kept_apart(arm):
    cells = {(*key, country): one for key, one in ramp(arm).items() for country in ("GB", "ID")}
    assert set(balanced(cells, ARMS)) == {(name, country) for name in ARMS for country in ("GB", "ID")}


def test_nothing_to_compare_gives_nothing():
    assert balanced({}, ARMS) == {} and balanced_quantiles({}, ARMS) == {}


def test_quantiles_of_phases_get_the_same_weights():
    cells = {("control", "a"): (100.0, 3.0, 900.0), ("treatment", "a"): (110.0, 4.0, 100.0),
             ("control", "b"): (200.0, 6.0, 500.0), ("treatment", "b"): (210.0, 6.0, 500.0),
             ("control", "c"): (1.0, np.nan, 10.0), ("treatment", "c"): (1.0, 1.0, 10.0)}  # fmt: skip
    found = balanced_quantiles(cells, ARMS)
    assert found["treatment"][0] - found["control"][0] == pytest.approx(10)
    assert found["control"][:2] == pytest.approx((150.0, np.hypot(1.5, 3.0)))


def test_days_since_the_exposure_are_put_together_too():
    rows = [
        ("control", "5%", 0, "m", 900, 3.0), ("treatment", "5%", 0, "m", 100, 3.0),
        ("control", "50%", 0, "m", 500, 1.0), ("treatment", "50%", 0, "m", 500, 1.0),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["variant", "phase", "day_since", "metric", "n_units", "mean_numerator"])
    frame = frame.assign(mean_denominator=1.0, var_numerator=2.0, var_denominator=0.0, cov=0.0)
    found = balanced_days(frame, ARMS).set_index("variant")
    assert found.loc["control", "mean_numerator"] == found.loc["treatment", "mean_numerator"] == pytest.approx(2.0)
    assert found.loc["treatment", "n_units"] == 600
