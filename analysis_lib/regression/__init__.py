"""Regressions on plain frames: a formula in; coefficients, errors chosen by rule, and their diagnostics out.

Names are looked up when first used: the libraries behind them are slow to import.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "Check": "check",
    "Diagnosis": "diagnosis",
    "DoubleLasso": "double_selection",
    "Fit": "result",
    "MarginalEffects": "marginal",
    "ModelAverage": "model_averaging",
    "SpecificationCurve": "specifications",
    "average_models": "model_averaging",
    "collinearity": "diagnostics",
    "diagnose": "diagnosis",
    "double_lasso": "double_selection",
    "effect_of": "words",
    "fit": "fitting",
    "functional_form": "diagnostics",
    "heteroskedasticity": "diagnostics",
    "influence": "diagnostics",
    "leverage": "diagnostics",
    "marginal_effects": "marginal",
    "overlap": "serial",
    "residuals": "diagnostics",
    "sentence": "words",
    "serial_correlation": "serial",
    "side_by_side": "table",
    "specification_curve": "specifications",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
