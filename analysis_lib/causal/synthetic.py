"""Synthetic controls: donors weighted so that together they move as the treated did before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.causal.donor_weights import estimator, fit_of
from analysis_lib.causal.panel import Panel, panel_of
from analysis_lib.causal.panel_effect import PanelEffect, path_of
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate, format_count

#: Fewest donors behind a placebo interval: with fewer, the spread of their placebo effects is itself a guess.
FEWEST_DONORS = 20

#: Standard error and bounds of an effect: from the panel, the estimator and the level.
Interval = Callable[[Panel, Callable[[Panel], float], float], tuple[float, float, float]]


def synthetic_control(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, level: float = 0.95,
    interval: Interval | None = None,
) -> PanelEffect:  # fmt: skip
    """Average effect on the treated against the weighted donors nearest to them before the start.

    The weights are at least 0, add up to 1 and bring the donors' weighted outcomes before the start as
    near as they can to the treated mean. It rests on the treated lying among the donors, and on what
    moved them together before the start doing so after it.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit and period, all units in all periods; two periods before the start or more.
    outcome, unit, time, treated : str
        Columns; ``treated`` is 1 from the start on. Several treated units are averaged.
    level : float
        Level of the interval.
    interval : callable, optional
        ``interval(panel, value_of, level)`` gives error, lower and upper bound; ``value_of(panel)`` is
        this estimator. By default the spread of placebo effects, see ``placebo_interval``.

    Raises
    ------
    ContractError
        If a column is missing.
    InvalidValue
        If treated units start in different periods (see ``staggered``), or a treatment ends.
    NotEnoughData
        If there are no donors, fewer than ``FEWEST_DONORS`` without an ``interval``, fewer than two
        periods before the start, or incomplete units.

    Notes
    -----
    Solved by diff-diff's Frank-Wolfe steps as R's ``sc_estimate`` does (no intercept, penalty 1e-6 of the
    noise, stop at 1e-5 of it). That stops close to the best weights, not at them: for California's
    Proposition 99 it gives the published -19.62, exact least squares -19.51.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), "Synthetic control methods for comparative case studies",
    Journal of the American Statistical Association 105(490).
    """
    return _effect("synthetic_control", _panel(frame, outcome, unit, time, treated), outcome, level, interval)


def synthetic_did(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, level: float = 0.95,
    interval: Interval | None = None,
) -> PanelEffect:  # fmt: skip
    """Average effect on the treated by difference in differences with weighted donors and periods.

    Donors are weighted to move parallel to the treated before the start (their level may differ), and
    the periods before it to predict the donors' outcomes after it. It rests on parallel trends between
    the treated and the weighted donors, from the weighted periods on.

    Parameters
    ----------
    frame, outcome, unit, time, treated, level, interval
        As in ``synthetic_control``.

    Raises
    ------
    ContractError, InvalidValue, NotEnoughData
        As in ``synthetic_control``.

    Notes
    -----
    diff-diff's solvers with the defaults of R's ``synthdid``: unit penalty (treated unit-periods)^(1/4)
    times the noise, time penalty 1e-6 of it, intercepts in both, and weights made sparse halfway.

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), "Synthetic difference-in-differences",
    American Economic Review 111(12), Algorithm 1.
    """
    return _effect("synthetic_did", _panel(frame, outcome, unit, time, treated), outcome, level, interval)


def augmented_synthetic_control(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, level: float = 0.95,
    interval: Interval | None = None,
) -> PanelEffect:  # fmt: skip
    """Average effect on the treated by a synthetic control whose remaining misfit is regressed away.

    A ridge regression of the donors' later outcomes on their earlier ones says what the misfit before
    the start means after it. Weights may then be negative: it leaves the donors' range by as much as
    the penalty lets it. It rests on the later outcomes being near linear in the earlier ones.

    Parameters
    ----------
    frame, outcome, unit, time, treated, level, interval
        As in ``synthetic_control``.

    Raises
    ------
    ContractError, InvalidValue, NotEnoughData
        As in ``synthetic_control``.

    Notes
    -----
    The penalty is chosen as in R's ``augsynth``: each period before the start is left out in turn and
    predicted; the largest penalty within one standard error of the best is taken.

    References
    ----------
    Ben-Michael, Feller and Rothstein (2021), "The augmented synthetic control method", Journal of the
    American Statistical Association 116(536), equations 5 to 7 and section 5.3.
    """
    return _effect("augmented_synthetic_control", _panel(frame, outcome, unit, time, treated), outcome, level, interval)


def placebo_interval(panel: Panel, value_of: Callable[[Panel], float], level: float) -> tuple[float, float, float]:
    """Error and bounds from effects found where there were none: each donor in turn as if treated.

    With several treated units, as many donors are taken at a time, each equally often. It rests on the
    donors' noise being like the treated unit's; Student's t allows for how few there are.

    Parameters
    ----------
    panel : Panel
        Treated units with one start, and donors.
    value_of : callable
        The estimator: a panel in, the effect out.
    level : float
        Level of the interval.

    Raises
    ------
    NotEnoughData
        If there are fewer than ``FEWEST_DONORS`` donors, or too few to leave some to compare with.

    References
    ----------
    Arkhangelsky et al. (2021), American Economic Review 111(12), Algorithm 4.
    """
    n_donors, n_treated = len(panel.donors), int(panel.is_treated.sum())
    if n_donors < FEWEST_DONORS or n_donors < 2 * n_treated:
        raise NotEnoughData(
            f"{n_donors} donors for {n_treated} treated: the packaged placebo interval does not cover with fewer than "
            f"{max(FEWEST_DONORS, 2 * n_treated)}; use `one_treated`"
        )
    ring = np.random.default_rng(0).permutation(n_donors)  # neighbours in the ring, not in the alphabet
    sets = [np.take(ring, np.arange(place, place + n_treated), mode="wrap") for place in range(n_donors)]
    placebos = [value_of(panel.pretended(places)) for places in sets]
    value, se = value_of(panel), float(np.std(placebos, ddof=1))
    reach = float(student.ppf(0.5 + level / 2, n_donors - 1)) * se
    return se, value - reach, value + reach


def _panel(frame: pd.DataFrame, outcome: str, unit: str, time: str, treated: str) -> Panel:
    return panel_of(frame, outcome=outcome, unit=unit, time=time, treated=treated)


def _effect(method: str, panel: Panel, outcome: str, level: float, interval: Interval | None) -> PanelEffect:
    fit, start, weights = fit_of(method, panel), panel.start, None
    se, low, high = (interval or placebo_interval)(panel, estimator(method), level)
    estimate = Estimate(
        value=fit.value_on(panel), se=float(se), ci_lower=float(low), ci_upper=float(high), level=level, unit=outcome,
        n=len(panel.units), method=method.replace("_", " "),
    )  # fmt: skip
    if fit.time_weights is not None:
        weights = pd.Series(fit.time_weights, index=panel.times[:start])
    path = path_of(panel.times, panel.treated_mean, fit.without, start)
    misfit = path["effect"].to_numpy()[:start]
    spread = "the spread of placebo effects on the donors" if interval is None else "the method that was handed in"
    return PanelEffect(
        estimate=estimate, path=path, unit_weights=pd.Series(fit.unit_weights, index=panel.donors),
        time_weights=weights,
        diagnostics={
            "misfit_before": float(np.sqrt(np.mean((misfit - misfit.mean() * (weights is not None)) ** 2))),
            "n_donors": float(len(panel.donors)),
            "effective_donors": float(1 / np.square(fit.unit_weights).sum()),
            **fit.extras,
        },
        note=f"The interval is from {spread} ({format_count(len(panel.donors))} donors).",
    )  # fmt: skip
