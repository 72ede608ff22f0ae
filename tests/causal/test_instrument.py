"""Instruments: second library, planted effects, Anderson–Rubin sets, refusals (published: tests/reference)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from scipy.stats import t as student

from analysis_lib.causal import instrument
from analysis_lib.causal.instrument import FEWEST_CLUSTERS, LEAST_F, anderson_rubin
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData

COLUMNS = {"outcome": "y", "treatment": "d", "instrument": "z"}
CONTROLS = ["x1", "x2"]


def drawn(seed: int, n: int = 600, strength: float = 0.5, effect: float = 1.5) -> pd.DataFrame:
    """A treatment that shares a hidden cause with the outcome, and an instrument that does not."""
    rng = np.random.default_rng(seed)
    shop, week = rng.integers(0, 30, n), rng.integers(0, 6, n)
    x1, x2, hidden = rng.normal(size=(3, n))
    z = rng.normal(0, 1, n) + 0.3 * x1 + 0.1 * week
    d = strength * z + 0.4 * x1 + hidden + 0.3 * rng.normal(0, 1, 30)[shop] + rng.normal(0, 1, n)
    y = effect * d + 0.5 * x1 - x2 + 2 * hidden + 0.2 * week + rng.normal(0, 1, 30)[shop] + rng.normal(0, 1, n)
    return pd.DataFrame(
        {"y": y, "d": d, "z": z, "x1": x1, "x2": x2, "shop": shop, "week": week, "w": rng.uniform(0.5, 2.0, n)}
    )


def second(frame, cluster, weights, effects):
    """linearmodels with dummies for the fixed effects."""
    design = frame[CONTROLS].assign(const=1.0)
    if effects:
        dummies = pd.get_dummies(frame[effects].astype(str), drop_first=True).astype(float)
        design = pd.concat([design, dummies], axis=1)
    kind = {"cov_type": "robust"} if cluster is None else {"cov_type": "clustered", "clusters": frame[cluster]}
    fit = IV2SLS(frame["y"], design, frame["d"], frame["z"], weights=None if weights is None else frame[weights])
    return fit.fit(debiased=True, **kind), design


@pytest.mark.parametrize("effects", [[], ["week"]])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("cluster", [None, "shop"])
def test_equals_linearmodels(cluster, weights, effects):
    frame = drawn(1)
    found = instrument(
        frame, controls=CONTROLS, fixed_effects=effects, cluster=cluster, weights=weights, **COLUMNS
    ).estimate
    other, _ = second(frame, cluster, weights, effects)
    assert found.value == pytest.approx(other.params["d"], abs=1e-8)
    assert found.se == pytest.approx(other.std_errors["d"], abs=1e-8)


@pytest.mark.parametrize("cluster", [None, "shop"])
def test_the_anderson_rubin_bounds_are_where_the_instrument_stops_mattering(cluster):
    """At each bound the regression of outcome - b × treatment has the instrument at its critical value."""
    frame = drawn(2)
    found = instrument(frame, controls=CONTROLS, cluster=cluster, **COLUMNS)
    design = np.column_stack([frame["z"], frame[CONTROLS], np.ones(len(frame))])
    kind = {"cov_type": "HC1"} if cluster is None else {"cov_type": "cluster", "cov_kwds": {"groups": frame[cluster]}}
    critical = student.ppf(0.975, len(frame) - 4 if cluster is None else 29)
    for bound in (found.ar_lower, found.ar_upper):
        fit = sm.OLS(frame["y"] - bound * frame["d"], design).fit(**kind)
        assert abs(fit.params.iloc[0] / fit.bse.iloc[0]) == pytest.approx(critical, abs=1e-6)
    first = sm.OLS(frame["d"], design).fit(**kind)
    assert found.first_stage_f == pytest.approx((first.params.iloc[0] / first.bse.iloc[0]) ** 2, rel=1e-8)
    assert found.estimate.value == pytest.approx(found.reduced_form / found.first_stage)


def test_the_planted_effect_is_recovered_and_least_squares_is_not():
    runs = [instrument(drawn(seed, 300), controls=CONTROLS, **COLUMNS) for seed in range(10, 30)]
    values = np.array([run.estimate.value for run in runs])
    assert np.median(values) == pytest.approx(1.5, abs=0.15)
    assert sum(run.ar_lower < 1.5 < run.ar_upper for run in runs) >= 16  # of 20 at 95 %: fewer once in 400 suites
    frame = drawn(10)
    assert sm.OLS(frame["y"], sm.add_constant(frame[["d", *CONTROLS]])).fit().params["d"] > 2


def test_a_set_with_a_strong_instrument_is_the_usual_interval():
    found = instrument(drawn(3, 4000, strength=5.0), controls=CONTROLS, **COLUMNS)
    assert found.ar_shape == "interval"
    assert (found.ar_lower, found.ar_upper) == pytest.approx(
        (found.estimate.ci_lower, found.estimate.ci_upper), abs=2e-3
    )
    assert "strong" in found.text


def test_a_weak_instrument_has_an_unbounded_set_and_says_so():
    frame = drawn(41, 400, strength=0.2)
    found = instrument(frame, controls=CONTROLS, level=0.9999, **COLUMNS)
    assert LEAST_F < found.first_stage_f < 15
    assert found.ar_shape in ("line", "rays")
    assert (found.ar_lower, found.ar_upper) == (-np.inf, np.inf)
    assert "unbounded" in found.text


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("first", [3.0, 1.2, 0.1])
def test_shapes_agree_with_a_grid(seed, first):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2, 2))
    coefficients, covariance = np.array([rng.normal(), first]), root @ root.T + 0.1 * np.eye(2)
    lower, upper, shape, gap = anderson_rubin(coefficients, covariance, 1.96)
    grid = np.linspace(-300, 300, 200_001)
    variance = covariance[0, 0] - 2 * grid * covariance[0, 1] + grid**2 * covariance[1, 1]
    inside = (coefficients[0] - grid * coefficients[1]) ** 2 <= 1.96**2 * variance
    if shape == "line":
        assert inside.all()
    elif shape == "rays":
        assert (grid[~inside] >= gap[0] - 1e-9).all()
        assert (grid[~inside] <= gap[1] + 1e-9).all()
        assert inside[0]
        assert inside[-1]
    else:
        assert (inside == ((grid >= lower) & (grid <= upper))).all()


def test_units_scale():
    frame = drawn(5)
    plain = instrument(frame, **COLUMNS)
    scaled = instrument(frame.assign(y=-1000 * frame["y"], d=frame["d"] / 10), **COLUMNS)
    assert scaled.estimate.value == pytest.approx(-10_000 * plain.estimate.value, rel=1e-8)
    assert scaled.ar_lower == pytest.approx(-10_000 * plain.ar_upper, rel=1e-6)
    assert scaled.first_stage_f == pytest.approx(plain.first_stage_f)
    assert plain.estimate.unit == "y_per_d"


def test_an_instrument_that_moves_nothing_is_refused():
    frame = drawn(6)
    noise = np.random.default_rng(0).normal(size=len(frame))
    with pytest.raises(NotEnoughData, match=r"first-stage F of 'z' is \d\.\d: under 4 it hardly moves 'd'"):
        instrument(frame.assign(z=noise), controls=CONTROLS, **COLUMNS)


def test_columns_that_controls_explain_are_refused():
    frame = drawn(7)
    with pytest.raises(NotEnoughData, match="the instrument does not vary"):
        instrument(frame.assign(z=frame["week"]), fixed_effects=["week"], **COLUMNS)
    with pytest.raises(NotEnoughData, match="the instrument does not vary"):
        instrument(frame.assign(z=1.0), **COLUMNS)
    with pytest.raises(NotEnoughData, match="the treatment does not vary"):
        instrument(frame.assign(d=frame["x1"] + 2 * frame["x2"]), controls=CONTROLS, **COLUMNS)


def test_bad_columns_are_refused():
    frame = drawn(8)
    with pytest.raises(ContractError, match="no column 'z'"):
        instrument(frame.drop(columns="z"), **COLUMNS)
    for name in ("y", "x1", "shop"):
        broken = frame.astype({"shop": float})
        broken.loc[3, name] = np.nan
        with pytest.raises(InvalidValue, match=f"'{name}' is missing in 1 rows"):
            instrument(broken, controls=CONTROLS, cluster="shop", **COLUMNS)
    with pytest.raises(InvalidValue, match="'w' must be above 0"):
        instrument(frame.assign(w=0.0), weights="w", **COLUMNS)
    with pytest.raises(InvalidValue, match="finite"):
        instrument(frame.assign(y=np.inf), **COLUMNS)


def test_few_clusters_are_refused():
    frame = drawn(9)
    with pytest.raises(NotEnoughData, match=f"6 clusters.* at least {FEWEST_CLUSTERS}"):
        instrument(frame, cluster="week", **COLUMNS)


def test_input_is_left_alone_and_may_have_any_index():
    frame = drawn(10)
    odd = frame.set_axis(np.arange(len(frame))[::-1])
    before = odd.copy(deep=True)
    found = instrument(odd, cluster="shop", **COLUMNS)
    pd.testing.assert_frame_equal(odd, before)
    assert found.estimate.value == pytest.approx(instrument(frame, cluster="shop", **COLUMNS).estimate.value)
