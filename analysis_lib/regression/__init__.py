"""Regressions on plain frames: a formula in; coefficients, errors chosen by rule, and their diagnostics out.

Names are looked up when first used: the libraries behind them are slow to import.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "DoubleLasso": "double_selection",
    "Fit": "result",
    "ModelAverage": "model_averaging",
    "average_models": "model_averaging",
    "double_lasso": "double_selection",
    "fit": "fitting",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
