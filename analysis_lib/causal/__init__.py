"""Causal methods on plain frames: columns by name in, estimates with diagnostics out."""

from analysis_lib.causal.adjusted_difference import AdjustedDifference, adjusted_difference
from analysis_lib.causal.balancing import BalancingWeights, entropy_balance
from analysis_lib.causal.calibration_by_placebo import FEWEST_PLACEBOS, PlaceboCalibration, calibrate
from analysis_lib.causal.event_study import EventStudy, event_study

__all__ = [
    "FEWEST_PLACEBOS",
    "AdjustedDifference",
    "BalancingWeights",
    "EventStudy",
    "PlaceboCalibration",
    "adjusted_difference",
    "calibrate",
    "entropy_balance",
    "event_study",
]
