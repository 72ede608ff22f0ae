"""Two worlds that differ in one plant, played side by side over its scope."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from analysis_lib.world.block import Block
from analysis_lib.world.builder import MEMORY_LIMIT
from analysis_lib.world.draws import text
from analysis_lib.world.engine import Engine
from analysis_lib.world.recipe import Recipe
from analysis_lib.world.stage import Stage

#: Gives the queries that keep what is needed of a block that has just been played.
Keep = Callable[[Block], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a plant is at work.

    Attributes
    ----------
    markets : tuple of int
        Numbers of its markets.
    first, last : int
        Numbers of the days looked at.
    """

    markets: tuple[int, ...]
    first: int
    last: int


@contextmanager
def staged(recipe: Recipe) -> Iterator[Stage]:
    """A world in the making, in a database of its own that is gone afterwards."""
    import duckdb

    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as connection:
        for setting in (f"memory_limit = '{MEMORY_LIMIT}'", f"temp_directory = {text(spill)}", "TimeZone = 'UTC'"):
            connection.execute(f"SET {setting}")
        connection.execute("SET enable_progress_bar = false")
        yield Stage(Engine(connection), recipe)


def play_pair(stage: Stage, scope: Scope, worlds: tuple[Recipe, Recipe], keep: Keep) -> None:
    """Play two worlds over a scope and gather what ``keep`` selects.

    Each table of ``keep`` is made as ``w_<name>``, with a column ``side``: 1 in the first world, 0 in the second.
    """
    made: set[str] = set()
    for side, recipe in zip((1, 0), worlds, strict=True):
        stage.renew(recipe)
        for block in stage.blocks(_earliest(recipe, scope), scope.last, scope.markets):
            stage.play(block)
            for name, query in keep(block).items():
                into = f"INSERT INTO w_{name}" if name in made else f"CREATE OR REPLACE TEMP TABLE w_{name} AS"
                wanted = f"SELECT {side} AS side, * FROM ({query}) WHERE d BETWEEN {scope.first} AND {scope.last}"
                stage.engine.run(f"{into} {wanted}")
                made.add(name)


def _earliest(recipe: Recipe, scope: Scope) -> int:
    """First day to play: what a unit gets in an experiment may hang on an exposure before the scope begins."""
    number, countries = recipe.settings.number, {recipe.settings.markets[m].country for m in scope.markets}
    running = [
        number(trial.first_day)
        for trial in recipe.experiments.values()
        if number(trial.first_day) <= scope.last
        and number(trial.last_day) >= scope.first
        and countries & set(trial.countries)
    ]
    return max(0, min([scope.first, *running]))
