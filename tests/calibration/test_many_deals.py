"""Arms that are dealt anew through the front door, and among real households."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import metrics
from analysis_lib.calibration.many_deals import CASES, ManyDeals, deals_of, household_deals, households
from analysis_lib.calibration.scoring import DRAWS
from analysis_lib.experiments.trial import find_trial
from analysis_lib.pipelines import mart


def test_every_deal_has_every_unit_once_and_in_fair_shares(world):
    trial = find_trial(world, "aa_home")
    with ManyDeals(world, trial, ("sessions",), 5) as source, source.drawn(1, 0) as sample:
        units = sample.query(mart(sample, "experiment_units").select("unit_id", "variant", "phase"))
    counts = units.groupby("phase")["unit_id"].agg(["size", "nunique"])
    assert len(counts) == 5
    assert (counts["size"] == counts["nunique"]).all()
    shares = units["variant"].eq("treatment").groupby(units["phase"]).mean()
    assert (shares - 0.5).abs().max() < 4 * 0.5 / np.sqrt(counts["size"].iloc[0])
    wide = units.pivot(index="unit_id", columns="phase", values="variant").eq("treatment").astype(float)
    assert wide.corr().where(~np.eye(5, dtype=bool)).abs().max().max() < 4 / np.sqrt(len(wide))


def test_a_deal_measured_among_many_is_the_deal_measured_alone(world):
    trial, options = find_trial(world, "aa_home"), {"experiment": "aa_home", "unit": "user"}
    with ManyDeals(world, trial, ("sessions",), 3) as source, source.drawn(2, 0) as sample:
        names = {"by": ("variant", "phase"), **options}
        many = metrics.moments(sample, ["start_ms_p95"], **names).to_frame()
    with ManyDeals(world, trial, ("sessions",), 1) as source, source.drawn(2, 0) as sample:
        alone = metrics.moments(sample, ["start_ms_p95"], by="variant", **options).to_frame().set_index("variant")
    own = many[many["phase"] == "deal 0"].set_index("variant")
    for column in ("value", "se", "n_units"):
        assert own[column].to_dict() == pytest.approx(alone[column].to_dict())


def test_every_case_gives_intervals_that_hold_nothing(world):
    frame = pd.DataFrame(deals_of(world, 3, 1, lambda _: None, at_once=3), columns=list(DRAWS))
    assert frame["quantity"].nunique() == 4
    assert len(frame) == 3 * (2 + 2)
    assert (frame["truth"] == 0).all()
    assert not frame["refused"].any()
    assert (frame["ci_lower"] < frame["estimate"]).all()
    assert {name for case in CASES for name in case.metrics} == {"start_ms_p50", "start_ms_p95", "gmv_per_creator"}


def test_real_households_are_dealt_at_random(complete_journey):
    values = households(complete_journey)
    assert len(values) > 2000
    assert np.corrcoef(values.T)[0, 1] > 0.5
    frame = pd.DataFrame(household_deals(complete_journey, 300, 1), columns=list(DRAWS))
    width = (frame["ci_upper"] - frame["ci_lower"]).groupby(frame["quantity"]).mean()
    adjusted, plain = width["money per household, adjusted"], width["money per household, plain"]
    # What the days before explain: the square of their correlation.
    assert adjusted / plain == pytest.approx(np.sqrt(1 - np.corrcoef(values.T)[0, 1] ** 2), rel=0.03)
    wrong = (frame["ci_lower"] > 0) | (frame["ci_upper"] < 0)
    # 600 intervals, 5 % of them wrong: within 4 standard errors.
    assert abs(wrong.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 300)
