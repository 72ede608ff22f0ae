"""Difference in differences: units that start together, compared with units that never start."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.causal.panel import Panel, panel_of
from analysis_lib.causal.panel_effect import PanelEffect, path_of
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData
from analysis_lib.results import Estimate, format_count

#: Fewest treated clusters, and control clusters, behind an interval. With 3 or 4 treated of 50 the usual
#: interval (CRV1, t with all clusters' freedom) covered 80 and 85 % instead of 95 %.
FEWEST_CLUSTERS = 5

METHOD = "two-way fixed effects, errors clustered (CRV1)"

#: pyfixest's demeaning stops here; its default (1e-6) shows in the eighth digit.
TOLERANCE = 1e-12


def difference_in_differences(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: str,
    cluster: str | None = None,
    weights: str | None = None,
    level: float = 0.95,
) -> PanelEffect:
    """Average effect on the treated units in their treated periods, by unit and time effects.

    It rests on parallel trends: without treatment, the treated would have changed as the donors did.
    On a balanced panel with one start the regression equals the difference between the groups'
    changes of means (weighted ones, with weights).

    The error is clustered (CRV1). The smaller of the two groups of clusters, m, decides how well it is
    known, so the interval takes Student's t with m - 1 degrees of freedom, on an error raised by
    sqrt(m / (m - 1)); ``estimate.se`` is CRV1 itself. In 40,000 simulated panels with normal errors it
    covered 95 to 98 % at 95 %, for 5 to 10 treated among 10 to 505 clusters; with exponential errors 89
    to 98 %, least for 5 among 505.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit and period, all units in all periods, at least two periods.
    outcome, unit, time, treated : str
        Columns; ``treated`` is 1 from a unit's first treated period on, the same period for all.
    cluster : str, optional
        Column of the clusters in which errors go together, the unit itself by default. A cluster is
        treated if it holds a treated unit, and a control one if it holds none.
    weights : str, optional
        Column of weights above 0, the same in all rows of a unit.
    level : float
        Level of the interval.

    Raises
    ------
    ContractError
        If a column is missing.
    InvalidValue
        If the treated units start in different periods (see ``staggered``), a treatment ends, or a
        unit's weight or cluster changes.
    NotEnoughData
        If there are fewer than ``FEWEST_CLUSTERS`` treated or control clusters, no donors, no period
        before the start, or incomplete units.

    References
    ----------
    Bertrand, Duflo and Mullainathan (2004), "How much should we trust differences-in-differences
    estimates?", Quarterly Journal of Economics 119(1). Conley and Taber (2011), "Inference with
    difference in differences with a small number of policy changes", Review of Economics and
    Statistics 93(1), on few treated. Estimated by pyfixest.
    """
    panel = panel_of(frame, outcome=outcome, unit=unit, time=time, treated=treated)
    clusters = panel.units if cluster is None else of_units(frame, unit, cluster, panel)
    weight = np.ones(len(panel.units)) if weights is None else _weights_of(frame, unit, weights, panel)
    path = _path(panel, weight)  # first, since it refuses a staggered start
    few, n_clusters = _fewest(clusters, panel.is_treated)
    value, se = _fitted(panel, clusters, weight)
    reach = reach_of(level, few, 1) * se
    estimate = Estimate(
        value=value, se=se, ci_lower=value - reach, ci_upper=value + reach, level=level,
        unit=outcome, n=len(panel.units), method=METHOD,
    )  # fmt: skip
    donors = weight[~panel.is_treated] / weight[~panel.is_treated].sum()
    return PanelEffect(
        estimate=estimate, path=path, unit_weights=pd.Series(donors, index=panel.donors),
        time_weights=None,
        diagnostics={"n_clusters": float(n_clusters), "fewest_clusters": float(few)},
        note=f"Errors are clustered; the interval stands on {format_count(few)} clusters in the smaller group.",
    )  # fmt: skip


def reach_of(level: float, n_clusters: int, n_means: int) -> float:
    """Standard errors that an interval reaches to each side, from few clusters.

    Residuals about ``n_means`` means of ``n_clusters`` clusters have ``n_clusters - n_means`` degrees of
    freedom and are that much too small, as in any standard deviation. Infinite if there are none.

    Parameters
    ----------
    level : float
        Level of the interval.
    n_clusters : int
        Clusters of the smaller group.
    n_means : int
        Means estimated from them: 1, or one a group that starts together.
    """
    freedom = n_clusters - n_means
    if freedom < 1:
        return float("inf")
    return float(student.ppf(0.5 + level / 2, freedom) * np.sqrt(n_clusters / freedom))


def did_value(panel: Panel) -> float:
    """The difference in differences alone, without an interval: for one treated unit, and for refits.

    Parameters
    ----------
    panel : Panel
        Treated units with one start, and donors.

    Raises
    ------
    InvalidValue
        If the treated units start in different periods.
    """
    start, gaps = panel.start, panel.treated_mean - panel.donor_outcomes.mean(axis=0)
    return float(gaps[start:].mean() - gaps[:start].mean())


def _path(panel: Panel, weight: np.ndarray) -> pd.DataFrame:
    """Treated means beside the donors', moved by the gap before the start."""
    start, flag = panel.start, panel.is_treated
    actual = np.average(panel.outcomes[flag], axis=0, weights=weight[flag])
    donors = np.average(panel.outcomes[~flag], axis=0, weights=weight[~flag])
    return path_of(panel.times, actual, donors + (actual - donors)[:start].mean(), start)


