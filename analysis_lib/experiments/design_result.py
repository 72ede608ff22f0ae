"""A designed test: what it can find, how long it takes, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2, norm

from analysis_lib.errors import InvalidValue
from analysis_lib.experiments import design_exhibits, design_text, design_verdict
from analysis_lib.experiments.design_asking import Asked
from analysis_lib.experiments.design_checks import Clustering, Guard, effects_by_days, looks_in
from analysis_lib.experiments.design_history import History, Point
from analysis_lib.experiments.design_power import WEEK, between, chance, critical, detectable, units_for
from analysis_lib.experiments.design_switchback import Switchback
from analysis_lib.experiments.plan import Plan
from analysis_lib.experiments.trial import CONTROL, Trial
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Metric
    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Design(Finding):
    """A designed test.

    Attributes
    ----------
    asked : Asked
        What was asked.
    history : History
        What the metric did.
    days_needed : int | None
        Whole weeks, in days, after which the wanted effect can be found; None: more than ``history`` shows.
    planned_days : int
        Days that were asked for, or are needed; the longest that was measured where none are enough.
    start : date
        Planned first day.
    guards : tuple of Guard
        Guardrails at the planned length.
    segment_points : pandas.DataFrame | None
        Units and spread by segment, in the last days as long as the test.
    switchback : Switchback | None
        How markets would be switched.
    overlaps : tuple of Trial | None
        Tests of the same unit on the planned days; None where the source lists no tests.
    weekdays : pandas.DataFrame
        The metric by weekday.
    clustering : Clustering | None
        How far rows of one unit are alike, where it can be told.
    """

    SENTENCES = design_text.SENTENCES
    EXHIBITS = design_exhibits.EXHIBITS
    CALLED = "a design"
    PLOTTED = "curve"

    asked: Asked
    history: History
    days_needed: int | None
    planned_days: int
    start: date
    guards: tuple[Guard, ...]
    segment_points: pd.DataFrame | None
    switchback: Switchback | None
    overlaps: tuple[Trial, ...] | None
    weekdays: pd.DataFrame
    clustering: Clustering | None

    @property
    def metric(self) -> Metric:
        """The metric that is to decide."""
        return self.asked.metric

    @property
    def reach(self) -> float:
        """Standard errors that an effect must reach at the planned end."""
        return self.reach_in(self.planned_days)

    def reach_in(self, days: int) -> float:
        """The same for a test of some days."""
        asked = self.asked
        return critical(asked.alpha, asked.variants, asked.sequential, looks_in(days))

    @property
    def curve(self) -> pd.DataFrame:
        """Smallest effect that is found, by length of the test.

        Returns
        -------
        DataFrame
            days, n_units (all arms), value, mde, mde_cuped (missing where nothing is adjusted), days_to_read (until
            the metric is final).
        """
        import pandas as pd

        adjusted = effects_by_days(self.asked, self.history, adjusted=True)
        return pd.DataFrame(
            {
                "days": self.history.days, "n_units": [self.asked.reached(p.n_units) for p in self.history.points],
                "value": [point.value for point in self.history.points],
                "mde": effects_by_days(self.asked, self.history, adjusted=False),
                "mde_cuped": adjusted if self.history.is_adjusted else np.nan,
                "days_to_read": [days + self.metric.maturity_days for days in self.history.days],
            }
        )  # fmt: skip

    def mde_in(self, days: float, *, adjusted: bool = True) -> float:
        """Smallest effect that a test of some days finds.

        Raises
        ------
        NotEnoughData
            Longer or shorter than what was measured.
        """
        return between(self.history.days, effects_by_days(self.asked, self.history, adjusted=adjusted), days)

    @property
    def mde(self) -> float:
        """Smallest effect that is found in the planned days, as a share."""
        return self.mde_in(self.planned_days)

    @property
    def n_units(self) -> float:
        """Units of all arms in the planned days."""
        units = [self.asked.reached(point.n_units) for point in self.history.points]
        return between(self.history.days, units, self.planned_days)

    @property
    def units_needed(self) -> float:
        """Units of all arms with which the wanted effect is found, if they are as those of the planned days."""
        variance = between(self.history.days, [point.best for point in self.history.points], self.planned_days)
        return units_for(variance, self.asked.wanted, self.asked.shares, self.reach, self.asked.power)

    def power_for(self, effect: float) -> float:
        """Chance to find a relative effect in the planned days."""
        se = self.mde / (self.reach + float(norm.ppf(self.asked.power)))
        return chance(effect, se, self.reach)

    @property
    def mde_estimate(self) -> Estimate:
        """The smallest effect with its range over windows as long; of markets, with its 95 % interval.

        The next window would keep to the range as often as the level says.
        """
        value, n = self.mde, int(self.n_units)
        if self.switchback is not None:
            free = self.switchback.freedom
            low, high = (value * float(np.sqrt(free / chi2.ppf(q, free))) for q in (0.975, 0.025))
            return Estimate(value, (high - low) / 4, low, high, 0.95, "share", n, "switched markets")
        others = [self._mde_of(point) for point in self.history.earlier]
        seen = [value, *others]
        level = (len(seen) - 1) / (len(seen) + 1)  # of exchangeable windows, the next lies within those seen
        return Estimate(value, float(np.std(seen)), min(seen), max(seen), level, "share", n,
                        "range over windows of the history")  # fmt: skip

    def _mde_of(self, point: Point) -> float:
        return detectable(point.best, self.asked.reached(point.n_units), self.asked.shares, self.reach,
                          self.asked.power)  # fmt: skip

    @property
    def end(self) -> date:
        """Planned last day."""
        return self.start + timedelta(days=self.planned_days - 1)

    @property
    def read_on(self) -> date:
        """First day on which all metrics are final."""
        wait = max([self.metric.maturity_days, *(guard.metric.maturity_days for guard in self.guards)])
        return self.end + timedelta(days=1 + wait)

    @property
    def guardrails(self) -> pd.DataFrame:
        """Guardrails at the planned length.

        Returns
        -------
        DataFrame
            metric, margin, smallest_margin, can_be_shown, days_needed, n_units, days_to_read.
        """
        import pandas as pd

        rows = [
            {"metric": guard.metric.name, "margin": guard.margin, "smallest_margin": guard.smallest,
             "can_be_shown": guard.can_be_shown, "days_needed": guard.days_needed, "n_units": guard.n_units,
             "days_to_read": self.planned_days + guard.metric.maturity_days}
            for guard in self.guards
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["metric", "margin", "smallest_margin", "can_be_shown", "days_needed",
                                           "n_units", "days_to_read"])  # fmt: skip

    @property
    def segments(self) -> pd.DataFrame:
        """Smallest effect by segment, each tested by itself in the planned days.

        Returns
        -------
        DataFrame
            segment, n_units, value, mde, mde_cuped; most units first. Empty without ``by``.
        """
        import pandas as pd

        columns = ["segment", "n_units", "value", "mde", "mde_cuped"]
        if self.segment_points is None:
            return pd.DataFrame(columns=columns)
        found = self.segment_points.assign(n_units=self.segment_points["n_units"].map(self._reached_in_segment))
        for name, variance in (("mde", "var_rel"), ("mde_cuped", "var_rel_adjusted")):
            found[name] = [
                detectable(v, n, self.asked.shares, self.reach, self.asked.power)
                for v, n in zip(found[variance], found["n_units"], strict=True)
            ]
        return found[columns].sort_values("n_units", ascending=False, ignore_index=True)

    def _reached_in_segment(self, n: float) -> float:
        """A segment takes part as the whole does."""
        population, whole = self.asked.population, float(self.segment_points["n_units"].sum())
        return n * self.asked.reached(whole) / whole if population is not None else n

    def to_frame(self) -> pd.DataFrame:
        """The curve."""
        return self.curve

    @property
    def decision(self) -> Decision:
        """The verdict by the printed rule."""
        return design_verdict.decide(self)

    @property
    def text(self) -> str:
        """What the test finds, what its guardrails can show, and the verdict."""
        return design_text.whole(self)

    def answer(self, warehouse: Warehouse, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return design_text.answer(self, warehouse.name, grade)

    def plan(self, experiment: str, *, title: str = "", hypothesis: str = "", written_on: date | None = None,
             owner: str = "", arms: dict[str, float] | None = None) -> Plan:  # fmt: skip
        """The design as a plan that ``experiments.read`` holds itself to.

        Parameters
        ----------
        experiment : str
            Name of the experiment, as the source will have it.
        title, hypothesis, owner : str
            As in ``Plan``; without an owner it is the metric's.
        written_on : date, optional
            When the plan is written.
        arms : dict of str to float, optional
            Shares by the names that the source will have; by default those of the design.

        Raises
        ------
        InvalidValue
            The wanted effect cannot be found in any length that was measured, or the arms do not fit.
        """
        asked = self.asked
        if asked.days is None and self.days_needed is None:
            raise InvalidValue(
                f"no plan: {design_text.effect(self)} Ask for a larger mde, or for the days that it shall run."
            )
        chosen = asked.arms if arms is None else arms
        if list(chosen.values()) != asked.shares:
            raise InvalidValue(f"arms must have the shares {asked.shares} that the design was made for, control first.")
        return Plan(
            experiment=experiment, title=title, hypothesis=hypothesis, written_on=written_on, unit=asked.unit,
            control=CONTROL if arms is None else next(iter(chosen)), arms=dict(chosen), days=self.planned_days,
            success=[asked.metric.name], guardrails=dict(asked.guardrails), alpha=asked.alpha, power=asked.power,
            smallest=self.mde if asked.days is not None else asked.wanted, looks=asked.sequential, look_days=WEEK,
            covariate_days=self.history.pre_days, units=None if self.switchback else int(self.n_units),
            owner=owner or asked.metric.owner,
            **({"segments": [asked.by]} if asked.by else {}),
        )  # fmt: skip
