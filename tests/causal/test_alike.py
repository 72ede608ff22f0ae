"""Rows that stand for several units: every number is that of the units listed one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.causal import adjusted_difference, entropy_balance, proportional_difference

#: The same sums in another order; the weights are solved until the gradient is under 1e-6.
SAME, SOLVED = 1e-9, 1e-4


def drawn(seed: int, n: int = 120, most: int = 40) -> pd.DataFrame:
    """Distinct units, each with how many there are of it."""
    rng = np.random.default_rng(seed)
    treated = np.repeat([1.0, 0.0], n // 2)
    past = rng.gamma(2.0, 1.0, n) + 0.4 * treated
    return pd.DataFrame(
        {
            "treated": treated, "past": past, "zero": np.where(rng.random(n) < 0.5, 0.0, past),
            "y": past + treated + rng.normal(0, 1, n), "x": rng.poisson(past), "alike": rng.integers(1, most, n),
        }
    )  # fmt: skip


def listed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[frame.index.repeat(frame["alike"])].reset_index(drop=True)


def adjusted(frame: pd.DataFrame, weights: np.ndarray, **options):
    return adjusted_difference(
        frame, outcomes=["y", "x"], treated="treated", covariates=["past", "zero"], weights=weights, level=0.9,
        unit="usd", **options,
    )  # fmt: skip


def grown(frame: pd.DataFrame, **options):
    return proportional_difference(
        frame, outcomes={"y": "past", "x": "zero"}, treated="treated", total="total", level=0.9, unit="usd", **options
    )


def assert_same(one, other) -> None:
    assert list(one.effects) == list(other.effects)
    for name, effect in one.effects.items():
        for part in ("value", "se", "ci_lower", "ci_upper"):
            assert getattr(effect, part) == pytest.approx(getattr(other.effects[name], part), rel=SAME, abs=SAME)
        assert effect.n == other.effects[name].n
        assert one.residual_sd[name] == pytest.approx(other.residual_sd[name], rel=SAME)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_weights_and_balance(seed):
    frame = drawn(seed)
    long = listed(frame)
    counted = entropy_balance(frame, treated="treated", covariates=["past", "zero"], counts="alike")
    one_by_one = entropy_balance(long, treated="treated", covariates=["past", "zero"])
    assert counted.weights.repeat(frame["alike"]) == pytest.approx(one_by_one.weights, rel=SOLVED)
    assert (counted.n_treated, counted.n_untreated) == (one_by_one.n_treated, one_by_one.n_untreated)
    assert counted.effective_n == pytest.approx(one_by_one.effective_n, rel=SOLVED)
    pd.testing.assert_frame_equal(counted.balance, one_by_one.balance, rtol=SOLVED, atol=SOLVED)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_an_adjusted_difference(seed):
    frame = drawn(seed)
    weights = entropy_balance(frame, treated="treated", covariates=["past", "zero"], counts="alike").weights
    assert_same(adjusted(frame, weights, counts="alike"), adjusted(listed(frame), weights.repeat(frame["alike"])))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_a_proportional_difference(seed):
    frame = drawn(seed)
    assert_same(grown(frame, counts="alike"), grown(listed(frame)))


def test_counts_matter():
    """So that the tests above have something to catch."""
    frame = drawn(1)
    assert grown(frame, counts="alike").effects["y"].value != pytest.approx(grown(frame).effects["y"].value, rel=1e-3)
