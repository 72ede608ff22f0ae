from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from analysis_lib.cli.data import app
from analysis_lib.config import ROOT_VARIABLE
from analysis_lib.errors import SourceError, UnknownName
from analysis_lib.warehouse import load_sources


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def elsewhere(project, toy_builder, monkeypatch):
    monkeypatch.setenv(ROOT_VARIABLE, str(project.root))
    return project


def test_list(run, elsewhere):
    done = run("list")
    assert done.exit_code == 0 and "complete_journey" in done.stdout and "not built" in done.stdout
    rows = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in rows] == list(load_sources())
    assert all("size_bytes" in row for row in rows)


def test_build_then_skip_what_is_current(run, elsewhere):
    done = run("build", "toy")
    assert done.exit_code == 0 and "toy built" in done.stdout and "lines: 1,000" in done.stdout
    assert "up to date" in run("build", "toy", "--if-needed").stdout
    assert (elsewhere.data / "built" / "toy.duckdb").exists()


def test_a_misspelt_second_name_is_said_before_the_first_is_built(run, elsewhere):
    done = run("build", "toy", "toi")
    assert isinstance(done.exception, UnknownName) and "Did you mean 'toy'" in str(done.exception)
    assert not (elsewhere.data / "built").exists()


def test_check_of_a_clean_source(run, small_warehouse):
    done = run("check", small_warehouse())
    assert done.exit_code == 0 and "no rule is broken" in done.stdout


def test_check_of_a_broken_source(run, small_warehouse, small_tables):
    path = small_warehouse(orders=small_tables["orders"].assign(status="[red]lost[/red]"))
    done = run("check", path)
    assert done.exit_code == 1 and "[red]lost[/red]" in done.stdout
    report = json.loads(run("check", path, "--json").stdout)
    (finding,) = next(row["findings"] for row in report["tables"] if row["table"] == "orders")
    assert report["ok"] is False and (finding["rule"], finding["count"]) == ("allowed", 3)


def test_a_warning_does_not_fail_the_check(run, small_warehouse, small_tables):
    done = run("check", small_warehouse(orders=small_tables["orders"].assign(surface="radio")))
    assert done.exit_code == 0 and "1 warnings" in done.stdout


def test_errors_reach_the_main_command(run, tmp_path):
    assert isinstance(run("check", "nope").exception, UnknownName)
    assert isinstance(run("check", tmp_path / "none.duckdb").exception, SourceError)
    assert run("check").exit_code == 2 and run("build", "--fast").exit_code == 2


@pytest.mark.parametrize("command", ["list", "build", "check"])
def test_help_shows_an_example(run, command):
    assert f"shopbook data {command}" in " ".join(run(command, "--help").stdout.split())
