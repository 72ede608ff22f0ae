"""Regressions on rows that stay in the engine, on Spark as on DuckDB."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import regression, relations
from analysis_lib.pipelines import mart

pytestmark = pytest.mark.spark


def visits_of(wh):
    """Visits of signed-in users, as numbers."""
    table = mart(wh, "sessions")
    return table.filter(table.user_id.notnull()).select(
        "user_id", "country", "platform", "day", "n_events", "n_surfaces", duration="duration_s",
        bought=table.has_payment.cast("int64"),
    )  # fmt: skip


@pytest.mark.parametrize(("formula", "asked"), [
    ("duration ~ n_events + C(platform)", {"variance": "HC1"}),
    ("bought ~ n_events + n_surfaces", {"fixed_effects": "country", "variance": "HC1"}),
    ("duration ~ n_events", {"fixed_effects": ["user_id", "day"], "cluster": "user_id", "variance": "CRV1"}),
    ("duration ~ n_events", {"cluster": ["user_id", "day"], "variance": "CRV1"}),
])  # fmt: skip
def test_a_regression_of_rows(pair, formula, asked):
    found, frames = [], []
    for engine in ("duckdb", "spark"):
        with pair.opened(engine) as wh:
            found.append(relations.fit_cells(wh, visits_of(wh), formula, **asked))
            frames.append(wh.query(visits_of(wh)))
    one, other = (fit.coefficients.set_index("term")[["value", "se"]] for fit in found)
    assert found[0].n == found[1].n > 100
    pd.testing.assert_frame_equal(one, other.loc[one.index], rtol=1e-8)
    rows = regression.fit(formula, frames[0], **asked).coefficients.set_index("term")[["value", "se"]]
    np.testing.assert_allclose(one.to_numpy(), rows.loc[one.index].to_numpy(), rtol=1e-7)
