"""What did a campaign do that was for everybody, told from the market's own past alone?

A structural time series says how the days of the campaign would have gone: a level that drifts, a week, a persistent
part, and the kinds of days that are known beforehand. Its own interval trusts its variances, which are estimated, and
its form, which is chosen: it covers too seldom. So the same forecast is made where nothing happened, for windows in
the past, each from the days before it; how many times its standard error the model was off there stretches the
interval, and Student's t allows for how few such windows there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.causal.interrupted_series_days import DailySeries, daily_series
from analysis_lib.causal.interrupted_series_fit import (
    EXACT,
    LEAST_TRAINING,
    Forecast,
    OwnPast,
    StructuralFit,
    own_past,
    structural_fit,
    training,
)
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Estimate, Result

#: The interval is graded with so many windows side by side, and days of campaign; with fewer it is refused.
FEWEST_WINDOWS, SHORTEST = 4, 2

#: Lags of the test of what the model leaves: a week. Under this p-value the text says that it leaves something.
LAGS, SUSPICIOUS = 7, 0.01

METHOD = "structural time series of the market's own past; interval from pseudo-campaigns in it"


@dataclass(frozen=True, slots=True, eq=False)
class InterruptedSeries(Result):
    """The effect of a campaign, from the series' own past.

    Attributes
    ----------
    estimate : Estimate
        Mean effect over the days of the campaign: of logarithms, as a share of what would have been without it; else in
        the outcome's unit.
    total : Estimate
        The same over all days of the campaign together, in the outcome's unit.
    path : pandas.DataFrame
        time, actual, without, effect, during (whether in the campaign); in the outcome's unit. Before the campaign
        ``without`` is what the days before each day say of it, missing for the first four weeks.
    pseudo : pandas.DataFrame
        time (first day of the window), effect (found where there was none), se (what the model thought of it); latest
        first.
    stretch : float
        How many times its standard error the model was off in the past, as a root mean square.
    typical_error : float
        Root mean square of what the pseudo-campaigns found, in log points or the outcome's unit.
    n_apart : int
        Pseudo-campaigns side by side; the interval has one degree of freedom less.
    n_before, n_days : int
        Days before the campaign and of it.
    diagnostics : dict[str, float]
        ``residual_autocorrelation`` (of one-step errors, a day apart) and ``ljung_box_pvalue`` (over a week);
        ``level_drift`` (standard deviation of the level's change in a day) and ``persistence`` of what passes.
    regressors, left_out : list of str
        Kinds of days that count, and those that weekdays and others already tell.
    method, note : str
        How, and what a reader should know.
    """

    estimate: Estimate
    total: Estimate
    path: pd.DataFrame
    pseudo: pd.DataFrame
    stretch: float
    typical_error: float
    n_apart: int
    n_before: int
    n_days: int
    diagnostics: dict[str, float]
    regressors: list[str]
    left_out: list[str]
    method: str
    note: str

    @property
    def text(self) -> str:
        """The effect, and what its interval stands on."""
        said = (
            f"{self.estimate.text}, from {self.n_before} days of its own past and {len(self.pseudo)} pseudo-campaigns"
            f" in them ({self.n_apart} side by side). Nothing else tells what would have been: whatever else began in"
            " these days is part of the effect."
        )
        return f"{said} {self.note}".strip()

    def to_frame(self) -> pd.DataFrame:
        """The path."""
        return self.path.copy()


def interrupted_series(
    frame: pd.DataFrame,
    *,
    outcome: str,
    time: str,
    treated: str,
    regressors: Sequence[str] = (),
    level: float = 0.95,
    log: bool | None = None,
) -> InterruptedSeries:
    """Effect of a campaign on one daily series, from what the days before it say of its days.

    The interval is the estimate give or take Student's t times the model's standard error, stretched by how many times
    that the model was off in pseudo-campaigns, on windows that begin half a campaign apart; its degrees of freedom are
    the windows side by side, less one. It takes for granted that the days of the campaign differ from those before by
    the campaign and the regressors alone: with no other market to compare, whatever else happened counts as effect.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a day, none missing; days as dates or whole numbers.
    outcome, time, treated : str
        Columns; ``treated`` is 1 on the days of the campaign, and 0 otherwise. Days after it are left out.
    regressors : sequence of str
        Columns of numbers that are known beforehand and that the campaign does not move: 1 on the days of a festival,
        a payday, a holiday. Weekdays are in the model.
    level : float
        Level of the intervals.
    log : bool, optional
        Whether the effect multiplies (a share) or adds; by default it multiplies if all outcomes are above 0.

    Raises
    ------
    UnknownName
        If there is no such column.
    InvalidValue
        If values are missing or not finite, days come twice or hold hours, ``treated`` is not 0 or 1, or a logarithm
        meets a value that is not above 0.
    NotEnoughData
        If days are missing; the campaign is not one stretch of ``SHORTEST`` days or more; fewer than 56 days came
        before it, or fewer than ``FEWEST_WINDOWS`` pseudo-campaigns fit into them (14 days need 84); the outcome before
        it is always 0 or the same; or a regressor is on its days as it never was before.

    References
    ----------
    Harvey (1989), "Forecasting, structural time series models and the Kalman filter", sections 2.3 and 7.6; fitted by
    statsmodels' ``UnobservedComponents``. Brodersen et al. (2015), "Inferring causal impact using Bayesian structural
    time-series models", Annals of Applied Statistics 9(1): the same counterfactual, with the model's own interval.
    """
    if not 0 < level < 1:
        raise InvalidValue(f"level must lie between 0 and 1, not {level!r}.")
    series = daily_series(frame, outcome=outcome, time=time, treated=treated, regressors=regressors, log=log)
    estimate, fit, found, past = estimated(series, level)
    without, standardised = fit.one_step()
    without[:LEAST_TRAINING] = np.nan
    path = _path(series, np.concatenate([without, series.outcome[series.before :] - found.errors]))
    diagnostics = _diagnostics(fit, standardised[LEAST_TRAINING:])
    pseudo = {"time": series.times[past.starts], "effect": series.shown(past.errors), "se": past.believed}
    return InterruptedSeries(
        estimate=estimate, total=_total(estimate, path, series, found), path=path, pseudo=pd.DataFrame(pseudo),
        stretch=past.stretch, typical_error=past.typical, n_apart=past.n_apart, n_before=series.before,
        n_days=series.days, diagnostics=diagnostics, regressors=series.names, left_out=series.left_out, method=METHOD,
        note=_note(series, diagnostics),
    )  # fmt: skip


def estimated(series: DailySeries, level: float) -> tuple[Estimate, StructuralFit, Forecast, OwnPast]:
    """The estimate with its interval alone, as ``interrupted_series`` has it, and what it stands on.

    Parameters
    ----------
    series : DailySeries
        Arrays.
    level : float
        Level of the interval.
    """
    _refuse_too_little(series)
    fit = structural_fit(series)
    past = own_past(fit)
    if past.n_apart < FEWEST_WINDOWS:
        raise NotEnoughData(
            f"{past.n_apart} pseudo-campaigns fit side by side, on days whose kinds had been seen before them; the"
            f" interval needs {FEWEST_WINDOWS}: take a longer past."
        )
    if past.typical <= EXACT * fit.scale:
        raise NotEnoughData("the past is foretold without any error: is the outcome made from the regressors?")
    found = fit.forecast(series.before, series.days)
    return _estimate(series, found, past, level), fit, found, past


def believed_estimate(series: DailySeries, fit: StructuralFit, level: float) -> Estimate:
    """The estimate with the model's own interval, which trusts its variances; shown beside, and not offered.

    Parameters
    ----------
    series : DailySeries
        Arrays.
    fit : StructuralFit
        The model.
    level : float
        Level of the interval.
    """
    found = fit.forecast(series.before, series.days)
    return _around(series, found.value, float(student.ppf(0.5 + level / 2, np.inf)), found.believed, level)


def _refuse_too_little(series: DailySeries) -> None:
    if series.days < SHORTEST:
        raise NotEnoughData(
            "the campaign has a single day: days out of the ordinary are not rare enough for an interval."
        )
    needed = training(series.days) + FEWEST_WINDOWS * series.days
    if series.before < needed:
        raise NotEnoughData(
            f"{series.before} days came before a campaign of {series.days}; the interval needs {needed}, so that"
            f" {FEWEST_WINDOWS} pseudo-campaigns fit side by side."
        )


def _estimate(series: DailySeries, found: Forecast, past: OwnPast, level: float) -> Estimate:
    return _around(
        series, found.value, float(student.ppf(0.5 + level / 2, past.n_apart - 1)), found.believed * past.stretch, level
    )


def _around(series: DailySeries, value: float, reach: float, error: float, level: float) -> Estimate:
    shown, low, high = (float(series.shown(x)) for x in (value, value - reach * error, value + reach * error))
    return Estimate(
        value=shown, se=error * (1 + shown if series.log else 1), ci_lower=low, ci_upper=high, level=level,
        unit="share" if series.log else "", n=series.before, method=METHOD,
    )  # fmt: skip


def _path(series: DailySeries, without: np.ndarray) -> pd.DataFrame:
    actual, without = (np.exp(x) if series.log else x for x in (series.outcome, without))
    during = np.arange(len(actual)) >= series.before
    return pd.DataFrame(
        {"time": series.times, "actual": actual, "without": without, "effect": actual - without, "during": during}
    )


def _total(estimate: Estimate, path: pd.DataFrame, series: DailySeries, found: Forecast) -> Estimate:
    """Sum over the days; a bound of the mean moves what would have been by the same share, or number, every day."""
    during = path[path["during"]]
    actual, without = float(during["actual"].sum()), float(during["without"].sum())

    def total(effect: float) -> float:
        if series.log:
            return actual - without * float(np.exp(found.value)) / (1 + effect)
        return effect * series.days

    se = estimate.se * (without / (1 + estimate.value) if series.log else series.days)
    return Estimate(
        value=total(estimate.value), se=se, ci_lower=total(estimate.ci_lower), ci_upper=total(estimate.ci_upper),
        level=estimate.level, unit="", n=estimate.n, method=METHOD,
    )  # fmt: skip


def _diagnostics(fit: StructuralFit, standardised: np.ndarray) -> dict[str, float]:
    from statsmodels.stats.diagnostic import acorr_ljungbox  # slow to import

    left = standardised - standardised.mean()
    test = acorr_ljungbox(left, lags=[LAGS])
    _, drift, _, persistence = fit.parameters
    return {
        "residual_autocorrelation": float(left[1:] @ left[:-1] / (left @ left)),
        "ljung_box_pvalue": float(test["lb_pvalue"].iloc[0]),
        "level_drift": float(np.sqrt(drift)) * fit.scale,
        "persistence": float(persistence),
    }


def _note(series: DailySeries, diagnostics: dict[str, float]) -> str:
    """What a reader should know: what the model leaves, regressors that say nothing, and days left out."""
    said = []
    if diagnostics["ljung_box_pvalue"] < SUSPICIOUS:
        said.append(
            "One-step errors of the model go together from day to day"
            f" ({diagnostics['residual_autocorrelation']:.2f} a day apart): days of a kind that it is not told of?"
        )
    if series.left_out:
        said.append(f"Left out, since weekdays and the others tell it already: {', '.join(series.left_out)}.")
    if series.n_after:
        said.append(f"{series.n_after} days after the campaign are left out.")
    return " ".join(said)
