"""The notebooks of a project: where they are, what they ask and what they take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis_lib.config import Project
from analysis_lib.errors import unknown
from analysis_lib.publishing.cells import first_heading, load_notebook
from analysis_lib.publishing.parameters import Parameter, read_parameters


@dataclass(frozen=True, slots=True)
class NotebookCard:
    """What ``shopbook list`` says about a notebook.

    Attributes
    ----------
    name : str
        File name without suffix.
    title : str
        Its first heading.
    parameters : tuple[Parameter, ...]
        What it takes.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def notebook_paths(project: Project) -> list[Path]:
    """Notebook files in alphabetical order, without hidden and underscored ones."""
    return sorted(path for path in project.notebooks.glob("*.ipynb") if path.name[0] not in "._")


def find_notebook(project: Project, name: str) -> Path:
    """The file of a notebook by name; ``notebooks/x.ipynb`` is understood too.

    Raises
    ------
    UnknownName
        With the nearest name that exists.
    """
    known = {path.stem: path for path in notebook_paths(project)}
    stem = name.replace("\\", "/").removeprefix("notebooks/").removesuffix(".ipynb")
    if stem not in known:
        raise unknown("notebook", name, known, f"{project.notebooks}")
    return known[stem]


def catalog(project: Project) -> list[NotebookCard]:
    """A card for every notebook."""
    return [
        NotebookCard(path.stem, first_heading(load_notebook(path)) or path.stem, read_parameters(path))
        for path in notebook_paths(project)
    ]
