"""App versions assessed: who has them, what they do to crashes, start times and conversion, and whether to go on.

Names are looked up when first used: what they need takes longer to import than a command may take to start.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "Assessment": "assessment",
    "all_releases": "release",
    "assess": "assessing",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
