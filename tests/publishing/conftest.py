"""A tiny book in a temporary folder, and a warehouse that needs no engine."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from analysis_lib import calibration, errors
from analysis_lib.calibration.grades import code_version
from analysis_lib.calibration.scoring import score
from analysis_lib.config import Project
from analysis_lib.publishing import cache

PARAMETERS = """campaign: str = "18"  # campaign to review {column: campaigns.campaign_id}
metric: str = "gmv"  # what is measured {choices: gmv, orders}
weeks: int = 12  # weeks before the start {range: 6..26}
source: str = "shop"  # warehouse {source}"""


def write_notebook(path: Path, *code: str, parameters: str | None = None, heading: str = "# Did it pay?") -> Path:
    """A notebook with a heading, a parameters cell and the code cells given."""
    cells = [nbformat.v4.new_markdown_cell(heading)]
    if parameters is not None:
        cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells += [nbformat.v4.new_code_cell(text) for text in code]
    path.parent.mkdir(parents=True, exist_ok=True)
    spec = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=spec), path)
    return path


class FakeWarehouse:
    """Two campaigns and a fingerprint that a test can change."""

    columns = {"campaigns.campaign_id": ["13", "18"]}  # noqa: RUF012
    fingerprint = "data-1"
    project = None

    def value_exists(self, table, column, value):
        return str(value) in self.columns[f"{table}.{column}"]

    def values(self, table, column, limit):
        return self.columns[f"{table}.{column}"][:limit]


@pytest.fixture
def warehouse():
    return FakeWarehouse()


@pytest.fixture
def connect(warehouse):
    def open_source(source):
        if source != "shop":
            raise errors.unknown("source", source, ["shop"], "data/sources.yml")
        return warehouse

    return open_source


@pytest.fixture
def project(tmp_path, tmp_path_factory, monkeypatch) -> Project:
    """A project with one notebook, ``review``, that takes every kind of parameter and computes little."""
    # The real library may be edited while tests run; what changes in these tests is theirs to say.
    monkeypatch.setattr(cache, "LIBRARY", tmp_path_factory.mktemp("library"))
    book = Project(tmp_path)
    for folder in (book.notebooks, book.book, book.data):
        folder.mkdir()
    write_notebook(book.notebooks / "review.ipynb", 'print("campaign", campaign, weeks)', parameters=PARAMETERS)
    return book


@pytest.fixture
def notebook(project):
    """``notebook(name, *code, parameters=…)`` adds a notebook to the project."""

    def add(name, *code, **options):
        return write_notebook(project.notebooks / f"{name}.ipynb", *code, **options)

    return add


@pytest.fixture
def reports(project):
    """``reports(text)`` writes ``book/reports.yml``."""

    def write(text):
        (project.book / "reports.yml").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def drawn_grade():
    """The grade of a method whose ranges are half as wide as they should be."""
    rng = np.random.default_rng(1)
    value = rng.standard_normal(2000)
    draws = pd.DataFrame({"scenario": "a & b", "quantity": "q", "world": np.arange(2000) % 20, "estimate": value,
                          "ci_lower": value - 1, "ci_upper": value + 1, "truth": 0.0, "refused": False})  # fmt: skip
    entries = ("metrics.explaining",)
    return calibration.Grade(
        name="metrics.explain", title="Why a metric changed", how="Drawn so.", table=score(draws, level=0.95),
        wanted=(calibration.Wanted("coverage", 0.93, 0.97),), level=0.95, worlds=20, draws=2000, seed=1, seconds=60.0,
        graded_on="2026-11-24", code=code_version(entries), entries=entries,
    )  # fmt: skip
