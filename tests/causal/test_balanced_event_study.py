"""The closed form, against a regression of rows by another library."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.causal import balanced_event_study, event_study
from analysis_lib.errors import InvalidValue, NotEnoughData

PERIODS = np.arange(-5, 4)


def drawn(seed: int, n: int = 60) -> dict[str, np.ndarray]:
    """Units with errors that last, unlike weights, and a control that goes with both group and outcome."""
    rng = np.random.default_rng(seed)
    shape = (n, len(PERIODS))
    treated = (rng.random(n) < 0.4).astype(float)
    control = rng.integers(0, 2, shape) + treated[:, None] * (PERIODS > 1)
    outcome = rng.normal(0, 3, n)[:, None] + np.cumsum(rng.normal(0, 1, shape), axis=1) + 2.0 * control
    outcome += treated[:, None] * (PERIODS >= 0) * 1.5
    return {"outcome": outcome, "treated": treated, "control": control, "weights": rng.uniform(0.2, 2.0, n)}


def rowwise(one: dict[str, np.ndarray], *, reference: int, controls: list[str]):
    n, k = one["outcome"].shape
    frame = pd.DataFrame(
        {
            "y": one["outcome"].ravel(), "x": one["control"].ravel(), "id": np.repeat(np.arange(n), k),
            "week": np.tile(PERIODS, n), "treated": np.repeat(one["treated"], k), "w": np.repeat(one["weights"], k),
        }
    )  # fmt: skip
    return event_study(
        frame, outcome="y", unit="id", time="week", treated="treated", controls=controls, weights="w",
        reference=reference,
    )  # fmt: skip


@pytest.mark.parametrize("controls", [[], ["x"]])
@pytest.mark.parametrize("reference", [-1, -3])
def test_equal_to_a_regression_of_all_rows(controls, reference):
    one = drawn(1)
    found = balanced_event_study(
        one["outcome"], treated=one["treated"], weights=one["weights"], periods=PERIODS,
        control=one["control"] if controls else None, reference=reference,
    )  # fmt: skip
    wanted = rowwise(one, reference=reference, controls=controls)
    pd.testing.assert_frame_equal(found.effects, wanted.effects, rtol=1e-6, check_dtype=False)
    assert found.pretrend_pvalue == pytest.approx(wanted.pretrend_pvalue, rel=1e-6)
    assert (found.n_units, found.reference) == (wanted.n_units, reference)


def test_what_is_planted_is_covered_and_what_the_control_does_is_taken_out():
    covered = []
    for seed in range(60):
        one = drawn(seed)
        columns = {name: one[name] for name in ("treated", "weights", "control")}
        effects = balanced_event_study(one["outcome"], periods=PERIODS, **columns).effects.set_index("period")
        covered.append(effects.loc[3, "ci_lower"] <= 1.5 <= effects.loc[3, "ci_upper"])
    # 60 draws of a 95 % interval fall under 50 hits once in some 10,000 suites.
    assert sum(covered) >= 50


def test_refusals():
    one = drawn(2)
    columns = {name: one[name] for name in ("treated", "weights")}
    with pytest.raises(InvalidValue, match="reference period 9"):
        balanced_event_study(one["outcome"], periods=PERIODS, reference=9, **columns)
    with pytest.raises(NotEnoughData, match="treated and untreated"):
        balanced_event_study(
            one["outcome"], periods=PERIODS, treated=np.zeros(len(one["outcome"])), weights=one["weights"]
        )
    with pytest.raises(NotEnoughData, match="two periods before"):
        balanced_event_study(one["outcome"][:, 4:], periods=PERIODS[4:], **columns)
