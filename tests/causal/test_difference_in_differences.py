"""Difference in differences: equal to means and to dummies, covering, and refusing where it would not cover."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import t as student

from analysis_lib.causal import difference_in_differences, panel_of
from analysis_lib.causal.difference_in_differences import FEWEST_CLUSTERS, did_value, reach_of
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData

COLUMNS = {"outcome": "y", "unit": "id", "time": "week", "treated": "treated"}


def differenced(frame, **options):
    return difference_in_differences(frame, **COLUMNS, **options)


def by_means(frame: pd.DataFrame, start: int) -> float:
    group = frame.groupby("id")["treated"].transform("max")
    means = frame["y"].groupby([group, frame["week"] >= start]).mean()
    return means[1, True] - means[1, False] - means[0, True] + means[0, False]


def by_dummies(frame: pd.DataFrame, cluster: str, weight: np.ndarray) -> tuple[float, float]:
    """Coefficient and clustered error of statsmodels, unit effects inside clusters not counted (as pyfixest)."""
    units = pd.get_dummies(frame["id"]).to_numpy(float)
    times = pd.get_dummies(frame["week"]).to_numpy(float)[:, 1:]
    design = np.column_stack([frame["treated"].to_numpy(float), units, times])
    codes = pd.factorize(frame[cluster])[0]
    fit = sm.WLS(frame["y"].to_numpy(), design, weights=weight).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
    )
    n, n_clusters, k = len(frame), codes.max() + 1, 1 + frame["week"].nunique()
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - k)
    return fit.params[0], fit.bse[0] * np.sqrt(factor)


def test_equals_the_difference_of_means(long_panel):
    frame = long_panel(1)
    found = differenced(frame)
    assert found.estimate.value == pytest.approx(by_means(frame, 8), abs=1e-8)
    assert did_value(panel_of(frame, **COLUMNS)) == pytest.approx(by_means(frame, 8), abs=1e-12)


@pytest.mark.parametrize(("clustered", "weighted"), [(False, False), (True, False), (False, True), (True, True)])
def test_equals_statsmodels_with_dummies(long_panel, clustered, weighted):
    frame = long_panel(2)
    number = frame["id"].str[1:].astype(int)
    frame = frame.assign(town=np.where(number < 8, number % 6, 10 + number % 9), weight=1 + number % 3)
    found = differenced(frame, cluster="town" if clustered else None, weights="weight" if weighted else None)
    weight = frame["weight"].to_numpy(float) if weighted else np.ones(len(frame))
    value, se = by_dummies(frame, "town" if clustered else "id", weight)
    assert found.estimate.value == pytest.approx(value, abs=1e-8)
    assert found.estimate.se == pytest.approx(se, abs=1e-8)
    after = found.path[found.path["is_after"]]
    assert after["effect"].mean() == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_stands_on_the_smaller_group(long_panel, level):
    found = differenced(long_panel(3, n_treated=6), level=level)
    reach = student.ppf(0.5 + level / 2, 5) * found.estimate.se * np.sqrt(6 / 5)
    assert found.estimate.ci_upper - found.estimate.value == pytest.approx(reach)


def test_the_planted_effect_is_recovered_and_covered():
    """The values by the means they equal; the interval of the smallest group that is allowed."""
    rng = np.random.default_rng(4)
    runs, m, n = 4000, FEWEST_CLUSTERS, 50
    treated, controls = rng.normal(2, 1, (runs, m)), rng.normal(0, 1, (runs, n - m))
    value = treated.mean(axis=1) - controls.mean(axis=1)
    crv1 = np.sqrt((treated.var(axis=1) / m + controls.var(axis=1) / (n - m)) * n / (n - 1))
    reach = reach_of(0.95, m, 1) * crv1
    assert value.mean() == pytest.approx(2, abs=0.03)
    assert np.mean(np.abs(value - 2) < reach) >= 0.95


def test_the_planted_effect_comes_out_of_the_frame(long_panel):
    values = [differenced(long_panel(seed)).estimate.value for seed in range(10, 16)]
    assert np.mean(values) == pytest.approx(2.0, abs=4 * np.std(values) / np.sqrt(6))


@pytest.mark.parametrize("n_treated", [1, FEWEST_CLUSTERS - 1, 40 - FEWEST_CLUSTERS + 1])
def test_too_few_clusters_have_no_interval(long_panel, n_treated):
    frame = long_panel(5, n_treated=n_treated)
    with pytest.raises(NotEnoughData, match=f"{n_treated} treated and {40 - n_treated} control clusters"):
        differenced(frame)
    assert np.isfinite(did_value(panel_of(frame, **COLUMNS)))


def test_starts_that_differ_are_sent_to_staggered(long_panel):
    frame = long_panel(6)
    later = frame["treated"].where((frame["id"] != "u00001") | (frame["week"] > 9), 0)
    with pytest.raises(InvalidValue, match="staggered"):
        differenced(frame.assign(treated=later))


def test_an_outcome_always_zero_has_no_effect(long_panel):
    found = differenced(long_panel(7).assign(y=0.0))
    assert found.estimate.value == pytest.approx(0, abs=1e-12)
    assert found.estimate.se == pytest.approx(0, abs=1e-12)


def test_negative_outcomes_turn_the_effect_round(long_panel):
    frame = long_panel(8)
    plain, turned = differenced(frame).estimate, differenced(frame.assign(y=-frame["y"] - 50)).estimate
    assert turned.value == pytest.approx(-plain.value, abs=1e-8)
    assert turned.se == pytest.approx(plain.se, abs=1e-8)


def test_ten_thousand_units_in_two_periods_are_quick(long_panel):
    frame = long_panel(9, n_units=10_000, n_periods=2, n_treated=300, start=1)
    differenced(long_panel(9))  # the import is not what is timed
    began = time.perf_counter()
    found = differenced(frame)
    assert time.perf_counter() - began < 5
    assert found.estimate.value == pytest.approx(by_means(frame, 1), abs=1e-8)


def test_weights_and_clusters_belong_to_the_unit(long_panel):
    frame = long_panel(11)
    for name in ("weights", "cluster"):
        with pytest.raises(InvalidValue, match="'week' changes within unit u00000"):
            differenced(frame, **{name: "week"})
        with pytest.raises(ContractError, match="no column 'town'"):
            differenced(frame, **{name: "town"})
    with pytest.raises(InvalidValue, match="'w' must be above 0"):
        differenced(frame.assign(w=0.0), weights="w")


def test_text_and_frame(long_panel):
    found = differenced(long_panel(12))
    assert found.text.endswith("the interval stands on 8 clusters in the smaller group.")
    assert found.to_frame().columns.tolist() == ["time", "actual", "without", "effect", "is_after"]
    assert found.unit_weights.sum() == pytest.approx(1)
