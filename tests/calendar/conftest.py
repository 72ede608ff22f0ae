"""Calendars that tests share."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from analysis_lib import config
from analysis_lib.calendar import load_calendar

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "calendar.yml"


@pytest.fixture(scope="session")
def calendar():
    """The calendar that ships."""
    return load_calendar(config.Project(SHIPPED.parents[1]))


@pytest.fixture(scope="session")
def _shipped():
    return yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))


@pytest.fixture
def changed(tmp_path, _shipped):
    """``changed(change) -> Calendar``: the shipped file after ``change(content)``, loaded from another checkout."""

    def load(change):
        content = copy.deepcopy(_shipped)
        content = change(content) or content
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "calendar.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return load_calendar(config.Project(tmp_path))

    return load
