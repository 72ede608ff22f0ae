"""Worlds that tests of the simulated marketplace share."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analysis_lib import world
from analysis_lib.world.recipe import KINDS
from analysis_lib.world.schema import TABLES

SEED, SCALE = 1, 0.05

#: What the bare world lacks: a campaign in the United States, bots in Mexico, a wrong rate in Malaysia, two
#: experiments in April and May of 2026, a release on iOS.
LEFT_OUT = [
    "campaign:back_to_school_2025", "incident:bots_mexico", "incident:currency_error_malaysia",
    "experiment:one_page_checkout", "experiment:video_autoplay", "release:ios_33",
]  # fmt: skip


@pytest.fixture(scope="session")
def world_path(tmp_path_factory):
    """A world with every plant: 7,500 users."""
    return world.build(tmp_path_factory.mktemp("world") / "whole.duckdb", seed=SEED, scale=SCALE, threads=2)


@pytest.fixture(scope="session")
def bare_path(tmp_path_factory):
    """The same world without one or two plants of each kind, in places and times that do not meet."""
    return _without(tmp_path_factory, LEFT_OUT)


@pytest.fixture(scope="session")
def plain_path(tmp_path_factory):
    """The same world with nothing planted in it."""
    settings = world.load_settings()
    return _without(
        tmp_path_factory, [f"{kind}:{name}" for kind, group in KINDS.items() for name in getattr(settings, group)]
    )


def _without(tmp_path_factory, plants: list[str]) -> Path:
    folder = tmp_path_factory.mktemp("without")
    return world.build(folder / "without.duckdb", seed=SEED, scale=SCALE, without=plants, threads=2)


@pytest.fixture(scope="session")
def ask(world_path):
    """``ask(sql) -> rows`` of the world with every plant."""
    with duckdb.connect(str(world_path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def compare(world_path, bare_path, plain_path):
    """``compare(sql) -> rows``; schema ``a`` is the world with every plant, ``b`` the bare one, ``c`` the plain one."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, path in (("a", world_path), ("b", bare_path), ("c", plain_path)):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        yield lambda sql: connection.execute(sql).fetchall()


def _digest(path: Path) -> dict[str, tuple]:
    """Rows and their order, by table."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            table: connection.execute(f"SELECT count(*), sum(hash(rowid, t)) FROM {table} AS t").fetchone()
            for table in TABLES
        }


@pytest.fixture(scope="session")
def digest():
    """``digest(path)``: a number for each table that any other row, or order of rows, would change."""
    return _digest
