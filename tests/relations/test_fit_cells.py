"""A regression whose rows stay in the engine, against the one on the same rows in a frame."""

from __future__ import annotations

import warnings
from itertools import product
from types import SimpleNamespace

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib import regression, relations
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName
from analysis_lib.relations import pairs

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


def test_it_is_pyfixest(engine, frame):
    import pyfixest

    found = engine.fit("y ~ x + z", fixed_effects=["user", "day"], cluster="user").coefficients
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of singletons
        theirs = pyfixest.feols("y ~ x + z | user + day", frame, vcov={"CRV1": "user"})
    np.testing.assert_allclose(found["value"], theirs.coef(), rtol=CLOSE)
    np.testing.assert_allclose(found["se"], theirs.se(), rtol=1e-6)  # it stops averaging before


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(250, 900), users=st.integers(8, 500), days=st.integers(2, 40),
    effects=st.sampled_from([(), ("user",), ("day",), ("user", "day")]), weights=st.sampled_from([None, "weight"]),
)  # fmt: skip
def test_on_any_rows(seed, n, users, days, effects, weights):
    frame = rows_of(seed, n, users, days)
    asked = {"fixed_effects": effects, "weights": weights, "cluster": "user", "variance": "CRV1"}
    outcomes = []
    for ask in (Engine(frame).fit, lambda formula, **more: regression.fit(formula, frame, **more)):
        try:
            outcomes.append(ask("y ~ x + z", **asked))
        except NotEnoughData as lack:
            outcomes.append(str(lack))
    if isinstance(outcomes[0], str) or isinstance(outcomes[1], str):
        assert isinstance(outcomes[0], str) and isinstance(outcomes[1], str)
    else:
        same(*outcomes)


@pytest.mark.parametrize("effects", [(), ("user", "day")])
def test_a_large_mean_costs_no_digits(frame, effects):
    """A mean of a million standard deviations: products about zero would lose twelve of sixteen digits."""
    far = frame.assign(x=frame["x"] + 1e6, y=frame["y"] - 1e6)
    near = far.assign(x=far["x"] - 1e6, y=far["y"] + 1e6)  # with the digits that are lost in the frame already
    asked = {"fixed_effects": effects, "variance": "HC1"}
    found = Engine(far).fit("y ~ x + z", **asked).coefficients.set_index("term").loc[["x", "z"]]
    wanted = regression.fit("y ~ x + z", near, **asked).coefficients.set_index("term").loc[["x", "z"]]
    for column in ("value", "se"):
        np.testing.assert_allclose(found[column], wanted[column], rtol=CLOSE)


def test_terms_that_are_close_to_each_other_cost_no_digits(frame):
    """Of which a hundred-thousandth is their own: as told by what is their own."""
    rng = np.random.default_rng(3)
    own = rng.normal(size=len(frame))
    close = frame.assign(x2=frame["x"] + 1e-5 * own)
    found = Engine(close).fit("y ~ x + x2 + z", variance="iid").coefficients.set_index("term")
    told = close.assign(own=(close["x2"] - close["x"]) * 1e5)
    wanted = regression.fit("y ~ x + own + z", told, variance="iid").coefficients.set_index("term")
    assert found.loc["x2", "value"] == pytest.approx(wanted.loc["own", "value"] * 1e5, rel=CLOSE)
    assert found.loc["x2", "se"] == pytest.approx(wanted.loc["own", "se"] * 1e5, rel=CLOSE)
    assert found.loc["z", "se"] == pytest.approx(wanted.loc["z", "se"], rel=CLOSE)


def test_hardly_any_residual_costs_no_digits(frame):
    exact = frame.assign(y=2 * frame["x"] - frame["z"] + 1e-6 * frame["y"])
    found = Engine(exact).fit("y ~ x + z", variance="iid")
    same(found, regression.fit("y ~ x + z", exact, variance="iid"))


