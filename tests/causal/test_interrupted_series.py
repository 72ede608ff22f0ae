"""One series and its own past: planted truths, second ways, invariances, coverage, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from analysis_lib.causal import InterruptedSeries, interrupted_series
from analysis_lib.causal.interrupted_series import believed_estimate, estimated
from analysis_lib.causal.interrupted_series_days import DailySeries, daily_series
from analysis_lib.causal.interrupted_series_fit import filtered, structural_fit
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.markets.own_series import SeriesWorld, simulate

COLUMNS = {"outcome": "sales", "time": "day", "treated": "on"}
FESTIVAL = ["first", "second"]

#: An effect in the market's own past, festivals seen before, and one in the campaign.
WORLD = SeriesWorld(effect=0.1, persistence=0.5, festival_in_campaign=True)


def framed(world: SeriesWorld, seed: int) -> pd.DataFrame:
    """One row a day, with dates and sales."""
    drawn = simulate(world, seed=seed)
    n = len(drawn.log_sales)
    return pd.DataFrame({
        "day": pd.date_range("2026-01-01", periods=n), "sales": np.exp(drawn.log_sales),
        "on": (np.arange(n) >= world.days_before).astype(int), "first": drawn.festivals[:, 0],
        "second": drawn.festivals[:, 1],
    })  # fmt: skip


def series_of(frame: pd.DataFrame, regressors=tuple(FESTIVAL)) -> DailySeries:
    return daily_series(frame, **COLUMNS, regressors=regressors, log=None)


def told(found: InterruptedSeries) -> list[float]:
    return [found.estimate.value, found.estimate.ci_lower, found.estimate.ci_upper]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return framed(WORLD, seed=5)


@pytest.fixture(scope="module")
def found(frame) -> InterruptedSeries:
    return interrupted_series(frame, regressors=FESTIVAL, **COLUMNS)


def test_a_planted_effect_is_added_exactly(frame, found):
    """The days of the campaign are seen by nothing but the difference at the end."""
    more = interrupted_series(
        frame.assign(sales=frame["sales"] * np.exp(0.2 * frame["on"])), regressors=FESTIVAL, **COLUMNS
    )
    assert 1 + more.estimate.value == pytest.approx((1 + found.estimate.value) * np.exp(0.2))
    assert more.typical_error == pytest.approx(found.typical_error) and more.stretch == pytest.approx(found.stretch)


def test_a_quiet_series_gives_the_planted_effect_and_the_total():
    world = SeriesWorld(effect=0.1, noise=0.002, festival_spread=0.0, festival_in_campaign=True)
    frame = framed(world, seed=1)
    found = interrupted_series(frame, regressors=FESTIVAL, **COLUMNS)
    assert found.estimate.value == pytest.approx(np.expm1(0.1), abs=0.004)
    assert found.estimate.ci_lower < np.expm1(0.1) < found.estimate.ci_upper
    sold = frame.loc[frame["on"] == 1, "sales"].sum()
    assert found.total.value == pytest.approx(sold * (1 - np.exp(-0.1)), rel=0.04)


def test_where_nothing_drifts_it_is_least_squares_on_weekdays_and_festivals():
    frame = framed(SeriesWorld(effect=0.1, festival_in_campaign=True), seed=12)
    series = series_of(frame)
    fit = structural_fit(series)
    assert fit.parameters[1] < 1e-6, "a series whose level is found to stand still"
    weekdays = np.eye(7)[np.arange(len(frame)) % 7]
    design, past = np.hstack([weekdays, frame[FESTIVAL]]), slice(0, 112)
    ols = sm.OLS(np.log(frame["sales"].to_numpy()[past]), design[past]).fit()
    away = np.log(frame["sales"].to_numpy()[112:]) - design[112:] @ ols.params
    # What passes is fitted beside the weekdays here, and no part of that regression.
    assert fit.forecast(112, 14).value == pytest.approx(away.mean(), abs=0.1 * ols.bse.max())


@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_forecast_and_error_are_those_of_generalised_least_squares(drift):
    """The same variances in one dense covariance matrix: best linear unbiased prediction, without a filter."""
    frame = framed(SeriesWorld(persistence=0.6, drift=drift, festival_in_campaign=True), seed=4)
    series = series_of(frame)
    fit = structural_fit(series)
    irregular, level, shock, rho = fit.parameters * np.array([fit.scale**2] * 3 + [1.0])
    n = np.arange(len(frame))
    covariance = (
        irregular * np.eye(len(n)) + level * np.minimum.outer(n, n)
        + shock / (1 - rho**2) * rho ** np.abs(np.subtract.outer(n, n))
    )  # fmt: skip
    design = np.hstack([np.eye(7)[n % 7], series.regressors])
    for at in (60, 112):
        past, later, mean = slice(0, at), slice(at, at + 14), np.full(14, 1 / 14)
        inverse = np.linalg.inv(covariance[past, past])
        spread = np.linalg.inv(design[past].T @ inverse @ design[past])
        beta = spread @ design[past].T @ inverse @ series.outcome[past]
        pull = covariance[later, past] @ inverse
        told = design[later] @ beta + pull @ (series.outcome[past] - design[past] @ beta)
        left = design[later] - pull @ design[past]
        error = covariance[later, later] - pull @ covariance[past, later] + left @ spread @ left.T
        ours = fit.forecast(at, 14)
        assert ours.errors == pytest.approx(series.outcome[later] - told, abs=1e-5)
        assert ours.believed == pytest.approx(float(np.sqrt(mean @ error @ mean)), rel=1e-4)


def test_the_variances_are_where_statsmodels_finds_nothing_likelier(frame):
    series = series_of(frame)
    fit = structural_fit(series)
    past = (series.outcome[:112] - fit.centre) / fit.scale
    model = sm.tsa.UnobservedComponents(
        past, level="local level", seasonal=7, stochastic_seasonal=False, autoregressive=1,
        exog=series.regressors[:112], mle_regression=False,
    )  # fmt: skip
    start = np.array([0.3, 0.05, 0.3, 0.2])
    best = max(model.fit(start, disp=0, method=way, maxiter=500).llf for way in ("nm", "powell"))
    assert model.loglike(fit.parameters) > best - 0.05


def test_the_interval_is_the_models_stretched_by_its_own_past(frame, found):
    series = series_of(frame)
    estimate, fit, forecast, past = estimated(series, 0.95)
    assert told(found) == pytest.approx([estimate.value, estimate.ci_lower, estimate.ci_upper])
    assert past.stretch == pytest.approx(
        np.sqrt(np.mean(np.square(found.pseudo["effect"].map(np.log1p) / found.pseudo["se"])))
    )
    reach = student.ppf(0.975, found.n_apart - 1) * forecast.believed * past.stretch
    assert np.log1p(found.estimate.ci_upper) == pytest.approx(forecast.value + reach)
    believed = believed_estimate(series, fit, 0.95)
    assert believed.value == estimate.value and np.log1p(believed.ci_upper) == pytest.approx(
        forecast.value + 1.959964 * forecast.believed
    )


def test_pseudo_campaigns_look_at_the_days_before_them_alone(frame):
    series = series_of(frame)
    fit = structural_fit(series)
    spoilt = series.outcome.copy()
    spoilt[90:] = 99.0
    other = filtered(replace(series, outcome=spoilt), fit.centre, fit.scale, fit.parameters)
    assert other.forecast(70, 14).errors == pytest.approx(fit.forecast(70, 14).errors, abs=1e-9)
    assert np.abs(other.forecast(91, 14).errors - fit.forecast(91, 14).errors).min() > 1


def test_the_result_tells_what_it_stands_on(found, frame):
    path = found.to_frame()
    assert list(path.columns) == ["time", "actual", "without", "effect", "during"] and len(path) == 126
    assert path["without"].isna().sum() == 28 and not path.loc[28:, "without"].isna().any()
    during = path[path["during"]]
    assert len(during) == found.n_days == 14 and found.n_before == 112
    assert np.mean(np.log(during["actual"] / during["without"])) == pytest.approx(np.log1p(found.estimate.value))
    assert found.total.value == pytest.approx(during["effect"].sum())
    assert found.total.ci_lower < found.total.value < found.total.ci_upper
    assert (found.total.ci_lower > 0) == (found.estimate.ci_lower > 0)
    assert found.estimate.unit == "share" and found.regressors == FESTIVAL
    assert len(found.pseudo) >= 2 * found.n_apart - 1 and found.n_apart >= 4
    assert set(found.diagnostics) == {"residual_autocorrelation", "ljung_box_pvalue", "level_drift", "persistence"}
    assert "112 days of its own past" in found.text and f"({found.n_apart} side by side)" in found.text


def test_festivals_that_are_not_told_are_taken_for_effect():
    world = SeriesWorld(noise=0.02, festival_in_campaign=True, days=3)
    with_, without = (
        np.mean([interrupted_series(framed(world, s), regressors=names, **COLUMNS).estimate.value for s in range(6)])
        for names in (FESTIVAL, [])
    )
    assert abs(with_) < 0.05 < 0.1 < without


@settings(max_examples=8)
@given(st.floats(1e-4, 1e6), st.integers(-400, 400), st.sampled_from([True, False]))
def test_units_dates_and_order_do_not_matter(frame, found, factor, days, log):
    base = found if log else interrupted_series(frame, regressors=FESTIVAL, log=False, **COLUMNS)
    other = frame.assign(sales=frame["sales"] * factor, day=frame["day"] + pd.Timedelta(days=days))
    other = interrupted_series(other.sample(frac=1, random_state=1), regressors=FESTIVAL, log=log, **COLUMNS)
    assert told(other) == pytest.approx([x * (1 if log else factor) for x in told(base)], rel=1e-3)
    assert other.total.value == pytest.approx(base.total.value * factor, rel=1e-3)


def test_days_may_be_numbers_dates_or_text(frame, found):
    for days in (
        np.arange(126),
        frame["day"].dt.date,
        frame["day"].dt.strftime("%Y-%m-%d"),
        frame["day"].dt.tz_localize("UTC"),
    ):
        assert told(interrupted_series(frame.assign(day=days), regressors=FESTIVAL, **COLUMNS)) == pytest.approx(
            told(found)
        )


def test_the_unit_of_a_regressor_does_not_matter_and_one_that_says_nothing_is_named(frame, found):
    other = frame.assign(first=1e6 * frame["first"], flat=3.0, weekend=(frame["day"].dt.day_of_week >= 5).astype(int))
    more = interrupted_series(other, regressors=[*FESTIVAL, "flat", "weekend"], **COLUMNS)
    assert told(more) == pytest.approx(told(found), rel=1e-4)
    assert more.left_out == ["flat", "weekend"] and "tell it already: flat, weekend" in more.note


def test_input_is_left_alone(frame):
    odd = frame.set_axis(np.arange(len(frame))[::-1] + 7)
    before = odd.copy(deep=True)
    interrupted_series(odd, regressors=FESTIVAL, **COLUMNS)
    pd.testing.assert_frame_equal(odd, before)


def test_an_effect_that_adds_is_told_in_the_unit_of_the_outcome(frame):
    some = frame.assign(sales=frame["sales"] - 3_000.0)
    one, more = (
        interrupted_series(rows, regressors=FESTIVAL, **COLUMNS)
        for rows in (
            some.assign(sales=some["sales"] - 5_000),
            some.assign(sales=some["sales"] - 5_000 + 500.0 * some["on"]),
        )
    )
    assert more.estimate.unit == "" and more.estimate.value - one.estimate.value == pytest.approx(500.0)
    assert more.total.value == pytest.approx(14 * more.estimate.value)


def test_days_after_the_campaign_are_left_out_and_said(frame, found):
    days = pd.date_range("2026-05-07", periods=5)
    later = pd.DataFrame({"day": days, "sales": 1.0, "on": 0, "first": 0.0, "second": 0.0})
    more = interrupted_series(pd.concat([frame, later]), regressors=FESTIVAL, **COLUMNS)
    assert told(more) == pytest.approx(told(found)) and "5 days after the campaign are left out" in more.note


def test_errors_that_go_together_are_said():
    frame = framed(SeriesWorld(festival=0.0, noise=0.02), seed=3)
    spoilt = frame.assign(sales=frame["sales"] * np.exp(0.4 * (np.arange(126) % 5 == 0)))
    assert "go together from day to day" in interrupted_series(spoilt, **COLUMNS).note


def test_intervals_cover_and_are_no_wider_than_needed():
    got = []
    for seed in range(60):
        world = SeriesWorld(persistence=0.8, effect=0.1 * (seed % 2))
        estimate = estimated(series_of(framed(world, 60_000 + seed)), 0.95)[0]
        value, low, high = np.log1p([estimate.value, estimate.ci_lower, estimate.ci_upper])
        got.append((value - world.effect, low <= world.effect <= high, high - low))
    errors, covered, widths = np.array(got, dtype=float).T
    assert covered.sum() >= 51  # of 60 at 95 %: fewer come once in a thousand times
    assert widths.mean() < 1.6 * 2 * 1.96 * errors.std() and abs(errors.mean()) < 3 * errors.std() / 60**0.5


def _never_before(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(first=frame["first"] * frame["on"])


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda f: f.assign(on=0), NotEnoughData, "no day is treated"),
        (lambda f: f.assign(on=1), NotEnoughData, "treated from the first day"),
        (lambda f: f.iloc[57:], NotEnoughData, "55 days came before the campaign; at least 56"),
        (lambda f: f.iloc[40:], NotEnoughData, "72 days came before a campaign of 14; the interval needs 84"),
        (lambda f: f.iloc[:113], NotEnoughData, "a single day"),
        (lambda f: f.assign(on=f["on"].where(f["day"] != "2026-04-27", 0)), NotEnoughData, "switches on 2 times"),
        (lambda f: f[f["day"] != "2026-02-01"], NotEnoughData, "1 days are missing, first between"),
        (lambda f: f.assign(sales=0.0), NotEnoughData, "is 0 on every day"),
        (lambda f: f.assign(sales=7.5), NotEnoughData, "is the same on every day"),
        (lambda f: f.assign(sales=np.where(f["on"], f["sales"], 0.0)), NotEnoughData, "is 0 on every day"),
        (_never_before, NotEnoughData, "what first adds cannot be told"),
        (lambda f: f.assign(second=f["on"]), NotEnoughData, "what second adds cannot be told"),
        (lambda f: f.assign(sales=np.exp(np.arange(126) % 7)), NotEnoughData, "without any error"),
        (lambda f: f.assign(sales=f["sales"].where(f.index != 7)), InvalidValue, "sales is missing in 1 rows"),
        (lambda f: f.assign(first=f["first"].where(f.index != 7)), InvalidValue, "first is missing in 1 rows"),
        (lambda f: f.assign(sales=f["sales"].where(f.index != 7, np.inf)), InvalidValue, "not finite"),
        (lambda f: f.assign(on=2 * f["on"]), InvalidValue, "must be 1 in a campaign"),
        (lambda f: f.assign(sales=f["sales"].astype(str)), InvalidValue, "must hold numbers"),
        (lambda f: f.assign(day=f["day"] + pd.to_timedelta(np.arange(126), unit="h")), InvalidValue, "more than days"),
        (lambda f: f.assign(day="soon"), InvalidValue, "more than one row"),
        (lambda f: f.assign(day=[f"day {k}" for k in range(126)]), InvalidValue, "must hold dates"),
        (lambda f: pd.concat([f, f.iloc[[0]]]), InvalidValue, "more than one row"),
        (lambda f: f.rename(columns={"sales": "gmv"}), UnknownName, "sales"),
        (lambda f: f.rename(columns={"first": "fist"}), UnknownName, "Did you mean 'fist'"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(frame, spoil, error, message):
    with pytest.raises(error, match=message):
        interrupted_series(spoil(frame), regressors=FESTIVAL, **COLUMNS)


def test_a_kind_of_day_seen_once_leaves_too_few_windows(frame):
    late = frame["first"].where(frame["day"] >= "2026-03-20", 0.0)
    rare = interrupted_series(frame.assign(first=late), regressors=["first"], **COLUMNS)
    assert rare.regressors == ["first"] and rare.n_apart < 6
    kinds = {f"kind{day}": (np.arange(126) == day).astype(int) for day in range(34, 112, 14)}
    with pytest.raises(NotEnoughData, match="0 pseudo-campaigns fit side by side, on days whose kinds had been seen"):
        interrupted_series(frame.assign(**kinds), regressors=list(kinds), **COLUMNS)


def test_options_are_checked(frame, found):
    with pytest.raises(InvalidValue, match="level"):
        interrupted_series(frame, level=95, **COLUMNS)
    with pytest.raises(InvalidValue, match="not above 0"):
        interrupted_series(frame.assign(sales=frame["sales"] - 8_000), log=True, **COLUMNS)
    with pytest.raises(InvalidValue, match="given twice"):
        interrupted_series(frame, regressors=["first", "first"], **COLUMNS)
    narrow = interrupted_series(frame, regressors=FESTIVAL, level=0.8, **COLUMNS).estimate
    assert narrow.ci_lower > found.estimate.ci_lower and narrow.value == found.estimate.value
