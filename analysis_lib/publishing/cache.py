"""When a page need not be run again: the digest of everything that can change it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import analysis_lib
from analysis_lib.closure import code_digest
from analysis_lib.config import Project
from analysis_lib.publishing.cells import cell_source, cell_tags, load_notebook
from analysis_lib.publishing.files import file_digest
from analysis_lib.publishing.parameters import read_parameters, source_of
from analysis_lib.publishing.resolution import Connect, connect_source

#: Floors above the notebooks: no notebook calls them, so a change there makes no run again.
_ABOVE = ("publishing", "cli")

#: The helper library in use.
LIBRARY = Path(analysis_lib.__file__).resolve().parent

#: ``from analysis_lib import a, b`` and ``from analysis_lib.a import c`` in a notebook.
_IMPORTS = re.compile(r"^from analysis_lib import (.+)$", re.MULTILINE)
_DEEPER = re.compile(r"^from analysis_lib\.([\w.]+) import ", re.MULTILINE)

_DATA_SUFFIXES = (".yml", ".yaml", ".json", ".csv")


def digest(*parts: Any) -> str:
    """SHA-256 of plain values.

    Examples
    --------
    >>> digest("a", 1) == digest("a", 1), digest("a", 1) == digest("a", 2)
    (True, False)
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str).encode()).hexdigest()


def notebook_digest(path: Path) -> str:
    """Digest of what a notebook says and does: cells and tags, no outputs, no other metadata."""
    cells = load_notebook(path)["cells"]
    return digest([[cell.get("cell_type"), cell_source(cell), sorted(cell_tags(cell))] for cell in cells])


def code_of(project: Project, path: Path) -> str:
    """Digest of the library's code behind a notebook: the packages that it imports, and what these import."""
    cells = [cell_source(cell) for cell in load_notebook(path)["cells"] if cell.get("cell_type") == "code"]
    entries = sorted({name for text in cells for line in _IMPORTS.findall(text) for name in re.findall(r"\w+", line)})
    entries += sorted({name for text in cells for name in _DEEPER.findall(text)})
    roots = [root for root in dict.fromkeys([LIBRARY, (project.root / "analysis_lib").resolve()]) if root.is_dir()]
    return digest(entries, [code_digest(entries, root) for root in roots])


def data_digest(project: Project) -> str:
    """Digest of the data about data."""
    return digest([(str(path), file_digest(project.data / path)) for path in _data_files(project)])


def library_digest(project: Project) -> str:
    """Digest of all of the helper library's code and of the data about data."""
    roots = dict.fromkeys([LIBRARY, (project.root / "analysis_lib").resolve()])
    code = [
        (str(path.relative_to(root)), file_digest(path))
        for root in roots
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).parts[0] not in _ABOVE
    ]
    return digest(code, data_digest(project))


def _data_files(project: Project) -> Iterable[Path]:
    found = (path for path in project.data.rglob("*") if path.suffix in _DATA_SUFFIXES and path.is_file())
    return sorted(path.relative_to(project.data) for path in found if project.built not in path.parents)


class Fingerprints:
    """Digests that the pages of one build share, each computed once.

    Parameters
    ----------
    project : Project
        The checkout.
    connect : Callable, optional
        Opens a source by name.
    """

    def __init__(self, project: Project, connect: Connect | None = None) -> None:
        self._connect = connect or connect_source
        self._project = project
        self._shared = (data_digest(project), file_digest(project.root / "requirements.txt"))
        self._notebooks: dict[Path, tuple[str, str]] = {}
        self._sources: dict[str, str] = {}

    def key(self, path: Path, values: Mapping[str, Any]) -> str:
        """The cache key of a notebook with the resolved value of every parameter."""
        if path not in self._notebooks:
            self._notebooks[path] = notebook_digest(path), code_of(self._project, path)
        source = source_of(read_parameters(path), dict(values))
        return digest(self._notebooks[path], dict(values), self._shared, self._data(source))

    def _data(self, source: str | None) -> str:
        if source is None:
            return ""
        if source not in self._sources:
            self._sources[source] = str(self._connect(source).fingerprint)
        return self._sources[source]
