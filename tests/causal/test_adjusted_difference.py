"""The effect on the treated: right, with the error another library finds, and additive."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from analysis_lib.causal import adjusted_difference, entropy_balance

#: Two programs on the same rows: only rounding apart.
SAME = 1e-8


def effects(frame, outcomes=("y",), covariates=("x1", "x2"), level=0.95, weights=None):
    if weights is None:
        weights = entropy_balance(frame, treated="treated", covariates=list(covariates)).weights
    return adjusted_difference(
        frame, outcomes=list(outcomes), treated="treated", covariates=list(covariates), weights=weights, level=level,
        unit="usd",
    )  # fmt: skip


def even(frame) -> np.ndarray:
    return np.ones(len(frame))


def test_recovers_a_planted_effect_without_bias(selected):
    found = [effects(selected(seed)).effects["y"] for seed in range(60)]
    errors = np.array([one.value - 3.0 for one in found])
    # Four standard errors of the mean of 60 runs.
    assert abs(errors.mean()) < 4 * errors.std(ddof=1) / np.sqrt(60)
    covered = np.mean([one.ci_lower <= 3.0 <= one.ci_upper for one in found])
    # 60 draws of a 95 % interval fall under 51 hits once in some 3,000 suites.
    assert covered >= 51 / 60


def test_the_plain_difference_would_be_wrong(selected):
    """So that the test above has something to catch."""
    errors = [np.subtract(*selected(seed).groupby("treated")["y"].mean()[[1, 0]]) - 3.0 for seed in range(20)]
    assert np.mean(errors) > 0.5


def test_either_weights_or_regression_alone_would_do(selected):
    """Doubly robust: a wrong outcome model is repaired by the weights, and missing weights by a right model."""
    curved = [selected(seed, 2000).assign(y=lambda f: f["y"] + f["x1"] ** 2) for seed in range(8)]
    squared = [f.assign(square=f["x1"] ** 2) for f in curved]
    no_weights = [effects(f, covariates=("x1", "x2", "square"), weights=even(f)).effects["y"].value for f in squared]
    no_model = [
        effects(
            f, covariates=(),
            weights=entropy_balance(f, treated="treated", covariates=["x1", "x2", "square"]).weights,
        ).effects["y"].value
        for f in squared
    ]  # fmt: skip
    assert np.mean(no_weights) == pytest.approx(3.0, abs=0.1)
    assert np.mean(no_model) == pytest.approx(3.0, abs=0.1)


def test_without_covariates_it_is_the_difference_in_means(selected):
    frame = selected(1)
    found = effects(frame, covariates=(), weights=even(frame)).effects["y"]
    means = frame.groupby("treated")["y"].mean()
    assert found.value == pytest.approx(means[1] - means[0])


def test_robust_error_is_pyfixests(selected):
    import pyfixest

    frame = selected(2).assign(weight=lambda f: entropy_balance(f, treated="treated", covariates=["x1", "x2"]).weights)
    fit = pyfixest.feols("y ~ treated + x1 + x2", frame, vcov="HC3", weights="weight")
    found = effects(frame).effects["y"]
    assert found.value == pytest.approx(fit.coef()["treated"], rel=SAME)
    # pyfixest multiplies by a small-sample factor that the definition of HC3 does not have.
    n, k = len(frame), 4
    assert found.se * np.sqrt(n / (n - k)) == pytest.approx(fit.se()["treated"], rel=1e-6)


def test_robust_error_is_the_jackknifes_formula(selected):
    """HC3 by hand: residuals blown up by 1 − leverage, which leaves out one unit at a time."""
    frame = selected(3)
    weights = entropy_balance(frame, treated="treated", covariates=["x1", "x2"]).weights
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([np.ones(len(frame)), frame[["treated", "x1", "x2"]]]) * root
    bread = np.linalg.inv(design.T @ design)
    outcome = frame["y"].to_numpy() * root[:, 0]
    residual = outcome - design @ (bread @ design.T @ outcome)
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    by_hand = (bread @ design.T)[1] * residual / (1 - leverage)
    assert effects(frame).effects["y"].se == pytest.approx(np.sqrt(np.sum(by_hand**2)), rel=SAME)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1e3, 1e3), st.floats(1e-2, 1e4))
def test_effects_of_outcomes_that_add_up_add_up(selected, seed, shift, scale):
    frame = selected(seed, 60).assign(a=lambda f: f["y"] * scale + shift, b=lambda f: f["z"] ** 2)
    frame = frame.assign(total=frame["a"] + frame["b"])
    found = effects(frame, ("a", "b", "total"), weights=even(frame)).effects
    assert found["a"].value + found["b"].value == pytest.approx(found["total"].value, rel=1e-6, abs=1e-6 * scale)


@given(st.floats(0.5, 0.999))
@settings(max_examples=20, deadline=None)
def test_interval_follows_the_level(selected, level):
    found = effects(selected(4, 100), level=level).effects["y"]
    assert (found.ci_upper - found.ci_lower) / 2 == pytest.approx(norm.ppf(0.5 + level / 2) * found.se)
    assert (found.level, found.unit, found.n) == (level, "usd", int(selected(4, 100)["treated"].sum()))


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, 1e9 + 0.1])
def test_constant_and_rescaled_covariates_change_nothing(selected, constant):
    frame = selected(5).assign(same=constant, dear=lambda f: f["x1"] * 1e6)
    weights = entropy_balance(frame, treated="treated", covariates=["x1", "x2"]).weights
    plain = effects(frame, weights=weights).effects["y"]
    odd = effects(frame, covariates=("dear", "x2", "same"), weights=weights).effects["y"]
    assert (odd.value, odd.se) == pytest.approx((plain.value, plain.se), rel=1e-6)


def test_residual_spread_is_what_covariates_leave(selected):
    """The planted noise of treated units has standard deviation 1.5."""
    found = effects(selected(6, 4000))
    assert found.residual_sd["y"] == pytest.approx(1.5, rel=0.05)
    assert found.text.startswith("y: $")


def test_the_input_is_left_alone(selected):
    frame, before = selected(7), selected(7)
    weights = even(frame)
    effects(frame, weights=weights)
    pd.testing.assert_frame_equal(frame, before)
    assert (weights == 1).all()
