"""The National Supported Work programme: an experiment, and the same programme without its control group.

Data: package causaldata 0.1.5, ``nsw_mixtape`` (445 men of the experiment as selected by Dehejia and
Wahba) and ``cps_mixtape`` (15,992 men of the Current Population Survey).
Published: Dehejia and Wahba (1999), "Causal Effects in Nonexperimental Studies", Journal of the
American Statistical Association 94(448), Table 3: experimental effect on earnings in 1978 of 1,794
(standard error 633) dollars; the CPS comparison without adjustment gives -8,498.
"""

from __future__ import annotations

import pandas as pd
import pytest
from causaldata import cps_mixtape, nsw_mixtape

from analysis_lib.causal import adjusted_difference, double_ml, entropy_balance, overlap
from analysis_lib.errors import NotEnoughData

PUBLISHED, PUBLISHED_UNADJUSTED = 1794, -8498
HISTORY = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]


def frame_of(package) -> pd.DataFrame:
    return package.load_pandas().data.astype({"treat": float, "re78": float})


def effect(frame: pd.DataFrame, covariates: list[str]):
    weights = entropy_balance(frame, treated="treat", covariates=covariates or ["treat_free"]).weights
    return adjusted_difference(
        frame, outcomes=["re78"], treated="treat", covariates=covariates, weights=weights, level=0.95, unit="usd"
    ).effects["re78"]


@pytest.fixture(scope="module")
def experiment() -> pd.DataFrame:
    return frame_of(nsw_mixtape).assign(treat_free=0.0)


@pytest.fixture(scope="module")
def survey(experiment) -> pd.DataFrame:
    return pd.concat([experiment[experiment["treat"] == 1], frame_of(cps_mixtape)], ignore_index=True).fillna(0.0)


def test_the_experiment_gives_the_published_effect(experiment):
    found = effect(experiment, [])
    assert found.value == pytest.approx(PUBLISHED, abs=1)  # published without decimals
    # The published error takes both groups' variances as equal; ours does not, and leaves one out (HC3).
    assert found.se == pytest.approx(671, abs=5)


def test_the_survey_without_adjustment_gives_the_published_bias(survey):
    assert effect(survey, []).value == pytest.approx(PUBLISHED_UNADJUSTED, abs=1)


def test_balancing_on_history_recovers_the_experiment(survey):
    """No published number for these covariates; the experiment's is the truth to come near to."""
    found = effect(survey, HISTORY)
    assert found.ci_lower < PUBLISHED < found.ci_upper
    assert abs(found.value - PUBLISHED) < 633  # the experiment's own standard error


@pytest.mark.parametrize("learners", ["linear", "stacked"])
def test_double_machine_learning_where_groups_overlap_recovers_the_experiment(survey, learners):
    """No published number; of the 185 treated the few without anybody like them are left out as well."""
    chance = overlap(survey, treated="treat", covariates=HISTORY, learners="linear").propensity
    common = survey[(chance > 0.02) & (chance < 0.98)]
    assert 700 < len(common) < 1200 and 150 < common["treat"].sum() < 185
    found = double_ml(common, outcome="re78", treated="treat", covariates=HISTORY, learners=learners, repetitions=2)
    assert found.estimate.ci_lower < PUBLISHED < found.estimate.ci_upper
    assert abs(found.estimate.value - PUBLISHED) < 633 and found.n_clipped == 0


def test_of_everybody_in_the_survey_an_average_is_refused(survey):
    """Most men of the survey are like nobody in the programme."""
    with pytest.raises(NotEnoughData, match="have nobody to compare with"):
        double_ml(survey, outcome="re78", treated="treat", covariates=HISTORY, target="all", learners="linear")
