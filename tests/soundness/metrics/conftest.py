"""The shop of tests/metrics."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_path = Path(__file__).parents[2] / "metrics" / "conftest.py"
_spec = importlib.util.spec_from_file_location("metrics_fixtures", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

shop, equipped, counter, counter_of, registry_of = (
    _module.shop,
    _module.equipped,
    _module.counter,
    _module.counter_of,
    _module.registry_of,
)
