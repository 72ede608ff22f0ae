"""Moments of parts are the moments of the whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.metrics.pooling import fold, pool, unfold

numbers = st.lists(
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.integers(0, 3)), min_size=1, max_size=40
)  # fmt: skip


def moments_by_group(rows: np.ndarray, groups: np.ndarray):
    parts = [rows[groups == group] for group in np.unique(groups)]
    n = np.array([len(part) for part in parts])
    cov = [np.cov(part.T, ddof=1).reshape(2, 2) if len(part) > 1 else np.full((2, 2), np.nan) for part in parts]
    return n, np.array([part.mean(axis=0) for part in parts]), np.array(cov)


@settings(deadline=None)
@given(numbers)
def test_pooled_is_what_numpy_says_of_all(drawn):
    rows, groups = np.array([row[:2] for row in drawn]), np.array([row[2] for row in drawn])
    n, mean, cov = pool(*moments_by_group(rows, groups))
    assert n == len(rows)
    np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-9, atol=1e-7)
    if len(rows) > 1:
        np.testing.assert_allclose(cov, np.cov(rows.T, ddof=1), rtol=1e-9, atol=1e-6)


def test_a_group_of_nobody_changes_nothing():
    n, mean, cov = pool(np.array([0, 3]), np.array([[np.nan], [2.0]]), np.array([[[np.nan]], [[4.0]]]))
    assert (n, mean.tolist(), cov.tolist()) == (3, [2.0], [[4.0]])


def test_nobody_at_all_has_no_moments():
    n, mean, _ = pool(np.array([0.0]), np.array([[np.nan]]), np.array([[[np.nan]]]))
    assert n == 0 and np.isnan(mean).all()


def test_one_unit_has_no_variance():
    assert np.isnan(pool(np.array([1]), np.array([[2.0]]), np.array([[[np.nan]]]))[2]).all()


def test_a_pair_that_was_not_asked_for_stays_unknown():
    frame = pd.DataFrame({"n": [2], "mean__a": [1.0], "mean__b": [2.0], "cov__a__a": [3.0], "cov__b__b": [4.0]})
    n, mean, cov = unfold(frame, ["a", "b"])
    assert cov[0, 0, 0] == 3 and np.isnan(cov[0, 0, 1])
    assert fold(n[0], mean[0], cov[0], ["a", "b"], [("a", "a")]) == {
        "n": 2, "mean__a": 1.0, "mean__b": 2.0, "cov__a__a": 3.0,
    }  # fmt: skip


def test_nearly_equal_large_values_keep_their_spread():
    # Sums of squares would lose all digits here.
    rows = 1e9 + np.arange(20, dtype=float)[:, None].repeat(2, axis=1)
    _, _, cov = pool(*moments_by_group(rows, np.arange(20) % 3))
    assert cov[0, 1] == pytest.approx(35.0, rel=1e-9)
