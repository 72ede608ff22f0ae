"""Grades are kept with the code they belong to, and told in sentences."""

from __future__ import annotations

import json

import pytest

from analysis_lib import calibration, config
from analysis_lib.calibration import grades, grading
from analysis_lib.calibration.scoring import score
from analysis_lib.errors import InvalidValue, ShopbookError


def grade_of(draws, **changes):
    fields = {
        "name": "metrics.explain", "title": "Why", "how": "Drawn so.", "table": score(draws, level=0.95),
        "wanted": (calibration.Wanted("coverage", 0.93, 0.97), calibration.Wanted("false_positive", 0, 0.06)),
        "level": 0.95, "worlds": 50, "draws": len(draws), "seed": 1, "seconds": 12.3, "graded_on": "2026-11-24",
        "code": grades.code_version(["metrics.explaining"]), "entries": ("metrics.explaining",),
    }  # fmt: skip
    return calibration.Grade(**{**fields, **changes})


@pytest.fixture
def project(tmp_path):
    return config.Project(tmp_path)


def test_what_is_kept_is_read_again(project, drawn):
    kept = grade_of(drawn(400, 0.0))
    calibration.save_grade(kept, project=project)
    (found,) = calibration.load_grades(project=project).values()
    assert found.table.round(6).equals(kept.table.round(6)) and found.wanted == kept.wanted
    assert found.is_current and found.text == kept.text


def test_changed_code_is_told(drawn):
    assert not grade_of(drawn(10, 0.0), code="0" * 16).is_current


def test_a_missed_grade_is_named_first(drawn):
    missed = grade_of(drawn(4000, 0.0, believed=0.5))
    assert "0 of 2 wanted grades reached, 2 missed" in missed.text and "coverage 67" in missed.text
    assert "2 of 2 wanted grades reached, 0 missed." in grade_of(drawn(4000, 0.0)).text


def test_pages_are_told_what_was_measured(project, drawn):
    assert calibration.told("metrics.explain", project=project) == "The method has not been graded here."
    calibration.save_grade(grade_of(drawn(4000, 0.0)), project=project)
    assert "95 % ranges of this method hold it in 95 % of draws" in calibration.told("metrics.explain", project=project)


@pytest.mark.parametrize("text", ["{", "{}", '{"rows": [], "wanted": []}', "[]"])
def test_a_damaged_file_is_named(project, text):
    folder = project.data / "grades"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(text)
    with pytest.raises(InvalidValue, match=r"x\.json in data/grades is damaged"):
        calibration.load_grades(project=project)


def test_what_is_not_graded_is_refused():
    with pytest.raises(ShopbookError, match=r"Did you mean 'metrics\.explain'"):
        calibration.grade("metrics.explan")
    for options in ({"worlds": 0}, {"draws": 1.5}, {"seed": -1}):
        with pytest.raises(InvalidValue, match="whole number from 1"):
            calibration.grade("metrics.explain", **options)


def test_the_shipped_grades_are_whole():
    """Every graded method is in the book, with every grade that was wanted of it."""
    shipped = calibration.load_grades()
    assert set(shipped) == set(grading.GRADERS)
    for name, grade in shipped.items():
        assert grade.wanted == grading.GRADERS[name].wanted and len(grade.verdicts()) >= len(grade.wanted)
        assert (grade.worlds >= 10 or grade.draws >= 2_000) and grade.how == grading.GRADERS[name].how


def test_nothing_but_numbers_and_names_is_kept(project, drawn):
    path = calibration.save_grade(grade_of(drawn(20, 0.0)), project=project)
    content = json.loads(path.read_text())
    assert set(content) == {
        "name", "title", "how", "level", "worlds", "draws", "seed", "graded_on", "code", "entries", "seconds",
        "wanted", "rows",
    }  # fmt: skip
