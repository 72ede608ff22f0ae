"""Metrics on Spark as on DuckDB: counts exactly, the rest to the ninth digit."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from analysis_lib import config, metrics

pytestmark = pytest.mark.spark

NAMES = metrics.load_metrics().names

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
    counted = [name for name in names if metrics.load_metrics().get(name).type in ("count", "distinct")]
    pd.testing.assert_frame_equal(one.frame[counted], other.frame[counted], check_exact=True)
    pd.testing.assert_frame_equal(one.frame, other.frame, rtol=1e-9, check_dtype=False)
    pd.testing.assert_frame_equal(one.flags, other.flags, check_dtype=False)
    assert one.text == other.text
