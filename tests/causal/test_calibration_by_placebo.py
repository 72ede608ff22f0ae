"""Intervals widened by what placebo runs show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from analysis_lib.causal import calibrate
from analysis_lib.causal.calibration_by_placebo import FEWEST_PLACEBOS, PRIOR_SCALE
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate


def made(value=1.0, se=1.0, level=0.95) -> Estimate:
    reach = norm.ppf(0.5 + level / 2) * se
    return Estimate(value, se, value - reach, value + reach, level, "usd", 100, "plain")


def calibrated(values, ses, n_independent=None, level=0.95):
    values = np.asarray(values, dtype=float)
    return calibrate(
        values, np.broadcast_to(np.asarray(ses, dtype=float), values.shape).copy(),
        n_independent=len(values) if n_independent is None else n_independent, level=level,
    )  # fmt: skip


@given(st.floats(-1e3, 1e3), st.floats(0.5, 0.999))
def test_many_placebos_no_larger_than_their_errors_nearly_leave_the_interval_alone(value, level):
    rng = np.random.default_rng(3)
    plain = made(value, 1.0, level)
    widened = calibrated(rng.normal(0, 1.0, 2_000), 1.0).widen(plain)
    assert widened.value == plain.value
    assert 1.0 <= widened.se < 1.03
    assert widened.method == "plain; widened by 2000 placebo windows"


def test_planted_scatter_is_recovered():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 3.0, 20_000) + rng.normal(0, 1.5, 20_000)
    # The error of the variance of 20,000 draws is under 1 %, the step of the grid 4 %.
    assert calibrated(values, 1.5).systematic_sd == pytest.approx(3.0, rel=0.05)


def test_an_average_bias_widens_rather_than_moves():
    found = calibrated(np.full(400, 4.0), 0.5)
    assert found.systematic_sd == pytest.approx(4.0, rel=0.05)
    assert found.widen(made(1.0)).value == 1.0


def test_the_posterior_agrees_with_an_integral_by_quadrature():
    """The reach solves the same equation when the size of the error is integrated out by scipy."""
    values, ses = np.array([3.0, -1.0, 2.0, 0.5, -4.0]), np.array([1.0, 1.2, 0.8, 1.0, 1.0])
    scale = PRIOR_SCALE * np.sqrt(np.mean(ses**2))

    def density(tau):
        variance = ses**2 + tau**2
        return np.exp(-0.5 * np.sum(np.log(variance) + values**2 / variance) * 0.4) / (1 + (tau / scale) ** 2)

    reach = calibrated(values, ses, 2.0).widen(made(0.0)).ci_upper
    total = quad(density, 0, 2_000, points=[1, 5, 20], limit=500)[0]
    beyond = quad(
        lambda tau: density(tau) * norm.sf(reach / np.hypot(1.0, tau)), 0, 2_000, points=[1, 5, 20], limit=500
    )
    # The grid ends at 30 times the largest number; what lies beyond is under a thousandth.
    assert beyond[0] / total == pytest.approx(0.025, abs=0.001)


def test_fewer_independent_windows_widen_more():
    values = [3.0, -3.0, 2.0, -2.0, 4.0, -4.0]
    reaches = [calibrated(values, 1.0, m).widen(made(0.0)).ci_upper for m in (0.2, 1, 3, 6, 60)]
    assert reaches[1] > reaches[2] > reaches[3]
    assert reaches[0] == reaches[1]  # less than one window is one
    assert reaches[-1] == reaches[-2]  # no more than there are


@given(st.lists(st.floats(-50, 50), min_size=FEWEST_PLACEBOS, max_size=20), st.floats(0.1, 10), st.floats(0.1, 10))
def test_never_narrower_than_plain(values, placebo_se, se):
    plain = made(1.0, se)
    widened = calibrated(values, placebo_se).widen(plain)
    assert widened.ci_lower <= plain.ci_lower + 1e-9
    assert widened.ci_upper >= plain.ci_upper - 1e-9
    assert widened.value == pytest.approx((widened.ci_lower + widened.ci_upper) / 2)


@given(st.floats(0.01, 1e4))
def test_the_unit_of_money_does_not_matter(rate):
    values, ses = np.array([3.0, -1.0, 2.0, 0.5, -4.0]), np.array([1.0, 1.2, 0.8, 1.0, 1.0])
    plain = calibrated(values, ses).widen(made(1.0, 1.0))
    converted = calibrated(values * rate, ses * rate).widen(made(rate, rate))
    assert converted.ci_upper == pytest.approx(plain.ci_upper * rate)


@pytest.mark.parametrize("tau", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("m", [5, 10])
def test_widened_intervals_cover_as_often_as_they_say(tau, m):
    """Systematic error N(0, tau²) beside sampling error 1, in m placebos and in the estimate."""
    n_draws = 800
    rng = np.random.default_rng([m, int(10 * tau)])
    placebos = rng.normal(0, np.hypot(tau, 1.0), (n_draws, m))
    estimates = rng.normal(0, np.hypot(tau, 1.0), n_draws)
    widened = [calibrated(row, 1.0).widen(made(value)) for row, value in zip(placebos, estimates, strict=True)]
    covered = np.mean([one.ci_lower <= 0 <= one.ci_upper for one in widened])
    # Three Monte-Carlo errors of 800 draws below 94 %; above, a prior on few windows costs some width.
    monte_carlo = np.sqrt(0.94 * 0.06 / n_draws)
    assert 0.94 - 3 * monte_carlo < covered


def test_share_rejected_is_that_of_the_plain_intervals():
    found = calibrated([0.0, 1.0, -1.97, 1.97, 10.0], 1.0)
    assert found.share_rejected == pytest.approx(0.6)
    assert "In 5 windows without this campaign the plain 95 % interval excludes zero in 60 %" in found.text
    assert "(it should in 5 %)" in found.text


@pytest.mark.parametrize("n", range(FEWEST_PLACEBOS))
def test_too_few_placebos_are_refused(n):
    with pytest.raises(NotEnoughData, match=f"{n} placebo windows fit into the data, {FEWEST_PLACEBOS} are needed"):
        calibrated(np.zeros(n), 1.0)


def test_the_input_is_left_alone():
    values, ses = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.ones(5)
    calibrate(values, ses, n_independent=5, level=0.95).widen(made())
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert ses.tolist() == [1] * 5
