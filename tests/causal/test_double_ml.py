"""Double machine learning: planted effects where a line is wrong, coverage, whole clusters, overlap, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.causal import DoubleMlEffect, double_ml, overlap
from analysis_lib.causal.cross_fitting import LEARNERS, chosen, cross_fitted, dealt, learning_frame
from analysis_lib.causal.double_ml import averaged, median_rule
from analysis_lib.causal.overlap import overlap_of
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, ShopbookError, UnknownName

COLUMNS = {"outcome": "y", "treated": "treated", "covariates": ["x1", "x2"]}

EFFECT = 1.0


def bent(seed: int, n: int = 1200) -> pd.DataFrame:
    """Treatment and outcome both follow the square of x1, in which a line sees nothing."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.uniform(-1.7, 1.7, n), rng.normal(size=n)
    treated = (rng.random(n) < 1 / (1 + np.exp(1.2 - x1**2 - 0.3 * x2))).astype(int)
    y = EFFECT * treated + 1.5 * x1**2 + x2 + rng.normal(size=n)
    return pd.DataFrame({"y": y, "treated": treated, "x1": x1, "x2": x2})


def learnt(frame: pd.DataFrame, cluster: str | None = None):
    return learning_frame(frame, outcome="y", treated="treated", covariates=["x1", "x2"], cluster=cluster)


def linear(frame: pd.DataFrame, **options) -> DoubleMlEffect:
    return double_ml(frame, learners="linear", **{**COLUMNS, "repetitions": 1, **options})


@pytest.fixture(scope="module")
def learnt_well():
    """Three draws, and what ridge and trees say of them."""
    frames = [bent(seed) for seed in range(3)]
    fold = np.arange(1200) % 3
    return [(learnt(frame), cross_fitted(learnt(frame), fold, chosen("stacked"), 1)) for frame in frames]


@pytest.mark.parametrize("target", ["treated", "all"])
def test_a_planted_effect_is_recovered_where_least_squares_is_wrong(learnt_well, target):
    found = np.array([averaged(learning, nuisances, target) for learning, nuisances in learnt_well])
    assert found[:, 0].mean() == pytest.approx(EFFECT, abs=0.2)
    assert (np.abs(found[:, 0] - EFFECT) < 1.96 * found[:, 1]).sum() >= 2
    frame = bent(0)
    fit = sm.OLS(frame["y"], sm.add_constant(frame[["treated", "x1", "x2"]])).fit()
    assert fit.conf_int().loc["treated", 0] > EFFECT + 0.4


def test_the_front_door_says_how_well_was_learnt():
    found = double_ml(bent(0), repetitions=1, folds=3, **COLUMNS)
    assert found.estimate.n == found.n_clusters == 1200 == len(found.overlap.propensity)
    assert found.r2["untreated"] > 0.4 and found.r2["treated"] > 0.4 and found.r2["propensity"] > 0.05
    assert found.n_treated + found.n_untreated == 1200 and found.n_clipped == 0


def test_one_right_model_is_enough():
    """Doubly robust: lines are wrong for the outcome; with the square among covariates both are right."""
    frame = bent(7, 4000).assign(square=lambda rows: rows["x1"] ** 2)
    wrong = linear(frame)
    right = linear(frame, covariates=["x1", "x2", "square"])
    assert abs(right.estimate.value - EFFECT) < 0.15 < 0.5 < abs(wrong.estimate.value - EFFECT)
    learning = learnt(frame)
    whole = learning_frame(frame, outcome="y", treated="treated", covariates=["x1", "x2", "square"], cluster=None)
    fold = dealt(learning, 5, np.random.default_rng(1))
    lines, squares = (cross_fitted(one, fold, LEARNERS["linear"], 1) for one in (learning, whole))
    for mixed in (
        type(lines)(squares.untreated, squares.treated, lines.propensity, {}),
        type(lines)(lines.untreated, lines.treated, squares.propensity, {}),
    ):
        for target in ("treated", "all"):
            value, se = averaged(learning, mixed, target)
            assert abs(value - EFFECT) < 3.5 * se


def test_intervals_cover(selected):
    """Both targets from the same folds, as ``double_ml`` has them with one repetition."""
    fold, found = np.arange(600) % 3, {"treated": [], "all": []}
    for seed in range(60):
        learning = learnt(selected(seed, 600, 3.0))
        nuisances = cross_fitted(learning, fold, LEARNERS["linear"], 1)
        for target, runs in found.items():
            runs.append(averaged(learning, nuisances, target))
    for runs in found.values():
        errors, se = np.array(runs).T - np.array([[3.0], [0.0]])
        assert (np.abs(errors) < 1.96 * se).sum() >= 51  # of 60 at 95 %: fewer come once in a thousand times
        assert abs(errors.mean()) < 3.5 * errors.std() / 60**0.5
        assert se.mean() < 1.5 * errors.std()


