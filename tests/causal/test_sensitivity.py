"""Sensitivity: published examples, other ways to the same number, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, ncx2, norm

from analysis_lib.causal import (
    e_value,
    honest_bounds,
    leave_one_out,
    panel_of,
    placebo_in_time,
    pretrend_power,
    staggered,
)
from analysis_lib.causal.donor_weights import FITS, estimator
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName

COLUMNS = {"outcome": "y", "unit": "id", "time": "week", "treated": "treated"}

#: VanderWeele and Ding (2017): maternal breastfeeding and infant death, 3.9 (1.8 to 8.7); leukaemia 0.80.
PUBLISHED = {3.9: 7.26, 1.8: 3.0, 0.80: 1.81}


@pytest.fixture(scope="module")
def effect(long_panel):
    """An event study with four effects before the start and four after it."""
    frame = long_panel(1, n_units=60, n_periods=9, n_treated=20, start=5, effect=1.0)
    first = 5 * frame.groupby("id")["treated"].transform("max")
    return staggered(frame.assign(first=first), outcome="y", unit="id", time="week", first_treated="first")


def surface_of(effect):
    """Estimates and covariance without the reference period, and their distance to it."""
    rows = ~np.asarray(effect.surface.is_reference)
    return np.asarray(effect.surface.att)[rows], np.asarray(effect.surface.vcov), effect.surface.event_time[rows] + 1


@pytest.mark.parametrize("method", FITS)
def test_each_donor_is_left_out(long_panel, method):
    frame = long_panel(2, n_units=10, n_treated=2)
    rows = leave_one_out(frame, method=method, **COLUMNS)
    assert sorted(rows["donor"]) == [f"u{place:05d}" for place in range(2, 10)]
    assert rows["weight"].is_monotonic_decreasing
    for donor in ("u00002", "u00009"):
        left = estimator(method)(panel_of(frame[frame["id"] != donor], **COLUMNS))
        assert rows.set_index("donor").loc[donor, "value"] == pytest.approx(left)


def test_a_donor_without_weight_changes_nothing(long_panel):
    frame = long_panel(3, n_treated=1)
    rows = leave_one_out(frame, method="synthetic_control", **COLUMNS)
    value = estimator("synthetic_control")(panel_of(frame, **COLUMNS))
    idle = rows[rows["weight"] == 0]
    assert len(idle) > 5
    assert idle["value"].to_numpy() == pytest.approx(value, abs=0.02)


@pytest.mark.parametrize("method", FITS)
def test_an_earlier_start_sees_nothing_of_the_effect(long_panel, method):
    frame = long_panel(4, effect=50.0)
    found = placebo_in_time(frame, shift=3, method=method, **COLUMNS)
    assert abs(found.value) < 1
    assert found.path["time"].tolist() == list(range(8))
    assert found.path.loc[found.path["is_after"], "time"].tolist() == [5, 6, 7]
    cut = frame[frame["week"] < 8]
    flagged = cut.assign(treated=((cut["id"] < "u00008") & (cut["week"] >= 5)).astype(int))
    assert found.value == pytest.approx(estimator(method)(panel_of(flagged, **COLUMNS)))
    assert "pretended effect" in found.text
    assert len(found.to_frame()) == 8


def test_an_earlier_start_finds_an_early_effect(long_panel):
    frame = long_panel(5)
    early = frame["y"] + 5.0 * ((frame["id"] < "u00008") & (frame["week"] >= 6))
    assert placebo_in_time(frame.assign(y=early), shift=2, **COLUMNS).value == pytest.approx(5.0, abs=0.5)


def test_placebo_starts_that_cannot_be_are_refused(long_panel):
    frame = long_panel(6)
    for shift in (0, 1.5):
        with pytest.raises(InvalidValue, match="a number of periods, 1 or more"):
            placebo_in_time(frame, shift=shift, **COLUMNS)
    with pytest.raises(NotEnoughData, match="1 periods are left 7 before the start"):
        placebo_in_time(frame, shift=7, **COLUMNS)
    with pytest.raises(UnknownName, match="synthetic_dod"):
        placebo_in_time(frame, shift=2, method="synthetic_dod", **COLUMNS)
    with pytest.raises(NotEnoughData, match="one donor"):
        leave_one_out(long_panel(6, n_units=9), **COLUMNS)


def test_honest_bounds_of_a_straight_line_are_least_squares(effect):
    """With m = 0 the interval is the normal one of the most precise estimate that any line leaves alone."""
    values, covariance, distance = surface_of(effect)
    after = distance > 0
    target = after / after.sum()
    # Least variance of target + w on earlier periods, where w offsets what the line adds to the target.
    early = np.flatnonzero(~after)
    block, cross = covariance[np.ix_(early, early)], covariance[early] @ target
    line, solved = distance[early], np.linalg.solve(block, np.column_stack([cross, distance[early]]))
    w = -solved[:, 0] + solved[:, 1] * (line @ solved[:, 0] - target @ distance) / (line @ solved[:, 1])
    weights = target.copy()
    weights[early] = w
    centre, reach = weights @ values, norm.ppf(0.975) * np.sqrt(weights @ covariance @ weights)
    row = honest_bounds(effect, [0.0]).iloc[0]
    assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((centre - reach, centre + reach), abs=2e-3)


@pytest.mark.parametrize("m", [0.05, 0.2])
def test_honest_bounds_equal_a_search_over_weights(effect, m):
    """The shortest interval of fixed length, searched for directly: worst bias by second differences."""
    _, covariance, distance = surface_of(effect)
    after, early = distance > 0, np.flatnonzero(distance < 0)
    target = after / after.sum()
    # A bent line: a slope through the reference, and at each period a bend, which is a ramp away from there.
    bends = np.arange(distance.min() + 1, distance.max())
    ramps = np.array([np.maximum(np.where(b >= 0, distance - b, b - distance), 0.0) for b in bends])

    def length(free):
        weights = target.copy()
        weights[early[:-1]] = free
        weights[early[-1]] = -(weights @ distance - weights[early[-1]] * distance[early[-1]]) / distance[early[-1]]
        se = np.sqrt(weights @ covariance @ weights)
        bias = m * np.abs(ramps @ weights).sum()
        return np.sqrt(ncx2.ppf(0.95, 1, (bias / se) ** 2)) * se

    best = min(
        minimize(length, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}).fun
        for start in (np.zeros(len(early) - 1), np.full(len(early) - 1, 0.3))
    )
    row = honest_bounds(effect, [m]).iloc[0]
    assert (row["ci_upper"] - row["ci_lower"]) / 2 == pytest.approx(best, rel=0.01)


def test_honest_bounds_widen_with_what_is_allowed(effect):
    rows = honest_bounds(effect, [0.0, 0.1, 0.5])
    width = rows["ci_upper"] - rows["ci_lower"]
    assert width.is_monotonic_increasing
    narrow = honest_bounds(effect, [0.1], level=0.8).iloc[0]
    assert narrow["ci_upper"] - narrow["ci_lower"] < width[1]


def test_pretrend_power_is_the_mass_outside_the_box(effect):
    _, covariance, distance = surface_of(effect)
    early = distance < 0
    block, line = covariance[np.ix_(early, early)], distance[early]
    reach = norm.ppf(0.975) * np.sqrt(np.diag(block))
    for slope in (0.0, 0.1, 0.3):
        box = multivariate_normal(slope * line, block).cdf(reach, lower_limit=-reach)
        assert pretrend_power(effect, slope) == pytest.approx(1 - box, abs=2e-3)
    assert pretrend_power(effect, 5.0) == pytest.approx(1.0)
    assert pretrend_power(effect, -0.1) == pytest.approx(pretrend_power(effect, 0.1), abs=1e-3)


def test_effects_of_other_kinds_are_refused(long_panel, effect):
    frame = long_panel(7, n_periods=6, start=2)
    frame = frame.assign(first=2 * frame.groupby("id")["treated"].transform("max"))
    columns = {"outcome": "y", "unit": "id", "time": "week", "first_treated": "first"}
    with pytest.raises(NotEnoughData, match="1 effects before the start"):
        honest_bounds(staggered(frame, **columns), [0.0])
    with pytest.raises(InvalidValue, match="the effect is by `sun_abraham`"):
        pretrend_power(staggered(frame, method="sun_abraham", **columns), 0.1)
    with pytest.raises(InvalidValue, match=r"m is -0\.1"):
        honest_bounds(effect, [0.0, -0.1])


def test_the_published_e_values():
    found = e_value(3.9, (1.8, 8.7))
    assert found.value == pytest.approx(PUBLISHED[3.9], abs=0.005)
    assert found.limit == pytest.approx(PUBLISHED[1.8], abs=0.005)
    assert e_value(0.80).value == pytest.approx(PUBLISHED[0.80], abs=0.005)
    assert "7.26" in found.text


def test_e_values_by_their_definition():
    """A confounder of that strength with both, in the bounding factor, moves the ratio to 1."""
    for ratio in (0.3, 1.2, 3.9):
        strength = e_value(ratio).value
        assert strength**2 / (2 * strength - 1) == pytest.approx(max(ratio, 1 / ratio))
    assert e_value(1.0).value == 1
    assert e_value(1.2, (0.9, 1.6)).limit == 1
    assert e_value(0.5, (0.25, 0.8)).limit == pytest.approx(e_value(1 / 0.8).value)
    assert e_value(2.0).limit is None


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.nan, np.inf])
def test_ratios_that_are_none_are_refused(ratio):
    with pytest.raises(InvalidValue, match="above 0 and finite"):
        e_value(ratio)


def test_a_ratio_outside_its_interval_is_refused():
    with pytest.raises(InvalidValue, match="the ratio 2 is not between 3 and 4"):
        e_value(2.0, (3.0, 4.0))
