"""Metrics, each defined once in ``data/metrics.yml``, and the one question that answers for all of them.

Names are looked up when first used: Ibis takes longer to import than a command may take to start.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Aligned": "comparing",
    "Metric": "declaration",
    "MetricResult": "result",
    "Registry": "registry",
    "load_metrics": "registry",
    "query": "querying",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis_lib.metrics' has no attribute '{name}'")
    return getattr(importlib.import_module(f"analysis_lib.metrics.{_HOMES[name]}"), name)
