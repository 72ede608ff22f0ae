"""The graders of versions and of tests that interfere draw what they say."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from analysis_lib import pipelines
from analysis_lib.calibration import interferences, rollouts
from analysis_lib.calibration.dealt_versions import DEALT, NOTHING, PLANTED, RAMP, dealt, quiet_visits
from analysis_lib.calibration.scoring import DRAWS, RIGHT


@pytest.fixture(scope="module")
def quiet(world):
    return quiet_visits(pipelines.mart(world, "sessions"), ibis.duckdb.from_connection(world.connection))


def frame_of(quiet, rollout) -> pd.DataFrame:
    frame = quiet.run(rollout.visits)
    return frame.assign(day=pd.to_datetime(frame["day"]).dt.date)


def test_a_version_is_dealt_by_the_ramp_and_changes_what_was_planted(quiet):
    window = rollouts.WINDOWS[3]
    # A rollout is read before the next is dealt: they share a table.
    plain, harmed = (
        frame_of(quiet, dealt(quiet, (window,), planted, seed=7)).sort_values("session_key", ignore_index=True)
        for planted in (NOTHING, PLANTED)
    )
    assert (plain["app_version"] == harmed["app_version"]).all()
    new = plain["app_version"] == DEALT
    assert plain.loc[new, "day"].min() >= window.first
    early = plain["day"] < window.first + timedelta(days=RAMP[1][0])
    after = plain["day"] >= window.first
    assert 0 < new[early & after].mean() < RAMP[0][1]
    assert new[plain["day"] == window.first + timedelta(days=27)].mean() > 0.8
    ratio = harmed["start_ms"] / plain["start_ms"]
    assert ratio[~new].dropna().eq(1).all()
    assert ratio[new].dropna().to_numpy() == pytest.approx(1 + PLANTED.slower)
    old = new & plain["os_version"].isin(PLANTED.systems)
    crashes = harmed["has_crash"].fillna(False).astype(bool), plain["has_crash"].fillna(False).astype(bool)
    more = (crashes[0] & ~crashes[1])[old].mean()
    assert more == pytest.approx(PLANTED.crash, abs=4 * np.sqrt(PLANTED.crash / old.sum()))
    assert not (crashes[0] & ~crashes[1])[~old].any()


def test_what_is_true_is_told_of_the_same_things_whatever_is_planted(quiet):
    truths = [dealt(quiet, rollouts.WINDOWS[:1], planted, seed=7).truths for planted in (NOTHING, PLANTED)]
    assert set(truths[0]) == set(truths[1])
    assert not any(truths[0].values())


def test_those_who_buy_more_have_it_sooner(quiet):
    window = rollouts.WINDOWS[4]
    frame = frame_of(quiet, dealt(quiet, (window,), NOTHING, seed=3))
    spread = frame[
        (frame["day"] >= window.first + timedelta(days=8)) & (frame["day"] < window.first + timedelta(days=16))
    ]
    new = spread["app_version"] == DEALT
    rate = spread["has_payment"].fillna(False).astype(float)
    assert rate[new].mean() > rate[~new].mean() + 0.005


def test_windows_laid_over_each_other_have_nobody_in_common(quiet):
    one = quiet.run(dealt(quiet, rollouts.WINDOWS[:1], NOTHING, seed=1).visits)
    two = quiet.run(dealt(quiet, rollouts.WINDOWS[:2], NOTHING, seed=1).visits)
    assert len(two) > 1.7 * len(one)
    assert two["session_key"].is_unique
    assert two["user_id"].str.endswith(("/0", "/1")).all()
    assert pd.to_datetime(two["day"]).dt.date.max() == rollouts.WINDOWS[0].first + timedelta(days=27)


def test_a_rollout_gives_estimates_verdicts_and_a_placebo(quiet):
    rows = rollouts._rollouts(quiet, (rollouts.WINDOWS[3],), rollouts.ONE, (1, 0), np.random.default_rng(1))
    frame = pd.DataFrame(rows, columns=[*DRAWS, RIGHT])
    assert {"does nothing, the book's size", "does harm, the book's size", "placebo"} <= set(frame["scenario"])
    told = frame[frame["quantity"].eq("median start, at 50%") & frame["scenario"].str.startswith("does harm")].iloc[0]
    assert told["truth"] == pytest.approx(PLANTED.slower)
    assert told["ci_lower"] < told["truth"] < told["ci_upper"]
    verdicts = frame.dropna(subset=[RIGHT])
    assert set(verdicts[RIGHT]) <= {0.0, 1.0}
    assert len(verdicts) == 5


def test_windows_are_weeks_without_a_release(world):
    releases = world.query(world.table("app_releases"))
    first = [day.date() for day in releases.loc[releases["platform"] == "android", "released_at"]]
    for window in rollouts.WINDOWS:
        assert isinstance(window.first, date)
        assert not any(window.first - timedelta(days=28) < day < window.first + timedelta(days=28) for day in first)


def test_tests_that_interfere_are_drawn_in_every_market():
    frame = interferences.simulate(1, 1, 1, lambda _: None)
    assert list(frame.columns) == list(DRAWS)
    counts = frame.groupby("scenario")["quantity"].nunique()
    assert counts["both sides, alike"] == len(interferences.BALANCES)
    assert counts["split budget"] == len(interferences.BUDGETS)
    assert (frame["truth"] >= 0).all()
