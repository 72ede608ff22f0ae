from __future__ import annotations

import re

import pytest

from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.warehouse import find_source, list_sources, load_sources
from analysis_lib.warehouse.sources import Source

GOOD = {"title": "T", "kind": "duckdb", "path": "x.duckdb"}


def _write(project, text):
    (project.data / "sources.yml").write_text(text)
    return project


def _entry(project, **values):
    lines = "".join(f"    {key}: {value}\n" for key, value in {**GOOD, **values}.items() if value is not None)
    return _write(project, f"sources:\n  mine:\n{lines}")


def test_the_source_that_ships():
    source = load_sources()["complete_journey"]
    assert (source.kind, source.units_called, source.country) == ("duckdb", "households", "US")
    assert source.timezone == "America/New_York"
    assert re.search(source.user_id_pattern, "household hh0042 bought") and not re.search(
        source.user_id_pattern, "hh42"
    )
    assert "not randomised" in " ".join(source.caveat.split())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pth": "x"}, "unknown key 'pth', did you mean 'path'?"),
        ({"path": None}, "'path' is missing"),
        ({"kind": "spork"}, "kind 'spork' is not understood"),
        ({"kind": "spark", "database": "No-Name"}, "small letters, digits and underscores"),
        ({"kind": "mysql"}, "duckdb: a .duckdb file; parquet: a folder"),
        ({"timezone": "Mars/Olympus"}, "not an IANA time zone"),
        ({"user_id_pattern": "'['"}, "not a regular expression"),
        ({"name": "other"}, "unknown key 'name'"),
    ],
)
def test_a_slip_in_an_entry_is_named_with_file_and_entry(project, values, said):
    with pytest.raises(InvalidValue) as error:
        load_sources(_entry(project, **values))
    assert said in str(error.value)
    assert "data/sources.yml, source 'mine'" in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: [", "is not valid YAML"),
        ("- a\n", "must hold names with values"),
        ("", "must hold names with values"),
        ("source:\n  a: 1\n", "unknown key 'source'"),
        ("sources:\n", "one entry per source"),
        ("sources:\n  a: duckdb\n", "must hold title, kind and path"),
    ],
)
def test_a_broken_file_is_named(project, text, said):
    with pytest.raises(InvalidValue) as error:
        load_sources(_write(project, text))
    assert said in str(error.value) and "data/sources.yml" in str(error.value)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'complete_journey'"):
        find_source("complete_jurney")


def test_listing_says_what_is_built(project):
    def listed():
        return {row["name"]: row for row in list_sources(project)}

    assert (listed()["complete_journey"]["built"], listed()["complete_journey"]["size_bytes"]) == (False, None)
    (project.root / "data" / "built").mkdir()
    (project.root / "data" / "built" / "complete_journey.duckdb").write_bytes(b"12345")
    row = listed()["complete_journey"]
    assert (row["built"], row["size_bytes"]) == (True, 5)
    assert not listed()["world"]["built"]


def test_people_are_called_what_the_gate_looks_for(tmp_path):
    """A word the publish gate does not know would let groups of seven through."""
    settings = {"name": "x", "title": "X", "kind": "duckdb", "path": "x.duckdb"}
    assert Source(**settings, units_called="shoppers").units_called == "shoppers"
    with pytest.raises(ValueError, match="the publish gate knows users"):
        Source(**settings, units_called="pilots")
