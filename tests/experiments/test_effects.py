"""Effects against formulas of papers, tea-tasting and statsmodels on the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from tea_tasting.metrics import Mean

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.effects import effect_of, format_pvalue, normal, post_stratified, quantile_effect


def draws(seed=0, n=(400, 500), lift=0.3):
    rng = np.random.default_rng(seed)
    before = [rng.gamma(2, 2, size) for size in n]
    now = [0.8 * b + rng.gamma(2, 1, len(b)) + lift * k for k, b in enumerate(before)]
    return now, before


def test_a_difference_of_means_is_welch_to_1e_8(arm):
    (control, treatment), _ = draws()
    found = effect_of(arm(control), arm(treatment), level=0.95, unit="orders")
    by_scipy = stats.ttest_ind(treatment, control, equal_var=False)
    assert found.effect.value == pytest.approx(treatment.mean() - control.mean(), rel=1e-8)
    assert found.pvalue == pytest.approx(by_scipy.pvalue, rel=1e-8)
    low, high = by_scipy.confidence_interval(0.95)
    assert (found.effect.ci_lower, found.effect.ci_upper) == pytest.approx((low, high), rel=1e-8)


def test_a_ratio_is_the_delta_method_to_1e_8(arm):
    rng = np.random.default_rng(1)
    sides = []
    for lift in (1.0, 1.2):
        below = rng.poisson(3, 600) + 1.0
        sides.append(np.column_stack([rng.poisson(below * lift), below]))
    found = effect_of(*(arm(side, is_ratio=True) for side in sides), level=0.95, unit="share")
    ratio = [side[:, 0].mean() / side[:, 1].mean() for side in sides]
    # Deng, Knoblich and Lu (2018), eq. 3: the variance of a unit's linearised contribution.
    parts = [(s[:, 0] - r * s[:, 1]) / s[:, 1].mean() for s, r in zip(sides, ratio, strict=True)]
    se = np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
    assert found.effect.value == pytest.approx(ratio[1] - ratio[0], rel=1e-8)
    assert found.effect.se == pytest.approx(se, rel=1e-8)


def test_an_adjusted_mean_is_cuped_of_tea_tasting_and_close_to_a_regression(arm):
    import pandas as pd

    now, before = draws()
    sides = [np.column_stack([n, b]) for n, b in zip(now, before, strict=True)]
    found = effect_of(*(arm(side, has_covariate=True) for side in sides), level=0.95, unit="orders")
    frame = pd.concat([pd.DataFrame(s, columns=["now", "before"]).assign(variant=k) for k, s in enumerate(sides)])
    theirs = Mean("now", "before", equal_var=False).analyze(frame, 0, 1, "variant")
    assert found.effect.value == pytest.approx(theirs.effect_size, rel=1e-8)
    assert found.pvalue == pytest.approx(theirs.pvalue, rel=1e-8)
    assert found.rel_effect.ci_upper == pytest.approx(theirs.rel_effect_size_ci_upper, rel=1e-8)
    model = sm.OLS(frame["now"], sm.add_constant(frame[["variant", "before"]])).fit(cov_type="HC2")
    assert found.effect.value == pytest.approx(model.params["variant"], rel=0.02)
    assert found.effect.se == pytest.approx(model.bse["variant"], rel=0.02)


def test_adjusting_narrows_by_what_the_correlation_promises(arm):
    now, before = draws(n=(20_000, 20_000), lift=0.0)
    sides = [np.column_stack([n, b]) for n, b in zip(now, before, strict=True)]
    arms = [arm(side, has_covariate=True) for side in sides]
    plain = effect_of(*(one.plain() for one in arms), level=0.95, unit="")
    adjusted = effect_of(*arms, level=0.95, unit="")
    rho = np.corrcoef(np.concatenate(now), np.concatenate(before))[0, 1]
    assert adjusted.effect.se / plain.effect.se == pytest.approx(np.sqrt(1 - rho**2), rel=0.01)


def test_a_covariate_that_never_varies_is_left_out(arm):
    now, _ = draws()
    arms = [arm(np.column_stack([n, np.zeros(len(n))]), has_covariate=True) for n in now]
    assert effect_of(*arms, level=0.95, unit="").pvalue == pytest.approx(
        effect_of(*(one.plain() for one in arms), level=0.95, unit="").pvalue, rel=1e-8
    )


def test_a_covariate_that_most_units_lack_changes_little_but_is_used(arm):
    """Most were not there before: their value beforehand is nothing, which is true."""
    now, before = draws(n=(4_000, 4_000))
    rng = np.random.default_rng(3)
    thin = [np.where(rng.random(len(b)) < 0.05, b, 0.0) for b in before]
    arms = [arm(np.column_stack([n, t]), has_covariate=True) for n, t in zip(now, thin, strict=True)]
    plain = effect_of(*(one.plain() for one in arms), level=0.95, unit="")
    adjusted = effect_of(*arms, level=0.95, unit="")
    assert adjusted.effect.se <= plain.effect.se * 1.001
    assert adjusted.effect.value == pytest.approx(plain.effect.value, abs=plain.effect.se)


@pytest.mark.parametrize("n", [2, 29])
def test_a_handful_of_units_gets_no_interval(arm, n):
    few, many = np.arange(n, dtype=float), np.arange(100, dtype=float)
    with pytest.raises(NotEnoughData, match="fewer than 30 units in control"):
        effect_of(arm(few), arm(many), level=0.95, unit="")
    with pytest.raises(NotEnoughData, match="fewer than 30 units in the treatment"):
        effect_of(arm(many), arm(few), level=0.95, unit="")


@pytest.mark.parametrize("value", [0.0, 1.0, 1e9])
def test_what_never_varies_gets_no_interval(arm, value):
    same = np.full(100, value)
    with pytest.raises(NotEnoughData, match="nothing varies"):
        effect_of(arm(same), arm(same), level=0.95, unit="")


def test_a_ratio_without_a_denominator_is_refused(arm):
    rows = np.column_stack([np.arange(50.0), np.zeros(50)])
    with pytest.raises(NotEnoughData, match="nothing to divide by"):
        effect_of(arm(rows, is_ratio=True), arm(rows, is_ratio=True), level=0.95, unit="")


def test_a_relative_effect_needs_positive_arms(arm):
    rng = np.random.default_rng(0)
    found = effect_of(arm(rng.normal(-1, 1, 100)), arm(rng.normal(1, 1, 100)), level=0.95, unit="")
    assert np.isnan(found.rel_effect.value) and np.isfinite(found.effect.value)


def test_quantiles_differ_by_their_two_errors():
    found = quantile_effect({"control": (800.0, 6.0, 900), "treatment": (820.0, 8.0, 950)}, level=0.95, unit="ms")
    assert found.effect.value == 20 and found.effect.se == pytest.approx(10)
    assert found.effect.ci_lower == pytest.approx(20 - 1.959963985 * 10)
    assert found.rel_effect.value == pytest.approx(0.025)
    # The ratio by logarithms.
    assert np.log1p(found.rel_effect.ci_upper) - np.log1p(found.rel_effect.value) == pytest.approx(
        1.959963985 * np.hypot(6 / 800, 8 / 820)
    )
    with pytest.raises(NotEnoughData):
        quantile_effect({"control": (800.0, 0.0, 900), "treatment": (820.0, 0.0, 950)}, level=0.95, unit="ms")


def test_strata_give_back_what_an_uneven_split_took(arm):
    """Large buyers are more often treated: the plain difference is wrong, the stratified one is not."""
    rng = np.random.default_rng(5)
    strata = {
        "small": (arm(rng.normal(1, 0.5, 4_000)), arm(rng.normal(1, 0.5, 1_000))),
        "large": (arm(rng.normal(10, 0.5, 1_000)), arm(rng.normal(10, 0.5, 4_000))),
    }
    found = post_stratified(strata, level=0.95, unit="")
    assert found.effect.ci_lower < 0 < found.effect.ci_upper
    assert abs(found.effect.value) < 0.05
    # Miratrix, Sekhon and Yu: independent strata, weighted by their units.
    se = np.sqrt(sum(0.25 * (c.cov[0, 0] / c.n + t.cov[0, 0] / t.n) for c, t in strata.values()))
    assert found.effect.se == pytest.approx(se, rel=1e-8)


def test_an_interval_of_another_level_is_normal(arm):
    (control, treatment), _ = draws()
    found = effect_of(arm(control), arm(treatment), level=0.95, unit="")
    wide = normal(found.effect, 0.99)
    assert wide.ci_upper - wide.value == pytest.approx(2.5758293 * found.effect.se)


@pytest.mark.parametrize(("value", "says"), [(0.0, "under 0.0001"), (0.04567, "0.046"), (1.0, "1")])
def test_pvalues_are_rounded(value, says):
    assert format_pvalue(value) == says
