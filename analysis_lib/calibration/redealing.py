"""Experiments with their variants dealt out anew: what ``experiments.read`` would measure of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.calibration.crowds import COLUMNS, Crowd
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.balancing import balanced
from analysis_lib.experiments.beside import looks_of, spans_of
from analysis_lib.experiments.evidence import Evidence
from analysis_lib.experiments.exposures import FLAGS, Exposures
from analysis_lib.experiments.health import examine
from analysis_lib.experiments.plan import Plan
from analysis_lib.experiments.sample_ratio import planned_by_phase
from analysis_lib.experiments.trial import Trial
from analysis_lib.metrics.look_moments import LookMoments

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Registry

#: The first day, of which nothing hangs: only the distance between days counts.
_DAY = date(2026, 1, 5)


def evidence_of(crowd: Crowd, plan: Plan, dealt: np.ndarray, registry: Registry, *, looks: bool = True) -> Evidence:
    """What would be measured of units that had these variants.

    Parameters
    ----------
    dealt : numpy.ndarray
        Variant of each unit.
    looks : bool
        Whether earlier looks are measured, too.
    """
    one, end = Dealt(crowd, plan, dealt), _DAY + timedelta(days=crowd.days - 1)
    last = crowd.days - 1
    arms = {name: one.arms(one.values(name, last), one.by_then(last)) for name in plan.metrics}
    beforehand = {name: {arm: own.beforehand() for arm, own in found.items()} for name, found in arms.items()}
    trial, spans, days = _trial(plan), spans_of(_DAY, end), looks_of(plan, _DAY, end)
    planned = planned_by_phase(trial, sorted(set(crowd.phase)), plan.phases)
    seen = dict.fromkeys(FLAGS, 0) | {"seen": len(dealt)}
    exposures, first = Exposures(one.counts(), seen, planned), plan.success[0]
    return Evidence(
        trial=trial, plan=plan, metrics={name: registry.get(name) for name in plan.metrics}, start=_DAY, end=end,
        data_end=end, health=examine(exposures, trial, beforehand), arms=arms, ends=dict.fromkeys(plan.metrics, end),
        by_segment={"country": {first: one.by_country(first)}} if "country" in plan.segments else {},
        looks={name: one.looks(name, days) for name in plan.metrics} if looks else {}, spans=spans,
        early_late={name: one.early_and_late(name, spans) for name in plan.success} if spans else {},
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Dealt:
    """Units with a variant each.

    Attributes
    ----------
    crowd : Crowd
        The units.
    plan : Plan
        Their experiment.
    variant : numpy.ndarray
        Of each unit, shape (units,).
    """

    crowd: Crowd
    plan: Plan
    variant: np.ndarray

    def by_then(self, last: int) -> np.ndarray:
        """Which units were exposed by a day."""
        return self.crowd.exposed <= last

    def seen(self, column: str) -> np.ndarray:
        """A column by unit and day, each unit under its variant."""
        found = np.empty_like(self.crowd.done[self.plan.control][column])
        for variant, done in self.crowd.done.items():
            own = self.variant == variant
            found[own] = done[column][own]
        return found

    def values(self, name: str, last: int) -> np.ndarray:
        """Columns of a metric up to a day, and the same beforehand: shape (units, columns)."""
        now = [self.seen(column)[:, : last + 1].sum(axis=1) for column in COLUMNS[name]]
        return np.column_stack([*now, *(self.crowd.before[column] for column in COLUMNS[name])])

    def ordered(self) -> np.ndarray:
        """Whether a unit ordered at all, now and beforehand: shape (units, 2)."""
        now = self.seen("orders").sum(axis=1) > 0
        return np.column_stack([now, self.crowd.before["orders"] > 0]).astype(float)

    @staticmethod
    def dates(days: Iterable[int]) -> list[date]:
        """Dates of the ends of days, the first day being 1."""
        return [_DAY + timedelta(days=day - 1) for day in days]

    def arms(self, values: np.ndarray, of: np.ndarray) -> dict[str, ArmMoments]:
        """Arms of some units, made comparable where their shares changed."""
        phases = np.unique(self.crowd.phase[of]) if self.plan.phases else [""]
        cells = {}
        for phase in phases:
            here = of & (self.crowd.phase == phase) if self.plan.phases else of
            cells |= {(arm, phase): _moments(values[here & (self.variant == arm)]) for arm in self.plan.arms}
        cells = {key: arm for key, arm in cells.items() if arm is not None}
        if self.plan.phases:
            cells = balanced(cells, [self.plan.control, *self.plan.treatments])
        return {key[0]: arm for key, arm in cells.items()}

    def by_country(self, name: str) -> dict[tuple, ArmMoments]:
        """Arms of a metric by arm and market."""
        values, found = self.values(name, self.crowd.days - 1), {}
        for country in np.unique(self.crowd.country):
            own = self.arms(values, self.crowd.country == country)
            found |= {(arm, country): one for arm, one in own.items()}
        return found

    def looks(self, name: str, days: list[date]) -> LookMoments:
        """A metric as it stood at each look."""
        import pandas as pd

        arms, found = list(self.plan.arms), []
        sums = [np.cumsum(self.seen(column), axis=1) for column in COLUMNS[name]]
        before = [self.crowd.before[column] for column in COLUMNS[name]]
        for day in days:
            last = (day - _DAY).days
            values = np.column_stack([*(one[:, last] for one in sums), *before])
            own = self.arms(values, self.by_then(last))
            found.append([own.get(arm) or _nobody(values.shape[1]) for arm in arms])
        return LookMoments(
            metric=name, looks=tuple(days), cells=pd.DataFrame({"variant": arms}),
            n=np.array([[arm.n for arm in own] for own in found]),
            mean=np.stack([[arm.mean for arm in own] for own in found]),
            cov=np.stack([[arm.cov for arm in own] for own in found]), is_ratio=len(before) > 1, has_covariate=True,
        )  # fmt: skip

    def early_and_late(self, name: str, spans: tuple) -> dict[str, ArmMoments]:
        """The late days since the exposure of units that were followed through them, the early ones as covariate."""
        followed = self.crowd.exposed + spans[1][0] < self.crowd.days
        late, early = ([self._since(column, *span) for column in COLUMNS[name]] for span in reversed(spans))
        return self.arms(np.column_stack([*late, *early]), followed)

    def _since(self, column: str, first: int, last: int | None) -> np.ndarray:
        """Sums over days since the exposure."""
        days = np.arange(self.crowd.days)[None, :] - self.crowd.exposed[:, None]
        until = self.crowd.days if last is None else last
        return (self.seen(column) * ((days >= first) & (days <= until))).sum(axis=1)

    def counts(self) -> pd.DataFrame:
        """Units by variant, phase, day and market."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                "variant": self.variant, "phase": self.crowd.phase, "country": self.crowd.country, "platform": "app",
                "exposed_day": pd.Timestamp(_DAY) + pd.to_timedelta(self.crowd.exposed, unit="D"),
            }
        )  # fmt: skip
        keys = ["variant", "phase", "exposed_day", "country", "platform"]
        return frame.groupby(keys, as_index=False).size().rename(columns={"size": "n"})


def _trial(plan: Plan) -> Trial:
    begun = datetime.combine(_DAY, datetime.min.time())
    return Trial(
        experiment_id=plan.experiment, name=plan.title or plan.experiment, hypothesis=plan.hypothesis, unit=plan.unit,
        arms=dict(plan.arms), control=plan.control, primary=plan.success[0], guardrails=tuple(plan.guardrails),
        starts_at=begun, ends_at=begun + timedelta(days=plan.days),
    )  # fmt: skip


def _moments(values: np.ndarray) -> ArmMoments | None:
    if len(values) < 2:
        return None
    return ArmMoments(float(len(values)), values.mean(axis=0), np.cov(values, rowvar=False), values.shape[1] > 2, True)


def _nobody(width: int) -> ArmMoments:
    return ArmMoments(0.0, np.zeros(width), np.zeros((width, width)), width > 2, True)
