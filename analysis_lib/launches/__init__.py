"""What goes live market by market, reviewed: what it does, where, and whether and where to go on.

Names are looked up when first used: what they need takes longer to import than a command may take to start.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "LaunchReview": "result",
    "all_launches": "launch",
    "review": "reviewing",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
