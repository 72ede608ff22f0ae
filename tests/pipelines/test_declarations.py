from __future__ import annotations

import pytest

from analysis_lib import pipelines, warehouse
from analysis_lib.pipelines.inputs import TYPES

MARTS = list(pipelines.MARTS.values())


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_a_mart_is_declared_whole(mart):
    names = [column.name for column in mart.columns]
    assert len(set(names)) == len(names) and set(mart.keys) <= set(names) and mart.partition == "day"
    assert all(mart.column(key).required for key in mart.keys) and mart.column("day").type == "date"
    assert mart.grain.startswith("One row per") and mart.meaning.endswith(".")
    assert all(column.meaning and column.type in TYPES for column in mart.columns)


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_inputs_are_in_the_contract(mart):
    contract = warehouse.load_contract()
    for item in mart.inputs:
        assert set(item.columns) <= {column.name for column in contract[item.table].columns}


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_suffixes_are_the_schema(mart):
    """A column's name says what it holds, as everywhere in the book."""
    units = {"_usd": "US dollars", "_local": "money in `currency`", "_at": "UTC", "_days": "days", "_ms": None}
    for column in mart.columns:
        if column.name.startswith(("is_", "has_")):
            assert column.type == "boolean"
        elif column.name.startswith("n_"):
            assert column.type == "integer" and column.unit
        for suffix, unit in units.items():
            if column.name.endswith(suffix) and unit and not column.name.startswith("n_"):
                assert (column.unit or "").startswith(unit), column.name


def test_people_are_marked():
    """What identifies a person in the contract does so in a mart."""
    personal = {
        column.name for table in warehouse.load_contract().values() for column in table.columns if column.personal
    }
    for mart in MARTS:
        for column in mart.columns:
            assert column.personal or column.name not in personal, f"{mart.name}.{column.name}"


def test_marts_come_after_those_they_read():
    seen: set[str] = set()
    for mart in MARTS:
        assert set(mart.upstream) | set(mart.optional_upstream) <= seen
        seen.add(mart.name)


def test_lineage():
    lineage = pipelines.lineage()
    frame = lineage.to_frame()
    edges = set(zip(frame["source"], frame["target"], strict=True))
    assert {("orders", "order_facts"), ("order_facts", "user_days"), ("events", "sessions")} <= edges
    assert not frame.set_index(["source", "target"]).loc[("order_updates", "order_facts"), "required"]
    assert lineage.upstream_of("release_adoption") == ["countries", "events", "users", "sessions"]
    assert {node.name for node in lineage.nodes} == {name for edge in edges for name in edge} | set(pipelines.MARTS)
    assert "feed 10 marts" in lineage.text
