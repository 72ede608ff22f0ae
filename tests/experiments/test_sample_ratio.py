"""Units in planned shares: the split that is broken, and the ramp that is not."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, kstest

from analysis_lib.errors import InvalidValue
from analysis_lib.experiments.sample_ratio import by_part, mismatch, planned_by_phase
from analysis_lib.experiments.trial import Trial

ARMS = ["control", "treatment"]
PHASES = {"5%": np.array([0.95, 0.05]), "50%": np.array([0.5, 0.5])}


def trial(**arms) -> Trial:
    return Trial("x", "X", "", "user", arms or {"control": 0.5, "treatment": 0.5}, "control", "", (),
                 datetime(2026, 1, 5), datetime(2026, 2, 1))  # fmt: skip


def test_with_one_stratum_it_is_pearsons_test():
    counts, planned = np.array([[480.0, 610.0, 515.0]]), np.array([[0.3, 0.4, 0.3]])
    theirs = chisquare(counts[0], planned[0] * counts.sum())
    assert mismatch(counts, planned) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-8)


def test_a_ramp_is_no_mismatch_and_pvalues_are_even():
    rng = np.random.default_rng(0)
    pvalues = []
    for _ in range(2_000):
        treated = rng.binomial([4_000, 6_000], [0.05, 0.5])
        counts = np.column_stack([np.array([4_000, 6_000]) - treated, treated]).astype(float)
        pvalues.append(mismatch(counts, np.stack(list(PHASES.values())))[1])
    assert kstest(pvalues, "uniform").pvalue > 0.001
    # Taken as one even split the same ramp is far off.
    assert mismatch(np.array([[6_800.0, 3_200.0]]), np.array([[0.5, 0.5]]))[1] < 1e-9


def test_a_lost_twentieth_of_an_arm_is_found():
    rng = np.random.default_rng(1)
    found = [mismatch(np.array([[10_000.0, rng.binomial(10_000, 0.93)]]), np.array([[0.5, 0.5]]))[1] < 0.001
             for _ in range(200)]  # fmt: skip
    assert np.mean(found) > 0.95


def test_the_part_that_lost_units_comes_first():
    rows = [(arm, "full", day, 500) for day in ("mon", "tue", "wed") for arm in ARMS]
    rows[3] = ("treatment", "full", "tue", 380)
    counts = pd.DataFrame(rows, columns=["variant", "phase", "exposed_day", "n"])
    found = by_part(counts, ARMS, {"full": np.array([0.5, 0.5])}, "exposed_day")
    assert found.loc[0, "value"] == "tue" and found.loc[0, "pvalue_adjusted"] < 0.001
    assert (found.loc[1:, "pvalue"] > 0.9).all()
    assert found["n_units"].tolist() == [880, 1000, 1000]


def test_parts_with_a_handful_of_units_are_not_tested():
    counts = pd.DataFrame({"variant": ARMS, "phase": "full", "country": "SA", "n": [20, 1]})
    assert by_part(counts, ARMS, {"full": np.array([0.5, 0.5])}, "country").empty


def test_phases_called_by_a_percentage_are_ramps():
    found = planned_by_phase(trial(), ["5%", "full", "12.5 %"])
    assert found["5%"].tolist() == [0.95, 0.05] and found["full"].tolist() == [0.5, 0.5]
    assert found["12.5 %"].tolist() == [0.875, 0.125]
    three = planned_by_phase(trial(control=0.5, a=0.3, b=0.2), ["20%"])
    assert three["20%"] == pytest.approx([0.8, 0.12, 0.08])


def test_given_shares_must_fit():
    assert planned_by_phase(trial(), ["x"], {"x": {"control": 0.9, "treatment": 0.1}})["x"].tolist() == [0.9, 0.1]
    for wrong in ({"control": 0.9}, {"control": 0.9, "treatment": 0.2}):
        with pytest.raises(InvalidValue, match="must name control, treatment"):
            planned_by_phase(trial(), ["x"], {"x": wrong})
