"""Causal methods on plain frames: columns by name in, estimates with diagnostics out."""

from analysis_lib.causal.adjusted_difference import AdjustedDifference, adjusted_difference
from analysis_lib.causal.balanced_event_study import balanced_event_study
from analysis_lib.causal.balancing import BalancingWeights, entropy_balance
from analysis_lib.causal.beyond_doubt import beyond_doubt
from analysis_lib.causal.calibration_by_placebo import FEWEST_PLACEBOS, PlaceboCalibration, calibrate
from analysis_lib.causal.difference_in_differences import difference_in_differences
from analysis_lib.causal.double_ml import DoubleMlEffect, double_ml
from analysis_lib.causal.drawn_effects import DrawnEffects, drawn_effects
from analysis_lib.causal.event_study import EventStudy, event_study
from analysis_lib.causal.instrument import InstrumentEffect, instrument
from analysis_lib.causal.interrupted_series import InterruptedSeries, interrupted_series
from analysis_lib.causal.one_treated import FEWEST_DAYS, FEWEST_DONORS, OneTreated, one_treated
from analysis_lib.causal.overlap import Overlap, overlap
from analysis_lib.causal.panel import Panel, panel_of
from analysis_lib.causal.panel_effect import PanelEffect
from analysis_lib.causal.proportional_difference import proportional_difference
from analysis_lib.causal.randomised_difference import GroupMoments, randomised_difference
from analysis_lib.causal.ratio_interval import ratio_interval
from analysis_lib.causal.rollout import RolloutEffect, rollout
from analysis_lib.causal.sensitivity import (
    EValue,
    PlaceboInTime,
    e_value,
    honest_bounds,
    leave_one_out,
    placebo_in_time,
    pretrend_power,
)
from analysis_lib.causal.staggered import StaggeredEffect, staggered
from analysis_lib.causal.synthetic import augmented_synthetic_control, synthetic_control, synthetic_did

__all__ = [
    "FEWEST_DAYS",
    "FEWEST_DONORS",
    "FEWEST_PLACEBOS",
    "AdjustedDifference",
    "BalancingWeights",
    "DoubleMlEffect",
    "DrawnEffects",
    "EValue",
    "EventStudy",
    "GroupMoments",
    "InstrumentEffect",
    "InterruptedSeries",
    "OneTreated",
    "Overlap",
    "Panel",
    "PanelEffect",
    "PlaceboCalibration",
    "PlaceboInTime",
    "RolloutEffect",
    "StaggeredEffect",
    "adjusted_difference",
    "augmented_synthetic_control",
    "balanced_event_study",
    "beyond_doubt",
    "calibrate",
    "difference_in_differences",
    "double_ml",
    "drawn_effects",
    "e_value",
    "entropy_balance",
    "event_study",
    "honest_bounds",
    "instrument",
    "interrupted_series",
    "leave_one_out",
    "one_treated",
    "overlap",
    "panel_of",
    "placebo_in_time",
    "pretrend_power",
    "proportional_difference",
    "randomised_difference",
    "ratio_interval",
    "rollout",
    "staggered",
    "synthetic_control",
    "synthetic_did",
]
