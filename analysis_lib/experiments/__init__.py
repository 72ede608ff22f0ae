"""Experiments: designed from history, read with everything that speaks against them, decided by a printed rule.

Names are looked up when first used: what they need takes longer to import than a command may take to start.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "Design": "design_result",
    "Plan": "plan",
    "Programme": "programme_result",
    "Interference": "interference_result",
    "Readout": "readout",
    "design": "designing",
    "interference": "interfering",
    "load_plan": "plan",
    "programme": "programming",
    "read": "reading",
    "read_plan": "plan",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
