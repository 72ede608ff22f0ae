"""``shopbook data build`` and ``check`` where marts are concerned."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from analysis_lib import pipelines, warehouse
from analysis_lib.cli.data import app
from analysis_lib.config import ROOT_VARIABLE
from analysis_lib.errors import InvalidValue


@pytest.fixture
def run(shop, monkeypatch):
    """The command in the checkout of the shop, which a source of its own, without a builder, points to."""
    monkeypatch.setenv(ROOT_VARIABLE, str(shop.root))
    with (shop.project.data / "sources.yml").open("a") as file:
        file.write(f"\n  mine: {{title: Mine, kind: duckdb, path: {shop.path}}}\n")
    shop.write()
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_source_made_elsewhere_gets_its_marts(run, shop):
    done = run("build", "mine")
    assert done.exit_code == 0 and "marts of mine: 3 marts, 3 days built" in done.stdout
    assert (shop.project.built / "marts" / "mine.duckdb").exists()
    again = run("build", "mine", "--if-needed")
    assert "marts of mine: 3 marts, nothing had changed" in again.stdout
    with warehouse.connect("mine") as wh:
        assert wh.query(pipelines.mart(wh, "order_facts").count()) == 1


def test_without_marts_there_is_nothing_to_do_for_it(run):
    assert isinstance(run("build", "mine", "--no-marts").exception, InvalidValue)


def test_check_tells_of_marts_that_are_built(run, shop):
    assert "order_facts" not in run("check", "mine").stdout
    run("build", "mine")
    done = run("check", "mine")
    assert done.exit_code == 0 and "order_facts" in done.stdout and "mine has 3 of 10 marts" in done.stdout
    told = json.loads(run("check", "mine", "--json").stdout)
    rows = {row["table"]: row["n_rows"] for row in told["marts"]["marts"] if row["present"]}
    assert rows == {"order_facts": 1, "user_days": 1, "merchant_days": 1}


def test_check_fails_when_marts_are_behind(run, shop):
    run("build", "mine")
    shop.change("UPDATE orders SET quantity = 5")
    done = run("check", "mine")
    assert done.exit_code == 1 and "has changed since its mart" in done.stdout


def test_an_engine_that_is_not_known(run):
    assert "Choose duckdb or spark" in str(run("build", "mine", "--engine", "flink").exception)


def test_a_source_without_a_copy_on_spark_is_said_before_anything_is_built(run, shop):
    done = run("build", "mine", "--engine", "spark")
    assert isinstance(done.exception, InvalidValue) and "exported_from: mine" in str(done.exception)
    assert not (shop.project.built / "marts").exists()
