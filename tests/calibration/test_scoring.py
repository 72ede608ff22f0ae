"""A grade says what was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.calibration.scoring import DRAWS, MEASURES, Wanted, score, verdict


def drawn(n: int, truth: float, *, se: float = 1.0, bias: float = 0.0, believed: float | None = None, seed: int = 1):
    """Draws of an estimator with this error, that believes in that standard error."""
    rng = np.random.default_rng(seed)
    value, half = truth + bias + se * rng.standard_normal(n), 1.959964 * (se if believed is None else believed)
    world = np.arange(n) % 50
    rows = zip(["s"] * n, ["q"] * n, world, value, value - half, value + half, [truth] * n, [False] * n, strict=True)
    return pd.DataFrame(rows, columns=list(DRAWS))


def test_an_honest_estimator_reaches_its_level():
    row = score(drawn(20_000, 2.0), level=0.95).iloc[0]
    assert row["coverage"] == pytest.approx(0.95, abs=0.005) and row["bias"] == pytest.approx(0, abs=0.03)
    assert row["width_ratio"] == pytest.approx(1, abs=0.02) and np.isnan(row["false_positive"])
    # Power of a normal test two standard errors away from zero.
    assert row["power"] == pytest.approx(0.516, abs=0.01)


def test_a_bold_estimator_is_found_out():
    row = score(drawn(20_000, 0.0, believed=0.5), level=0.95).iloc[0]
    assert row["coverage"] == pytest.approx(0.673, abs=0.01)
    assert row["false_positive"] == pytest.approx(1 - row["coverage"])
    assert row["width_ratio"] == pytest.approx(0.5, abs=0.01) and np.isnan(row["power"]) and np.isnan(row["rel_bias"])


def test_a_biased_estimator_is_found_out():
    row = score(drawn(20_000, 4.0, bias=1.0), level=0.95).iloc[0]
    assert row["rel_bias"] == pytest.approx(0.25, abs=0.01)
    assert abs(row["bias"] - 1.0) < 4 * row["bias_mcse"]


def test_monte_carlo_error_is_that_of_worlds_that_go_together():
    one = drawn(50, 0.0)
    copies = pd.concat([one] * 20, ignore_index=True)
    alone, together = (score(draws, level=0.95).iloc[0]["bias_mcse"] for draws in (one, copies))
    assert together == pytest.approx(alone)


def test_refused_draws_count_as_refused_and_as_nothing_else():
    draws = drawn(1000, 0.0)
    draws.loc[:249, "refused"] = True
    draws.loc[:249, ["estimate", "ci_lower", "ci_upper"]] = np.nan
    row = score(draws, level=0.95).iloc[0]
    assert row["refused"] == 0.25 and row["coverage"] > 0.9
    all_refused = score(draws[:250], level=0.95).iloc[0]
    assert all_refused["refused"] == 1 and all(np.isnan(all_refused[name]) for name in MEASURES[:-1])


def test_a_power_on_the_wrong_side_is_none():
    draws = drawn(10, -5.0)
    draws[["ci_lower", "ci_upper"]] = [1.0, 2.0]
    assert score(draws, level=0.95).iloc[0]["power"] == 0


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [(0.95, 0.01, "reached"), (0.91, 0.001, "missed"), (0.92, 0.02, "open"), (0.99, 0.001, "missed"),
     (float("nan"), 0.1, ""), (0.9, float("nan"), "missed")],
)  # fmt: skip
def test_verdicts(value, error, said):
    assert verdict(value, error, Wanted("coverage", 0.93, 0.97)) == said


@pytest.mark.parametrize(
    ("wanted", "said"),
    [(Wanted("coverage", 0.93, 0.97), "93 % to 97 %"), (Wanted("false_positive", 0, 0.06), "at most 6 %"),
     (Wanted("rel_bias", -0.1, 0.1), "at most 10 % either way"), (Wanted("power", 0.8, 1), "at least 80 %")],
)  # fmt: skip
def test_what_is_wanted_is_said(wanted, said):
    assert wanted.text == said


def test_verdicts_are_scored_apart_from_intervals():
    draws = drawn(100, 1.0).assign(right=np.nan)
    judged = drawn(50, 1.0).assign(right=[1.0] * 40 + [0.0] * 10)
    judged[["estimate", "ci_lower", "ci_upper", "truth"]] = np.nan
    row = score(pd.concat([draws, judged], ignore_index=True), level=0.95).iloc[0]
    assert row["right"] == 0.8 and row["coverage"] == score(draws, level=0.95).iloc[0]["coverage"]
    assert np.isnan(score(draws, level=0.95).iloc[0]["right"])
