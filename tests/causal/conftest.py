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
