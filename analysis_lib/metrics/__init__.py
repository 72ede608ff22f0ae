"""Metrics, each defined once in ``data/metrics.yml``, and the one question that answers for all of them.

Names are looked up when first used: Ibis takes longer to import than a command may take to start.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "Aligned": "comparing",
    "Catalog": "catalogue",
    "Explanation": "explanation",
    "Metric": "declaration",
    "MetricResult": "result",
    "Moments": "moment_cells",
    "Registry": "registry",
    "catalog": "catalogue",
    "explain": "explaining",
    "load_metrics": "registry",
    "moments": "measuring",
    "moments_at": "look_moments",
    "moments_by_day": "day_moments",
    "query": "querying",
    "unit_quantiles": "capping",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
