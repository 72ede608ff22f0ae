"""The grade of experiments, in short: crowds whose truth is known, dealt anew."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_lib import config, metrics
from analysis_lib.calibration import readouts
from analysis_lib.calibration.crowds import deal, together
from analysis_lib.calibration.redealing import Dealt, evidence_of
from analysis_lib.calibration.scoring import DRAWS, RIGHT, score
from analysis_lib.experiments.plan import Plan

_path = Path(__file__).parent.parent / "experiments" / "conftest.py"
_spec = importlib.util.spec_from_file_location("experiment_fixtures", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

crowd, plan = _module.crowd, _module.plan


@pytest.fixture(scope="module")
def registry():
    return metrics.load_metrics(config.project())


def test_a_deal_follows_the_shares_of_its_phase(crowd, plan):
    users = crowd(20_000, phases=True)
    held = plan(phases={"5%": {"control": 0.95, "treatment": 0.05}, "50%": {"control": 0.5, "treatment": 0.5}})
    dealt = deal(users, held, np.random.default_rng(0))
    for phase, share in (("5%", 0.05), ("50%", 0.5)):
        assert (dealt[users.phase == phase] == "treatment").mean() == pytest.approx(share, abs=0.015)


def test_moments_are_those_of_the_dealt_units(crowd, plan, registry):
    users, held = crowd(500, 0.5), plan()
    dealt = deal(users, held, np.random.default_rng(0))
    found = evidence_of(users, held, dealt, registry)
    orders = np.where(dealt == "treatment", users.done["treatment"]["orders"].sum(axis=1),
                      users.done["control"]["orders"].sum(axis=1))  # fmt: skip
    own = orders[dealt == "treatment"]
    arm = found.arms["orders_per_user"]["treatment"]
    assert (arm.n, arm.mean[0]) == (len(own), pytest.approx(own.mean()))
    assert arm.cov[0, 0] == pytest.approx(own.var(ddof=1))
    looks = found.looks["orders_per_user"]
    assert looks.n[-1].sum() == 500 and looks.mean[-1, 1, 0] == pytest.approx(own.mean())
    first = (users.exposed <= 6) & (dealt == "treatment")
    assert looks.n[0, 1] == first.sum()


def test_the_truth_of_a_crowd_is_that_of_launching_to_all(crowd):
    users = crowd(40_000, lambda country, _: np.where(country == "GB", 0.0, 0.4))
    assert users.truth("orders_per_user", "treatment") == pytest.approx(0.2, abs=0.02)
    assert users.truth("orders_per_user", "treatment", of=users.country == "ID") == pytest.approx(0.4, abs=0.03)
    both = together([users, users.of(users.country == "GB")])
    assert len(both.exposed) == 60_000 and both.truth("orders_per_user", "treatment") < 0.15


def test_without_effect_intervals_hold_nothing_as_often_as_they_promise(crowd, monkeypatch):
    monkeypatch.setattr(readouts, "_plan", lambda name: _even())
    monkeypatch.setattr(readouts, "KINDS", {"orders_per_user": "orders", "ordered": "share", "aov": "ratio"})
    rows = list(readouts._without_effect(crowd(3_000), 1, 150))
    frame = pd.DataFrame(rows, columns=[*DRAWS, RIGHT])
    found = score(frame, level=0.95).set_index("quantity")
    assert set(found.index) == {
        f"{kind}, {how}" for kind in ("orders", "share", "ratio") for how in ("adjusted", "plain")
    }
    # 150 draws: five standard errors of the share around 5 %.
    assert found["false_positive"].between(0.0, 0.14).all() and found["refused"].max() == 0
    narrower = frame.assign(width=frame["ci_upper"] - frame["ci_lower"]).groupby("quantity")["width"].mean()
    assert narrower["orders, adjusted"] < narrower["orders, plain"]


def test_looking_every_day_fools_the_ordinary_interval_and_no_other(crowd, registry, monkeypatch):
    monkeypatch.setattr(readouts, "_plan", lambda name: _even())
    rows = readouts._every_look(crowd(2_000, days=10), 1, 25, registry)
    found = score(pd.DataFrame(rows, columns=[*DRAWS, RIGHT]), level=0.95).set_index("quantity")["false_positive"]
    ordinary = found.pop("ordinary interval, looked at daily")
    assert ordinary > found.max() and found.max() <= 0.2


def test_verdicts_are_judged(crowd, registry, monkeypatch):
    monkeypatch.setattr(readouts, "_plan", lambda name: _even())
    case = readouts.Case("full_screen_offers", "rolled back", lambda one: one.decision.action == "Roll back")
    rows = readouts._verdicts(case, crowd(6_000, -0.3), "small", 1, 5, registry)
    found = score(pd.DataFrame(rows, columns=[*DRAWS, RIGHT]), level=0.95).set_index("quantity")
    assert found.loc["rolled back", "right"] == 1 and np.isnan(found.loc["rolled back", "coverage"])
    assert (
        np.isnan(found.loc["effect of full_screen_offers", "right"])
        and found.loc["effect of full_screen_offers", "n_draws"] == 5
    )
    lost = readouts.Case("video_autoplay", "no verdict", lambda one: not one.health.passed, loses=True)
    rows = readouts._verdicts(lost, crowd(20_000), "small", 1, 3, registry)
    assert score(pd.DataFrame(rows, columns=[*DRAWS, RIGHT]), level=0.95)["right"].tolist() == [1.0]


def test_every_case_has_a_plan_and_a_world(registry):
    for case in readouts.CASES:
        held = readouts._plan(case.experiment)
        assert set(held.metrics) <= set(registry.names)


def _even() -> Plan:
    shares = {"control": 0.5, "treatment": 0.5}
    return Plan(experiment="x", arms=shares, days=28, success=["orders_per_user"], smallest=0.03, segments=["country"])


def test_dealt_units_are_seen_under_their_variant(crowd, plan):
    users, held = crowd(50, 1.0), plan()
    dealt = Dealt(users, held, np.array(["treatment"] * 50, dtype=object))
    assert (dealt.seen("orders") == users.done["treatment"]["orders"]).all()
