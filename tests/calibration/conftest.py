"""Draws of estimators whose error is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_path = Path(__file__).parent / "test_scoring.py"
_spec = importlib.util.spec_from_file_location("scoring_draws", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


@pytest.fixture
def drawn():
    """``drawn(n, truth, ...)``: draws of an estimator."""
    return _module.drawn