def _fitted(panel: Panel, clusters: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Coefficient and CRV1 error of the regression with unit and time effects."""
    import pyfixest  # slow to import; only those who estimate pay for it
    from pyfixest.demeaners import MapDemeaner

    n_units, n_times = panel.outcomes.shape
    data = pd.DataFrame(
        {
            "outcome_": panel.outcomes.ravel(),
            "treated_": panel.treated.ravel().astype(float),
            "unit_": np.repeat(np.arange(n_units), n_times),
            "time_": np.tile(np.arange(n_times), n_units),
            "cluster_": np.repeat(pd.factorize(clusters)[0], n_times),
            "weight_": np.repeat(weight, n_times),
        }
    )
    fit = pyfixest.feols(
        "outcome_ ~ treated_ | unit_ + time_", data=data, vcov={"CRV1": "cluster_"}, weights="weight_",
        demeaner=MapDemeaner(fixef_tol=TOLERANCE),
    )  # fmt: skip
    return float(fit.coef().iloc[0]), float(fit.se().iloc[0])


def _fewest(clusters: np.ndarray, is_treated: np.ndarray) -> tuple[int, int]:
    """Clusters in the smaller group, and in both."""
    treated = np.unique(clusters[is_treated])
    controls = np.setdiff1d(np.unique(clusters), treated)
    few = min(len(treated), len(controls))
    if few < FEWEST_CLUSTERS:
        raise NotEnoughData(
            f"{len(treated)} treated and {len(controls)} control clusters: an interval that covers needs at least "
            f"{FEWEST_CLUSTERS} of each; for a single treated unit see `synthetic_did` and `one_treated`"
        )
    return few, len(treated) + len(controls)


def of_units(frame: pd.DataFrame, unit: str, name: str, panel: Panel) -> np.ndarray:
    """A column's value for each unit, in the panel's order.

    Raises
    ------
    ContractError
        If the column is missing.
    InvalidValue
        If it holds missing values, or changes within a unit.
    """
    if name not in frame.columns:
        raise ContractError(f"the frame has no column '{name}'; it has {', '.join(map(str, frame.columns))}")
    if frame[name].isna().any():
        raise InvalidValue(f"'{name}' is missing in {int(frame[name].isna().sum())} rows")
    values = frame[name].groupby(frame[unit])
    changing = values.nunique() > 1
    if changing.any():
        raise InvalidValue(f"'{name}' changes within unit {changing.index[changing][0]}; it belongs to the unit")
    return values.first().loc[panel.units].to_numpy()


def _weights_of(frame: pd.DataFrame, unit: str, name: str, panel: Panel) -> np.ndarray:
    values = of_units(frame, unit, name, panel).astype(float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise InvalidValue(f"'{name}' must be above 0 and finite; the smallest is {values.min():g}")
    return values
