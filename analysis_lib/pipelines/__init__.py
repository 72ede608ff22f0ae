"""Raw tables to marts: the same expressions on every engine, built by market-local day, checked.

Names are looked up when first used: Ibis takes longer to import than a command may take to start.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BuildReport": "report",
    "Built": "report",
    "Days": "declaration",
    "Lineage": "edges",
    "MARTS": "registry",
    "Mart": "declaration",
    "MartCheck": "checking",
    "build": "building",
    "check": "checking",
    "lineage": "edges",
    "mart": "access",
    "order_facts": "access",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis_lib.pipelines' has no attribute '{name}'")
    return getattr(importlib.import_module(f"analysis_lib.pipelines.{_HOMES[name]}"), name)
