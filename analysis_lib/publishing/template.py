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

#: (kind, tags, text) of every cell; each code cell is led by prose. ``QUESTION`` is filled in.
_CELLS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("markdown", (), "# QUESTION"),
    ("markdown", (), "Who asks this, and what they do with the answer, in one sentence."),
    (
        "code",
        ("hide-input",),
        "from analysis_lib import warehouse\n"
        "from analysis_lib.reporting import card, say, show, small_print\n"
        "from analysis_lib.results import Answer, Decision, format_count, nothing_to_show",
    ),
    ("markdown", (), "What is asked, and of which data; `shopbook list` prints these comments:"),
    (
        "code",
        ("parameters",),
        'source: str = "complete_journey"  # warehouse: a name in data/sources.yml, a path or a URL {source}',
    ),
    (
        "markdown",
        (),
        "The answer. Until there is an analysis in `analysis_lib` to call, it cannot be told:",
    ),
    (
        "code",
        (),
        "wh = warehouse.connect(source)\n"
        'n_lines = wh.query(wh.table("orders").count().name("n").as_table())["n"].item()\n'
        "decision = Decision(\n"
        '    "Cannot tell",\n'
        '    rule="Cannot tell: the data do not allow an estimate.",\n'
        '    reason="The analysis is not written yet.",\n'
        "    money_per_month=None,\n"
        '    owner="Analyst",\n'
        '    next_step="Write the analysis, and say which number would decide.",\n'
        ")",
    ),
    ("markdown", (), "Question, headline, number and verdict become the card, and this page's line on the first page:"),
    (
        "code",
        (),
        "answer = Answer(\n"
        '    title="QUESTION",\n'
        '    headline="It cannot be told yet.",\n'
        "    number=None,\n"
        '    number_of="",\n'
        "    decision=decision,\n"
        "    source=wh.name,\n"
        '    window="all orders",\n'
        '    as_of="",\n'
        "    counted=f\"{format_count(n_lines, 'order lines')}; say who is counted, in which currency, how mature.\",\n"
        '    grade="",\n'
        ")",
    ),
    ("markdown", (), "Shown:"),
    ("code", (), "card(answer)"),
    ("markdown", (), "The figure that shows it, an exhibit of the result:"),
    ("code", (), 'show(nothing_to_show("The answer in one figure", "the analysis is not written yet"))'),
    ("markdown", (), "The small print:"),
    ("code", (), "small_print(answer)"),
    ("markdown", (), "## What we looked at\n\nData, window, currency, maturity, and who is counted:"),
    ("code", (), "say(answer.counted)"),
    ("markdown", (), "## What changed\n\nOne figure, and one sentence from the result; numbers are never typed."),
    ("markdown", (), "## How sure are we\n\nPlacebo runs, sensitivity, the method's grade."),
    ("markdown", (), "## What to do next\n\nThe rule that chose the verdict, and the next step:"),
    (
        "code",
        (),
        'say(f"{decision.text} Rule: {decision.rule} Next step ({decision.owner}): {decision.next_step}")',
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
        cell = makers[kind](text.replace("QUESTION", question), metadata={"tags": list(tags)} if tags else {})
        cell["id"] = f"cell-{place}"
        cells.append(cell)
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=spec)