def test_errors_are_those_of_clusters(selected):
    """Units copied in clusters: the error stays, whatever the number of copies."""
    frame = selected(3, 400).assign(shop=np.arange(400))
    copies = pd.concat([frame] * 4, ignore_index=True)
    one, four, blind = linear(frame, cluster="shop"), linear(copies, cluster="shop"), linear(copies)
    assert four.estimate.se == pytest.approx(one.estimate.se, rel=0.15) and four.n_clusters == 400
    assert blind.estimate.se < 0.6 * one.estimate.se and four.estimate.n == 1600


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 7))
def test_folds_keep_clusters_whole_and_share_the_treated(seed, folds):
    rng = np.random.default_rng(seed)
    frame = bent(seed, 600).assign(shop=rng.integers(0, 60, 600))
    fold = dealt(learnt(frame, "shop"), folds, rng)
    assert (frame.assign(fold=fold).groupby("shop")["fold"].nunique() == 1).all()
    assert set(fold) == set(range(folds))
    alone = dealt(learnt(frame), folds, rng)
    counts = np.bincount(alone, weights=frame["treated"], minlength=folds)
    assert np.ptp(counts) <= 1 and np.ptp(np.bincount(alone)) <= 1


def test_nobody_is_told_of_by_themselves():
    """A unit's own outcome moves what is said of others, and not what is said of it."""
    frame = bent(5, 400)
    fold = np.arange(400) % 5
    spoilt = frame.assign(y=frame["y"].where(frame.index != 10, 1e6))
    before, after = (cross_fitted(learnt(one), fold, LEARNERS["linear"], 1) for one in (frame, spoilt))
    same = fold == fold[10]
    assert np.allclose(before.untreated[same], after.untreated[same])
    assert np.allclose(before.treated[same], after.treated[same])
    own = "treated" if frame["treated"][10] else "untreated"
    assert not np.isclose(getattr(before, own)[~same], getattr(after, own)[~same]).any()


def test_a_mixture_of_learners_has_weights_and_fits_no_worse(learnt_well):
    learning, mixed = learnt_well[0]
    trees = cross_fitted(learning, np.arange(1200) % 3, chosen("boosting"), 1)
    for weights in mixed.weights.values():
        assert weights.sum() == pytest.approx(1) and weights.min() >= 0 and len(weights) == 2
    flag = learning.treated
    assert np.square(flag - mixed.propensity).sum() <= np.square(flag - trees.propensity).sum() + 1e-9
    assert mixed.weights["untreated"][1] > 0.8  # the trees: a line sees nothing of the square


def test_the_same_seed_gives_the_same_numbers_and_the_median_rule_is_used():
    frame = bent(4, 600)
    one, again, other = (linear(frame, repetitions=3, seed=seed) for seed in (1, 1, 2))
    assert one.estimate.value == again.estimate.value != other.estimate.value
    runs = one.to_frame()
    assert len(runs) == 3 and one.estimate.value == np.median(runs["value"])
    apart = runs["value"] - one.estimate.value
    assert one.estimate.se == pytest.approx(np.sqrt(np.median(runs["se"] ** 2 + apart**2)))
    assert median_rule(np.array([1.0, 2.0, 9.0]), np.ones(3)) == (2.0, pytest.approx(np.sqrt(2)))


def test_units_scale_and_order_of_columns_does_not_matter():
    frame = bent(6, 600)
    plain = linear(frame).estimate
    scaled = linear(frame.assign(y=-100 * frame["y"], x1=1e4 * frame["x1"])[["x2", "x1", "treated", "y"]]).estimate
    assert scaled.value == pytest.approx(-100 * plain.value, rel=1e-6) and scaled.se == pytest.approx(100 * plain.se)
    named = linear(frame, unit="usd", level=0.8)
    assert "$" in named.text and "80 % interval" in named.text and named.estimate.value == plain.value
    assert "nothing but the covariates" in named.text


def test_input_is_left_alone_and_may_have_any_index():
    frame = bent(8, 400)
    odd = frame.set_axis(np.arange(400)[::-1]).astype({"treated": bool})
    before = odd.copy(deep=True)
    assert linear(odd).estimate.value == linear(frame).estimate.value
    pd.testing.assert_frame_equal(odd, before)


