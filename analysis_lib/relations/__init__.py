"""What goes together with a metric, between markets and over time: a regression asked in names of metrics."""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "Relation": "result",
    "fit_cells": "fitting",
    "relate": "relating",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
