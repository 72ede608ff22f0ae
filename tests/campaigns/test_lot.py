"""Campaigns that left some out by lot: cells by hand, the truth of the world, lots that were not drawn as planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns, world
from analysis_lib.campaigns import cells
from analysis_lib.campaigns.lot_cells import BEFORE, BOUGHT, FLAGS, PARTS, SUBSIDY, LotCells, lot_cells
from analysis_lib.campaigns.lot_effect import FEWEST, lot_effect
from analysis_lib.campaigns.windows import FEWEST_WEEKS_BEFORE, find_campaign, plan_windows
from analysis_lib.causal import GroupMoments
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.pipelines import mart

CAMPAIGN, COUNTRY = "ramadan_2026", "ID"


@pytest.fixture(scope="module")
def windows(world):
    campaign = find_campaign(world, CAMPAIGN, COUNTRY)
    return plan_windows(campaign, cells.days_with_orders(world, campaign), 12, 4, fewest=0)


@pytest.fixture(scope="module")
def found(world, windows):
    return lot_cells(world, windows, "gmv")


@pytest.fixture(scope="module")
def review(world):
    return campaigns.review(world, CAMPAIGN, country=COUNTRY, weeks_after=4)


@pytest.fixture(scope="module")
def lines(world, windows):
    """Order lines of the users in the lot, with their days from the start and whether they are promoted."""
    facts, targets = mart(world, "order_facts"), world.table("campaign_targets")
    targets = targets.filter(targets.campaign_id == CAMPAIGN)
    facts = facts.filter(facts.country == COUNTRY).inner_join(targets.select("user_id", "is_holdout"), "user_id")
    rows = world.query(
        facts.select("user_id", "is_holdout", "order_id", "product_id", "category", "day", "gmv_local", "lost_local",
                     "subsidy_local", "coupon_id")
    )  # fmt: skip
    products = world.query(world.table("campaign_products"))
    own = products[(products["campaign_id"] == CAMPAIGN) & (products["country"] == COUNTRY)]["product_id"]
    since = (pd.to_datetime(rows["day"]) - pd.Timestamp(windows.campaign.starts_on)).dt.days
    return rows.assign(since=since, is_promoted=rows["product_id"].isin(own))


def summed(lines: pd.DataFrame, column: str, keep: pd.Series, *, held_out: bool) -> float:
    return float(lines.loc[keep & (lines["is_holdout"] == held_out), column].astype(float).sum())


@pytest.mark.parametrize("held_out", [False, True])
def test_cells_are_those_by_hand(found, lines, windows, held_out):
    group = found.held_out if held_out else found.reached
    known = dict(zip(group.names, group.mean * group.n, strict=True))
    n_days = windows.campaign.n_days
    during, after = lines["since"].between(0, n_days - 1), lines["since"].between(n_days, n_days + 27)
    wanted = {
        "promoted": summed(lines, "gmv_local", during & lines["is_promoted"], held_out=held_out),
        "after": summed(lines, "gmv_local", after, held_out=held_out),
        "returned": -summed(lines, "lost_local", during | after, held_out=held_out),
        "recent": summed(lines, "gmv_local", lines["since"].between(-28, -1), held_out=held_out),
        "earlier": summed(lines, "gmv_local", lines["since"].between(-84, -29), held_out=held_out),
        "week_-3": summed(lines, "gmv_local", lines["since"].between(-21, -15), held_out=held_out),
        SUBSIDY: summed(lines, "subsidy_local", during & (lines["coupon_id"] == CAMPAIGN), held_out=held_out),
    }
    for name, value in wanted.items():
        assert known[name] == pytest.approx(value, rel=1e-9), name
    own = lines[during & (lines["is_holdout"] == held_out)]
    assert known[BOUGHT] == pytest.approx(own["user_id"].nunique())
    assert known["bought_promoted"] == pytest.approx(own.loc[own["is_promoted"], "user_id"].nunique())
    other = summed(lines, "gmv_local", during & ~lines["is_promoted"], held_out=held_out)
    assert known["same_category"] + known["other_categories"] == pytest.approx(other, rel=1e-9)


def test_the_parts_add_up_and_are_named_as_in_the_truth(review):
    ledger = review.ledger
    assert ledger["value"].iloc[:-1].sum() == pytest.approx(ledger["value"].iloc[-1])
    assert set(ledger["row"]) <= {
        "incremental_gmv", "halo_gmv", "cannibalised_gmv", "carried_over_gmv", "pulled_forward_gmv", "returned_gmv",
        "net_incremental_gmv",
    }  # fmt: skip
    assert review.missing == () and review.decision.action in ("Repeat", "Change", "Stop", "Cannot tell")


def test_the_truth_of_the_world_lies_within_three_errors(world, review):
    truth = world_truth(world.path)
    rates = world.table("fx_rates")
    campaign = review.campaign
    own = rates.filter(rates.currency == "IDR", rates.day.between(campaign.starts_on, campaign.ends_on))
    rate = float(world.query(own.agg(rate=own.usd_per_unit.mean()))["rate"].iloc[0])
    for outcome, metric in {"promoted_during": "incremental_gmv", "total": "net_incremental_gmv"}.items():
        estimate = review.estimate(outcome)
        assert abs(estimate.value * rate - truth[metric]) < 3 * estimate.se * rate, metric
    assert review.cost.recorded * rate == pytest.approx(truth["subsidy_total"], rel=0.03)
    always = truth["subsidy_always_buyers"] / truth["subsidy_total"]
    assert review.cost.always_share.ci_lower < always


def world_truth(path) -> pd.Series:
    rows = world.truth(path, plants=[f"campaign:{CAMPAIGN}"])
    return rows[rows["country"] == COUNTRY].set_index("metric")["value"]


def test_the_page_says_how_the_lot_fell(review):
    assert "drawn by lot" in review.sentence("balance")
    assert review.exhibit("placebos").title.startswith("The lot fell")
    for name in review.SENTENCES:
        assert review.sentence(name)
    for name in review.EXHIBITS:
        assert review.exhibit(name).title


def test_little_history_does_no_harm_to_a_lot(world):
    """Five weeks before the start: too few for buyers with the same history, enough for a lot."""
    early = campaigns.review(world, "double_twelve_2024", country="MY", weeks_after=4)
    assert early.effect is not None and early.windows.weeks_before < FEWEST_WEEKS_BEFORE
    with pytest.raises(InvalidValue, match="leaves the data"):
        campaigns.review(world, "double_twelve_2024", country="MY", weeks_after=1000)


# -------------------------------------------------------------------------------------------------------- small groups


def made(n: int, share: float, seed: int = 0) -> LotCells:
    """Cells of users drawn at random, nothing planted."""
    rng = np.random.default_rng(seed)
    weeks = {week: f"week_{week}" for week in range(-8, 3)}
    names = (*PARTS, *BEFORE, BOUGHT, SUBSIDY, *FLAGS, *weeks.values())
    rows = rng.exponential(size=(n, len(names)))
    held = np.arange(n) < round(share * n)
    return LotCells(
        *(
            GroupMoments(len(own), names, own.mean(axis=0), np.cov(own, rowvar=False))
            for own in (rows[~held], rows[held])
        ),
        weeks,
    )


def test_a_split_that_is_not_the_planned_one_gives_no_effect_to_believe():
    fits, strays = (lot_effect(made(4_000, share), planned_share=0.1, level=0.95, unit="usd") for share in (0.1, 0.14))
    assert not fits.is_mismatched and fits.split_pvalue > 0.5
    assert strays.is_mismatched
    unplanned = lot_effect(made(4_000, 0.14), planned_share=float("nan"), level=0.95, unit="usd")
    assert not unplanned.is_mismatched


def test_small_groups_are_refused():
    with pytest.raises(NotEnoughData, match=f"fewer than {FEWEST} users were held out"):
        lot_effect(made(400, 0.1), planned_share=0.1, level=0.95, unit="usd")


def test_nothing_planted_is_seldom_found():
    found = [lot_effect(made(1_000, 0.2, seed), planned_share=0.2, level=0.95, unit="usd") for seed in range(60)]
    assert np.mean([one.effects["total"].excludes_zero for one in found]) < 0.16
    assert np.mean([one.held_out.excludes_zero for one in found]) < 0.16
    assert np.mean([one.weekly.pretrend_pvalue < 0.05 for one in found]) < 0.16


def test_nobody_held_out_is_refused(world, windows):
    nobody = replace(windows, campaign=replace(windows.campaign, campaign_id="songkran_2025", country="TH"))
    with pytest.raises(NotEnoughData, match="nobody to compare"):
        lot_cells(world, nobody, "gmv")