@pytest.mark.parametrize("effects", [(), ("user",), ("user", "day")])
def test_a_sum_of_terms_before_it_is_dropped_and_named(frame, effects):
    more = frame.assign(total=frame["x"] - 2 * frame["z"] + 3)
    asked = {"fixed_effects": effects, "variance": "HC1"}
    found = Engine(more).fit("y ~ x + z + total + size", **asked)
    same(found, regression.fit("y ~ x + z + total + size", more, **asked))
    assert "total is a sum of terms before it" in found.left_out


def test_what_fixed_effects_hold_is_dropped_and_named(frame):
    more = frame.assign(level=frame["user"] ** 0.5)
    asked = {"fixed_effects": ("user", "day"), "variance": "HC1"}
    found = Engine(more).fit("y ~ x + level", **asked)
    same(found, regression.fit("y ~ x + level", more, **asked))
    assert "level does not vary within fixed effects" in found.left_out


def test_keys_may_be_text_and_dates(frame, engine):
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["day"], unit="D")
    named = frame.assign(user="u" + frame["user"].astype(str), day=days)
    asked = {"fixed_effects": ("user", "day"), "cluster": "user"}
    same(Engine(named).fit("y ~ x + z", **asked), engine.fit("y ~ x + z", **asked))


def test_without_a_constant(engine, frame):
    for formula in ("y ~ 0 + x + z", "y ~ 0 + C(kind) + x"):
        same(engine.fit(formula, variance="HC1"), regression.fit(formula, frame, variance="HC1"))


def test_days_that_do_not_meet_are_solved_apart():
    """Two groups of users and of days, with nothing between them."""
    one, other = rows_of(1, 700, 80, 10), rows_of(2, 700, 80, 10)
    frame = pd.concat([one, other.assign(user=other["user"] + 80, day=other["day"] + 10)], ignore_index=True)
    asked = {"fixed_effects": ("user", "day"), "cluster": "user"}
    same(Engine(frame).fit("y ~ x + z", **asked), regression.fit("y ~ x + z", frame, **asked))


def test_singletons_are_left_out_until_there_are_none():
    """A day that has one row once the users of one row are gone."""
    frame = rows_of(4, 600, 60, 12, missing=False)
    extra = frame.iloc[:3].assign(user=[0, 999, 998], day=[77, 77, 78])
    frame = pd.concat([frame, extra], ignore_index=True)
    asked = {"fixed_effects": ("user", "day"), "cluster": "user"}
    found = Engine(frame).fit("y ~ x + z", **asked)
    same(found, regression.fit("y ~ x + z", frame, **asked))
    assert dict(zip(found.dropped["name"], found.dropped["n"], strict=True)) == {"user": 2, "day": 1}


def test_missing_values_are_counted(engine, frame):
    found = engine.fit("y ~ x + z", variance="HC1")
    assert found.n == len(frame.dropna(subset=["y", "z"]))
    assert "16 rows: z is missing" in found.left_out
    assert "8 rows: y is missing" in found.left_out


def test_only_sums_come_back(frame):
    engine = Engine(frame)
    engine.fit("y ~ x + z", fixed_effects=("user", "day"), cluster=("user", "day"), variance="CRV1")
    assert max(len(found) for found in engine.asked) <= 30 * 29 / 2


def test_nothing_is_left_in_the_engine(frame):
    engine = Engine(frame)
    with pytest.raises(NotEnoughData):
        engine.fit("y ~ x + z", fixed_effects=("user", "day"), cluster="kind")
    engine.fit("y ~ x + z", fixed_effects=("user", "day"), cluster="user")
    tables = engine.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert tables == [("observed",)]


def test_it_reads_as_any_regression(engine):
    found = engine.fit("y ~ x + z", cluster="user")
    assert found.text.startswith("y on x ")
    assert "CRV1" in found.text
    assert found.fit_of("x").method == "ols, clustered (CRV1)"
    assert "goes with" in regression.sentence(found, "z") or "With" in regression.sentence(found, "z")
    with pytest.raises(InvalidValue, match="single rows"):
        regression.residuals(found)


