"""Effects by period: right, and equal to dummies and linear algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

from analysis_lib.causal import event_study
from analysis_lib.errors import InvalidValue, NotEnoughData

PERIODS = np.arange(-6, 4)
PLANTED = {0: 2.0, 1: 3.0, 2: -1.0, 3: 0.5}

#: pyfixest solves with demeaning to 1e-8; dummies are exact.
SOLVERS = 1e-5


def panel(seed: int, n_units: int = 60, planted: dict[int, float] | None = None, drift: float = 0.0) -> pd.DataFrame:
    """Unit and time effects, errors that last from week to week, some units treated from period 0 on."""
    rng = np.random.default_rng(seed)
    n, k = n_units, len(PERIODS)
    noise = rng.normal(0, 1, (n, k)) + 0.7 * np.cumsum(rng.normal(0, 0.3, (n, k)), axis=1)
    treated = (np.arange(n) < n // 2).astype(int)
    y = rng.normal(0, 3, n)[:, None] + np.sin(PERIODS)[None, :] * 2 + noise
    y += treated[:, None] * np.array([(planted or {}).get(int(p), 0.0) for p in PERIODS])
    y += treated[:, None] * drift * PERIODS
    return pd.DataFrame(
        {
            "y": y.ravel(), "id": np.repeat(np.arange(n), k), "week": np.tile(PERIODS, n),
            "treated": np.repeat(treated, k), "weight": np.repeat(rng.uniform(0.5, 2.0, n), k),
            "x": rng.normal(0, 1, n * k),
        }
    )  # fmt: skip


def studied(frame, **options):
    return event_study(frame, outcome="y", unit="id", time="week", treated="treated", **options)


def by_dummies(frame: pd.DataFrame, reference: int, controls: list[str], weighted: bool):
    """Coefficients and clustered covariance from the full matrix of unit and time dummies."""
    periods = [p for p in sorted(frame["week"].unique()) if p != reference]
    effects = np.column_stack([(frame["week"] == p) * frame["treated"] for p in periods])
    units = pd.get_dummies(frame["id"]).to_numpy(float)
    times = pd.get_dummies(frame["week"]).to_numpy(float)[:, 1:]
    x = np.column_stack([effects, frame[controls].to_numpy(float), units, times])
    root = np.sqrt(frame["weight"].to_numpy()) if weighted else np.ones(len(frame))
    xw, yw = x * root[:, None], frame["y"].to_numpy() * root
    bread = np.linalg.inv(xw.T @ xw)
    beta = bread @ xw.T @ yw
    scores = pd.DataFrame(xw * (yw - xw @ beta)[:, None]).groupby(frame["id"].to_numpy()).sum().to_numpy()
    n, n_clusters = len(frame), frame["id"].nunique()
    # CRV1 of pyfixest and fixest: unit effects lie within the clusters and are not counted as parameters.
    k = len(periods) + len(controls) + len(frame["week"].unique())
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - k)
    covariance = factor * bread @ scores.T @ scores @ bread
    m = len(periods)
    return periods, beta[:m], covariance[:m, :m]


@pytest.mark.parametrize(
    ("reference", "controls", "weighted"), [(-1, [], False), (-3, [], False), (-1, ["x"], False), (-1, ["x"], True)]
)
def test_equals_dummies_and_linear_algebra(reference, controls, weighted):
    frame = panel(1, 40, PLANTED)
    found = studied(frame, reference=reference, controls=controls, weights="weight" if weighted else None)
    periods, beta, covariance = by_dummies(frame, reference, controls, weighted)
    rows = found.effects.set_index("period").loc[periods]
    assert rows["value"].to_numpy() == pytest.approx(beta, abs=SOLVERS)
    assert rows["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-4)
    early = [place for place, period in enumerate(periods) if period < 0]
    statistic = beta[early] @ np.linalg.solve(covariance[np.ix_(early, early)], beta[early])
    assert found.pretrend_pvalue == pytest.approx(chi2.sf(statistic, len(early)), rel=1e-3)


def test_planted_weekly_effects_are_recovered():
    found = pd.concat([studied(panel(seed, 100, PLANTED)).effects for seed in range(12)])
    means = found.groupby("period")["value"].agg(["mean", "sem"])
    for period, row in means.drop(-1).iterrows():
        assert row["mean"] == pytest.approx(PLANTED.get(int(period), 0.0), abs=4 * row["sem"])


def test_reference_is_zero_and_in_its_place():
    found = studied(panel(2), reference=-2)
    assert found.effects["period"].tolist() == PERIODS.tolist()
    row = found.effects.set_index("period").loc[-2]
    assert (row == 0).all()
    assert found.reference == -2


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_intervals_are_normal_at_the_level(level):
    effects = studied(panel(3), level=level).effects
    assert (effects["ci_upper"] - effects["value"]).to_numpy() == pytest.approx(
        norm.ppf(0.5 + level / 2) * effects["se"].to_numpy()
    )


def test_a_drift_before_the_start_is_found():
    found = studied(panel(4, 200, drift=0.3))
    assert found.pretrend_pvalue < 0.01


def test_without_a_drift_the_checks_reject_as_often_as_they_say():
    runs = [studied(panel(seed, 80)) for seed in range(100, 160)]
    # Of 60 tests at 10 %, 6 are expected; more than 14 or none at all happen about once in 500 suites.
    assert 0 < sum(run.pretrend_pvalue < 0.1 for run in runs) <= 14


def test_scaled_outcome_scales_the_effects():
    frame = panel(5)
    plain, dear = studied(frame), studied(frame.assign(y=frame["y"] * 1000))
    assert dear.effects["value"].to_numpy() == pytest.approx(
        1000 * plain.effects["value"].to_numpy(), rel=1e-4, abs=1e-2
    )
    assert dear.pretrend_pvalue == pytest.approx(plain.pretrend_pvalue, rel=1e-3)


def test_constant_outcome_has_no_effect_and_no_crash():
    found = studied(panel(6).assign(y=1.0))
    assert found.effects["value"].to_numpy() == pytest.approx(0.0, abs=1e-9)


def test_input_is_left_alone_and_may_have_any_index():
    frame = panel(7)
    odd = frame.set_axis(np.arange(len(frame))[::-1])
    before = odd.copy(deep=True)
    found = studied(odd)
    pd.testing.assert_frame_equal(odd, before)
    assert found.n_units == 60
    assert found.effects["value"].to_numpy() == pytest.approx(studied(frame).effects["value"].to_numpy())


def test_text_counts_the_weeks_that_differ():
    found = studied(panel(8, 400, {0: 50.0, 1: 50.0, 2: 50.0, 3: 50.0}))
    assert found.text.endswith("4 of 4 later ones differ from the reference week.")
    assert "of 5 earlier weeks" in found.text
    assert len(found.to_frame()) == len(PERIODS)


def test_unknown_reference_is_refused():
    with pytest.raises(InvalidValue, match="reference period -9 is not among the periods"):
        studied(panel(9), reference=-9)


@pytest.mark.parametrize("flag", [0, 1])
def test_one_group_is_refused(flag):
    with pytest.raises(NotEnoughData, match="treated and untreated"):
        studied(panel(9).assign(treated=flag))


def test_a_reference_alone_before_the_start_is_refused():
    frame = panel(9)
    with pytest.raises(NotEnoughData, match="two periods before"):
        studied(frame[frame["week"] >= -1])
