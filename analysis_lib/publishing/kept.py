"""Texts that are made from data and code, kept until one of these changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis_lib.config import Project
from analysis_lib.publishing.cache import digest, library_digest
from analysis_lib.publishing.files import file_digest, write_whole

#: Folder of kept texts, in that of the state.
FOLDER = "texts"


def kept_texts(
    project: Project, name: str, made_from: Any, make: Callable[[], dict[str, str]]
) -> dict[str, str]:  # fmt: skip
    """Texts by name: those kept from the last time if nothing has changed that they are made from.

    Parameters
    ----------
    project : Project
        The checkout.
    name : str
        What the texts are called in the folder of the state.
    made_from : object
        Plain values; beside them count the library, the data about data, and the sources that are built.
    make : callable
        Makes the texts anew.
    """
    key, path = digest(_surroundings(project), made_from), project.state / FOLDER / f"{name}.json"
    if path.is_file():
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["key"] == key:
            return held["texts"]
    texts = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"key": key, "texts": texts}, ensure_ascii=False))
    return texts


def _surroundings(project: Project) -> list[Any]:
    """Library, data about data, and what the sources hold."""
    from analysis_lib.warehouse import connect, list_sources

    prints = []
    for entry in list_sources(project):
        if entry["built"] and entry["kind"] != "spark":
            with connect(entry["name"], project=project) as warehouse:
                prints.append((entry["name"], warehouse.fingerprint))
    return [library_digest(project), _own_digest(), prints]


@lru_cache(maxsize=1)
def _own_digest() -> str:
    """Digest of this package: its code is what the texts look like."""
    return digest([file_digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))])
