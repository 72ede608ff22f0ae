"""The notebook that `shopbook new notebook` writes: it keeps the rules, runs as it is, and can be published."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from analysis_lib import config
from analysis_lib.config import Project
from analysis_lib.errors import InvalidValue
from analysis_lib.publishing.cells import is_imports
from analysis_lib.publishing.findings import read_finding
from analysis_lib.publishing.gate import problems
from analysis_lib.publishing.parameters import read_parameters
from analysis_lib.publishing.provenance import stamp
from analysis_lib.publishing.records import run_folder
from analysis_lib.publishing.reports import load_reports
from analysis_lib.publishing.runner import run_pages
from analysis_lib.publishing.template import new_notebook, skeleton

LONGEST_CELL, MOST_CELLS, MOST_LINES = 12, 40, 120


def code_cells():
    return [cell for cell in skeleton("creator_reach").cells if cell.cell_type == "code"]


def test_it_keeps_the_rules_for_notebooks():
    cells = skeleton("creator_reach").cells
    lines = [len(cell.source.splitlines()) for cell in code_cells()]
    assert max(lines) <= LONGEST_CELL and sum(lines) <= MOST_LINES and len(cells) <= MOST_CELLS
    assert sum(is_imports(cell.source) for cell in code_cells()) == 1
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in cells) == 1
    headings = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    assert [line for line in headings if line.startswith("# ")] == ["# Creator reach?"]
    kinds = [cell.cell_type for cell in cells]
    assert all(kinds[place - 1] == "markdown" for place, kind in enumerate(kinds) if kind == "code")
    assert not any(re.search(r"^\s*(def|class|try|for)\b", cell.source, re.MULTILINE) for cell in code_cells())


def test_it_has_the_sections_of_the_campaign_review():
    sections = {"## What we looked at", "## What changed", "## How sure are we", "## What to do next"}
    said = {line for cell in skeleton("x1").cells for line in cell.source.splitlines()}
    assert sections <= said


@pytest.mark.parametrize(("name", "said"), [("Growth", "Try 'growth'"), ("class", "cannot name"), ("review", "exists")])
def test_a_name_that_cannot_be_is_refused(project, name, said):
    with pytest.raises(InvalidValue, match=said):
        new_notebook(project, name)


def test_names_do_not_break_out_of_the_template():
    assert nbformat.validate(skeleton("question_1")) is None


@pytest.mark.slow
def test_it_runs_as_it_is_and_can_be_published(tmp_path: Path, complete_journey):
    """One real kernel over the real source, then everything but Jupyter Book itself."""
    real, project = config.project(), Project(tmp_path)
    for folder in (project.book, project.notebooks, project.data):
        folder.mkdir()
    new_notebook(project, "creator_reach")
    (project.data / "sources.yml").write_text((real.data / "sources.yml").read_text(encoding="utf-8"), encoding="utf-8")
    (project.data / "contract").symlink_to(real.contract)
    (project.data / "built").symlink_to(real.built)
    (project.book / "reports.yml").write_text("parts: [{title: New, reports: [{notebook: creator_reach}]}]")
    (record,) = run_pages(project, load_reports(project).pages, jobs=1, plain_kernel=True)
    assert record.ok, record.error
    page = nbformat.read(run_folder(project, record.slug).page, as_version=4)
    assert problems(page, [r"\bhh\d{4}\b"]) == []
    finding = read_finding(page)
    assert (finding.title, finding.decision) == ("Creator reach?", "Cannot tell")
    made = stamp(page, record, read_parameters(project.notebooks / "creator_reach.ipynb"))
    shown = "".join(output.data.get("text/html", "") for cell in made.cells for output in cell.get("outputs", []))
    assert 'class="sb-verdict sb-cannot-tell">Cannot tell' in shown
    assert "No number: not enough data" in shown and "order lines; say who" in shown
