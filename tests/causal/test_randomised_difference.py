"""Differences of groups made by lot: those of a regression on the rows, and they add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.causal import GroupMoments, randomised_difference
from analysis_lib.errors import InvalidValue, NotEnoughData

NAMES = ("a", "b", "before", "earlier")


def group(rows: pd.DataFrame) -> GroupMoments:
    return GroupMoments(len(rows), NAMES, rows[list(NAMES)].mean().to_numpy(), rows[list(NAMES)].cov().to_numpy())


def drawn(seed: int, n: int = 400, effect: float = 0.0, held: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    earlier = rng.exponential(2.0, n)
    before = 0.5 * earlier + rng.exponential(1.0, n)
    treated = rng.random(n) >= held
    a = 0.8 * before + rng.exponential(1.0, n) + effect * treated
    return pd.DataFrame({"a": a, "b": rng.normal(size=n) - 0.3 * a, "before": before, "earlier": earlier, "t": treated})


def read(rows: pd.DataFrame, **options):
    treated = rows["t"].astype(bool)
    return randomised_difference(
        group(rows[treated]), group(rows[~treated]), outcomes={"a": ["a"], "b": ["b"], "both": ["a", "b"]}, level=0.95,
        unit="usd", **options,
    )  # fmt: skip


@pytest.mark.parametrize("covariates", [[], ["before"], ["before", "earlier"]])
def test_the_value_is_that_of_a_regression_on_the_rows(covariates):
    rows = drawn(1)
    found = read(rows, covariates=covariates)["a"]
    design = sm.add_constant(rows[["t", *covariates]].astype(float))
    fit = sm.OLS(rows["a"], design).fit(cov_type="HC2")
    assert found.value == pytest.approx(fit.params["t"], rel=1e-10)
    # Robust errors of the regression know nothing of Welch; without covariates they are the same.
    assert found.se == pytest.approx(fit.bse["t"], rel=1e-10 if not covariates else 0.06)


def test_without_covariates_it_is_the_test_of_welch():
    from scipy.stats import ttest_ind

    rows = drawn(2)
    found = read(rows)["a"]
    treated = rows["t"].astype(bool)
    other = ttest_ind(rows.loc[treated, "a"], rows.loc[~treated, "a"], equal_var=False).confidence_interval(0.95)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((other.low, other.high), rel=1e-10)


@given(st.integers(0, 10_000), st.sampled_from([[], ["before"], ["before", "earlier"]]))
@settings(max_examples=30)
def test_outcomes_that_add_up_have_effects_that_add_up(seed, covariates):
    found = read(drawn(seed, n=120), covariates=covariates)
    assert found["a"].value + found["b"].value == pytest.approx(found["both"].value, rel=1e-9, abs=1e-12)


def test_history_makes_it_sharper():
    rows = drawn(3)
    assert read(rows, covariates=["before"])["a"].se < 0.85 * read(rows)["a"].se


def test_intervals_cover_with_few_held_out():
    inside = []
    for seed in range(400):
        found = read(drawn(seed, n=300, effect=0.4, held=0.2), covariates=["before", "earlier"])["a"]
        inside.append(found.ci_lower <= 0.4 <= found.ci_upper)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_what_does_not_vary_is_left_out():
    rows = drawn(4).assign(before=1.0)
    assert read(rows, covariates=["before"])["a"].value == pytest.approx(read(rows)["a"].value)


def test_small_groups_and_other_columns_are_refused():
    rows = drawn(5, n=50, held=0.1)
    with pytest.raises(NotEnoughData, match="fewer than 20 units"):
        read(rows)
    one = group(drawn(6))
    other = GroupMoments(one.n, ("x", *NAMES[1:]), one.mean, one.cov)
    with pytest.raises(InvalidValue, match="other columns"):
        randomised_difference(one, other, outcomes={"b": ["b"]}, level=0.95, unit="")
