"""A setting nobody reads, or one that cannot be, makes no world: an error names it and what was meant."""

from __future__ import annotations

import pytest

from analysis_lib import world
from analysis_lib.errors import InvalidValue, UnknownName


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"funel": {"view": 0.7}}, "unknown key 'funel', did you mean 'funnel'"),
        ({"campaigns": {"thailand_may_2026": {"discout": 0.2}}}, "did you mean 'discount'"),
        ({"funnel": {"view": 1.4}}, "funnel.view"),
        ({"campaigns": {"thailand_may_2026": {"last_day": "2026-05-01"}}}, "before it starts"),
        ({"campaigns": {"thailand_may_2026": {"countries": ["JP"]}}}, "no market"),
        ({"supply": {"commission": {"top": None}}}, "must name the tiers"),
    ],
)
def test_no_file_is_written(tmp_path, settings, said):
    with pytest.raises(InvalidValue) as error:
        world.build(tmp_path / "world.duckdb", scale=0.01, settings=settings)
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_plant_that_does_not_exist_is_not_quietly_left_in(tmp_path):
    with pytest.raises(UnknownName, match="thailand_may_2026"):
        world.build(tmp_path / "world.duckdb", scale=0.01, without=["campaign:thailand_may"])
    assert list(tmp_path.iterdir()) == []
