"""A regressor of mean one million and deviation one: errors lost their digits, and clusters were refused."""

import numpy as np
import pandas as pd
import pytest

from analysis_lib import regression


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    unit = rng.integers(0, 30, 2000)
    x = rng.normal(size=2000)
    y = 1 + x / 2 + rng.normal(size=2000) * (1 + abs(x)) + rng.normal(size=30)[unit]
    return pd.DataFrame({"unit": unit, "time": np.arange(2000) % 50, "x": x, "far": x + 1e6, "y": y})


@pytest.mark.parametrize("asked", [
    {"variance": "HC1"}, {"variance": "HC3"}, {"variance": "iid"}, {"cluster": "unit"},
    {"cluster": "unit", "variance": "CRV1"}, {"cluster": "unit", "variance": "wild"},
    {"cluster": ["unit", "time"]}, {"unit": "unit", "time": "time", "variance": "driscoll_kraay"},
])  # fmt: skip
def test_where_zero_lies_changes_no_slope_and_no_error(frame, asked):
    near, far = (regression.fit(f"y ~ {name}", frame, **asked).coefficients.iloc[1] for name in ("x", "far"))
    for column in ("value", "se", "ci_lower", "ci_upper"):
        assert far[column] == pytest.approx(near[column], rel=1e-6)
