from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


def _selected(seed: int, n: int = 400, effect: float = 3.0) -> pd.DataFrame:
    """Units whose treatment and outcome both follow two covariates; the effect on ``y`` is planted."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(0, 1, n), rng.gamma(2.0, 1.0, n)
    treated = (rng.random(n) < 1 / (1 + np.exp(-(0.8 * x1 + 0.4 * x2 - 1.0)))).astype(int)
    y = 2.0 * x1 - x2 + effect * treated + rng.normal(0, 1 + 0.5 * treated, n)
    return pd.DataFrame({"treated": treated, "x1": x1, "x2": x2, "y": y, "z": rng.normal(0, 1, n) + x1})


@pytest.fixture(scope="session")
def selected():
    """``selected(seed, n, effect)``: a frame with selection on x1 and x2."""
    return _selected


def _long_panel(
    seed: int, n_units: int = 40, n_periods: int = 12, n_treated: int = 8, start: int = 8, effect: float = 2.0
) -> pd.DataFrame:
    """Units × periods with unit and time effects and one factor; ``treated`` from ``start`` on, effect planted."""
    rng = np.random.default_rng(seed)
    factor = np.cumsum(rng.normal(0, 0.3, n_periods))
    y = rng.normal(0, 3, n_units)[:, None] + rng.normal(0, 1, n_periods) + rng.uniform(0, 1, n_units)[:, None] * factor
    flag = (np.arange(n_units)[:, None] < n_treated) & (np.arange(n_periods) >= start)
    y = y + effect * flag + rng.normal(0, 0.5, (n_units, n_periods))
    return pd.DataFrame(
        {
            "id": np.repeat([f"u{place:05d}" for place in range(n_units)], n_periods),
            "week": np.tile(np.arange(n_periods), n_units),
            "y": y.ravel(),
            "treated": flag.ravel().astype(int),
        }
    )


@pytest.fixture(scope="session")
def long_panel():
    """``long_panel(seed, n_units, n_periods, n_treated, start, effect)``: a balanced panel with one start."""
    return _long_panel
