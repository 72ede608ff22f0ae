"""A quantile of tied values jumped from value to value: one test in ten without effect was called significant."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from analysis_lib.metrics import quantile_tables

#: Seconds, rounded: 30 different values among 2,000 rows.
VALUES = np.round(np.random.default_rng(3).lognormal(2.0, 0.3, 2_000))

DEALS = 300


def differences() -> np.ndarray:
    """Differences of the medians of two halves, dealt anew."""
    rng = np.random.default_rng(4)
    frames = [
        pd.DataFrame({"value": VALUES, "deal": deal, "arm": rng.permutation(len(VALUES)) % 2}) for deal in range(DEALS)
    ]
    rows = ibis.memtable(pd.concat(frames))
    table = quantile_tables.mid_quantiles(rows, ["deal", "arm"], [0.5], own=0, name="grid")
    found = ibis.duckdb.connect().execute(table)
    medians = found.assign(median=found["grid"].str[0]).pivot(index="deal", columns="arm", values="median")
    return (medians[1] - medians[0]).to_numpy()


def test_differences_of_medians_do_not_pile_up_on_a_few_values():
    found = differences()
    beyond = np.abs(found) > 1.96 * found.std()
    assert 0.02 < beyond.mean() < 0.08
    assert len(np.unique(found.round(9))) > DEALS / 3
    plain = [np.median(VALUES[order[::2]]) - np.median(VALUES[order[1::2]]) for order in _orders()]
    assert len(np.unique(plain)) < 10, "the values here are not tied enough to show anything"


def _orders() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.permutation(len(VALUES)) for _ in range(DEALS)]
