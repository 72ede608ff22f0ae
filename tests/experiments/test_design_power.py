"""The arithmetic of a design, against formulas, two libraries, and simulated tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t, ttest_ind
from statsmodels.stats.power import NormalIndPower, tt_ind_solve_power
from tea_tasting.metrics import Mean, RatioOfMeans

from analysis_lib.causal.sequential import group_bounds
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.design_checks import noticed_share
from analysis_lib.experiments.design_history import adjusted_variance, point_of
from analysis_lib.experiments.design_power import (
    LOOKS,
    between,
    chance,
    critical,
    detectable,
    first_week,
    inflation,
    small_sample,
    spread,
    units_for,
)
from analysis_lib.experiments.effects import effect_of

#: The same formula, another root finder.
SAME = 1e-8

CASES = [
    (4.0, 100_000, [0.5, 0.5], 0.05, 0.8), (0.3, 2_000, [0.5, 0.5], 0.05, 0.9), (20.0, 50_000, [0.9, 0.1], 0.01, 0.8),
    (1.0, 400, [0.2, 0.8], 0.1, 0.6),
]  # fmt: skip


def arm(n: int, *, ratio: bool, covariate: bool, seed: int = 1) -> ArmMoments:
    """Moments of made-up units: visits, orders among them, and the same beforehand."""
    rng = np.random.default_rng(seed)
    taste = rng.gamma(2.0, 0.5, n)
    visits, before = 1 + rng.poisson(3 * taste), 1 + rng.poisson(3 * taste)
    share = rng.beta(2, 6, n)
    own = [rng.binomial(visits, share), visits] if ratio else [rng.poisson(2 * taste)]
    past = [rng.binomial(before, share), before] if ratio else [rng.poisson(2 * taste)]
    columns = np.array([*own, *(past if covariate else [])], dtype=float)
    return ArmMoments(n, columns.mean(axis=1), np.atleast_2d(np.cov(columns)), ratio, covariate)


@pytest.mark.parametrize(("var", "n", "shares", "alpha", "power"), CASES)
def test_detectable_is_what_statsmodels_solves(var, n, shares, alpha, power):
    """The far side of a two-sided test is left out on both sides; its solver stops early, its power is exact."""
    found = detectable(var, n, shares, critical(alpha, 1, "fixed", 1), power)
    given = {"nobs1": n * shares[0], "ratio": shares[1] / shares[0], "alpha": alpha / 2, "alternative": "larger"}
    assert NormalIndPower().power(found / math.sqrt(var), **given) == pytest.approx(power, rel=SAME)
    assert NormalIndPower().solve_power(power=power, **given) * math.sqrt(var) == pytest.approx(found, rel=1e-4)


def test_detectable_is_near_the_t_test_of_statsmodels():
    found = detectable(1.0, 4000, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    assert found == pytest.approx(tt_ind_solve_power(nobs1=2000, alpha=0.05, power=0.8), rel=1e-3)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_proportion_needs_as_many_units_as_statsmodels_says(share):
    """Relative variance of a share is (1 - p) / p."""
    rel = 0.05
    found = units_for((1 - share) / share, rel, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    effect = rel * share / math.sqrt(share * (1 - share))
    solved = NormalIndPower().solve_power(effect_size=effect, alpha=0.025, power=0.8, alternative="larger")
    assert found == pytest.approx(2 * solved, rel=SAME)


@pytest.mark.parametrize("ratio", [False, True], ids=["mean", "ratio"])
@pytest.mark.parametrize("covariate", [False, True], ids=["plain", "adjusted"])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_detectable_is_what_tea_tasting_solves(ratio, covariate, power):
    one = arm(3000, ratio=ratio, covariate=covariate)
    shared = {"alternative": "greater", "alpha": 0.025, "power": power, "use_t": False, "equal_var": False, "ratio": 1}
    names = one.names
    if ratio:
        metric = RatioOfMeans(*names[:2], *(names[2:] or [None, None]), **shared)
    else:
        metric = Mean(names[0], names[1] if covariate else None, **shared)
    solved = metric.solve_power_from_aggregates(one.aggregates(), "rel_effect_size")[0].rel_effect_size
    point = point_of(one, 7, None)
    found = detectable(point.best, 3000, [0.5, 0.5], critical(0.05, 1, "fixed", 1), power)
    assert found == pytest.approx(solved, rel=SAME)


@pytest.mark.parametrize("ratio", [False, True], ids=["mean", "ratio"])
@pytest.mark.parametrize("covariate", [False, True], ids=["plain", "adjusted"])
def test_the_planned_standard_error_is_the_one_that_is_read(ratio, covariate):
    """Two arms that do as the history did give the standard error that was planned with."""
    control = arm(4000, ratio=ratio, covariate=covariate)
    treatment = ArmMoments(1000, control.mean, control.cov, ratio, covariate)
    read = effect_of(control, treatment, level=0.95, unit="share")
    point = point_of(control, 7, None)
    planned = spread(point.best, 5000, 0.8, 0.2)
    # The effect is nought: its standard error is read from the interval, which is Student's.
    within = (point.best * control.value**2 / 4000, point.best * control.value**2 / 1000)
    free = sum(within) ** 2 / (within[0] ** 2 / 3999 + within[1] ** 2 / 999)
    half = (read.effect.ci_upper - read.effect.ci_lower) / 2
    assert half / t.ppf(0.975, free) / control.value == pytest.approx(planned, rel=SAME)


def test_adjustment_never_adds_variance_and_saves_what_the_correlation_says():
    one = arm(5000, ratio=False, covariate=True)
    correlation = one.cov[0, 1] / math.sqrt(one.cov[0, 0] * one.cov[1, 1])
    assert adjusted_variance(one) == pytest.approx(one.variance * (1 - correlation**2), rel=1e-12)


def test_adjustment_by_what_never_varied_is_none():
    plain = arm(500, ratio=False, covariate=False)
    cov = np.zeros((2, 2))
    cov[0, 0] = plain.cov[0, 0]
    assert adjusted_variance(ArmMoments(500, np.array([plain.mean[0], 1.0]), cov, False, True)) == plain.variance


def test_without_a_covariate_there_is_no_adjusted_variance():
    assert math.isnan(adjusted_variance(arm(500, ratio=True, covariate=False)))


def test_the_textbook_answer():
    """16 s^2 / d^2 units in each arm, for 80 % power at 5 % (Lehr 1992); the exact constant is 15.7."""
    assert units_for(1.0, 0.1, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8) / 2 == pytest.approx(1569.8, abs=0.1)


VARIANCE, UNITS = st.floats(0.01, 100), st.floats(100, 1e7)


@given(VARIANCE, UNITS, st.floats(0.05, 0.95))
def test_units_for_undoes_detectable(var, n, share):
    found = detectable(var, n, [share, 1 - share], 1.96, 0.8)
    assert units_for(var, found, [share, 1 - share], 1.96, 0.8) == pytest.approx(n, rel=1e-9)


@given(VARIANCE, UNITS, st.floats(1.01, 10))
def test_more_units_find_less_and_more_variance_finds_more(var, n, times):
    base = detectable(var, n, [0.5, 0.5], 1.96, 0.8)
    assert detectable(var, n * times, [0.5, 0.5], 1.96, 0.8) < base < detectable(var * times, n, [0.5, 0.5], 1.96, 0.8)


@given(VARIANCE, UNITS, st.floats(0.05, 0.95))
def test_an_even_split_finds_the_smallest_effect(var, n, share):
    uneven = detectable(var, n, [share, 1 - share], 1.96, 0.8)
    assert uneven >= detectable(var, n, [0.5, 0.5], 1.96, 0.8) * (1 - 1e-12)


@given(st.floats(0.001, 0.2), st.integers(1, 6), st.floats(0.55, 0.98))
def test_a_smaller_error_more_arms_and_more_power_cost_more(alpha, arms, power):
    base = detectable(1, 1000, [0.5, 0.5], critical(alpha, arms, "fixed", 1), power)
    assert detectable(1, 1000, [0.5, 0.5], critical(alpha / 2, arms, "fixed", 1), power) > base
    assert detectable(1, 1000, [0.5, 0.5], critical(alpha, arms + 1, "fixed", 1), power) > base
    assert detectable(1, 1000, [0.5, 0.5], critical(alpha, arms, "fixed", 1), power + 0.01) > base


@given(st.floats(0.5, 0.99), st.floats(0.5, 3))
def test_chance_undoes_detectable(power, se):
    assert chance((1.96 + norm.ppf(power)) * se, se, 1.96) == pytest.approx(power, abs=1e-12)


@pytest.mark.parametrize("arms", [1, 2, 4])
def test_each_of_several_arms_gets_its_part_of_the_error(arms):
    assert critical(0.05, arms, "hybrid", 4) == pytest.approx(norm.isf(0.025 / arms))


@pytest.mark.parametrize("looks", [2, 4, 8])
def test_looking_early_costs_units_in_this_order(looks):
    costs = [inflation(0.05, 1, how, looks, 0.8) for how in LOOKS]
    assert costs[0] == costs[1] == 1
    assert 1 < costs[2] < 1.2 < costs[3]


def test_one_look_is_no_sequence_of_looks():
    assert critical(0.05, 1, "group_sequential", 1) == critical(0.05, 1, "fixed", 1)


def test_the_smallest_treatment_decides():
    assert detectable(1, 1000, [0.5, 0.4, 0.1], 1.96, 0.8) == detectable(1, 600, [5 / 6, 1 / 6], 1.96, 0.8)


def test_an_unknown_way_to_look_is_refused():
    with pytest.raises(InvalidValue, match="'daily' is not known: choose fixed"):
        critical(0.05, 1, "daily", 4)


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=6), st.floats(7, 42))
def test_a_curve_stays_between_its_points(values, at):
    """Also where the curve rises again: no wave of its own."""
    days = [7, 14, 21, 28, 42, 56][: len(values)]
    if at > days[-1]:
        return
    found = between(days, values, at)
    k = max(i for i, day in enumerate(days) if day <= at)
    low, high = sorted((values[k], values[min(k + 1, len(values) - 1)]))
    assert low * (1 - 1e-9) <= found <= high * (1 + 1e-9)


@given(st.floats(0.01, 1), st.floats(7, 56))
def test_a_power_law_is_met_exactly(scale, at):
    days = [7, 14, 28, 56]
    assert between(days, [scale / math.sqrt(day) for day in days], at) == pytest.approx(scale / math.sqrt(at), rel=1e-9)


@pytest.mark.parametrize("at", [6, 57, 1000])
def test_a_curve_does_not_go_on_beyond_its_points(at):
    with pytest.raises(NotEnoughData, match=f"{at} days are outside of what the history shows .7 to 56 days"):
        between([7, 56], [0.1, 0.05], at)


@pytest.mark.parametrize(
    ("wanted", "days"), [(0.2, 7), (0.1, 7), (0.0999, 14), (0.07072, 14), (0.05, 28), (0.0499, None)]
)
def test_days_are_rounded_up_to_whole_weeks(wanted, days):
    at = [7, 14, 28]
    assert first_week(at, [0.1 * math.sqrt(7 / day) for day in at], wanted) == days


def test_days_needed_start_with_a_whole_week():
    assert first_week([10, 28], [0.01, 0.005], 0.5) == 14


def test_few_degrees_of_freedom_cost_and_many_do_not():
    costs = [small_sample(free, 0.05, 0.8) for free in (5, 11, 66, 10_000)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == pytest.approx(1, abs=1e-3)


def test_a_mismatch_of_shares_is_noticed_sooner_with_more_units():
    assert noticed_share(1e6, 0.5, 0.8) == pytest.approx(noticed_share(1e4, 0.5, 0.8) / 10)


# Simulated tests: what is planned to be found four times of five is found four times of five.

RUNS = 4000
#: Four standard errors of a share of 0.8 over the runs.
CARLO = 4 * math.sqrt(0.8 * 0.2 / RUNS)


def found_in(rng, n_control, n_treatment, effect, alpha) -> float:
    """Share of simulated tests on skewed values, mean 1, that find a shift."""
    control = rng.gamma(2.0, 0.5, (RUNS, n_control))
    treatment = rng.gamma(2.0, 0.5, (RUNS, n_treatment)) + effect
    test = ttest_ind(treatment, control, axis=1, equal_var=False)
    return float(((test.pvalue < alpha) & (test.statistic > 0)).mean())


@pytest.mark.parametrize(("n", "shares"), [(600, [0.5, 0.5]), (900, [0.7, 0.3])], ids=["even", "uneven"])
def test_a_test_of_the_planned_size_has_the_planned_power(n, shares):
    effect = detectable(0.5, n, shares, critical(0.05, 1, "fixed", 1), 0.8)
    sizes = [round(n * share) for share in shares]
    assert found_in(np.random.default_rng(7), *sizes, effect, 0.05) == pytest.approx(0.8, abs=CARLO + 0.01)


def test_with_two_treatments_each_has_the_planned_power():
    effect = detectable(0.5, 900, [1 / 3] * 3, critical(0.05, 2, "fixed", 1), 0.8)
    assert found_in(np.random.default_rng(8), 300, 300, effect, 0.025) == pytest.approx(0.8, abs=CARLO + 0.01)


def test_a_margin_of_the_planned_size_is_shown_as_often_as_planned():
    """Nothing changes, and the interval stays on the right side of the margin four times of five."""
    rng, n = np.random.default_rng(11), 300
    margin = detectable(0.5, 2 * n, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    control, treatment = rng.gamma(2.0, 0.5, (2, RUNS, n))
    low = ttest_ind(treatment, control, axis=1, equal_var=False).confidence_interval(0.95).low
    assert (low > -margin).mean() == pytest.approx(0.8, abs=CARLO + 0.01)


def test_half_the_units_have_less_power():
    effect = detectable(0.5, 600, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    assert found_in(np.random.default_rng(9), 150, 150, effect, 0.05) < 0.6


def test_an_adjusted_test_of_the_planned_size_has_the_planned_power():
    """The values' own past takes out 64 % of the variance, and the plan counts on it."""
    rng, n, correlation = np.random.default_rng(10), 200, 0.8
    effect = detectable(1 - correlation**2, 2 * n, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    before = rng.normal(size=(RUNS, 2 * n))
    after = correlation * before + math.sqrt(1 - correlation**2) * rng.normal(size=(RUNS, 2 * n))
    after[:, n:] += effect
    centred = before - before.mean(axis=1, keepdims=True)
    slope = (centred * after).sum(axis=1, keepdims=True) / (centred**2).sum(axis=1, keepdims=True)
    left = after - slope * centred
    found = ttest_ind(left[:, n:], left[:, :n], axis=1, equal_var=False).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=CARLO + 0.015)


@settings(max_examples=3)
@given(st.sampled_from([2, 4, 6]))
def test_a_test_with_looks_has_at_least_the_planned_power_and_the_planned_error(looks):
    times = np.arange(1, looks + 1) / looks
    bounds = group_bounds(times, 0.05)
    steps = np.random.default_rng(looks).normal(scale=math.sqrt(1 / looks), size=(20_000, looks))
    walk = steps.cumsum(axis=1)
    drift = (critical(0.05, 1, "group_sequential", looks) + norm.ppf(0.8)) * times
    power = ((walk + drift) / np.sqrt(times) > bounds).any(axis=1).mean()
    error = (np.abs(walk / np.sqrt(times)) > bounds).any(axis=1).mean()
    assert 0.79 < power < 0.83
    assert error == pytest.approx(0.05, abs=0.007)
