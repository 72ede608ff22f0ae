"""Moments per unit: what pandas and tea-tasting say of the same rows, in one scan of each mart."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue, ShopbookError
from analysis_lib.metrics import preparing, quantile_tables

WINDOW = {"start": "2024-03-08", "end": "2024-03-11"}
SUMS = ("gmv", "orders", "units", "buyers", "live_gmv", "sessions", "visitors", "cart_visits")
RATIOS = (
    "aov", "refund_rate", "cod_share", "gmv_per_buyer", "visit_conversion", "crash_free_rate", "session_seconds",
    "gmv_per_user", "orders_per_user", "subsidy_rate", "delivery_days", "buyer_share",
)  # fmt: skip
CONVERSIONS = ("view_to_payment_30m", "delivered_within_7_days")


@pytest.fixture(scope="module")
def ask(drawn):
    """``ask(names, ...)``: moments of the drawn shop."""
    return lambda names, **options: metrics.moments(drawn.warehouse, names, **options)


@pytest.fixture(scope="module")
def rows(drawn):
    """``rows(mart)``: a mart of the drawn shop as a frame."""
    frames = {name: drawn.shop.mart(name) for name in ("order_facts", "sessions", "user_days", "experiment_units")}
    return frames.__getitem__


def between(frame: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    return frame[frame["day"].between(pd.Timestamp(first), pd.Timestamp(last))]


@pytest.mark.parametrize("name", [*SUMS, *RATIOS, *CONVERSIONS])
def test_the_whole_is_what_query_says(ask, drawn, name):
    """Added up over units, numerator and denominator are those of the metric, for users who are known."""
    # Visits of nobody belong to no user, and the funnel has no dimension that leaves them out.
    unit = "session" if name == "view_to_payment_30m" else metrics.load_metrics().get(name).randomised_by[0]
    cell = ask(name, unit=unit, **WINDOW).to_frame().iloc[0]
    kept = {"is_signed_in": True} if metrics.load_metrics().get(name).mart == "sessions" and unit == "user" else None
    found = drawn.value(name, **WINDOW, where=kept)
    total = cell["value"] * cell["n_units"] if name in SUMS else cell["value"]
    assert total == pytest.approx(found, rel=1e-9, nan_ok=True)


def test_means_variances_and_covariances_are_those_of_pandas(ask, rows):
    facts = between(rows("order_facts"), "2024-03-08", "2024-03-11")
    users = facts.groupby(["country", "user_id"]).agg(gmv=("gmv_usd", "sum"), orders=("order_id", "nunique"))
    found = ask(["aov"], by="country", **WINDOW)
    n, mean, cov = found.arrays("aov")
    assert found.frame["by_country"].tolist() == ["GB", "SG", "US"]
    for place, country in enumerate(found.frame["by_country"]):
        own = users.loc[country]
        assert n[place] == len(own)
        np.testing.assert_allclose(mean[place], own.mean(), rtol=1e-12)
        np.testing.assert_allclose(cov[place], own.cov(), rtol=1e-9)


def test_tea_tasting_reads_the_same_moments_from_the_rows(ask, rows):
    from tea_tasting.aggr import read_aggregates

    facts = between(rows("order_facts"), "2024-03-08", "2024-03-11").assign(subsidised=lambda f: f["subsidy_usd"])
    users = facts.groupby("user_id", as_index=False).agg(
        aov__numerator=("gmv_usd", "sum"), aov__denominator=("order_id", "nunique"), subsidy__of=("subsidy_usd", "sum")
    )
    theirs = read_aggregates(
        users, group_col=None, has_count=True, mean_cols=tuple(users.columns[1:]), var_cols=tuple(users.columns[1:]),
        cov_cols=(("aov__numerator", "aov__denominator"), ("aov__denominator", "subsidy__of")),
    )  # fmt: skip
    ours = ask(["aov", "subsidy"], cross=True, **WINDOW).aggregates()
    assert ours.count() == theirs.count()
    for name in users.columns[1:]:
        assert ours.mean(name) == pytest.approx(theirs.mean(name), rel=1e-12)
        assert ours.var(name) == pytest.approx(theirs.var(name), rel=1e-9)
    for pair in theirs.cov_:
        assert ours.cov(*pair) == pytest.approx(theirs.cov(*pair), rel=1e-9)


def test_several_cuts_at_once_are_what_each_is_alone(ask):
    names, cuts = ["aov", "gmv", "repurchase_30d"], [(), ("country",), ("surface",), ("country", "surface")]
    together = ask(names[:2], by=["country", "surface"], cuts=cuts, **WINDOW)
    for cut in cuts:
        alone = ask(names[:2], by=cut, **WINDOW).to_frame()
        pd.testing.assert_frame_equal(together.to_frame(cut=cut), alone, rtol=1e-9)


def test_a_buyer_of_two_surfaces_is_one_buyer_of_the_whole(ask):
    cells = ask("buyers", by="surface", cuts=[(), ("surface",)], **WINDOW)
    assert cells.to_frame(cut=())["n_units"].sum() <= cells.to_frame(cut=["surface"])["n_units"].sum()
    assert cells.to_frame(cut=())["value"].tolist() == [1.0]


@pytest.mark.parametrize("name", ["week_one_retention", "repurchase_30d"])
def test_retention_is_what_query_says(ask, drawn, name):
    assert ask(name, **WINDOW).to_frame()["value"].iloc[0] == pytest.approx(drawn.value(name, **WINDOW), rel=1e-12)


def mid_quantile(values: pd.Series, level: float) -> float:
    """A quantile of the mid-distribution, by hand: half of those with a value count as below it."""
    counts = values.value_counts().sort_index()
    middle = (counts.cumsum() - counts / 2) / counts.sum()
    return float(np.interp(level, middle, counts.index))


def test_a_quantile_shares_out_those_who_are_tied(ask, rows):
    sessions = rows("sessions")
    own = between(sessions, *WINDOW.values()).dropna(subset="start_ms")
    assert own["start_ms"].duplicated().any()
    cells = ask("start_ms_p50", unit="session", **WINDOW).to_frame()
    assert cells["value"].iloc[0] == pytest.approx(mid_quantile(own["start_ms"], 0.5), rel=1e-12)
    assert cells["mean_numerator"].iloc[0] == pytest.approx(0.5 * cells["mean_denominator"].iloc[0], rel=1e-12)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=60),
    st.sampled_from([0.05, 0.3, 0.5, 0.95]),
)
@settings(max_examples=25)
def test_mid_quantiles_of_any_values_are_those_by_hand(values, level):
    cells = ["ab"[place % 2] for place in range(len(values))]
    frame = pd.DataFrame({"value": [float(value) for value in values], "cell": cells})
    found = ibis.duckdb.connect().execute(
        quantile_tables.mid_quantiles(ibis.memtable(frame), ["cell"], [level], own=0, name="grid")
    )
    for row in found.itertuples():
        own = frame.loc[frame["cell"] == row.cell, "value"]
        assert row.grid[0] == pytest.approx(mid_quantile(own, level), rel=1e-12)
        assert row.lower + row.within * (row.upper - row.lower) == pytest.approx(row.grid[0], rel=1e-12)


# ---------------------------------------------------------------------------------------------- an experiment's units


def exposed_by_hand(rows, pre_days: int = 2):
    """What each exposed unit spent from its exposure on, and in the days before it."""
    units, facts = rows("experiment_units"), rows("order_facts")
    units = units[units["exposed_day"] <= pd.Timestamp("2024-03-13")]
    joined = units.merge(facts, left_on="unit_id", right_on="user_id", suffixes=("", "_order"))
    since = pd.to_datetime(joined["exposed_day"])
    day = joined["day_order"]
    joined = joined.assign(
        now=joined["gmv_usd"].where((day >= since) & day.between("2024-03-08", "2024-03-13"), 0.0),
        before=joined["gmv_usd"].where((day < since) & (day >= since - pd.Timedelta(days=pre_days)), 0.0),
    )
    sums = joined.groupby("unit_id")[["now", "before"]].sum()
    return units.set_index("unit_id").join(sums).fillna({"now": 0.0, "before": 0.0})


def test_everybody_exposed_counts_also_who_bought_nothing(ask, rows):
    by_hand = exposed_by_hand(rows)
    assert (by_hand["now"] == 0).any()
    found = ask("gmv", by="variant", experiment="x", covariates="own", pre_days=2, start="2024-03-08", end="2024-03-13")
    n, mean, cov = found.arrays("gmv")
    for place, variant in enumerate(found.frame["by_variant"]):
        own = by_hand[by_hand["variant"] == variant][["now", "before"]]
        assert n[place] == len(own)
        np.testing.assert_allclose(mean[place], own.mean(), rtol=1e-12)
        np.testing.assert_allclose(cov[place], own.cov(), rtol=1e-9)


def test_units_of_an_experiment_are_pooled_exactly(ask):
    options = {"experiment": "x", "start": "2024-03-08", "end": "2024-03-13", "covariates": "own", "pre_days": 1}
    cuts = [["variant"], ["country", "variant"], []]
    together = ask(["gmv", "orders_per_user"], by=["variant", "country"], cuts=cuts, **options)
    for cut in (["variant"], []):
        alone = ask(["gmv", "orders_per_user"], by=cut, **options)
        pd.testing.assert_frame_equal(together.to_frame(cut=cut), alone.to_frame(), rtol=1e-9)
        for one, other in zip(together.arrays("gmv", cut=cut), alone.arrays("gmv"), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9)


def test_marts_stand_side_by_side_for_the_same_units(ask):
    names = ["gmv", "orders_per_user", "crash_free_rate", "view_to_payment_30m", "repurchase_30d"]
    options = {"by": "variant", "experiment": "x", "start": "2024-03-08", "end": "2024-03-13"}
    together = ask(names, **options)
    assert together.to_frame().groupby("variant")["n_units"].nunique().tolist() == [1, 1]
    for name in names:
        mine = together.to_frame().query("metric == @name").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, ask(name, **options).to_frame(), rtol=1e-9)
    assert together.aggregates(variant="control").count() == together.to_frame()["n_units"].iloc[0]


def test_a_covariate_of_another_mart_stands_beside_the_units_of_an_experiment(ask):
    options = {"experiment": "x", "start": "2024-03-08", "end": "2024-03-13", "pre_days": 1}
    found = ask("gmv", covariates="sessions", **options)
    assert found.covariates == {"gmv": ("sessions__of__beforehand",)}
    assert np.isfinite(found.arrays("gmv")[2]).all()
    with pytest.raises(InvalidValue, match="name an experiment"):
        ask("gmv", covariates="sessions", pre_days=1, **WINDOW)


def test_a_metric_that_is_not_final_has_no_own_covariate(ask):
    found = ask(["gmv", "refund_rate"], covariates="own", pre_days=1, **WINDOW)
    assert found.covariates == {"gmv": ("gmv__of__beforehand",), "refund_rate": ()}


# --------------------------------------------------------------------------------------------------- one scan of each


def scans(sql: str, connection) -> list[str]:
    """The tables that a plan reads, once per scan."""
    plan = connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1]
    import json

    found, nodes = [], list(json.loads(plan))
    while nodes:
        node = nodes.pop()
        nodes += node.get("children", [])
        if "SCAN" in node["name"] and "Table" in node.get("extra_info", {}):
            found.append(node["extra_info"]["Table"].rpartition(".")[2])
    return found


FIVE = ["gmv", "aov", "orders_per_user", "crash_free_rate", "repurchase_30d"]


def test_five_metrics_by_market_and_variant_read_each_mart_once(drawn, monkeypatch):
    seen = []
    query = drawn.warehouse.query

    def told(expression):
        if "mean__" in " ".join(getattr(expression, "columns", ())):
            seen.append(scans(drawn.warehouse.backend.compile(expression), drawn.warehouse.connection))
        return query(expression)

    monkeypatch.setattr(drawn.warehouse, "query", told)
    options = {"start": "2024-03-08", "end": "2024-03-13", "covariates": "own", "pre_days": 2}
    metrics.moments(drawn.warehouse, FIVE, by=["country", "variant"], experiment="x", **options)
    facts = sorted(table for tables in seen for table in tables if table != "experiment_units")
    assert facts == ["order_facts", "sessions", "user_days"]


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"names": "gvm"}, "Did you mean 'gmv'"),
        ({"names": "gmv", "unit": "usr"}, "Did you mean 'user'"),
        ({"names": "active_merchants"}, "cannot be measured by user: its definition allows merchant, market"),
        ({"names": "gmv_month_to_date"}, "ask for 'gmv'"),
        ({"names": "gmv", "by": "platform"}, "cannot be cut by 'platform'"),
        ({"names": "gmv", "by": "surface", "experiment": "x"}, "what exposed units can be cut by"),
        ({"names": "gmv", "experiment": "y"}, "is not in the experiments of source"),
        ({"names": "active_creators", "unit": "creator", "experiment": "x"}, "Ask with unit='user'"),
        ({"names": "gmv", "cuts": [["country"]]}, "add it there"),
        ({"names": "gmv", "cuts": []}, "cuts is empty"),
        ({"names": "gmv", "currency": "local"}, "averaged across currencies"),
        ({"names": "gmv", "covariates": "net_gmv"}, "what is tested could change them"),
        ({"names": "gmv", "covariates": "repurchase_30d"}, "cannot be a covariate"),
        ({"names": "gmv", "covariates": "own", "pre_days": 28}, "begin before the data"),
        ({"names": "gmv", "covariates": "own", "pre_days": -1}, "0 or more"),
        ({"names": "gmv", "start": "2024-03-11", "end": "2024-03-08"}, "exchange them"),
        ({"names": "start_ms_p50", "unit": "session", "by": "country", "cuts": [[], ["country"]]}, "one cut at a time"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(ask, options, says):
    options = {**WINDOW, **options}
    with pytest.raises(ShopbookError) as caught:
        ask(options.pop("names"), **options)
    assert says in str(caught.value)


def test_cells_that_are_not_there_are_said(ask):
    found = ask("gmv", by="country", cuts=[["country"]], **WINDOW)
    with pytest.raises(InvalidValue, match="there is no such cell"):
        found.aggregates(country="BR")
    with pytest.raises(InvalidValue, match="no cells by the whole"):
        found.to_frame(cut=[])
    with pytest.raises(ShopbookError, match="Did you mean 'gmv'"):
        found.arrays("gvm")
    with pytest.raises(InvalidValue, match="count different units"):
        ask(["gmv", "crash_free_rate"], start="2024-03-08", end="2024-03-08").aggregates()


def test_the_text_says_what_was_counted(ask):
    said = ask(["gmv"], by="country", **WINDOW).text
    assert "users with a row in the cell" in said and "2024-03-08 to 2024-03-11" in said


def test_own_covariates_are_told_from_named_ones():
    registry = metrics.load_metrics()
    assert preparing.covariates_of(registry, ["gmv", "aov"], "own") == {"gmv": ("gmv",), "aov": ("aov",)}
    assert preparing.covariates_of(registry, "gmv", ["orders", "gmv"]) == {"gmv": ("orders", "gmv")}
