"""The little marketplace of tests/pipelines."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_path = Path(__file__).parent.parent / "pipelines" / "conftest.py"
_spec = importlib.util.spec_from_file_location("pipelines_fixtures", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

shop, second_shop, same_marts, draw_tables = (
    _module.shop,
    _module.second_shop,
    _module.same_marts,
    _module.draw_tables,
)
