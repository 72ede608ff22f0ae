"""Effects when units start in different periods, without comparing the treated with the treated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.causal.difference_in_differences import FEWEST_CLUSTERS, of_units, reach_of
from analysis_lib.causal.panel import Panel, panel_of
from analysis_lib.causal.staggered_methods import METHODS, Asked
from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.results import Estimate, Result, format_count

#: Whom each method can compare with; the first is the default.
CONTROLS = {
    "callaway_santanna": ("never", "not_yet"),
    "sun_abraham": ("never",),
    "imputation": ("not_yet",),
}


@dataclass(frozen=True, slots=True, eq=False)
class StaggeredEffect(Result):
    """Effects by time since the start and by group, and their averages.

    Attributes
    ----------
    estimate : Estimate
        Average over all treated unit-periods. Its unit is the name of the outcome column.
    averages : dict[str, Estimate]
        By aggregation: ``unit_period`` (the estimate); ``event_time``, the even average over event times
        from 0 on; ``group``, each treated unit's own average over its periods, averaged over units.
        What a method cannot give with an error is left out: ``sun_abraham`` has no ``group``,
        ``imputation`` only ``unit_period``.
    events : pandas.DataFrame
        event_time, value, se, ci_lower, ci_upper; 0 is the first treated period, counted in periods of
        the panel. Each interval on its own, and infinite if single clusters are behind it.
    groups : pandas.DataFrame or None
        group (first treated period), value, se, ci_lower, ci_upper; None for ``sun_abraham``.
    pretrend_pvalue : float or None
        Joint test that all effects before the start are zero; None if there is no earlier effect,
        or none that varies.
    method, control : str
        As asked for.
    anticipation : int
        Periods before the start in which an effect is allowed.
    n_treated, n_never : int
        Units ever treated within the panel, and never.
    surface : object
        diff-diff's event study against one common period, for ``honest_bounds`` and
        ``pretrend_power``; None unless ``callaway_santanna``.
    """

    estimate: Estimate
    averages: dict[str, Estimate]
    events: pd.DataFrame
    groups: pd.DataFrame | None
    pretrend_pvalue: float | None
    method: str
    control: str
    anticipation: int
    n_treated: int
    n_never: int
    surface: object

    @property
    def text(self) -> str:
        """The average effect, and what the periods before the start say."""
        if self.pretrend_pvalue is None:
            before = "The trends before the start could not be tested."
        else:
            before = f"The effects before the start are jointly zero with p = {self.pretrend_pvalue:.2f}."
        return f"{self.estimate.text}, over {format_count(self.n_treated)} units. {before}"

    def to_frame(self) -> pd.DataFrame:
        """The effects by event time."""
        return self.events.copy()


def staggered(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    first_treated: str,
    method: str = "callaway_santanna",
    control: str | None = None,
    anticipation: int = 0,
    level: float = 0.95,
    cluster: str | None = None,
) -> StaggeredEffect:
    """Average effects on the treated when the start differs from unit to unit.

    All three methods rest on parallel trends without treatment, and on no effect earlier than
    ``anticipation`` periods before the start. ``callaway_santanna`` compares each group's change since
    its last untreated period with the controls' change; ``sun_abraham`` gets the same from one
    regression with group-by-period effects; ``imputation`` predicts the treated periods from all
    untreated ones, which is more precise if the trends are parallel throughout.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit and period, all units in all periods. Without never-treated units it is read
        until the last group starts: that group is then the one to compare with.
    outcome, unit, time, first_treated : str
        Columns; ``first_treated`` is the unit's first treated period, 0 or missing for never. A start
        after the last period counts as never.
    method : str
        ``callaway_santanna``, ``sun_abraham`` or ``imputation``.
    control : str, optional
        ``never``: units never treated; ``not_yet``: also those treated later. By default ``never``, the
        only one of ``sun_abraham``, or for ``imputation`` its only one, ``not_yet``.
    anticipation : int
        Periods before the start in which an effect is allowed, 0 or more; only 0 for ``imputation``.
        The averages count periods from the start on.
    level : float
        Level of the intervals. They are Student's: the treated clusters behind a number, less the groups
        they belong to, are its degrees of freedom, and its error is raised to match (``reach_of``).
    cluster : str, optional
        Column of the clusters in which errors go together, the unit by default; constant in a unit.

    Raises
    ------
    UnknownName
        If the method or the control is unknown.
    ContractError
        If a column is missing.
    InvalidValue
        If ``first_treated`` or the cluster changes within a unit, two rows share unit and period, or
        ``anticipation`` is not allowed.
    NotEnoughData
        If nobody is treated, units are treated from the first period on, units are incomplete, nobody
        is left to compare with, or there are fewer than ``FEWEST_CLUSTERS`` treated clusters (one more
        for each further start) or clusters to compare with.

    Notes
    -----
    diff-diff without covariates: ``CallawaySantAnna(estimation_method="reg", base_period="varying")``,
    ``SunAbraham(df_convention="normal")``, ``ImputationDiD(pretrends=True)``. Errors are analytic
    (influence functions); R's ``did`` prints bootstrapped ones, which differ in the fourth decimal.
    diff-diff's own averages of Callaway and Sant'Anna count anticipation periods as treated, so those
    over groups and unit-periods are summed here (``group_time``), as in R.

    In 200 simulated panels with 5 treated units in one group, or 6 in two, of 65 or 66, the intervals
    covered 95 to 99 % at 95 %, where normal ones covered 80 to 87 %. The test of the trends has no such
    correction: with few treated clusters it finds a difference too often.

    References
    ----------
    Callaway and Sant'Anna (2021), "Difference-in-differences with multiple time periods", Journal of
    Econometrics 225(2). Sun and Abraham (2021), same issue. Borusyak, Jaravel and Spiess (2024),
    "Revisiting event-study designs", Review of Economic Studies 91(6).
    """
    control = _control_of(method, control, anticipation)
    panel = panel_of(frame, outcome=outcome, unit=unit, time=time, first_treated=first_treated, donors_needed=False)
    clusters = panel.units if cluster is None else of_units(frame, unit, cluster, panel)
    panel = _comparable(panel, control, anticipation)
    _check_groups(panel, clusters, anticipation)
    counts = _Counts(panel, clusters)
    codes = None if cluster is None else pd.factorize(clusters)[0]
    parts = METHODS[method](Asked(panel=panel, control=control, anticipation=anticipation, clusters=codes))
    averages = {
        name: counts.estimate(*found, level, outcome, f"{method}, by {name}") for name, found in parts.averages.items()
    }
    return StaggeredEffect(
        estimate=averages["unit_period"], averages=averages, events=counts.at_events(parts.events, level),
        groups=None if parts.groups is None else counts.at_groups(parts.groups, level),
        pretrend_pvalue=parts.pretrend_pvalue, method=method, control=control, anticipation=anticipation,
        n_treated=int(panel.is_treated.sum()), n_never=len(panel.donors), surface=parts.surface,
    )  # fmt: skip


def _control_of(method: str, control: str | None, anticipation: int) -> str:
    """The control that is meant, once method, control and anticipation go together."""
    if method not in CONTROLS:
        raise unknown("method", method, CONTROLS, "the methods of `staggered`")
    if control is None:
        control = CONTROLS[method][0]
    if control not in CONTROLS[method]:
        raise unknown("control", control, CONTROLS[method], f"those that `{method}` can use")
    if anticipation < 0 or anticipation != int(anticipation):
        raise InvalidValue(f"anticipation is {anticipation}; it is a number of periods, 0 or more")
    if anticipation and method == "imputation":
        raise InvalidValue(
            "`imputation` averages over the anticipation periods too; move `first_treated` back, or use "
            "`callaway_santanna`"
        )
    return control


def _comparable(panel: Panel, control: str, anticipation: int) -> Panel:
    """The panel as far as there is somebody to compare with: without never-treated, until the last start."""
    starts = panel.starts[panel.is_treated]
    if len(panel.donors):
        return panel
    if control == "never":
        raise NotEnoughData("no unit is never treated; `control='not_yet'` compares with those treated later")
    if starts.min() == starts.max():
        raise NotEnoughData("all units start in the same period and none is never treated: nobody to compare with")
    if anticipation:
        raise NotEnoughData("an anticipation needs units that are never treated, and there are none")
    end = int(starts.max())
    return Panel(
        outcomes=panel.outcomes[:, :end], units=panel.units, times=panel.times[:end], treated=panel.treated[:, :end]
    )


def _check_groups(panel: Panel, clusters: np.ndarray, anticipation: int) -> None:
    """A period before each start, and enough treated and untreated clusters."""
    early = panel.is_treated & (panel.starts - 1 - anticipation < 0)
    if early.any():
        raise NotEnoughData(
            f"unit {panel.units[early][0]} starts in {panel.times[panel.starts[early][0]]}: with an anticipation of "
            f"{anticipation} no period before is left to compare with"
        )
    n_treated, n_free = (len(np.unique(clusters[flag])) for flag in (panel.is_treated, ~panel.is_treated))
    needed = FEWEST_CLUSTERS - 1 + len(np.unique(panel.starts[panel.is_treated]))
    if n_treated < needed or n_free < FEWEST_CLUSTERS:
        raise NotEnoughData(
            f"{n_treated} treated clusters and {n_free} to compare with: an interval that covers needs {needed} (one "
            f"more for each further start) and {FEWEST_CLUSTERS}"
        )


class _Counts:
    """Clusters behind each number, which say how far its interval reaches."""

    def __init__(self, panel: Panel, clusters: np.ndarray) -> None:
        self.panel, self.clusters = panel, clusters
        self.n_free = len(np.unique(clusters[~panel.is_treated]))

    def reach(self, chosen: np.ndarray, level: float) -> float:
        """Of a number from the treated units that are chosen, by mask."""
        n_treated, n_groups = len(np.unique(self.clusters[chosen])), len(np.unique(self.panel.starts[chosen]))
        return max(reach_of(level, n_treated, n_groups), reach_of(level, self.n_free, 1))

    def estimate(self, value: float, se: float, level: float, outcome: str, method: str) -> Estimate:
        """An average over all treated."""
        reach = self.reach(self.panel.is_treated, level) * se
        return Estimate(
            value=value, se=se, ci_lower=value - reach, ci_upper=value + reach, level=level, unit=outcome,
            n=len(self.panel.units), method=method.replace("_", " "),
        )  # fmt: skip

    def at_events(self, rows: pd.DataFrame, level: float) -> pd.DataFrame:
        """Effects by event time, each with the units that reach it."""
        starts, end = self.panel.starts, len(self.panel.times)
        masks = [self.panel.is_treated & (starts + event >= 0) & (starts + event < end) for event in rows["event_time"]]
        return self._with(rows, masks, level)

    def at_groups(self, rows: pd.DataFrame, level: float) -> pd.DataFrame:
        """Effects by group."""
        begun = self.panel.times[np.minimum(self.panel.starts, len(self.panel.times) - 1)]
        return self._with(rows, [self.panel.is_treated & (begun == group) for group in rows["group"]], level)

    def _with(self, rows: pd.DataFrame, masks: list[np.ndarray], level: float) -> pd.DataFrame:
        reach = np.array([self.reach(mask, level) for mask in masks]) * rows["se"]
        return rows.assign(ci_lower=rows["value"] - reach, ci_upper=rows["value"] + reach)
