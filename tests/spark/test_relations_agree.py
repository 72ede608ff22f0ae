"""Regressions on rows that stay in the engine, on Spark as on DuckDB."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import regression, relations
from analysis_lib.pipelines import mart
from analysis_lib.relations import pairs

pytestmark = pytest.mark.spark


def visits_of(wh):
    """Visits of signed-in users, as numbers."""
    table = mart(wh, "sessions")
    return table.filter(table.user_id.notnull()).select(
        "user_id", "country", "platform", "day", "n_events", "n_surfaces", duration="duration_s",
        bought=table.has_payment.cast("int64"),
    )  # fmt: skip


USERS_AND_DAYS = {"fixed_effects": ["user_id", "day"], "cluster": "user_id", "variance": "CRV1"}


@pytest.mark.parametrize(("formula", "asked"), [
    ("duration ~ n_events + C(platform)", {"variance": "HC1"}),
    ("bought ~ n_events + n_surfaces", {"fixed_effects": "country", "variance": "HC1"}),
    ("duration ~ n_events", USERS_AND_DAYS),
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


@pytest.mark.parametrize("crowded", [pairs.CROWDED, 0.0])
def test_two_fixed_effects_in_parts(pair, monkeypatch, crowded):
    """Keys are put into parts by a hash, which each engine takes in its own way."""
    with pair.opened("spark") as wh:
        rows = wh.query(visits_of(wh))
        monkeypatch.setattr(pairs, "AT_A_TIME", len(rows) // 2)
        monkeypatch.setattr(pairs, "CROWDED", crowded)
        monkeypatch.setattr(pairs, "FULL", 0.0)
        found = relations.fit_cells(wh, visits_of(wh), "duration ~ n_events", **USERS_AND_DAYS).coefficients
    wanted = regression.fit("duration ~ n_events", rows, **USERS_AND_DAYS).coefficients
    np.testing.assert_allclose(found[["value", "se"]], wanted[["value", "se"]], rtol=1e-7)
