"""What the data hold of an experiment, as moments: everything a verdict is made of, and nothing row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.health import Health
from analysis_lib.experiments.plan import Plan
from analysis_lib.experiments.trial import Trial
from analysis_lib.metrics import Metric

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics.look_moments import LookMoments


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Moments of an experiment.

    Attributes
    ----------
    trial, plan : Trial, Plan
        What was run, and what was decided before.
    metrics : dict of str to Metric
        What was measured, success metrics first.
    start, end, data_end : date
        Market-local days that are read, and the last that the data hold.
    health : Health
        What speaks against it.
    arms : dict
        By metric and arm.
    ends : dict of str to date
        Last day that is read of each metric: later ones are not final.
    immature : dict of str to float
        Share of units exposed after that day.
    by_segment : dict
        By dimension, metric and (arm, value).
    quantiles : dict
        By metric and arm: quantile, standard error, units.
    caps, capped : dict
        Cap, and arms with the largest units capped, by metric.
    looks : dict of str to LookMoments
        What stood on earlier days.
    spans : tuple
        Early and late days since the exposure; empty where the test is too short.
    early_late : dict
        By metric and arm: the late days, the early ones as covariate.
    by_day : pandas.DataFrame | None
        Moments by day since the exposure.
    money : str
        Metric of money per unit; empty where the source has none.
    markets : dict
        Arms of ``money`` by (arm, market).
    sales : dict of str to float
        USD sold in the window, by market: by everybody.
    notes : tuple of str
        What was left out, in sentences.
    """

    trial: Trial
    plan: Plan
    metrics: dict[str, Metric]
    start: date
    end: date
    data_end: date
    health: Health
    arms: dict[str, dict[str, ArmMoments]]
    ends: dict[str, date] = field(default_factory=dict)
    immature: dict[str, float] = field(default_factory=dict)
    by_segment: dict[str, dict[str, dict[tuple, ArmMoments]]] = field(default_factory=dict)
    quantiles: dict[str, dict[str, tuple[float, float, float]]] = field(default_factory=dict)
    caps: dict[str, float] = field(default_factory=dict)
    capped: dict[str, dict[str, ArmMoments]] = field(default_factory=dict)
    looks: dict[str, LookMoments] = field(default_factory=dict)
    spans: tuple = ()
    early_late: dict[str, dict[str, ArmMoments]] = field(default_factory=dict)
    by_day: pd.DataFrame | None = None
    money: str = ""
    markets: dict[tuple, ArmMoments] = field(default_factory=dict)
    sales: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """Days that are read."""
        return (self.end - self.start).days + 1
