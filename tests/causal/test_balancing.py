"""Entropy balancing: exact, the most even weights that are, and honest about no overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from analysis_lib.causal import entropy_balance
from analysis_lib.errors import NotEnoughData

#: In standard deviations; the ridge of the dual leaves at most its size times the multipliers.
EXACT = 1e-3


def solved(frame: pd.DataFrame, *covariates: str):
    return entropy_balance(frame, treated="treated", covariates=list(covariates))


def test_weighted_means_are_the_treated_means(selected):
    frame = selected(1)
    result = solved(frame, "x1", "x2")
    assert result.worst_before > 0.3
    assert result.worst_after < EXACT
    untreated = frame["treated"] == 0
    for name in ("x1", "x2"):
        weighted = result.weights[untreated] @ frame.loc[untreated, name]
        assert weighted == pytest.approx(frame.loc[~untreated, name].mean(), abs=EXACT * frame[name].std())


def test_weights_sum_to_one_in_each_group_and_are_positive(selected):
    frame = selected(2)
    weights = solved(frame, "x1", "x2").weights
    treated = frame["treated"] == 1
    assert weights[treated] == pytest.approx(1 / treated.sum())
    assert weights[~treated].sum() == pytest.approx(1.0)
    assert (weights > 0).all()


def test_a_binary_covariate_has_a_closed_form():
    """Each untreated unit weighs the treated share of its class over the untreated number in it."""
    frame = pd.DataFrame({"treated": [1] * 10 + [0] * 20, "old": [1] * 7 + [0] * 3 + [1] * 5 + [0] * 15})
    result = solved(frame, "old")
    assert result.weights[10:15] == pytest.approx(0.7 / 5, rel=1e-3)
    assert result.weights[15:] == pytest.approx(0.3 / 15, rel=1e-3)
    assert result.effective_n == pytest.approx(1 / (5 * 0.14**2 + 15 * 0.02**2), rel=1e-3)


def test_the_weights_are_the_most_even_that_balance(selected):
    """The primal problem itself, solved by another algorithm: largest entropy under exact balance."""
    frame = selected(3, n=60)
    treated = frame["treated"].to_numpy() == 1
    values = frame[["x1", "x2"]].to_numpy()
    gaps = values[~treated] - values[treated].mean(axis=0)
    n = len(gaps)
    answer = minimize(
        lambda w: float(np.sum(w * np.log(np.maximum(w, 1e-300)))), np.full(n, 1 / n), method="SLSQP",
        jac=lambda w: np.log(np.maximum(w, 1e-300)) + 1, bounds=[(1e-12, 1)] * n,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(n)},
            {"type": "eq", "fun": lambda w: gaps.T @ w, "jac": lambda w: gaps.T},
        ],
        options={"maxiter": 500, "ftol": 1e-12},
    )  # fmt: skip
    assert answer.success
    assert solved(frame, "x1", "x2").weights[~treated] == pytest.approx(answer.x, abs=1e-4)


def test_groups_that_are_alike_keep_even_weights():
    frame = pd.DataFrame({"treated": [1, 1, 0, 0], "x": [1.0, 3.0, 1.0, 3.0]})
    assert solved(frame, "x").weights[2:] == pytest.approx([0.5, 0.5])


@given(st.floats(1e-4, 1e6), st.floats(-1e4, 1e4))
def test_the_scale_of_a_covariate_does_not_matter(factor, shift):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"treated": np.repeat([1, 0], [30, 70]), "x": rng.normal(0, 1, 100)})
    frame.loc[:29, "x"] += 0.5
    moved = frame.assign(x=frame["x"] * factor + shift)
    assert solved(moved, "x").weights == pytest.approx(solved(frame, "x").weights, rel=1e-3, abs=1e-6)


def test_no_overlap_is_refused():
    frame = pd.DataFrame({"treated": [1] * 20 + [0] * 20, "x": [*range(30, 50), *range(20)]})
    with pytest.raises(NotEnoughData, match=r"'x' still differs by \d+\.\d+ standard deviations"):
        solved(frame, "x")


def test_a_covariate_that_is_the_treatment_is_refused():
    """Constant within each group, and not the same constant: no pooled deviation to divide by."""
    frame = pd.DataFrame({"treated": [1] * 5 + [0] * 5, "x": [1.0] * 5 + [0.0] * 5})
    with pytest.raises(NotEnoughData, match="'x' still differs"):
        solved(frame, "x")


@pytest.mark.parametrize(("flag", "lacking"), [(1, "untreated"), (0, "treated")])
def test_a_single_group_is_refused(flag, lacking):
    with pytest.raises(NotEnoughData, match=f"there are no {lacking}"):
        solved(pd.DataFrame({"treated": [flag] * 5, "x": range(5)}), "x")


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, 1 / 3, 1e9 + 0.1, -7.7])
@pytest.mark.parametrize("n", [97, 250])
def test_a_constant_covariate_changes_nothing(selected, constant, n):
    """Also where the mean of equal numbers is not that number: 0.1 added up is not a multiple of 0.1."""
    frame = selected(5, n=n).assign(same=constant)
    assert solved(frame, "x1", "same").weights == pytest.approx(solved(frame, "x1").weights, rel=1e-6)


def test_two_covariates_that_are_nearly_one_still_balance(selected):
    frame = selected(6)
    frame = frame.assign(twin=frame["x1"] + 1e-6 * frame["z"])
    assert solved(frame, "x1", "twin", "x2").worst_after < 0.01


def test_the_input_is_left_alone(selected):
    frame = selected(7)
    before = frame.copy(deep=True)
    solved(frame, "x1", "x2")
    pd.testing.assert_frame_equal(frame, before)


def test_the_index_of_the_frame_does_not_matter(selected):
    frame = selected(8, n=80)
    odd = frame.set_axis(np.arange(80)[::-1] * 7)
    assert solved(odd, "x1").weights == pytest.approx(solved(frame, "x1").weights)


def test_the_balance_table_says_what_was_done(selected):
    frame = selected(9)
    result = solved(frame, "x1", "x2")
    table = result.to_frame()
    assert list(table["covariate"]) == ["x1", "x2"]
    groups = frame.groupby("treated")[["x1", "x2"]].agg(["mean", lambda x: x.var(ddof=0)]).to_numpy()
    pooled = np.sqrt((groups[0, 1::2] + groups[1, 1::2]) / 2)
    assert table["difference_before"].to_numpy() == pytest.approx((groups[1, ::2] - groups[0, ::2]) / pooled)
    assert (result.n_treated, result.n_untreated) == (frame["treated"].sum(), (frame["treated"] == 0).sum())
    assert 1 < result.effective_n < result.n_untreated
    assert f"{result.worst_before:.2f} standard deviations" in result.text
    assert "untargeted" in result.text
