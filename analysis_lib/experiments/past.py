"""What other experiments found: the effects that a prior is learned from, and the programme's record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.experiments.arms import arms_of
from analysis_lib.experiments.balancing import balanced
from analysis_lib.experiments.effects import direction, effect_of
from analysis_lib.experiments.exposures import exposures_of
from analysis_lib.experiments.health import examine
from analysis_lib.experiments.trial import Trial, all_trials
from analysis_lib.metrics import load_metrics, moments
from analysis_lib.metrics.declaration import Quantile
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from analysis_lib.metrics import Metric
    from analysis_lib.warehouse import Warehouse


#: Effects by open warehouse: what is over does not change while a source is open.
_KNOWN: WeakKeyDictionary[Warehouse, dict[tuple[str, float], list[Past]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Past:
    """One arm of an experiment that is over.

    Attributes
    ----------
    experiment_id, variant, metric : str
        Which arm, and the metric that decided.
    effect : Estimate
        Relative effect, in the direction that is better.
    """

    experiment_id: str
    variant: str
    metric: str
    effect: Estimate


def past_effects(
    warehouse: Warehouse, trial: Trial | None, *, as_of: datetime | None, level: float = 0.95
) -> list[Past]:
    """Effects of the experiments that were over by a time, those that cannot be believed left out.

    Parameters
    ----------
    trial : Trial, optional
        The experiment that is read: not among its own past.
    as_of : datetime, optional
        UTC; by default the end of the data.
    """
    registry, found = load_metrics(warehouse.project), []
    for other in all_trials(warehouse):
        if trial is not None and other.experiment_id == trial.experiment_id:
            continue
        if other.ends_at is None or (as_of is not None and other.ends_at > as_of):
            continue
        if other.primary not in registry.names or isinstance(registry.get(other.primary), Quantile):
            continue
        known = _KNOWN.setdefault(warehouse, {})
        key = (other.experiment_id, level)
        if key not in known:
            known[key] = _effects(warehouse, other, registry.get(other.primary), level)
        found += known[key]
    return found


def _effects(warehouse: Warehouse, trial: Trial, metric: Metric, level: float) -> list[Past]:
    sign, found = direction(metric), []
    try:
        exposures = exposures_of(warehouse, trial)
        if not examine(exposures, trial, {}).passed:
            return []
        cut = ("variant", "phase") if exposures.is_ramped else ("variant",)
        got = moments(warehouse, trial.primary, unit=trial.unit, by=cut, experiment=trial.experiment_id)
        cells = arms_of(got, trial.primary, cut=cut)
        cells = balanced(cells, list(trial.arms)) if exposures.is_ramped else cells
        arms = {key[0]: arm for key, arm in cells.items()}
        for variant in (variant for variant in trial.treatments if {variant, trial.control} <= set(arms)):
            effect = effect_of(arms[trial.control], arms[variant], level=level, unit="").rel_effect
            if effect.se > 0:
                found.append(Past(trial.experiment_id, variant, trial.primary, effect.scaled(sign)))
    except (InvalidValue, NotEnoughData):
        # What cannot be read teaches nothing; it is read, and says so, on a page of its own.
        return []
    return found
