"""A regression whose rows stay in the engine, against the one on the same rows in a frame."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest

from analysis_lib import regression, relations

#: Two ways to sum the same numbers.
CLOSE = 1e-8

EFFECTS = {"none": (), "one": ("user",), "two": ("user", "day"), "two, coarse first": ("day", "user")}
ERRORS = {
    "iid": ("iid", None), "HC1": ("HC1", None), "by user": ("CRV1", "user"), "by day": ("CRV1", "day"),
    "by neither": ("CRV1", "shop"), "two ways": ("CRV1", ("user", "day")),
}  # fmt: skip
FORMULAS = ("y ~ x + z", "y ~ x * kind + x:z + log(size) + I(x**2)")


def rows_of(seed: int, n: int = 1500, users: int = 300, days: int = 30, missing: bool = True) -> pd.DataFrame:
    """Rows of users and days, each with a level of its own; some users have one row."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "user": rng.integers(0, users, n), "day": rng.integers(0, days, n), "shop": rng.integers(0, 60, n),
        "z": rng.normal(size=n), "weight": rng.uniform(0.5, 3, n), "kind": rng.choice(["a", "b", "c"], n),
        "size": rng.uniform(1, 5, n),
    })  # fmt: skip
    levels = rng.normal(size=users)[frame["user"]] + rng.normal(size=days)[frame["day"]]
    frame["x"] = 2 + levels + rng.normal(size=n)
    frame["y"] = 0.3 * frame["x"] - 0.2 * frame["z"] + levels + rng.normal(size=n) * (1 + frame["z"] ** 2)
    if missing:
        frame.loc[::97, "z"] = np.nan
        frame.loc[5::211, "y"] = np.nan
    return frame


class Engine:
    """DuckDB with one table, in memory."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.connection = duckdb.connect()
        self.connection.register("given", frame)
        self.connection.execute("CREATE TABLE observed AS FROM given")
        self.backend = ibis.duckdb.from_connection(self.connection)
        self.asked: list[object] = []

    def fit(self, formula: str, **more) -> regression.Fit:
        return relations.fit_cells(SimpleNamespace(query=self.query), self.table, formula, **more)

    def query(self, expression):
        found = self.backend.execute(expression)
        self.asked.append(found)
        return found

    @property
    def table(self) -> ibis.Table:
        return self.backend.table("observed")


def same(one: regression.Fit, other: regression.Fit, close: float = CLOSE) -> None:
    """Coefficients, errors, facts and what was left out."""
    found, wanted = one.coefficients, other.coefficients
    assert list(found["term"]) == list(wanted["term"])
    for column in ("value", "se"):
        np.testing.assert_allclose(found[column], wanted[column], rtol=close, err_msg=column)
    np.testing.assert_allclose(found["ci_lower"], wanted["ci_lower"], atol=close * float(wanted["se"].max()) * 10)
    assert (one.n, one.n_clusters) == (other.n, other.n_clusters)
    pd.testing.assert_frame_equal(one.dropped, other.dropped, check_dtype=False)
    for name, value in one.facts.items():
        assert value == pytest.approx(other.facts[name], rel=close)


@pytest.fixture(scope="module")
def frame():
    return rows_of(0)


@pytest.fixture(scope="module")
def engine(frame):
    return Engine(frame)


GRID = [
    *product(EFFECTS, ERRORS, (None, "weight"), FORMULAS[:1]),
    *product(("none", "two"), ("iid", "by user", "two ways"), ("weight",), FORMULAS[1:]),
]


@pytest.mark.parametrize(
    ("effects", "errors", "weights", "formula"), GRID, ids=["-".join(map(str, case)) for case in GRID]
)
def test_it_is_the_regression_on_the_rows(engine, frame, effects, errors, weights, formula):
    variance, cluster = ERRORS[errors]
    asked = {"fixed_effects": EFFECTS[effects], "cluster": cluster, "weights": weights, "variance": variance}
    same(engine.fit(formula, **asked), regression.fit(formula, frame, **asked))
