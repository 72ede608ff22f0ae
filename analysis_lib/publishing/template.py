"""The notebook that ``shopbook new notebook`` starts from: the page skeleton, ready to run."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import nbformat

from analysis_lib.config import Project
from analysis_lib.errors import InvalidValue
from analysis_lib.publishing.files import write_whole

_NAME = re.compile(r"[a-z][a-z0-9_]{1,59}")

#: (kind, tags, text) of every cell; each code cell is led by prose. Texts are filled in: braces stand doubled.
_CELLS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "markdown",
        (),
        "# {question}\n\nOne sentence: who asks this, and what they do with the answer. Cells below load the library "
        "and set the parameters.",
    ),
    (
        "code",
        ("imports",),
        "from IPython.display import Markdown, display\n\nfrom analysis_lib import config, warehouse",
    ),
    ("markdown", (), "Every parameter is a typed literal with a comment; `shopbook list` prints them."),
    (
        "code",
        ("parameters",),
        'source: str = "complete_journey"  # warehouse: a name in data/sources.yml, a path or a URL {{source}}',
    ),
    ("markdown", (), "## What we looked at\n\nData, window, currency, maturity, and who is counted."),
    ("code", (), 'wh = warehouse.connect(source)\nn_orders = int(wh.table("orders").count().execute())'),
    ("markdown", (), "Numbers in prose come from results, never typed."),
    ("code", (), 'Markdown(f"The source **{{source}}** holds {{n_orders:,}} order lines.")'),
    ("markdown", (), "## What changed\n\nOne figure, and one sentence from the result's `.text`."),
    ("markdown", (), "## How sure are we\n\nPlacebo runs, sensitivity, the method's grade."),
    ("markdown", (), "## What to do next\n\nDecision, owner, money, next step. The finding gives the page its title."),
    (
        "code",
        (),
        "finding = {{\n"
        '    "title": "{question}",\n'
        '    "headline": f"{{n_orders:,}} order lines in {{source}}.",\n'
        '    "source": source,\n'
        "}}\n"
        "display({{config.FINDING_MIME: finding}}, raw=True)",
    ),
)


def new_notebook(project: Project, name: str) -> Path:
    """Write ``notebooks/NAME.ipynb`` from the page skeleton.

    Parameters
    ----------
    project : Project
        The checkout.
    name : str
        Lower-case words joined by underscores.

    Raises
    ------
    InvalidValue
        The name is not allowed or taken.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InvalidValue(f"'{name}' cannot name a notebook: {_suggest(name)}")
    path = project.notebooks / f"{name}.ipynb"
    # Case-insensitive file systems would overwrite Growth.ipynb with growth.ipynb.
    taken = {known.stem.casefold() for known in project.notebooks.glob("*.ipynb")}
    if name in taken:
        raise InvalidValue(f"{path} exists already. Choose another name, or remove it first")
    write_whole(path, nbformat.writes(skeleton(name)) + "\n")
    return path


def _suggest(name: str) -> str:
    rule = "lower-case letters, digits and underscores, beginning with a letter"
    better = re.sub(r"[^a-z0-9]+", "_", Path(name).name.removesuffix(".ipynb").lower()).strip("_")
    return f"{rule}. Try '{better}'" if better != name and _NAME.fullmatch(better) else rule


def skeleton(name: str) -> nbformat.NotebookNode:
    """The page skeleton as a notebook."""
    question = name.replace("_", " ").capitalize() + "?"
    makers = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    cells = []
    for place, (kind, tags, text) in enumerate(_CELLS):
        cell = makers[kind](text.format(question=question), metadata={"tags": list(tags)} if tags else {})
        cell["id"] = f"cell-{place}"
        cells.append(cell)
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=spec)
