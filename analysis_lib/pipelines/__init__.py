"""Raw tables to marts: the same expressions on every engine, built by market-local day, checked.

Names are looked up when first used: Ibis takes longer to import than a command may take to start.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

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

__getattr__ = attributes(__name__, _HOMES)
