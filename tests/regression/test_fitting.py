"""What ``regression.fit`` refuses, leaves out with a count, and says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import regression
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    found = pd.DataFrame({
        "market": np.repeat([f"m{place}" for place in range(8)], 12), "week": np.tile(np.arange(12), 8),
        "x": rng.normal(size=96), "z": rng.normal(size=96), "w": rng.uniform(0.5, 2, 96),
    })  # fmt: skip
    found["y"] = 1 + 0.5 * found["x"] + rng.normal(size=96)
    found["won"] = (found["y"] > 1).astype(int)
    return found


def test_an_unknown_column_names_the_nearest(frame):
    with pytest.raises(ContractError, match=r"no column 'markte'\. Did you mean 'market'"):
        regression.fit("y ~ x", frame, cluster="markte")
    with pytest.raises(ContractError, match=r"no column 'wek'\. Did you mean 'week'"):
        regression.fit("y ~ x + log(wek)", frame)


@pytest.mark.parametrize(("given", "named"), [
    ({"kind": "logti"}, "logit"), ({"variance": "hc3"}, "HC3"),
    ({"kind": "panel", "unit": "market", "effects": "randm"}, "random"),
])  # fmt: skip
def test_an_unknown_word_names_the_nearest(frame, given, named):
    with pytest.raises(UnknownName, match=f"Did you mean '{named}'"):
        regression.fit("y ~ x", frame, **given)


@pytest.mark.parametrize(("formula", "given", "said"), [
    ("y", {}, "outcome ~ regressors"),
    ("y ~ x | market", {}, r"fixed_effects=\[…\]"),
    ("y ~ x + (", {}, "cannot be read"),
    ("y ~ 0", {}, "no regressors"),
    ("y ~ x", {"level": 95}, "between 0 and 1"),
    ("y ~ x", {"kind": "quantile", "quantile": 50}, "between 0 and 1"),
    ("y ~ x", {"lags": -1, "time": "week"}, "0 or more"),
    ("y ~ x", {"kind": "iv", "endogenous": "x"}, "at least as many instruments"),
    ("y ~ x", {"kind": "iv", "instruments": "z"}, "needs endogenous"),
    ("y ~ x", {"kind": "iv", "endogenous": "w", "instruments": "z"}, "must be regressors"),
    ("y ~ x", {"instruments": "z"}, "use kind='iv'"),
    ("y ~ x", {"kind": "panel"}, "needs unit="),
    ("y ~ x", {"kind": "mixed"}, "needs unit="),
    ("y ~ x", {"kind": "panel", "unit": "market", "effects": "first_differences"}, "needs time="),
    ("won ~ x", {"kind": "logit", "fixed_effects": "market"}, "takes no fixed_effects"),
    ("y ~ x", {"kind": "quantile", "weights": "w"}, "takes no weights"),
    ("y ~ x", {"kind": "panel", "unit": "market", "effects": "between", "weights": "w"}, "takes no weights"),
    ("y ~ x", {"kind": "mixed", "unit": "market", "variance": "HC1"}, "its own model"),
    ("y ~ x", {"kind": "quantile", "variance": "HC3"}, "does not go with"),
    ("y ~ x", {"variance": "CRV1"}, "needs cluster="),
    ("y ~ x", {"variance": "HAC"}, "needs time="),
    ("y ~ x", {"variance": "wild", "cluster": ["market", "week"]}, "one cluster column"),
    ("y ~ x", {"variance": "HC3", "fixed_effects": "market"}, "no fixed effects"),
    ("y ~ x", {"variance": "HC1", "cluster": "market"}, "ignores clusters"),
    ("y ~ x", {"cluster": ["market", "week", "won"]}, "one or two"),
    ("y ~ x", {"cluster": ["market", "market"]}, "one column twice"),
    ("y ~ text", {}, "read as numbers"),
    ("count ~ z + never", {"kind": "poisson"}, "where 'never' is 1 the outcome is always 0"),
    ("y ~ x", {"kind": "logit"}, "outcome of 0 and 1"),
    ("y ~ x", {"kind": "poisson"}, "0 or more"),
    ("won ~ C(one)", {}, "has one level"),
    ("y ~ x + two", {}, "regressor 'two' is 2 in all 96 rows"),
    ("y ~ log(week)", {}, "not finite in 8 rows"),
    ("y ~ far", {}, "'far' is infinite in 1 rows"),
    ("y ~ x", {"weights": "none"}, "1 weights not above 0"),
    ("y ~ x", {"weights": "less"}, "the smallest is -1"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_the_reason(frame, formula, given, said):
    far, none, less = frame["x"].copy(), frame["w"].copy(), frame["w"].copy()
    far[3], none[5], less[7] = np.inf, 0.0, -1.0
    data = frame.assign(
        one="a",
        two=2.0,
        text=frame["x"].astype(str),
        never=(frame["won"] == 0) * (frame["week"] < 3),
        count=frame["won"],
        far=far,
        none=none,
        less=less,
    )
    with pytest.raises(InvalidValue, match=said):
        regression.fit(formula, data, **given)


@pytest.mark.parametrize(("formula", "given", "said"), [
    ("y ~ x", {"cluster": "half"}, "2 clusters of half: under 6"),
    ("y ~ x", {"cluster": "half", "variance": "CRV1"}, "2 clusters of half: under 6"),
    ("y ~ x", {"unit": "half", "time": "week"}, "12 periods are too few"),
    ("y ~ x", {"unit": "half"}, "2 clusters of half"),
    ("same ~ x", {}, "nothing to explain"),
    ("y ~ fixed", {"fixed_effects": "market"}, "nothing varies within the fixed effects"),
    ("y ~ x", {"fixed_effects": "row"}, "each row is alone"),
    ("y ~ gone", {}, "no row is complete"),
    ("y ~ C(row)", {}, "96 rows for 96 coefficients"),
    ("y ~ x", {"kind": "iv", "endogenous": "x", "instruments": "z"}, "first-stage F"),
    ("y ~ only + x", {"cluster": "market"}, "'only' is told by one cluster of 8 alone"),
    ("y ~ x", {"kind": "panel", "unit": "half", "effects": "between"}, "2 units"),
    ("y ~ x", {"kind": "mixed", "unit": "half"}, "2 units"),
    ("y ~ x", {"kind": "quantile", "quantile": 0.01}, "fewer than 10 beyond"),
])  # fmt: skip
def test_what_the_data_do_not_tell_is_refused_with_the_reason(frame, formula, given, said):
    market = frame["market"].str[1:].astype(int)
    data = frame.assign(
        half=market // 4, same=3.0, fixed=market * 1.5, row=[f"r{place}" for place in range(96)], gone=np.nan,
        only=(market == 0) * frame["z"],
    )  # fmt: skip
    with pytest.raises(NotEnoughData, match=said):
        regression.fit(formula, data, **given)


def test_a_term_that_others_hold_is_dropped_and_named(frame):
    found = regression.fit("y ~ x + z + both", frame.assign(both=frame["x"] - 2 * frame["z"]))
    assert list(found.coefficients["term"]) == ["Intercept", "x", "z"]
    assert found.dropped[["reason", "name"]].to_numpy().tolist() == [["collinear", "both"]]
    assert "both is a sum of terms before it" in found.text


def test_a_term_within_fixed_effects_is_dropped_and_named(frame):
    data = frame.assign(size=frame["market"].str[1:].astype(float))
    found = regression.fit("y ~ x + size", data, fixed_effects="market")
    assert found.dropped[["reason", "name"]].to_numpy().tolist() == [["absorbed", "size"]]
    assert "size does not vary within fixed effects" in found.text


def test_missing_rows_are_counted_by_column(frame):
    data = frame.copy()
    data.loc[[1, 2], "x"], data.loc[[2, 3, 4], "z"], data.loc[5, "market"] = np.nan, np.nan, None
    found = regression.fit("y ~ x + z", data, cluster="market")
    assert found.n == 91
    assert found.dropped.set_index("name")["n"].to_dict() == {"x": 2, "z": 3, "market": 1}
    assert "2 rows: x is missing; 3 rows: z is missing; 1 row: market is missing" in found.text


def test_singletons_are_dropped_one_after_the_other_and_counted(frame):
    data = frame.assign(seller=np.where(np.arange(96) < 2, ["a", "b"] * 48, frame["market"]))
    found = regression.fit("y ~ x", data, fixed_effects="seller")
    assert found.n == 94
    assert found.dropped.to_numpy().tolist() == [["singleton", "seller", 2]]
    rest = regression.fit("y ~ x", data.iloc[2:], fixed_effects="seller")
    pd.testing.assert_frame_equal(found.coefficients, rest.coefficients)


def test_levels_without_any_outcome_are_dropped_from_a_poisson(frame):
    data = frame.assign(count=np.where(frame["market"] == "m3", 0, frame["won"] + 1))
    found = regression.fit("count ~ x", data, kind="poisson", fixed_effects="market")
    assert found.dropped.to_numpy().tolist() == [["outcome always 0", "market", 12]]


@pytest.mark.parametrize("kind", ["logit", "probit"])
@pytest.mark.parametrize(("formula", "named"), [
    ("won ~ z + sure", "sure"), ("won ~ z + never", "never"), ("won ~ x + y", "y"), ("won ~ x + rest", "rest"),
])  # fmt: skip
def test_separation_is_refused_by_the_name_of_the_column(frame, kind, formula, named):
    data = frame.assign(
        sure=((frame["won"] == 1) & (frame["week"] < 6)).astype(int), rest=frame["y"] - frame["x"],
        never=((frame["won"] == 0) & (frame["week"] < 2)).astype(int),
    )  # fmt: skip
    with pytest.raises(InvalidValue, match=named):
        regression.fit(formula, data, kind=kind)


def test_the_frame_is_left_as_it_was_and_order_does_not_matter(frame):
    before = frame.copy()
    one = regression.fit("y ~ x + C(week)", frame, fixed_effects="market", cluster="market", weights="w")
    pd.testing.assert_frame_equal(frame, before)
    two = regression.fit(
        "y ~ x + C(week)", frame.sample(frac=1, random_state=1), fixed_effects="market", cluster="market", weights="w"
    )
    pd.testing.assert_frame_equal(one.coefficients, two.coefficients, rtol=1e-6)


def test_weights_have_no_unit(frame):
    one = regression.fit("y ~ x", frame, weights="w").coefficients
    two = regression.fit("y ~ x", frame.assign(w=frame["w"] * 1e6), weights="w").coefficients
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)


def test_large_numbers_are_told_apart_from_their_sum():
    """A year and a population beside each other: far from collinear, though near it in floating point."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"year": 2000 + rng.integers(0, 20, 80), "people": 1e9 + 1e5 * rng.normal(size=80)})
    data["y"] = 0.3 * (data["year"] - 2010) + 2e-5 * (data["people"] - 1e9) + 0.1 * rng.normal(size=80)
    found = regression.fit("y ~ year + people", data)
    assert found.dropped.empty
    assert found.coefficients["value"].to_numpy()[1:] == pytest.approx([0.3, 2e-5], rel=0.02)


