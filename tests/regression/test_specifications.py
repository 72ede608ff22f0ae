"""One coefficient over all defensible ways to estimate it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import regression
from analysis_lib.errors import InvalidValue, NotEnoughData


def made(slope: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market = np.repeat(np.arange(20), 10)
    x, z, v = rng.normal(size=(3, 200))
    return pd.DataFrame({
        "market": market, "x": x, "z": z, "v": v, "week": np.tile(np.arange(10), 20),
        "y": slope * x + z + rng.normal(size=20)[market] + rng.normal(size=200),
    })  # fmt: skip


def curve(frame: pd.DataFrame, **more) -> regression.SpecificationCurve:
    given = {"controls": ["z", "v"], "fixed_effects": [[], ["market"]], "cluster": "market"}
    return regression.specification_curve("y ~ x", frame, term="x", **(given | more))


def test_all_ways_sorted():
    frame = made(0.5)
    found = curve(frame, samples={"late": frame["week"] >= 3}, variances=[None, "CRV1"])
    table = found.to_frame()
    assert len(table) == 4 * 2 * 2 * 2
    assert table["value"].is_monotonic_increasing
    assert set(table["controls"]) == {"", "z", "v", "z, v"}
    assert set(table["sample"]) == {"all rows", "late"}
    assert (table.loc[table["sample"] == "late", "n"] == 140).all()
    one = regression.fit("y ~ x + z", frame, fixed_effects="market", cluster="market").fit_of("x")
    row = table[(table["controls"] == "z") & (table["fixed_effects"] == "market") & (table["sample"] == "all rows")]
    assert row["value"].tolist() == pytest.approx([one.value] * 2)
    assert found.share_same_sign == 1
    assert found.pvalue < 0.01
    assert "Over 32 ways to estimate it, x runs from 0." in found.text
    assert "32 have the median's sign" in found.text


def test_the_joint_statement_has_its_size():
    small = sum(curve(made(0.0, seed), fixed_effects=[[]]).pvalue < 0.1 for seed in range(40))
    assert small <= 9


def test_ways_that_are_refused_are_counted():
    frame = made(0.5).assign(half=lambda data: data["market"] // 10)
    found = curve(frame, samples={"few": frame["market"] < 4})
    assert len(found.refused) == 8
    assert found.refused["reason"].str.contains("4 clusters of market").all()
    assert "8 further ways were refused" in found.text


def test_no_way_and_too_many_ways():
    frame = made(0.5)
    with pytest.raises(NotEnoughData, match="nothing varies within the fixed effects"):
        curve(frame.assign(x=frame["market"] * 1.0), fixed_effects=[["market"]])
    with pytest.raises(InvalidValue, match="1024 ways"):
        curve(frame, controls=[f"I(z**{power})" for power in range(2, 11)])


def test_rows_stand_for_themselves_where_nothing_is_clustered():
    found = curve(made(0.3), cluster=None, kind="ols")
    assert found.pvalue < 0.05
