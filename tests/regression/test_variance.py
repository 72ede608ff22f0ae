"""The rule that chooses errors, and what they promise, by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from analysis_lib import regression
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.moments import moments_of
from analysis_lib.regression.variance import fixed_b_df, lags_for
from analysis_lib.regression.wild import wild_tests


def panel_of(units: int, periods: int, seed: int = 0, slope: float = 0.5) -> pd.DataFrame:
    """Units with levels and regressors of their own, as alike within a unit as markets are."""
    rng = np.random.default_rng(seed)
    unit, time = np.repeat(np.arange(units), periods), np.tile(np.arange(periods), units)
    x = rng.normal(size=units)[unit] + rng.normal(size=len(unit))
    y = slope * x + rng.normal(size=units)[unit] + rng.normal(size=len(unit))
    return pd.DataFrame({"unit": unit, "time": time, "x": x, "y": y, "one": (y > 0).astype(int)})


@pytest.mark.parametrize(("units", "periods", "given", "name", "word"), [
    (8, 10, {"cluster": "unit"}, "wild", "8 clusters of unit, fewer than 12"),
    (12, 10, {"cluster": "unit"}, "CRV3", "12 clusters of unit, fewer than 50"),
    (50, 4, {"cluster": "unit"}, "CRV1", "50 clusters of unit"),
    (8, 20, {"cluster": "unit", "kind": "logit", "formula": "one ~ x"}, "CRV3", "8 clusters"),
    (8, 20, {"cluster": "unit", "kind": "quantile"}, "CRV1", "8 clusters"),
    (12, 20, {"cluster": ["unit", "time"]}, "CRV3", "12 clusters of unit and time"),
    (12, 10, {"unit": "unit", "time": "time"}, "CRV3", "12 clusters of unit"),
    (12, 10, {"unit": "unit", "kind": "panel"}, "CRV3", "12 clusters of unit"),
    (12, 10, {"unit": "unit", "kind": "panel", "effects": "between"}, "HC3", "12 rows"),
    (12, 10, {"unit": "unit", "kind": "mixed"}, "model", "normal distribution"),
    (2, 40, {"unit": "unit", "time": "time"}, "driscoll_kraay", "2 units are too few to cluster by"),
    (1, 40, {"unit": "unit", "time": "time"}, "HAC", "1 unit is too few to cluster by"),
    (1, 40, {"time": "time"}, "HAC", "rows follow each other"),
    (3, 40, {"time": "time"}, "driscoll_kraay", "rows follow each other"),
    (12, 10, {}, "HC3", "120 rows, fewer than 250"),
    (12, 30, {}, "HC1", "360 rows"),
    (12, 10, {"fixed_effects": "unit"}, "HC1", "120 rows"),
    (12, 10, {"variance": "iid"}, "iid", "asked for"),
])  # fmt: skip
def test_the_rule(units, periods, given, name, word):
    given = dict(given)
    found = regression.fit(given.pop("formula", "y ~ x"), panel_of(units, periods), **given)
    assert found.errors.name == name
    assert word in found.reason
    assert (found.coefficients["ci_lower"] < found.coefficients["ci_upper"]).all()


def test_intervals_are_students_with_clusters_less_one():
    row = regression.fit("y ~ x", panel_of(12, 10), cluster="unit").coefficients.iloc[1]
    assert row["ci_upper"] - row["value"] == pytest.approx(t.ppf(0.975, 11) * row["se"])
    assert row["pvalue"] == pytest.approx(2 * t.sf(abs(row["value"] / row["se"]), 11))


def test_two_ways_are_never_less_than_either():
    frame = panel_of(12, 20)
    both = regression.fit("y ~ x", frame, cluster=["unit", "time"], variance="CRV3").coefficients["se"]
    for one in ("unit", "time"):
        assert (both >= regression.fit("y ~ x", frame, cluster=one, variance="CRV3").coefficients["se"] - 1e-12).all()


def test_leaving_out_a_cluster_is_what_fitting_without_it_gives():
    """With fixed effects inside of clusters and across them, by cross-products, and by a fit each."""
    frame = panel_of(8, 15)
    kept = {"fixed_effects": ["unit", "time"], "cluster": "unit", "variance": "CRV3"}
    found = regression.fit("y ~ x", frame, **kept)
    without = [
        regression.fit("y ~ x", frame[frame["unit"] != unit], **kept).coefficients["value"][0] for unit in range(8)
    ]
    about = np.array(without) - found.coefficients["value"][0]
    assert found.coefficients["se"][0] == pytest.approx(np.sqrt(7 / 8 * (about**2).sum()), rel=1e-8)


def test_the_bootstrap_agrees_with_itself_row_by_row():
    """The draws from cross-products are those of a regression of each drawn outcome."""
    frame = panel_of(7, 9)
    X, y = np.column_stack([np.ones(63), frame["x"]]), frame["y"].to_numpy()
    codes = frame["unit"].to_numpy()
    test = wild_tests(moments_of(X, y, codes, np.eye(2)), seed=5)[1]
    restricted = X[:, :1] @ np.linalg.lstsq(X[:, :1], y, rcond=None)[0]

    def statistic(outcome):
        inverse = np.linalg.inv(X.T @ X)
        coefficients = inverse @ X.T @ outcome
        scores = X * (outcome - X @ coefficients)[:, None]
        sums = np.stack([scores[codes == unit].sum(axis=0) for unit in range(7)])
        return coefficients[1] / np.sqrt((inverse @ sums.T @ sums @ inverse)[1, 1])

    drawn = [statistic(restricted + weights[codes] * (y - restricted)) for weights in test.draws]
    share = (1 + (np.abs(drawn) >= abs(statistic(y))).sum()) / (1 + len(drawn))
    assert test.pvalue(0.0) == pytest.approx(share, abs=1e-9)


def test_the_bootstrap_is_the_same_again_and_its_interval_fits_its_p_value():
    frame = panel_of(9, 12, slope=0.25)
    one, two = (regression.fit("y ~ x", frame, cluster="unit").coefficients for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    for row in one.itertuples():
        assert (row.ci_lower > 0 or row.ci_upper < 0) == (row.pvalue < 0.05)


def coverage(units: int, variance: str, runs: int, *, uneven: bool = False) -> float:
    """Share of intervals that hold the truth; errors and regressor both go together within clusters."""
    rng = np.random.default_rng(17)
    sizes = np.where(np.arange(units) % 3 == 0, 30, 10) if uneven else np.full(units, 12)
    unit, held = np.repeat(np.arange(units), sizes), 0
    for _ in range(runs):
        x = rng.normal(size=units)[unit] + 0.7 * rng.normal(size=len(unit))
        y = 0.5 * x + rng.normal(size=units)[unit] * (0.5 + 0.5 * np.abs(x)) + rng.normal(size=len(unit))
        frame = pd.DataFrame({"y": y, "x": x, "unit": unit})
        found = regression.fit("y ~ x", frame, cluster="unit", variance=variance).coefficients.iloc[1]
        held += found["ci_lower"] <= 0.5 <= found["ci_upper"]
    return held / runs


def test_twelve_clusters_cover_as_they_promise():
    assert 0.93 <= coverage(12, "CRV3", 200) <= 0.97


def test_the_usual_error_would_not():
    assert coverage(12, "CRV1", 80) < 0.93


def test_a_lot_between_five_clusters_is_read_from_the_lot():
    frame = panel_of(5, 30)
    dose = frame["unit"].map(dict(enumerate([0.0, 1.0, 2.5, 4.0, 7.0])))
    frame = frame.assign(dose=dose, y=frame["y"] + 3 * dose)
    found = regression.fit("y ~ dose + x", frame, cluster="unit", assigned="dose")
    one = found.fit_of("dose")
    assert one.ci_lower < 3 < one.ci_upper
    assert found.coefficients["pvalue"][1] == pytest.approx(1 / 60, abs=1 / 60)
    assert "drawn by lot between 5 clusters, dealt out anew 120 times" in found.text
    assert np.isnan(found.coefficients["ci_lower"][2])  # the lot says nothing of x


def test_a_lot_covers_as_it_promises():
    rng, held = np.random.default_rng(4), 0
    for run in range(60):
        frame = panel_of(6, 10, seed=run)
        dose = rng.permutation([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
        frame = frame.assign(dose=dose[frame["unit"]], y=frame["y"] + 0.7 * dose[frame["unit"]])
        one = regression.fit("y ~ dose", frame, cluster="unit", assigned="dose", level=0.8).fit_of("dose")
        held += one.ci_lower <= 0.7 <= one.ci_upper
    assert held >= 42  # at least 80 % less two standard errors


@pytest.mark.parametrize(("given", "kind", "said"), [
    ({"cluster": "unit", "assigned": "dose"}, NotEnoughData, "can be dealt in 10 ways"),
    ({"assigned": "dose"}, InvalidValue, "needs cluster="),
    ({"cluster": "unit", "assigned": "x"}, InvalidValue, "differs within a cluster"),
    ({"cluster": "unit", "assigned": "time"}, InvalidValue, "must be a term"),
    ({"cluster": "unit", "assigned": "dose", "kind": "logit"}, InvalidValue, "not 'logit'"),
])  # fmt: skip
def test_a_lot_that_says_too_little_is_refused(given, kind, said):
    frame = panel_of(5, 10)
    frame = frame.assign(dose=(frame["unit"] < 2).astype(float))
    formula = "one ~ dose + x" if "kind" in given else "y ~ dose + x"
    with pytest.raises(kind, match=said):
        regression.fit(formula, frame, **given)


def test_lags_and_degrees_of_freedom_over_time():
    assert lags_for(100) == 12
    # Kiefer and Vogelsang's critical value at b = 0.13.
    assert t.ppf(0.975, fixed_b_df(12, 100)) == pytest.approx(1.96 + 2.9694 * 0.13 + 0.416 * 0.13**2 - 0.5324 * 0.13**3)
    assert fixed_b_df(0, 10_000) > 1000


def test_what_lasts_over_time_is_allowed_for():
    """A memory of some periods in both: the usual interval holds the truth far too rarely."""
    rng = np.random.default_rng(8)
    held = {"HAC": 0, "HC1": 0}
    for _ in range(60):
        x, e = rng.normal(size=(2, 150))
        for at in range(1, 150):
            x[at] += 0.7 * x[at - 1]
            e[at] += 0.7 * e[at - 1]
        frame = pd.DataFrame({"y": 0.5 * x + e, "x": x, "t": np.arange(150)})
        for name in held:
            row = regression.fit("y ~ x", frame, time="t", variance=name).coefficients.iloc[1]
            held[name] += row["ci_lower"] <= 0.5 <= row["ci_upper"]
    assert held["HAC"] / 60 >= 0.90
    assert held["HC1"] / 60 < 0.85


def test_a_wild_interval_without_a_bound_is_infinite_and_not_invented():
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(6), 10)
    frame = pd.DataFrame({"unit": unit, "x": (unit < 2) * 1.0, "y": rng.normal(size=6)[unit] + rng.normal(size=60)})
    row = regression.fit("y ~ x", frame, cluster="unit").coefficients.iloc[1]
    assert row["ci_lower"] < row["value"] < row["ci_upper"]


def test_one_step_without_a_cluster_is_near_the_fit_without_it():
    """Poisson with fixed effects: one step of Newton's method in place of a fit without each cluster."""
    rng = np.random.default_rng(6)
    frame = panel_of(10, 30)
    frame["count"] = rng.poisson(np.exp(0.3 * frame["x"] + 0.5 * rng.normal(size=10)[frame["unit"]]))
    kept = {"kind": "poisson", "fixed_effects": ["unit", "time"], "cluster": "unit"}
    found = regression.fit("count ~ x", frame, **kept)
    without = [
        regression.fit("count ~ x", frame[frame["unit"] != unit], **kept).fit_of("x").value for unit in range(10)
    ]
    about = np.array(without) - found.fit_of("x").value
    assert found.errors.name == "CRV3"
    assert found.fit_of("x").se == pytest.approx(np.sqrt(9 / 10 * (about**2).sum()), rel=0.03)