REFUSED = [
    ("y ~ x + zz", {}, ContractError, "no column 'zz'"),
    ("y ~ x", {"fixed_effects": "usr"}, ContractError, "Did you mean 'user'"),
    ("y ~ x", {"variance": "HC9"}, UnknownName, "HC9"),
    ("y ~ x", {"variance": "HC3"}, InvalidValue, "needs single rows"),
    ("y ~ x", {"variance": "HC1", "cluster": "user"}, InvalidValue, "ignores clusters"),
    ("y ~ x", {"cluster": "kind"}, NotEnoughData, "3 clusters of kind"),
    ("y ~ x", {"cluster": "day"}, NotEnoughData, "usual errors would be too small"),
    ("y ~ x", {"fixed_effects": ("user", "day", "shop")}, InvalidValue, "one or two"),
    ("y ~ center(x)", {}, InvalidValue, "cannot be computed in the engine"),
    ("y ~ log(z)", {}, InvalidValue, "not finite"),
    ("y ~ C(user)", {}, InvalidValue, "more than 60 levels"),
    ("y ~ x + constant", {}, InvalidValue, "regressor 'constant' is 7"),
    ("constant ~ x", {}, NotEnoughData, "nothing to explain"),
    ("y ~ x + endless", {}, InvalidValue, "infinite in 1 rows"),
    ("y ~ x + single", {}, InvalidValue, "one level"),
    ("y ~ x + nothing", {}, NotEnoughData, "no row is complete"),
    ("y ~ x", {"weights": "z"}, InvalidValue, "weights not above 0"),
    ("y ~ x", {"fixed_effects": "row"}, NotEnoughData, "alone in its level"),
    ("y ~ level", {"fixed_effects": "user"}, NotEnoughData, "nothing varies within"),
    ("y ~ x + lone", {"cluster": "user"}, NotEnoughData, "told by one cluster"),
    ("y ~ ", {}, InvalidValue, "regressors|read"),
    ("y ~ x", {"level": 1.5}, InvalidValue, "level"),
]  # fmt: skip


@pytest.fixture(scope="module")
def odd(frame):
    more = frame.assign(
        constant=7.0, endless=frame["x"], single="only", nothing=np.nan, row=np.arange(len(frame)),
        level=frame["user"] ** 0.5, lone=np.where(frame["user"] == 3, frame["x"], 0.0),
    )  # fmt: skip
    more.loc[9, "endless"] = np.inf
    return Engine(more)


@pytest.mark.parametrize(("formula", "asked", "error", "said"), REFUSED, ids=[f"{r[0]} {r[1]}" for r in REFUSED])
def test_what_is_refused(odd, formula, asked, error, said):
    with pytest.raises(error, match=said):
        odd.fit(formula, **asked)


def test_few_rows_are_refused(frame):
    with pytest.raises(InvalidValue, match="fewer than 250"):
        Engine(frame.head(200)).fit("y ~ x + z")


def test_two_effects_with_many_levels_are_refused():
    frame = rows_of(5, 4000, 900, 600)
    with pytest.raises(InvalidValue, match="more than 500"):
        Engine(frame).fit("y ~ x + z", fixed_effects=("user", "day"))


@pytest.mark.parametrize("first", [0.0, 1e7, "apart"])
def test_first_rows_may_be_unlike_the_others(first):
    """What the first look says of a column is wrong: it is constant there, or lies far away."""
    frame = rows_of(6, 4000, missing=False)
    few = frame.index < 2200
    frame.loc[few, "x"] = 0.0 if first == 0.0 else frame.loc[few, "x"] + (1e3 if first == "apart" else first)
    found = Engine(frame).fit("y ~ x + z", cluster="user")
    same(found, regression.fit("y ~ x + z", frame, cluster="user"))


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("column", ["y", "z", "shop", "weight"])
def test_what_is_missing_late_is_found(column, weights):
    frame = rows_of(7, 4000, missing=False)
    frame[column] = frame[column].astype(float)
    frame.loc[3500::50, column] = np.nan
    asked = {"weights": weights, "cluster": "shop"}
    same(Engine(frame).fit("y ~ x + z", **asked), regression.fit("y ~ x + z", frame, **asked))


