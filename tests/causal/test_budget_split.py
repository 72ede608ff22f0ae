"""Budget-split and shared-budget estimates against the paired t-test and against worlds whose effect is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ttest_rel

from analysis_lib.causal.budget_split import FEWEST_BLOCKS, budget_split, shared_budget
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.markets.shared_budget import CouponWorld, simulate, true_effect

COLUMNS = {
    "block": "block", "arm": "arm", "users": "users", "total": "orders", "budget": "budget_usd",
    "ran_out_at": "ran_out_at", "unit": "orders",
}  # fmt: skip

DRAWS = 200


def blocks(n: int = 8, seed: int = 0) -> pd.DataFrame:
    """Equally large arms with their own budgets."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "block": np.repeat(np.arange(n), 2), "arm": np.tile([0, 1], n), "users": 100, "budget_usd": 50.0,
        "orders": rng.poisson(30, 2 * n), "ran_out_at": np.where(rng.random(2 * n) < 0.5, 3.0, np.nan),
    })  # fmt: skip


def coupons(design: str, seed: int, **settings) -> tuple[pd.DataFrame, float]:
    """A small world's sums and the true effect in its own blocks."""
    world = CouponWorld(**{"n_blocks": 10, "n_users": 800, "budget_usd": 1.2, **settings})
    return pd.DataFrame(simulate(world, design=design, seed=seed)), true_effect(world, seed=seed)


@pytest.fixture(scope="module")
def draws():
    """Estimates of both designs in 200 worlds with a budget that often runs out, and the effect over all of them."""
    found, truths = {"split": [], "shared": []}, []
    for seed in range(DRAWS):
        for design, estimator in (("split", budget_split), ("shared", shared_budget)):
            frame, truth = coupons(design, seed)
            found[design].append(estimator(frame, **COLUMNS).effect)
        truths.append(truth)
    return found, float(np.mean(truths))


def test_equal_users_make_it_the_paired_t_test():
    frame = blocks()
    result = budget_split(frame, **COLUMNS, level=0.9)
    treated, control = (frame.loc[frame["arm"] == arm, "orders"].to_numpy() / 100 for arm in (1, 0))
    reference = ttest_rel(treated, control)
    interval = reference.confidence_interval(0.9)
    assert result.effect.value == pytest.approx((treated - control).mean())
    assert result.effect.value / result.effect.se == pytest.approx(reference.statistic)
    assert (result.effect.ci_lower, result.effect.ci_upper) == pytest.approx((interval.low, interval.high))
    assert result.mean_treated - result.mean_control == pytest.approx(result.effect.value)


def test_blocks_count_by_their_users():
    frame = blocks(6).assign(orders=np.tile([10, 20], 6))
    frame.loc[frame["block"] == 0, ["users", "budget_usd", "orders"]] *= 7
    frame.loc[(frame["block"] == 0) & (frame["arm"] == 1), "orders"] = 350
    # Five blocks of 200 users with an effect of 0.1 and one of 1,400 users with (350 − 70) / 700 = 0.4.
    assert budget_split(frame, **COLUMNS).effect.value == pytest.approx((5 * 200 * 0.1 + 1400 * 0.4) / 2400)


def test_swapping_the_arms_turns_the_sign_and_the_order_of_rows_does_not_matter():
    frame, _ = coupons("split", 1)
    result = budget_split(frame, **COLUMNS)
    turned = budget_split(frame.assign(arm=1 - frame["arm"]), **COLUMNS)
    shuffled = budget_split(frame.sample(frac=1, random_state=1), **COLUMNS)
    assert (turned.effect.value, turned.effect.se) == pytest.approx((-result.effect.value, result.effect.se))
    assert shuffled.effect.value == pytest.approx(result.effect.value)


def test_how_often_budgets_ran_out_is_told_by_arm():
    frame, _ = coupons("split", 2)
    result = budget_split(frame, **COLUMNS)
    gone = frame.assign(gone=frame["ran_out_at"].notna()).groupby("arm")["gone"].mean()
    assert (result.rel_ran_out_control, result.rel_ran_out_treated) == (gone[0], gone[1])
    assert result.rel_ran_out_treated > result.rel_ran_out_control
    assert "10 blocks" in result.text and "ran out" in result.text


def test_the_split_covers_the_truth_and_the_shared_budget_does_not(draws):
    found, truth = draws
    covered = {d: sum(e.ci_lower <= truth <= e.ci_upper for e in estimates) for d, estimates in found.items()}
    assert binom.ppf(0.0005, DRAWS, 0.95) <= covered["split"] <= binom.ppf(0.9995, DRAWS, 0.95)
    assert covered["shared"] < 0.2 * DRAWS


def test_the_split_is_right_on_average_where_the_shared_budget_doubles_the_effect(draws):
    found, truth = draws
    split, shared = (np.mean([estimate.value for estimate in found[design]]) for design in ("split", "shared"))
    noise = np.std([estimate.value for estimate in found["split"]]) / np.sqrt(DRAWS)
    assert abs(split - truth) < 3.5 * noise
    assert shared > 2 * truth


def test_an_endless_budget_makes_both_designs_one():
    split, shared = (coupons(design, 3, budget_usd=1e6)[0] for design in ("split", "shared"))
    one, other = budget_split(split, **COLUMNS), shared_budget(shared, **COLUMNS)
    assert one.effect.value == other.effect.value and one.rel_ran_out_treated == 0


def test_without_a_lift_neither_design_sees_one():
    for design, estimator in (("split", budget_split), ("shared", shared_budget)):
        effects = [estimator(coupons(design, seed, lift=1.0)[0], **COLUMNS).effect for seed in range(40)]
        z = np.mean([e.value for e in effects]) / (np.std([e.value for e in effects]) / np.sqrt(len(effects)))
        assert abs(z) < 3.5


def test_the_frame_is_left_as_it_came():
    frame = blocks()
    before = frame.copy()
    budget_split(frame, **COLUMNS)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda f: f[f["block"] < FEWEST_BLOCKS - 1], NotEnoughData, "needs 6"),
        (lambda f: f.iloc[1:], NotEnoughData, "lacks an arm"),
        (lambda f: f.rename(columns={"orders": "order"}), UnknownName, "Did you mean 'order'"),
        (lambda f: f.assign(arm=f["arm"] + 1), InvalidValue, "arm must be 1"),
        (lambda f: pd.concat([f, f.iloc[:1]]), InvalidValue, "more than one row"),
        (lambda f: f.assign(orders=-1), InvalidValue, "orders"),
        (lambda f: f.assign(orders=np.nan), InvalidValue, "orders"),
        (lambda f: f.assign(users=0), InvalidValue, "users"),
        (lambda f: f.assign(budget_usd=50 + 5 * f["arm"]), InvalidValue, "not in proportion"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, said):
    with pytest.raises(error, match=said):
        budget_split(change(blocks()), **COLUMNS)


def test_a_split_is_not_taken_for_a_shared_budget():
    frame, _ = coupons("split", 4)
    with pytest.raises(InvalidValue, match="budget_split"):
        shared_budget(frame, **COLUMNS)


def test_six_blocks_are_enough_and_the_level_is_a_share():
    assert budget_split(blocks(FEWEST_BLOCKS), **COLUMNS).n_blocks == FEWEST_BLOCKS
    with pytest.raises(InvalidValue, match="level"):
        budget_split(blocks(), **COLUMNS, level=95)
