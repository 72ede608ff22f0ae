"""Metrics on Spark as on DuckDB: counts exactly, the rest to the ninth digit."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pandas as pd
import pytest

from analysis_lib import config, metrics
from analysis_lib.errors import NotEnoughData

pytestmark = pytest.mark.spark

REGISTRY = metrics.load_metrics()
NAMES = REGISTRY.names

#: Metrics with moments, by the first unit they can be measured at.
MEASURED = [name for name in NAMES if REGISTRY.get(name).type != "cumulative"]
#: Metrics whose parts add up.
EXPLAINED = [name for name in NAMES if REGISTRY.get(name).type not in ("cumulative", "quantile", "retention")]

COMPARED = {"start": "2024-03-12", "end": "2024-03-15", "compare": "previous_period"}
CUTS = [
    {"names": NAMES, "by": "country", "grain": "week"},
    {"names": [name for name in NAMES if name != "gmv_month_to_date"], "by": "country", "grain": "day", **COMPARED},
    {
        "names": ["gmv", "net_gmv", "orders", "refund_rate"],
        "by": ["is_cross_border", "surface"],
        "currency": "constant_usd",
    },
    {"names": ["gmv", "delivery_days"], "where": {"country": ["GB", "SG"]}, "by": "country", "currency": "local"},
    {"names": ["gmv_month_to_date"], "grain": "day", "start": "2024-03-12", "end": "2024-03-16"},
    {"names": ["net_gmv", "orders", "sessions"], "as_of": "2024-03-12 12:00"},
]


@pytest.fixture(scope="module")
def equipped(pair):
    for name in ("metrics.yml", "calendar.yml"):
        shutil.copy(config.project().data / name, pair.project.data)
    return pair


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: "-".join(key for key in cut if key != "names"))
def test_the_same_answer(equipped, cut):
    options = dict(cut)
    names, answers = options.pop("names"), []
    for engine in ("duckdb", "spark"):
        with equipped.opened(engine) as wh:
            answers.append(metrics.query(wh, names, **options))
    one, other = answers
    counted = [name for name in names if REGISTRY.get(name).type in ("count", "distinct")]
    pd.testing.assert_frame_equal(one.frame[counted], other.frame[counted], check_exact=True)
    pd.testing.assert_frame_equal(one.frame, other.frame, rtol=1e-9, check_dtype=False)
    pd.testing.assert_frame_equal(one.flags, other.flags, check_dtype=False)
    assert one.text == other.text


def on_both(pair, ask):
    """The answers of both engines."""
    answers = []
    for engine in ("duckdb", "spark"):
        with pair.opened(engine) as wh:
            answers.append(ask(wh))
    return answers


def groups() -> dict[str, list[str]]:
    """Metrics that are measured in one call: of one unit, with the same dimensions, quantiles apart."""
    found: dict[str, list[str]] = {}
    for name in MEASURED:
        metric = REGISTRY.get(name)
        where = "country" if "country" in REGISTRY.dimensions([name]) else "whole"
        kind = "quantile" if metric.type == "quantile" else "rest"
        found.setdefault(f"{metric.randomised_by[0]}-{where}-{kind}", []).append(name)
    return found


@pytest.mark.parametrize("group", groups())
def test_the_same_moments(equipped, group):
    names = groups()[group]
    options = {"by": "country" if "country" in group else (), "unit": group.partition("-")[0], "start": "2024-03-08"}
    covariates = () if "quantile" in group else "own"
    one, other = on_both(
        equipped, lambda wh: metrics.moments(wh, names, covariates=covariates, pre_days=2, **options)
    )  # fmt: skip
    for grid in [column for column in one.frame if column.endswith("__grid")]:
        for mine, theirs in zip(one.frame[grid], other.frame[grid], strict=True):
            assert list(mine) == pytest.approx(list(theirs), rel=1e-9)
        one, other = (replace(found, frame=found.frame.drop(columns=grid)) for found in (one, other))
    pd.testing.assert_frame_equal(one.frame, other.frame, rtol=1e-9, atol=1e-9, check_dtype=False)


def test_the_same_moments_of_an_experiment_in_several_cuts(equipped):
    options = {
        "by": ["variant", "country"], "cuts": [["variant"], ["variant", "country"], []], "experiment": "x",
        "covariates": "own", "pre_days": 1, "start": "2024-03-08", "end": "2024-03-13",
    }  # fmt: skip
    names = ["gmv", "aov", "orders_per_user", "crash_free_rate", "repurchase_30d", "view_to_payment_30m"]
    one, other = on_both(equipped, lambda wh: metrics.moments(wh, names, **options))
    pd.testing.assert_frame_equal(one.frame, other.frame, rtol=1e-9, atol=1e-9, check_dtype=False)
    rows = {"by": ["country", "surface"], "cuts": [[], ["surface"], ["country", "surface"]], "start": "2024-03-08"}
    one, other = on_both(equipped, lambda wh: metrics.moments(wh, ["gmv", "buyers"], **rows))
    pd.testing.assert_frame_equal(one.frame, other.frame, rtol=1e-9, atol=1e-9, check_dtype=False)


def test_the_same_moments_by_day_since_the_exposure(equipped):
    options = {"experiment": "x", "end": "2024-03-13"}
    names = ["gmv_per_user", "aov", "crash_free_rate", "view_to_payment_30m"]
    one, other = on_both(equipped, lambda wh: metrics.moments_by_day(wh, names, days=4, **options))
    order = ["variant", "metric", "day_since"]
    one, other = (frame.sort_values(order, ignore_index=True) for frame in (one, other))
    pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-9, check_dtype=False)
    spans = {"days_since": (2, 3), "covariates": "own", "covariate_days_since": (0, 1), "caps": {"gmv_per_user": 99.0}}
    one, other = on_both(equipped, lambda wh: metrics.moments(wh, names[:2], by="variant", **options, **spans))
    pd.testing.assert_frame_equal(one.frame, other.frame, rtol=1e-9, atol=1e-9, check_dtype=False)


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_same_explanation(equipped, name):
    periods = {"before": ("2024-03-07", "2024-03-09"), "after": ("2024-03-10", "2024-03-12")}
    metric = REGISTRY.get(name)
    additive = [
        d for d in ("surface", "country") if metric.type in ("sum", "count") and d in REGISTRY.dimensions([name])
    ]
    by = additive[:1]
    try:
        one, other = on_both(equipped, lambda wh: metrics.explain(wh, name, by=by, **periods))
    except NotEnoughData:
        with equipped.opened("spark") as wh, pytest.raises(NotEnoughData):
            metrics.explain(wh, name, by=by, **periods)
        return
    pd.testing.assert_frame_equal(one.cells, other.cells, rtol=1e-8, atol=1e-9, check_dtype=False)
    assert (one.unit, one.notes) == (other.unit, other.notes)
    assert one.change.value == pytest.approx(other.change.value, rel=1e-9, abs=1e-9, nan_ok=True)
    assert one.change.se == pytest.approx(other.change.se, rel=1e-6, abs=1e-9, nan_ok=True)
