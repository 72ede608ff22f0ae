"""The outline of the site: a pure function of the written chapters and the list of reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from analysis_lib.config import Project
from analysis_lib.errors import InvalidValue
from analysis_lib.publishing.markup import safe_title
from analysis_lib.publishing.reports import Page
from analysis_lib.publishing.schema import read_yaml

#: Folder of the report pages on the site.
REPORTS = "reports"

#: Where the reports stand among the parts of ``book/outline.yml``.
PLACEHOLDER = "reports"


class WrittenPart(BaseModel):
    """A caption and its chapters, as file names without ending."""

    model_config = ConfigDict(extra="forbid")

    title: str
    chapters: list[str]


class Outline(BaseModel):
    """``book/outline.yml``: the first page, and parts before and after the reports."""

    model_config = ConfigDict(extra="forbid")

    root: str
    parts: list[WrittenPart | str]


def read_outline(project: Project) -> Outline:
    """The hand-written outline.

    Raises
    ------
    InvalidValue
        A chapter has no file, or the place of the reports is not marked exactly once.
    """
    path = project.book / "outline.yml"
    outline = read_yaml(path, Outline)
    marks = [part for part in outline.parts if isinstance(part, str)]
    if marks != [PLACEHOLDER]:
        raise InvalidValue(
            f"{path}: parts must hold the word '{PLACEHOLDER}' once, where the reports go; it has {marks}"
        )
    for chapter in chapters(outline):
        if not (project.book / f"{chapter}.md").is_file():
            raise InvalidValue(f"{path}: chapter '{chapter}' has no file {Path(project.book.name) / chapter}.md")
    return outline


def chapters(outline: Outline) -> list[str]:
    """Every written chapter, the first page included."""
    return [outline.root, *(name for part in outline.parts if isinstance(part, WrittenPart) for name in part.chapters)]


def table_of_contents(
    outline: Outline, pages: Iterable[Page], *, below: Mapping[str, Iterable[str]] | None = None
) -> dict[str, Any]:
    """The content of Jupyter Book's ``_toc.yml``.

    Parameters
    ----------
    outline : Outline
        Written chapters.
    pages : iterable of Page
        Report pages in the order of the book.
    below : mapping of str to iterable of str
        Files that stand below a written chapter, without ending.
    """
    parts: list[dict[str, Any]] = []
    for part in outline.parts:
        if isinstance(part, WrittenPart):
            parts.append({"caption": part.title, "chapters": [_entry(name, below or {}) for name in part.chapters]})
        else:
            parts += _report_parts(pages)
    return {"format": "jb-book", "root": outline.root, "parts": parts}


def _entry(chapter: str, below: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    sections = [{"file": name} for name in below.get(chapter, ())]
    return {"file": chapter, "sections": sections} if sections else {"file": chapter}


def _report_parts(pages: Iterable[Page]) -> list[dict[str, Any]]:
    by_part: dict[str, list[dict[str, str]]] = {}
    for page in pages:
        by_part.setdefault(page.part, []).append({"file": f"{REPORTS}/{page.slug}", "title": safe_title(page.title)})
    return [{"caption": safe_title(caption), "chapters": entries} for caption, entries in by_part.items()]