@pytest.mark.parametrize("size", [10.0, 1e5])
@pytest.mark.parametrize("effects", [("user",), ("user", "day")])
def test_large_differences_between_users_cost_no_digits(frame, effects, size):
    far = frame.assign(x=frame["x"] + size * frame["user"], y=frame["y"] - size * frame["user"])
    asked = {"fixed_effects": effects, "cluster": "user"}
    found = Engine(far).fit("y ~ x + z", **asked).coefficients
    wanted = regression.fit("y ~ x + z", far, **asked).coefficients
    for column in ("value", "se"):
        np.testing.assert_allclose(found[column], wanted[column], rtol=CLOSE)


@pytest.mark.parametrize("effects", [("user",), ("user", "day"), ("shop", "user")])
def test_fixed_effects_inside_of_clusters_are_not_counted(frame, effects):
    nested = frame.assign(shop=frame["user"] % 60)
    asked = {"fixed_effects": effects, "cluster": "shop"}
    same(Engine(nested).fit("y ~ x + z", **asked), regression.fit("y ~ x + z", nested, **asked))


#: Rows whose lists are gathered at once, and how often a level of both has to hold several rows.
PARTS = {"in parts": {"AT_A_TIME": 90}, "in cells": {"CROWDED": 0.0, "FULL": 0.0},
         "in parts and cells": {"AT_A_TIME": 90, "CROWDED": 0.0, "FULL": 0.0}}  # fmt: skip


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("effects", [("user", "day"), ("day", "user")])
@pytest.mark.parametrize("how", PARTS)
def test_pairs_are_summed_in_parts(frame, engine, monkeypatch, how, effects, weights):
    for name, value in PARTS[how].items():
        monkeypatch.setattr(pairs, name, value)
    asked = {"fixed_effects": effects, "cluster": "user", "weights": weights}
    before = len(engine.asked)
    same(engine.fit("y ~ x + z", **asked), regression.fit("y ~ x + z", frame, **asked))
    parts = sum("two" in found for found in engine.asked[before:])
    assert parts > 10 if "parts" in how else parts == 1


def test_parts_may_be_of_text_and_the_other_levels_dates(frame, monkeypatch):
    monkeypatch.setattr(pairs, "AT_A_TIME", 90)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["day"], unit="D")
    named = frame.assign(user="u" + frame["user"].astype(str), day=days)
    asked = {"fixed_effects": ("user", "day"), "cluster": "user"}
    same(Engine(named).fit("y ~ x + z", **asked), regression.fit("y ~ x + z", frame, **asked))


@pytest.mark.parametrize(("days", "is_crowded"), [(6, True), (25, False)])
def test_many_rows_of_one_user_and_day_are_one_cell(monkeypatch, days, is_crowded):
    """Eight rows of a user to each of six days, or hardly more than one."""
    weighed = []
    by_weight = pairs._pairs_by_weight
    monkeypatch.setattr(pairs, "_pairs_by_weight", lambda part: weighed.append(part) or by_weight(part))
    frame = rows_of(8, 2400 if is_crowded else 520, 60, days)
    asked = {"fixed_effects": ("user", "day"), "cluster": "user"}
    same(Engine(frame).fit("y ~ x + z", **asked), regression.fit("y ~ x + z", frame, **asked))
    assert bool(weighed) == is_crowded


@pytest.mark.parametrize("effects", [(), ("user", "day")])
def test_a_file_is_fit_in_little_memory_and_keeps_its_limit(frame, tmp_path, effects):
    path = str(tmp_path / "rows.duckdb")
    with duckdb.connect(path) as connection:
        connection.register("given", frame)
        connection.execute("CREATE TABLE observed AS FROM given")
    with duckdb.connect(path, read_only=True) as connection:
        backend = ibis.duckdb.from_connection(connection)
        seen = []

        def query(expression):
            seen.append(connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])
            return backend.execute(expression)

        connection.execute("SET memory_limit = '3GiB'")
        asked = {"fixed_effects": effects, "cluster": "user"}
        found = relations.fit_cells(SimpleNamespace(query=query), backend.table("observed"), "y ~ x + z", **asked)
        assert set(seen) == {"953.6 MiB"}
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == [("3.0 GiB",)]
    same(found, regression.fit("y ~ x + z", frame, **asked))
