"""Synthetic controls: second library, planted effects, placebo interval, refusals (published: tests/reference)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import synthdid
from scipy.stats import t as student

from analysis_lib.causal import augmented_synthetic_control, panel_of, synthetic_control, synthetic_did
from analysis_lib.causal.donor_weights import FAINT, FITS, PENALTIES, _noise, _simplex_weights, estimator
from analysis_lib.causal.synthetic import FEWEST_DONORS, placebo_interval
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName

COLUMNS = {"outcome": "y", "unit": "id", "time": "week", "treated": "treated"}
CALLS = {
    "synthetic_control": synthetic_control,
    "synthetic_did": synthetic_did,
    "augmented_synthetic_control": augmented_synthetic_control,
}


def given(panel, value_of, level):
    """An interval from elsewhere."""
    value = value_of(panel)
    return 1.0, value - 2.0, value + 2.0


def fit(method, frame):
    return FITS[method](panel_of(frame, **COLUMNS))


def second(frame, call):
    last_controls = frame.assign(order=frame.groupby("id")["treated"].transform("max"))
    wide = last_controls.pivot(index=["order", "id"], columns="week", values="y")
    return call(wide.to_numpy(), int((wide.index.get_level_values(0) == 0).sum()), 8)


@pytest.mark.parametrize("n_treated", [1, 4])
@pytest.mark.parametrize(
    ("method", "call"), [("synthetic_did", synthdid.synthdid_estimate), ("synthetic_control", synthdid.sc_estimate)]
)
def test_equals_a_second_library(long_panel, method, call, n_treated):
    frame = long_panel(1, n_treated=n_treated)
    assert estimator(method)(panel_of(frame, **COLUMNS)) == pytest.approx(float(second(frame, call)), abs=1e-6)


@pytest.mark.parametrize("method", FITS)
def test_the_planted_effect_is_recovered(long_panel, method):
    values = np.array(
        [fit(method, f).value_on(panel_of(f, **COLUMNS)) for f in (long_panel(seed, n_treated=2) for seed in range(12))]
    )
    assert values.mean() == pytest.approx(2.0, abs=4 * values.std(ddof=1) / np.sqrt(12))
    assert values.std() < 1


@pytest.mark.parametrize("method", FITS)
def test_a_treated_unit_made_of_donors_is_found_again(long_panel, method):
    frame = long_panel(2, n_units=25, n_treated=1, n_periods=40, start=30)
    wide = frame.pivot(index="id", columns="week", values="y")
    made = 0.7 * wide.loc["u00003"] + 0.3 * wide.loc["u00011"] + 5.0 * (wide.columns >= 30)
    exact = frame.assign(y=frame["y"].where(frame["id"] != "u00000", frame["week"].map(made)))
    found = CALLS[method](exact, interval=given, **COLUMNS)
    # The unit penalty of synthetic difference in differences spreads weight on purpose.
    assert found.estimate.value == pytest.approx(5.0, abs=0.3 if method == "synthetic_did" else 0.05)
    assert set(found.unit_weights.nlargest(2).index) == {"u00003", "u00011"}


@pytest.mark.parametrize("method", FITS)
def test_weights_add_up_and_paths_hold_the_effect(long_panel, method):
    found = CALLS[method](long_panel(3, n_treated=3), interval=given, **COLUMNS)
    assert found.unit_weights.sum() == pytest.approx(1)
    assert found.path.loc[found.path["is_after"], "effect"].mean() == pytest.approx(found.estimate.value)
    assert found.path["actual"].to_numpy() - found.path["without"].to_numpy() == pytest.approx(found.path["effect"])
    if method != "augmented_synthetic_control":
        assert (found.unit_weights >= 0).all()
    if method == "synthetic_did":
        assert found.time_weights.sum() == pytest.approx(1)
        assert found.time_weights.index.tolist() == list(range(8))
    else:
        assert found.time_weights is None


def test_ridge_is_the_synthetic_control_less_its_regressed_misfit(long_panel):
    """Equation 7 of the paper: correct the effect by a ridge regression of later on earlier outcomes."""
    frame = long_panel(4, n_treated=1)
    panel, found = panel_of(frame, **COLUMNS), fit("augmented_synthetic_control", frame)
    donors, treated, start = panel.donor_outcomes, panel.treated_mean, panel.start
    before = donors[:, :start] - donors[:, :start].mean(axis=0)
    after = donors[:, start:].mean(axis=1)
    slopes = np.linalg.solve(
        before.T @ before + found.extras["ridge_penalty"] * np.eye(start), before.T @ (after - after.mean())
    )
    plain = fit("synthetic_control", frame)
    misfit = (treated - plain.without)[:start]
    assert found.value_on(panel) == pytest.approx(plain.value_on(panel) - misfit @ slopes, abs=2e-3)
    assert np.square((treated - found.without)[:start]).sum() <= np.square(misfit).sum() + 1e-9


def test_the_penalty_is_chosen_by_left_out_periods(long_panel):
    frame = long_panel(5, n_units=15, n_treated=1)
    panel = panel_of(frame, **COLUMNS)
    before = panel.donor_outcomes[:, :8]
    aim, before = panel.treated_mean[:8] - before.mean(axis=0), before - before.mean(axis=0)
    tried = np.linalg.norm(before, 2) ** 2 * np.geomspace(1, 1e-8, PENALTIES)
    errors = np.zeros((8, PENALTIES))
    for left in range(8):
        kept = [period for period in range(8) if period != left]
        x, target = before[:, kept], aim[kept]
        plain = _simplex_weights(target, x, FAINT, _noise(x), level_free=False)
        for place, penalty in enumerate(tried):
            weights = plain + np.linalg.inv(x @ x.T + penalty * np.eye(len(x))) @ x @ (target - plain @ x)
            errors[left, place] = (aim[left] - weights @ before[:, left]) ** 2
    best = errors.mean(axis=0).argmin()
    bound = errors.mean(axis=0)[best] + errors.std(axis=0, ddof=1)[best] / np.sqrt(8)
    expected = tried[errors.mean(axis=0) <= bound].max()
    assert fit("augmented_synthetic_control", frame).extras["ridge_penalty"] == pytest.approx(expected)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_placebo_interval_is_the_spread_over_donors(long_panel, level):
    frame = long_panel(6, n_units=23, n_treated=1)
    found = synthetic_did(frame, level=level, **COLUMNS).estimate
    donors = frame[frame["id"] != "u00000"]
    placebos = []
    for name in donors["id"].unique():
        flagged = donors.assign(treated=((donors["id"] == name) & (donors["week"] >= 8)).astype(int))
        placebos.append(estimator("synthetic_did")(panel_of(flagged, **COLUMNS)))
    assert found.se == pytest.approx(np.std(placebos, ddof=1))
    assert found.ci_upper - found.value == pytest.approx(student.ppf(0.5 + level / 2, 21) * found.se)


def test_the_placebo_interval_covers(long_panel):
    """40 panels at 90 %: fewer than 29 covered would happen once in 1,000 suites."""
    covered = 0
    for seed in range(40):
        panel = panel_of(long_panel(100 + seed, n_units=25, n_treated=1, n_periods=8, start=6), **COLUMNS)
        _, low, high = placebo_interval(panel, estimator("synthetic_did"), 0.9)
        covered += low < 2.0 < high
    assert covered >= 29


def test_placebos_come_in_sets_as_large_as_the_treated(long_panel):
    one, several = (
        placebo_interval(panel_of(long_panel(7, n_treated=n), **COLUMNS), estimator("synthetic_did"), 0.95)[0]
        for n in (1, 8)
    )
    assert several < 0.7 * one


@pytest.mark.parametrize("method", FITS)
def test_another_interval_is_taken_as_it_is(long_panel, method):
    found = CALLS[method](long_panel(8, n_units=6, n_treated=1), interval=given, **COLUMNS)
    assert (found.estimate.se, found.estimate.ci_upper) == (1.0, found.estimate.value + 2.0)
    assert "handed in" in found.text


@pytest.mark.parametrize("n_treated", [1, 15])
def test_too_few_donors_for_placebos_are_refused(long_panel, n_treated):
    frame = long_panel(9, n_units=FEWEST_DONORS + n_treated - 1, n_treated=n_treated)
    with pytest.raises(NotEnoughData, match=r"does not cover with fewer than .* use `one_treated`"):
        synthetic_control(frame, **COLUMNS)


@pytest.mark.parametrize("method", FITS)
def test_starts_that_differ_are_sent_to_staggered(long_panel, method):
    frame = long_panel(10)
    later = frame["treated"].where((frame["id"] != "u00001") | (frame["week"] > 9), 0)
    with pytest.raises(InvalidValue, match="staggered"):
        CALLS[method](frame.assign(treated=later), **COLUMNS)


@pytest.mark.parametrize("method", FITS)
def test_one_period_before_the_start_is_refused(long_panel, method):
    with pytest.raises(NotEnoughData, match="1 period before the start"):
        CALLS[method](long_panel(11, start=1, n_periods=4), **COLUMNS)


@pytest.mark.parametrize("method", FITS)
def test_two_periods_before_the_start_will_do(long_panel, method):
    found = CALLS[method](long_panel(12, start=2, n_periods=4), interval=given, **COLUMNS)
    assert np.isfinite(found.estimate.value)


def test_bad_panels_are_refused(long_panel):
    frame = long_panel(13)
    with pytest.raises(NotEnoughData, match="no donors"):
        synthetic_did(long_panel(13, n_treated=40), **COLUMNS)
    with pytest.raises(NotEnoughData, match="treated from the first period"):
        synthetic_did(long_panel(13, start=0), **COLUMNS)
    with pytest.raises(NotEnoughData, match="unit u00020 has no row for period 3"):
        synthetic_did(frame[(frame["id"] != "u00020") | (frame["week"] != 3)], **COLUMNS)
    with pytest.raises(UnknownName, match="method 'synthetic_dit'"):
        estimator("synthetic_dit")


@pytest.mark.parametrize("method", FITS)
def test_an_outcome_always_zero_has_no_effect(long_panel, method):
    found = CALLS[method](long_panel(14).assign(y=0.0), **COLUMNS).estimate
    assert (found.value, found.se) == pytest.approx((0, 0))


@pytest.mark.parametrize("method", FITS)
def test_scale_level_and_sign_carry_over(long_panel, method):
    frame = long_panel(15, n_treated=1)
    plain = estimator(method)(panel_of(frame, **COLUMNS))
    scaled = estimator(method)(panel_of(frame.assign(y=-1e6 * frame["y"]), **COLUMNS))
    assert scaled == pytest.approx(-1e6 * plain, rel=1e-6)
    raised = estimator(method)(panel_of(frame.assign(y=frame["y"] + 100), **COLUMNS))
    assert raised == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("method", FITS)
def test_five_units_in_a_thousand_periods(long_panel, method):
    frame = long_panel(16, n_units=5, n_treated=1, n_periods=1000, start=900)
    found = CALLS[method](frame, interval=given, **COLUMNS)
    assert np.isfinite(found.estimate.value)
    assert len(found.path) == 1000


def test_input_is_left_alone(long_panel):
    frame = long_panel(17).set_axis(np.arange(480)[::-1])
    before = frame.copy(deep=True)
    synthetic_control(frame, **COLUMNS)
    pd.testing.assert_frame_equal(frame, before)
