"""Worlds that are there while one grade is drawn, and leave nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib import pipelines, world
from analysis_lib.pipelines.store import store_path
from analysis_lib.warehouse import connect

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


@contextmanager
def passing_world(
    *, seed: int, scale: float, marts: list[str], settings: Mapping[str, Any] | None = None
) -> Iterator[Warehouse]:
    """An open world with some of its marts.

    Parameters
    ----------
    seed, scale, settings
        As ``world.build``.
    marts : list of str
        Names of what is built of it.
    """
    with tempfile.TemporaryDirectory(prefix="shopbook-worlds-") as folder:
        path = world.build(Path(folder) / "world.duckdb", seed=seed, scale=scale, settings=settings)
        source = connect(path)
        try:
            pipelines.build(source, marts=marts)
            yield source
        finally:
            source.close()
            # Marts are kept by the book, not beside the world: nobody could ask for these again.
            store_path(source).unlink(missing_ok=True)
