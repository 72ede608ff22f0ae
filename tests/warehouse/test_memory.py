"""An engine held to little memory while one question is answered."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
import pytest

from analysis_lib.warehouse import memory
from analysis_lib.warehouse.memory import MOST, sparing


@pytest.fixture
def connection(tmp_path):
    duckdb.connect(str(tmp_path / "rows.duckdb")).close()
    with duckdb.connect(str(tmp_path / "rows.duckdb"), read_only=True) as opened:
        yield opened


def limit_of(connection) -> str:
    return connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]


def spared(connection, work=None):
    """What the limit is meanwhile, or what work returns."""
    backend = SimpleNamespace(name="duckdb", con=connection)
    return sparing(backend, work or (lambda: limit_of(connection)))


def test_the_limit_holds_meanwhile_and_is_what_it_was_after(connection):
    before = limit_of(connection)
    assert spared(connection) == "953.6 MiB"
    assert limit_of(connection) == before


@pytest.mark.parametrize("given", ["1.5GiB", "3GB", "7.77GB", "2TB"])
def test_a_limit_of_ones_own_stays_however_often(connection, given):
    connection.execute(f"SET memory_limit = '{given}'")
    before = limit_of(connection)
    for _ in range(3):
        spared(connection)
    assert limit_of(connection) == before


def test_a_lower_limit_is_left_alone(connection):
    connection.execute("SET memory_limit = '500MiB'")
    assert spared(connection) == "500.0 MiB"
    assert limit_of(connection) == "500.0 MiB"


def test_it_is_what_it_was_after_an_error(connection):
    before = limit_of(connection)
    with pytest.raises(ZeroDivisionError):
        spared(connection, lambda: 1 / 0)
    assert limit_of(connection) == before


def test_what_needs_more_is_done_again_without(connection):
    before, seen = limit_of(connection), []

    def work() -> str:
        seen.append(limit_of(connection))
        if len(seen) == 1:
            raise duckdb.OutOfMemoryException
        return "done"

    assert spared(connection, work) == "done"
    assert seen == ["953.6 MiB", before]


def test_tables_in_memory_do_not_count(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where they would be spilled to
    with duckdb.connect() as opened:
        opened.execute("CREATE TABLE large AS SELECT range AS a, random() AS b FROM range(1_000_000)")
        size = memory._in_tables(opened)
        assert size > 5_000_000
        assert memory._bytes(spared(opened)) == pytest.approx(MOST + size, rel=0.01)


def test_where_nothing_can_be_spilled_the_limit_stays(connection, monkeypatch):
    before = limit_of(connection)
    monkeypatch.setattr(memory.os, "access", lambda *_: False)
    assert spared(connection) == before
    with duckdb.connect() as opened:
        opened.execute("SET temp_directory = ''")
        assert spared(opened) == limit_of(opened)


def test_other_engines_are_left_to_themselves():
    assert sparing(SimpleNamespace(name="pyspark"), lambda: "done") == "done"
