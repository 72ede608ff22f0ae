"""Coupons out of one budget or two: what is paid never exceeds it, and the truth is the one that can be computed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis_lib.errors import InvalidValue
from analysis_lib.markets.shared_budget import DESIGNS, CouponWorld, simulate, true_effect

#: A budget that never runs out.
ENDLESS = 1e6

TIGHT = CouponWorld(budget_usd=0.9)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_no_budget_is_overdrawn(design, share):
    rows = simulate(TIGHT, design=design, share=share, seed=1)
    spend, budget = rows["spend_usd"], rows["budget_usd"]
    if design == "shared":
        spend, budget = np.bincount(rows["block"], spend), np.full(TIGHT.n_blocks, 0.9 * TIGHT.n_users)
    assert np.all(spend <= budget + 1e-9)
    gone = ~np.isnan(rows["ran_out_at"]) if design == "split" else ~np.isnan(rows["ran_out_at"][rows["arm"] == 0])
    # What is left of an emptied budget is less than a coupon; the dearest of thousands costs some five means.
    assert gone.any() and np.all((budget - spend)[gone] < 5 * TIGHT.coupon_usd)


def test_a_split_gives_each_arm_its_users_part():
    rows = simulate(TIGHT, design="split", share=0.3, seed=2)
    per_user = (rows["budget_usd"] / rows["users"]).reshape(-1, 2)
    assert per_user[:, 0] == pytest.approx(per_user[:, 1])
    assert np.bincount(rows["block"], rows["budget_usd"]) == pytest.approx(0.9 * TIGHT.n_users)


def test_a_shared_budget_ends_for_both_at_once_and_a_split_one_earlier_for_the_eager():
    shared, split = (simulate(TIGHT, design=design, seed=3)["ran_out_at"].reshape(-1, 2) for design in DESIGNS)
    assert np.array_equal(shared[:, 0], shared[:, 1], equal_nan=True)
    both = ~np.isnan(split).any(axis=1)
    assert both.sum() > 10 and np.all(split[both, 1] < split[both, 0])
    assert np.nanmax(split) <= TIGHT.days


def test_with_an_endless_budget_redeeming_is_exponential():
    world = CouponWorld(n_blocks=40, n_users=5000, appetite_spread=0.0, budget_usd=ENDLESS)
    rows = simulate(world, design="shared", seed=4)
    per_user = [rows["orders"][rows["arm"] == arm].sum() / rows["users"][rows["arm"] == arm].sum() for arm in (0, 1)]
    expected = [1 - math.exp(-0.05 * 7), 1 - math.exp(-0.05 * 1.3 * 7)]
    assert per_user == pytest.approx(expected, abs=0.005)
    assert true_effect(world, seed=4) == pytest.approx(expected[1] - expected[0], abs=0.003)
    assert np.isnan(rows["ran_out_at"]).all()
    assert rows["spend_usd"].sum() / rows["orders"].sum() == pytest.approx(4.0, rel=0.01)


def test_a_budget_that_always_runs_out_leaves_no_effect_on_what_is_spent():
    world = CouponWorld(budget_usd=0.3, n_blocks=20)
    assert true_effect(world, total="spend_usd", seed=5) == pytest.approx(0.0, abs=0.002)
    rows = simulate(world, design="shared", seed=5)
    per_user = (rows["spend_usd"] / rows["users"]).reshape(-1, 2)
    assert np.mean(per_user[:, 1] - per_user[:, 0]) > 0.04


def test_a_tighter_budget_leaves_less_of_the_effect():
    effects = [true_effect(CouponWorld(budget_usd=budget), seed=6) for budget in (0.8, 1.2, 1.6, ENDLESS)]
    assert np.all(np.diff(effects) > 0)


@pytest.mark.parametrize("budget", [0.9, ENDLESS])
def test_without_a_lift_reminding_changes_nothing(budget):
    assert true_effect(CouponWorld(lift=1.0, budget_usd=budget), seed=7) == 0.0


def test_one_arm_alone_has_rows_of_its_own():
    rows = simulate(CouponWorld(n_blocks=8), design="split", share=1.0, seed=8)
    assert rows["arm"].tolist() == [1] * 8


def test_runs_with_one_seed_are_the_same():
    one, again, other = (simulate(TIGHT, design="shared", seed=seed)["orders"] for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    "wrong", [{"n_blocks": 0}, {"lift": -1.0}, {"budget_usd": 0.0}, {"days": math.nan}, {"coupon_spread": -1.0}]
)
def test_a_world_of_nothing_is_refused(wrong):
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        CouponWorld(**wrong)


@pytest.mark.parametrize("wrong", [{"design": "both"}, {"design": "split", "share": 1.5}])
def test_an_unknown_design_is_refused(wrong):
    with pytest.raises(InvalidValue):
        simulate(TIGHT, seed=1, **wrong)


def test_an_unknown_total_is_refused():
    with pytest.raises(InvalidValue, match="gmv"):
        true_effect(TIGHT, total="gmv", seed=1)
