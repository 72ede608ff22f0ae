"""Grades: every method is run where the truth is known, and its bias, coverage and false alarms are kept.

Names are looked up when first used: the worlds and the statistics are slow to import.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "GRADERS": "grading",
    "Grade": "grades",
    "Wanted": "scoring",
    "grade": "grading",
    "load_grades": "grades",
    "save_grade": "grades",
    "told": "grades",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