def test_one_term_as_an_estimate(frame):
    found = regression.fit("y ~ x", frame, level=0.9)
    one, row = found.fit_of("x", unit="usd"), found.to_frame().iloc[1]
    assert (one.value, one.se, one.ci_lower, one.ci_upper) == tuple(row[["value", "se", "ci_lower", "ci_upper"]])
    assert (one.unit, one.level, one.n) == ("usd", 0.9, 96)
    with pytest.raises(UnknownName, match="term 'xx'"):
        found.fit_of("xx")


def test_what_it_says_of_itself(frame):
    found = regression.fit("y ~ x", frame, cluster="market")
    assert found.n_clusters == 8
    assert "wild restricted bootstrap" in found.text
    assert "8 clusters of market, fewer than 12: clusters are resampled" in found.text
    assert found.covariance.index.tolist() == ["Intercept", "x"]
    assert (found.outcome, found.regressors) == ("y", ("x",))
    assert 0 < found.facts["r2"] < 1


def test_levels_that_are_clusters_themselves(frame):
    """Their own errors cannot be told; that of a term beside them can."""
    with pytest.raises(NotEnoughData, match=r"'C\(market\)\[T.m1\]' is told by one cluster.*take fixed_effects="):
        regression.fit("y ~ x + C(market)", frame, cluster="market")
    with pytest.raises(NotEnoughData, match="ask for variance='CRV1'"):
        regression.fit("won ~ x + C(market)", frame, cluster="market", kind="logit")
    found = regression.fit("y ~ x + C(market)", frame, cluster="market", variance="CRV1")
    table = found.coefficients.set_index("term")
    assert np.isfinite(table.loc["x"]).all()
    assert table.drop("x")["ci_lower"].isna().all()
    assert "levels that lie in one cluster get no interval" in found.text


def test_kinds_of_columns(frame):
    whole = pd.array(frame["week"], dtype="Int64")
    whole[3] = pd.NA
    data = frame.assign(
        yes=frame["x"] > 0, sort=pd.Categorical(frame["market"]), whole=whole, day=pd.Timestamp("2025-01-01")
    )
    data["day"] += pd.to_timedelta(np.arange(96), unit="D")
    assert regression.fit("won ~ yes", data.assign(won=data["won"] == 1), kind="logit").n == 96
    assert regression.fit("y ~ whole", data).n == 95
    assert regression.fit("y ~ x", data, time="day").errors.name == "HAC"
    assert regression.fit("y ~ x", data, fixed_effects="sort", cluster="sort").n_clusters == 8
    data.index = [0] * 96
    assert regression.fit("y ~ x", data).n == 96


def test_a_large_logit_is_not_slow_to_check_and_still_refused():
    rng = np.random.default_rng(0)
    x = rng.normal(size=25_000)
    data = pd.DataFrame({"x": x, "won": (x > 0).astype(int), "z": rng.normal(size=25_000)})
    with pytest.raises(InvalidValue, match="'x' separates"):
        regression.fit("won ~ x + z", data, kind="logit")
