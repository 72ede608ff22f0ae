"""Notebook files as plain dictionaries: cells, tags, headings."""

from __future__ import annotations

import json
from pathlib import Path

from analysis_lib.errors import InvalidValue


def load_notebook(path: Path) -> dict:
    """A notebook file as a plain dictionary.

    Raises
    ------
    InvalidValue
        The file is not a notebook.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{path} is not a readable notebook: {error}") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise InvalidValue(f"{path} is not a notebook: it has no list of cells")
    return notebook


def cell_source(cell: dict) -> str:
    """The text of a cell; files store it as one string or as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def cell_tags(cell: dict) -> list[str]:
    """The tags of a cell."""
    return list(cell.get("metadata", {}).get("tags", []))


def first_heading(notebook: dict) -> str:
    """The text of the first level-one heading, or nothing."""
    for cell in notebook["cells"]:
        if cell.get("cell_type") == "markdown":
            for line in cell_source(cell).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return ""


def is_imports(source: str) -> bool:
    """Whether a cell is there for its imports.

    Examples
    --------
    >>> is_imports("import pandas as pd\\nfrom x import y"), is_imports("1 + 1")
    (True, False)
    """
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    starts = [line.startswith(("import ", "from ")) for line in lines]
    return bool(starts) and starts[0] and 2 * sum(starts) >= len(starts)
