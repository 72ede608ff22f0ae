"""A version of the app as it was assessed: how it spread, what it does, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.errors import unknown
from analysis_lib.releases import assessment_exhibits, assessment_text, verdict
from analysis_lib.releases.beside import Beside
from analysis_lib.releases.estimating import METRICS, Comparison
from analysis_lib.releases.release import Release
from analysis_lib.releases.visits import ALL
from analysis_lib.releases.worth import Worth
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Assessment(Finding):
    """What a version does.

    Attributes
    ----------
    release : Release
        Which, and what it is compared with.
    until : date
        Last day that was read.
    level : float
        Of all intervals.
    tolerances : dict of str to float
        Relative change of each metric that is tolerated.
    comparison : Comparison
        Cells and differences.
    looks : pandas.DataFrame
        As ``judging.judged``: every system, metric and day.
    last : pandas.DataFrame
        As ``judging.concluded``: what is known in the end.
    placebo : pandas.DataFrame | None
        What is known in the end of the same at an earlier time, when nobody had the version, of all systems together;
        None where it could not be done, or was not asked for.
    adoption, adopters : pandas.DataFrame
        As ``adoption_by_day`` and ``adoption_by_class``.
    beside : Beside
        Campaigns and experiments of the same days.
    n_other : int
        Visits that are left out: on other versions, or signed out.
    worth : Worth
        What it adds up to.
    """

    SENTENCES = assessment_text.SENTENCES
    EXHIBITS = assessment_exhibits.EXHIBITS
    CALLED = "an assessment"
    PLOTTED = "effects"

    release: Release
    until: date
    level: float
    tolerances: dict[str, float]
    comparison: Comparison
    looks: pd.DataFrame
    last: pd.DataFrame
    placebo: pd.DataFrame | None
    adoption: pd.DataFrame
    adopters: pd.DataFrame
    beside: Beside
    n_other: int
    worth: Worth

    @property
    def is_over(self) -> bool:
        """Whether no more days will be compared."""
        return self.release.is_over(self.until)

    @property
    def systems(self) -> list[str]:
        """Systems that can be told apart."""
        return [name for name in self.looks["system"].unique() if name != ALL]

    def effect(self, metric: str, system: str = ALL, *, relative: bool = False) -> Estimate:
        """One difference.

        Parameters
        ----------
        metric : str
            One of ``METRICS``.
        system : str
            A system, or ``all``.
        relative : bool
            As a share of the level without the version.

        Raises
        ------
        UnknownName
            There is no such metric or system.
        """
        if metric not in METRICS:
            raise unknown("metric", metric, METRICS, "what a version is judged by")
        if system not in {ALL, *self.systems}:
            raise unknown("system", system, [ALL, *self.systems], f"the systems of {self.release.platform}")
        row = self.row(metric, system)
        of = row["old"] if relative else 1.0
        unit = "share" if relative else ("ms" if metric.startswith("start_ms") else "pp")
        value, se, low, high = (row[name] / of for name in ("value", "se", "ci_lower", "ci_upper"))
        n, method = int(row["n_new"] + row["n_old"]), "same day, same kind of user, less what was before"
        return Estimate(value, se, low, high, self.level, unit, n, method)

    def row(self, metric: str, system: str = ALL) -> pd.Series:
        """The last look at one metric of one system."""
        return self.last[(self.last["metric"] == metric) & (self.last["system"] == system)].iloc[0]

    def to_frame(self) -> pd.DataFrame:
        """Differences, one row per system and metric.

        Returns
        -------
        DataFrame
            system, metric, value, se, ci_lower, ci_upper, new, old, n_new, n_old, rel_value, rel_ci_lower,
            rel_ci_upper, rel_limit, is_alarm, state.
        """
        return self.last[[
            "system", "metric", "value", "se", "ci_lower", "ci_upper", "new", "old", "n_new", "n_old", "rel_value",
            "rel_ci_lower", "rel_ci_upper", "rel_limit", "is_alarm", "state",
        ]]  # fmt: skip

    @property
    def decision(self) -> Decision:
        """The verdict by the printed rule."""
        return verdict.decide(self)

    @property
    def text(self) -> str:
        """What it does, and the verdict."""
        return assessment_text.whole(self)

    def answer(self, warehouse: Warehouse, *, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return assessment_text.answer(self, warehouse.name, grade)