def test_overlap_says_who_has_nobody_to_compare_with():
    chance, flag = np.array([0.01, 0.5, 0.5, 0.99]), np.array([False, True, False, True])
    everybody, treated = (overlap_of(chance, flag, target) for target in ("all", "treated"))
    assert everybody.inside.tolist() == [False, True, True, False] and everybody.share_outside == 0.5
    assert treated.inside.tolist() == [True, True, True, False] and treated.target_outside == 0.5
    assert (treated.smallest, treated.largest) == (0.01, 0.99) and treated.effective_treated == pytest.approx(2)
    weights = np.array([0.01 / 0.99, 1.0])
    assert treated.effective_untreated == pytest.approx(weights.sum() ** 2 / np.square(weights).sum())
    assert "0.010 to 0.990; 50.0 % of those" in treated.text


def apart(seed: int) -> pd.DataFrame:
    """Treatment is mostly whether x1 is above 0."""
    frame, rng = bent(seed), np.random.default_rng(seed + 1000)
    return frame.assign(treated=(4 * frame["x1"] + rng.logistic(size=len(frame)) > 0).astype(int))


def test_no_overlap_is_refused_and_who_is_inside_can_be_read():
    frame = apart(1)
    with pytest.raises(NotEnoughData, match=r"no overlap: .* have nobody to compare with"):
        linear(frame, target="all")
    with pytest.raises(NotEnoughData, match="no overlap"):
        linear(frame)
    seen = overlap(frame, treated="treated", covariates=["x1", "x2"], target="all", learners="linear")
    assert seen.share_outside > 0.3 and len(seen.propensity) == 1200
    inside = frame[seen.inside]
    assert inside["x1"].abs().max() < 1.3 < frame["x1"].abs().max()
    rest = linear(inside, target="all", level=0.99)
    assert rest.estimate.n == seen.inside.sum() and rest.overlap.target_outside <= 0.1


def test_few_that_stand_for_many_are_refused():
    rng = np.random.default_rng(1)
    x1 = np.concatenate([rng.normal(2.4, 0.5, 60), rng.normal(0, 1, 600)])
    frame = pd.DataFrame({"x1": x1, "y": rng.normal(size=660), "treated": (np.arange(660) < 60).astype(int)})
    with pytest.raises(NotEnoughData, match=r"a group counts as \d+\.\d units, and 30 are needed"):
        linear(frame, covariates=["x1"])


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda f: f.assign(treated=1), NotEnoughData, "there are no untreated"),
        (lambda f: f.assign(treated=0), NotEnoughData, "there are no treated"),
        (lambda f: f[(f["treated"] == 0) | (f["treated"].cumsum() < 50)], NotEnoughData, "49 treated units"),
        (lambda f: f.assign(y=2.5), NotEnoughData, "'y' is 2.5 in every row"),
        (lambda f: f.assign(shop=f["shop"] % 9), NotEnoughData, "9 clusters"),
        (lambda f: f.assign(x1=f["x1"].where(f.index != 3)), InvalidValue, "'x1' is missing in 1 rows"),
        (lambda f: f.assign(y=f["y"].where(f.index != 3)), InvalidValue, "'y' is missing in 1 rows"),
        (lambda f: f.assign(shop=f["shop"].where(f.index != 3)), InvalidValue, "'shop' is missing in 1 rows"),
        (lambda f: f.assign(x2=f["x2"].where(f.index != 3, np.inf)), InvalidValue, "'x2' holds a number that is not"),
        (lambda f: f.assign(x2=f["x2"].astype(str)), InvalidValue, "'x2' must hold numbers"),
        (lambda f: f.assign(treated=2 * f["treated"]), InvalidValue, "must be 0 or 1 in every row; it holds 2"),
        (lambda f: f.drop(columns="x1"), ContractError, "no column 'x1'"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(spoil, error, message):
    frame = bent(9, 400).assign(shop=np.arange(400) % 40)
    with pytest.raises(error, match=message):
        linear(spoil(frame), cluster="shop")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "treted"}, InvalidValue, "one of treated, all"),
        ({"learners": "boosted"}, UnknownName, "Did you mean 'boosting'"),
        ({"folds": 1}, InvalidValue, "folds is 1"),
        ({"repetitions": 0}, InvalidValue, "repetitions is 0"),
        ({"level": 95}, InvalidValue, "level"),
        ({"covariates": []}, InvalidValue, "no covariates"),
        ({"covariates": ["x1", "y"]}, InvalidValue, "'y' is given twice"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        double_ml(bent(9, 300), **{**COLUMNS, **options})
    if "target" in options:
        with pytest.raises(ShopbookError, match=message):
            overlap(bent(9, 300), treated="treated", covariates=["x1"], **options)
