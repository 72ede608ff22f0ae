"""What a notebook of the book may hold: narrative and calls, never algorithms."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

MOST_CELLS, MOST_CODE_LINES = 40, 120
LONGEST_CELL, LONGEST_FOLDED_CELL = 12, 20
FOLDED = {"hide-input", "remove-input", "hide-cell"}
CHECKED = "nbval-check-output"
ALGORITHMS = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Try, ast.For, ast.While, ast.With,
)  # fmt: skip

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook.cells


def code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in cells(path) if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def lines(cell: nbformat.NotebookNode) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def calls(cell: nbformat.NotebookNode) -> set[str]:
    """Names that the cell calls as expressions of their own: ``say(...)`` gives {'say'}."""
    statements = ast.parse(cell.source).body
    return {
        node.value.func.id
        for node in statements
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
    }


def test_is_short(path):
    assert len(cells(path)) <= MOST_CELLS
    assert sum(len(lines(cell)) for cell in code(path)) <= MOST_CODE_LINES
    for cell in code(path):
        assert len(lines(cell)) <= (LONGEST_FOLDED_CELL if tags(cell) & FOLDED else LONGEST_CELL), cell.source


def test_holds_no_algorithm(path):
    for cell in code(path):
        found = [type(node).__name__ for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ALGORITHMS)]
        assert found == [], cell.source
        assert not cell.source.lstrip().startswith(("%", "!"))


def test_has_one_title_which_is_a_question(path):
    headings = [line for cell in cells(path) if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    titles = [line for line in headings if line.startswith("# ")]
    assert len(titles) == 1
    assert titles[0].rstrip().endswith("?")
    assert cells(path)[0].source.startswith("# ")


def test_has_one_cell_of_parameters_with_types_and_comments(path):
    marked = [cell for cell in code(path) if "parameters" in tags(cell)]
    assert len(marked) == 1
    statements = ast.parse(marked[0].source).body
    assert all(isinstance(node, ast.AnnAssign) for node in statements), "typed assignments only"
    for node in statements:
        ast.literal_eval(node.value)  # nothing derived
    assert all("  # " in line for line in lines(marked[0])), "the comment is what `shopbook list` prints"


def test_imports_stand_in_one_cell_and_come_from_the_library(path):
    imports = (ast.Import, ast.ImportFrom)
    having = [cell for cell in code(path) if any(isinstance(n, imports) for n in ast.walk(ast.parse(cell.source)))]
    assert len(having) == 1
    assert all(isinstance(node, imports) for node in ast.parse(having[0].source).body)
    assert tags(having[0]) & FOLDED, "imports are folded away"


def test_every_code_cell_is_led_by_prose(path):
    """Prose, or a sentence that the cell before it says."""
    before = None
    for cell in cells(path):
        if cell.cell_type == "code":
            said = before is not None and before.cell_type == "code" and calls(before) == {"say"}
            assert before is not None, "the first cell is code"
            assert (before.cell_type == "markdown" and before.source.strip()) or said, cell.source
        before = cell


def test_prose_types_no_results(path):
    """Numbers of a run come from results; prose may speak of no amount of money and no percentage."""
    for cell in cells(path):
        if cell.cell_type == "markdown":
            assert "$" not in cell.source
            assert "%" not in cell.source


def test_outputs_are_stripped_unless_they_are_checked(path):
    for cell in code(path):
        if CHECKED in tags(cell):
            assert all(output.output_type != "error" for output in cell.outputs)
        else:
            assert cell.outputs == [], cell.source
            assert cell.execution_count is None


def test_checked_outputs_are_there(path):
    """nbval passes a tagged cell without an output and compares nothing."""
    assert all(cell.outputs and cell.execution_count for cell in code(path) if CHECKED in tags(cell))


def test_sections_follow_the_skeleton(path):
    """H1, then the answer, then sections one level down; no level is skipped."""
    levels = [
        len(line) - len(line.lstrip("#"))
        for cell in cells(path) if cell.cell_type == "markdown"
        for line in cell.source.splitlines() if line.startswith("#")
    ]  # fmt: skip
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
