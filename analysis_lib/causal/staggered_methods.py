"""diff-diff's three estimators for staggered starts, and what is taken from each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis_lib.causal.group_time import clustered_error, group_averages
from analysis_lib.causal.panel import Panel

#: diff-diff's names of the units to compare with.
_CONTROL_GROUP = {"never": "never_treated", "not_yet": "not_yet_treated"}

#: Columns of the frame that diff-diff gets; periods count from 1, as 0 means never.
_COLUMNS = {"outcome": "outcome_", "unit": "unit_", "time": "time_", "first_treat": "first_"}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The question as the estimators need it.

    Attributes
    ----------
    panel : Panel
        All units in all periods.
    control : str
        ``never`` or ``not_yet``.
    anticipation : int
        Periods before the start in which an effect is allowed.
    clusters : numpy.ndarray or None
        Code of each unit's cluster; None if units are the clusters.
    """

    panel: Panel
    control: str
    anticipation: int
    clusters: np.ndarray | None

    @property
    def cluster(self) -> str | None:
        """The cluster column of ``long``."""
        return None if self.clusters is None else "cluster_"

    @property
    def long(self) -> pd.DataFrame:
        """One row a unit and period, as diff-diff wants it."""
        n_units, n_times = self.panel.outcomes.shape
        starts = np.where(self.panel.is_treated, self.panel.starts + 1, 0)
        frame = pd.DataFrame(
            {
                "outcome_": self.panel.outcomes.ravel(),
                "unit_": np.repeat(np.arange(n_units), n_times),
                "time_": np.tile(np.arange(1, n_times + 1), n_units),
                "first_": np.repeat(starts, n_times),
            }
        )
        return frame if self.clusters is None else frame.assign(cluster_=np.repeat(self.clusters, n_times))


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a method found.

    Attributes
    ----------
    averages : dict[str, tuple[float, float]]
        Value and standard error by aggregation.
    events : pandas.DataFrame
        event_time, value, se.
    groups : pandas.DataFrame or None
        group, value, se.
    pretrend_pvalue : float or None
        Joint test of the effects before the start.
    surface : object
        diff-diff's event study against one common period, or None.
    """

    averages: dict[str, tuple[float, float]]
    events: pd.DataFrame
    groups: pd.DataFrame | None
    pretrend_pvalue: float | None
    surface: object


def _callaway_santanna(asked: Asked) -> Parts:
    events, covariance, _ = _event_study(asked, "varying")
    found = group_averages(asked.panel, control=asked.control, anticipation=asked.anticipation)
    averages = {}
    for name, per_unit in (("unit_period", found.n_periods), ("group", np.ones(len(found.starts)))):
        value, influence = found.average(per_unit)
        averages[name] = value, clustered_error(influence, asked.clusters)
    averages["event_time"] = _even_average(events, covariance)
    errors = [clustered_error(column, asked.clusters) for column in found.influence.T]
    groups = pd.DataFrame({"group": asked.panel.times[found.starts], "value": found.values, "se": errors})
    return Parts(
        averages=averages, events=events, groups=groups,
        pretrend_pvalue=_wald(events, covariance, asked.anticipation), surface=_event_study(asked, "universal")[2],
    )  # fmt: skip


def _event_study(asked: Asked, base: str) -> tuple[pd.DataFrame, np.ndarray, object]:
    """Callaway and Sant'Anna's effects by event time, their covariance, and diff-diff's own container."""
    from diff_diff import CallawaySantAnna  # slow to import

    fit = CallawaySantAnna(
        control_group=_CONTROL_GROUP[asked.control], estimation_method="reg", base_period=base,
        anticipation=asked.anticipation, cluster=asked.cluster,
    ).fit(asked.long, **_COLUMNS)  # fmt: skip
    surface = fit.aggregate("event_study")
    rows = pd.DataFrame({"event_time": surface.event_time, "value": surface.att, "se": surface.se})
    events, covariance = _finite(rows[~np.asarray(surface.is_reference)], surface.vcov, surface.vcov_index)
    return events, covariance, surface


def _sun_abraham(asked: Asked) -> Parts:
    from diff_diff import SunAbraham  # slow to import

    fit = SunAbraham(
        control_group=_CONTROL_GROUP[asked.control], anticipation=asked.anticipation,
        cluster=asked.cluster, df_convention="normal",
    ).fit(asked.long, **_COLUMNS)  # fmt: skip
    rows = pd.DataFrame(
        [(time, found["effect"], found["se"]) for time, found in sorted(fit.event_study_effects.items())],
        columns=["event_time", "value", "se"],
    )
    events, covariance = _finite(rows, fit.event_study_vcov, fit.event_study_vcov_index)
    averages = {"unit_period": (float(fit.att), float(fit.se)), "event_time": _even_average(events, covariance)}
    pvalue = _wald(events, covariance, asked.anticipation)
    return Parts(averages=averages, events=events, groups=None, pretrend_pvalue=pvalue, surface=None)


def _imputation(asked: Asked) -> Parts:
    from diff_diff import ImputationDiD  # slow to import

    fit = ImputationDiD(cluster=asked.cluster, pretrends=True).fit(asked.long, **_COLUMNS)
    surface, groups = fit.aggregate("event_study"), fit.aggregate("group")
    rows = pd.DataFrame({"event_time": surface.event_time, "value": surface.att, "se": surface.se})
    rows = rows[~np.asarray(surface.is_reference) & np.isfinite(rows["value"]) & np.isfinite(rows["se"])]
    starts = np.array([int(start) - 1 for start in groups.label])
    test = fit.pretrend_test()["p_value"]
    return Parts(
        averages={"unit_period": (float(fit.att), float(fit.se))},
        events=rows.reset_index(drop=True).astype({"event_time": int}),
        groups=pd.DataFrame({"group": asked.panel.times[starts], "value": groups.att, "se": groups.se}),
        pretrend_pvalue=float(test) if np.isfinite(test) else None, surface=None,
    )  # fmt: skip


def _finite(rows: pd.DataFrame, covariance: np.ndarray, index: list) -> tuple[pd.DataFrame, np.ndarray]:
    """Effects that could be estimated, and their covariance in the same order."""
    rows = rows[np.isfinite(rows["value"]) & np.isfinite(rows["se"])].reset_index(drop=True)
    place = {int(time): position for position, time in enumerate(index)}
    order = [place[int(time)] for time in rows["event_time"]]
    return rows.astype({"event_time": int}), np.asarray(covariance)[np.ix_(order, order)]


def _even_average(events: pd.DataFrame, covariance: np.ndarray) -> tuple[float, float]:
    """Even average over event times from 0 on, and its error."""
    after = (events["event_time"] >= 0).to_numpy()
    weights = after / after.sum()
    return float(weights @ events["value"]), float(np.sqrt(weights @ covariance @ weights))


def _wald(events: pd.DataFrame, covariance: np.ndarray, anticipation: int) -> float | None:
    """Joint test that effects before any anticipation are zero; None if there are none that vary."""
    early = (events["event_time"] < -anticipation).to_numpy()
    block = covariance[np.ix_(early, early)]
    rank = int(np.linalg.matrix_rank(block)) if early.any() else 0
    if rank == 0:
        return None
    values = events["value"].to_numpy()[early]
    return float(chi2.sf(values @ np.linalg.pinv(block, hermitian=True) @ values, rank))


#: The methods by name: the question in, what it found out.
METHODS: dict[str, Callable[[Asked], Parts]] = {
    "callaway_santanna": _callaway_santanna,
    "sun_abraham": _sun_abraham,
    "imputation": _imputation,
}
