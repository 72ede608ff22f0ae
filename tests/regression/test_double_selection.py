"""Double lasso: a coefficient beside controls that are chosen, not given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import ContractError, InvalidValue, UnknownName
from analysis_lib.regression import double_lasso, fit
from analysis_lib.regression.double_selection import selected

CONTROLS = [f"c{number}" for number in range(40)]


def drawn(seed: int, n: int = 300, effect: float = 0.5) -> pd.DataFrame:
    """Two of forty controls move both the regressor and the outcome."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 40)), columns=CONTROLS)
    frame["d"] = 0.8 * frame["c0"] + 0.3 * frame["c1"] + rng.normal(size=n)
    frame["y"] = effect * frame["d"] + 0.2 * frame["c0"] - 0.8 * frame["c1"] + rng.normal(size=n)
    return frame.assign(market=rng.integers(0, 30, n).astype(str))


def test_what_moves_both_is_kept_and_the_coefficient_is_covered():
    hits, kept = [], []
    for seed in range(40):
        found = double_lasso(drawn(seed), outcome="y", regressor="d", controls=CONTROLS)
        hits.append(found.estimate.ci_lower <= 0.5 <= found.estimate.ci_upper)
        kept.append({"c0", "c1"} <= set(found.controls))
    assert np.mean(hits) >= 0.85 and np.mean(kept) >= 0.95


def test_controls_of_the_regressor_alone_are_not_lost():
    """Selecting once, for the outcome, would lose c0: its own part in it is small."""
    found = double_lasso(drawn(3), outcome="y", regressor="d", controls=CONTROLS)
    assert "c0" in found.of_regressor and "c1" in found.of_outcome


def test_noise_is_seldom_let_in():
    rng = np.random.default_rng(2)
    n_kept = [selected(rng.normal(size=(200, 40)), rng.normal(size=200), np.arange(200)).sum() for _ in range(60)]
    assert np.mean(np.array(n_kept) > 0) <= 0.15


def test_the_last_fit_is_the_regression_beside_the_controls():
    frame = drawn(5)
    found = double_lasso(frame, outcome="y", regressor="d", controls=CONTROLS, cluster="market")
    plain = fit(f"y ~ d + {' + '.join(found.controls)}", frame, cluster="market")
    assert found.estimate.value == pytest.approx(plain.fit_of("d").value)
    assert found.estimate.se == pytest.approx(plain.fit_of("d").se)


def test_fixed_effects_are_taken_out_and_never_selected_away():
    frame = drawn(7)
    level = frame["market"].astype(int) * 0.5
    frame = frame.assign(y=frame["y"] + level, d=frame["d"] + level)
    found = double_lasso(frame, outcome="y", regressor="d", controls=CONTROLS, fixed_effects="market", cluster="market")
    assert found.estimate.ci_lower <= 0.5 <= found.estimate.ci_upper


def test_bad_input_is_refused():
    frame = drawn(1)
    with pytest.raises(UnknownName, match="c0"):
        double_lasso(frame, outcome="y", regressor="d", controls=["c00"])
    with pytest.raises(InvalidValue, match="controls"):
        double_lasso(frame, outcome="y", regressor="d", controls=["d"])
    with pytest.raises(ContractError, match="missing"):
        double_lasso(frame.assign(c0=np.nan), outcome="y", regressor="d", controls=CONTROLS)
