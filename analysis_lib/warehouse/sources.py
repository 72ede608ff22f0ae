"""The sources that ``data/sources.yml`` names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from analysis_lib import config
from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.settings import read_yaml, shown, validated

#: Kinds of source this release opens, with what ``path`` is for each.
KINDS = {
    "duckdb": "a .duckdb file",
    "parquet": "a folder with one Parquet file or folder per table",
    "spark": "a folder with an embedded Hive warehouse",
}


class Source(BaseModel):
    """One entry of ``data/sources.yml``.

    Attributes
    ----------
    name : str
        Name a notebook gives to ``connect``.
    title : str
        One line for people.
    kind : str
        ``duckdb``, ``parquet`` or ``spark``.
    path : str
        File or folder, absolute or relative to the checkout.
    builder : str | None
        What makes the file: a builder that ships, or a dotted module name.
    database : str | None
        Hive database of a source on Spark; the source's name unless given.
    exported_from : str | None
        Source whose tables a source on Spark holds, written by ``shopbook data build NAME --engine spark``.
    caveat : str
        What a reader must know about the data.
    units_called : str
        What users are called in sentences, one of ``config.PEOPLE``.
    user_id_pattern : str | None
        Regular expression of user ids, for the publish gate.
    country, timezone : str | None
        Market and IANA zone of a source with one market.
    home, credits : str | None
        Where the data come from and whom to thank.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    kind: Literal["duckdb", "parquet", "spark"]
    path: str
    builder: str | None = None
    database: str | None = None
    exported_from: str | None = None
    caveat: str = ""
    units_called: str = "users"
    user_id_pattern: str | None = None
    country: str | None = None
    timezone: str | None = None
    home: str | None = None
    credits: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _kind_is_understood(cls, values: Any) -> Any:
        kind = values.get("kind") if isinstance(values, dict) else None
        if kind is not None and kind not in KINDS:
            understood = "; ".join(f"{name}: {what}" for name, what in KINDS.items())
            raise ValueError(f"kind '{kind}' is not understood ({understood})")
        return values

    @field_validator("units_called")
    @classmethod
    def _gate_knows_the_word(cls, word: str) -> str:
        if word not in config.PEOPLE:
            raise ValueError(f"the publish gate knows {', '.join(config.PEOPLE)}; '{word}' would pass it unseen")
        return word

    @field_validator("database")
    @classmethod
    def _database_is_a_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError("a database is named with small letters, digits and underscores, a letter first")
        return name

    @field_validator("user_id_pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError("not an IANA time zone, for example Asia/Jakarta") from error
        return zone

    def location(self, project: config.Project | None = None) -> Path:
        """The file or folder as an absolute path."""
        return (project or config.project()).root / self.path


def load_sources(project: config.Project | None = None) -> dict[str, Source]:
    """The sources by name, in the order of the file.

    Raises
    ------
    InvalidValue
        The file is missing or an entry is not valid; the message names file and entry.
    """
    path = (project or config.project()).data / "sources.yml"
    content = read_yaml(path)
    strangers = sorted(set(content) - {"sources"})
    if strangers or not isinstance(content.get("sources"), dict):
        what = f"unknown key '{strangers[0]}'" if strangers else "it must hold 'sources:' with one entry per source"
        raise InvalidValue(f"{shown(path)}: {what}.")
    return {str(name): _source(str(name), entry, path) for name, entry in content["sources"].items()}


def _source(name: str, entry: Any, path: Path) -> Source:
    where = f"{shown(path)}, source '{name}'"
    if not isinstance(entry, dict):
        raise InvalidValue(f"{where}: must hold title, kind and path.")
    if "name" in entry:
        raise InvalidValue(f"{where}: unknown key 'name' (the entry's own key is its name).")
    return validated(Source, {"name": name, **entry}, where)


def find_source(name: str, project: config.Project | None = None) -> Source:
    """The source of that name.

    Raises
    ------
    UnknownName
        No such entry; the message names the nearest one.
    """
    known = load_sources(project)
    if name not in known:
        raise unknown("source", name, known, "data/sources.yml")
    return known[name]


def list_sources(project: config.Project | None = None) -> list[dict[str, Any]]:
    """One row per source: name, title, kind, where, built, size_bytes.

    Nothing is opened, so listing is instant; ``size_bytes`` is None where nothing is built.
    """
    rows = []
    for source in load_sources(project).values():
        place = source.location(project)
        built = place.exists()
        rows.append(
            {
                "name": source.name, "title": source.title, "kind": source.kind, "where": source.path,
                "builder": source.builder, "built": built, "size_bytes": _size(place) if built else None,
            }
        )  # fmt: skip
    return rows


def _size(place: Path) -> int:
    files = [place] if place.is_file() else place.rglob("*.parquet")
    return sum(file.stat().st_size for file in files)
