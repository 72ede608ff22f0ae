"""For whom a campaign paid: sums by hand, moments put together, tests of likeness, segments that lose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns import segments as module
from analysis_lib.campaigns.lot_cells import PARTS, SUBSIDY, lot_users, weeks_of
from analysis_lib.metrics.cells import SEP
from analysis_lib.metrics.unit_tables import COV, MEAN
from analysis_lib.results import Estimate

CAMPAIGN, COUNTRY = "ramadan_2026", "ID"


@pytest.fixture(scope="module")
def review(world):
    return campaigns.review(world, CAMPAIGN, country=COUNTRY, weeks_before=12)


def test_a_segment_earns_what_its_users_do_by_hand(world, review):
    users = world.query(lot_users(world, review.windows, "gmv", weeks_of(review.windows)))
    traits = world.query(world.table("users").select("user_id", "platform"))
    users = users.merge(traits, on="user_id")
    users = users[users["platform"] == "ios"]
    earned = 0.25 * users[list(PARTS)].sum(axis=1) - users[SUBSIDY]
    held = users["is_holdout"].astype(bool)
    plain = earned[~held].mean() - earned[held].mean()
    row = review.segments.rows.set_index("segment").loc["ios"]
    assert row["n_users"] == int((~held).sum())
    # Adjusted for the weeks before: near the plain difference, within its noise.
    noise = earned.std() * np.sqrt(1 / (~held).sum() + 1 / held.sum())
    assert abs(row["value"] / row["n_users"] - plain) < 2 * noise


def test_kinds_of_a_dimension_add_up_to_the_same_users(review):
    rows = review.segments.rows
    sums = rows.groupby("dimension")["n_users"].sum()
    assert sums["history"] == sums["platform"] == review.effect.n_targeted


def test_moments_of_cells_together_are_those_of_their_rows():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.gamma(2.0, 3.0, (300, 2)), columns=["a", "b"]).assign(cell=rng.integers(0, 4, 300))
    rows = []
    for _, own in frame.groupby("cell"):
        cov = own[["a", "b"]].cov()
        spreads = {f"{COV}{SEP}{x}{SEP}{y}": cov.loc[x, y] for x, y in ("aa", "ab", "bb")}
        rows.append({"n": len(own), **{f"{MEAN}{SEP}{c}": own[c].mean() for c in "ab"}, **spreads})
    cells = pd.DataFrame(rows)
    found = module._pooled(cells, ["a", "b"])
    np.testing.assert_allclose(found.mean, frame[["a", "b"]].mean())
    np.testing.assert_allclose(found.cov, frame[["a", "b"]].cov())
    assert found.n == 300


def kinds(values, ses, n=1_000) -> pd.DataFrame:
    effects = [
        Estimate(v, s, v - 1.96 * s, v + 1.96 * s, 0.95, "usd", n, "test") for v, s in zip(values, ses, strict=True)
    ]
    return pd.DataFrame({"dimension": "history", "segment": list("abc"), "n_users": n, "effect": effects})


def test_likeness_is_found_as_often_as_the_level_says():
    rng = np.random.default_rng(8)
    se = np.array([0.5, 1.0, 2.0])
    chances = [module._together(kinds(rng.normal(1.0, se), se), 0.95)[1] for _ in range(150)]
    assert np.mean(np.array(chances) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_drawn_intervals_cover_where_kinds_truly_differ():
    rng = np.random.default_rng(9)
    se, hits = np.array([0.5, 1.0, 2.0]), []
    for _ in range(150):
        truth = rng.normal(0.5, 1.5, 3)
        table, _ = module._together(kinds(rng.normal(truth, se), se, n=1), 0.95)
        hits += list((table["drawn_lower"] <= truth) & (truth <= table["drawn_upper"]))
    assert np.mean(hits) >= 0.93


def test_a_kind_that_loses_is_named_and_priced():
    table, chance = module._together(kinds([3.0, 2.8, -4.0], [0.4, 0.4, 0.4]), 0.95)
    found = module.Segments(table, {"history": chance}, 0.95, "usd")
    assert found.differing == ["history"] and list(found.losing["segment"]) == ["c"]
    worth = found.worth_leaving_out(next(found.losing.itertuples()))
    assert worth.ci_lower > 0 and worth.value == pytest.approx(4_000, rel=0.1)
    assert "best a" in found.text and "worst c" in found.text


def test_alike_kinds_name_nobody():
    table, chance = module._together(kinds([1.0, 1.1, 0.9], [0.4, 0.4, 0.4]), 0.95)
    found = module.Segments(table, {"history": chance}, 0.95, "usd")
    assert not found.differing and found.losing.empty and "cannot be told" in found.text
