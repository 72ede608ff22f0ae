"""A structural time series of one market's days, and the same forecast in its own past."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.causal.interrupted_series_days import WEEK, DailySeries
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.kalman_filter import FilterResults
    from statsmodels.tsa.statespace.structural import UnobservedComponents

#: A pseudo-campaign comes after so many times its length, and after this many days at least: four weeks.
TRAINING, LEAST_TRAINING = 2, 28

#: Most pseudo-campaigns, the latest ones: more cost time, and early days tell less of the last.
MOST_WINDOWS = 40

#: The search ends where a step adds less than so many roundings (2e-6 in all): a third of the time, and the likelihood
#: the same to its third decimal.
PATIENCE = 1e10

#: What is foretold exactly, against the spread of the past, has no error to learn from.
EXACT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What the days before a place say of the days from it on.

    Attributes
    ----------
    errors : numpy.ndarray
        Outcome less forecast, in the outcome's unit; (days,).
    believed : float
        Standard error that the model gives to the mean of those.
    """

    errors: np.ndarray
    believed: float

    @property
    def value(self) -> float:
        """Mean of the errors."""
        return float(self.errors.mean())


@dataclass(frozen=True, slots=True, eq=False)
class OwnPast:
    """What the forecast missed by in the past, where nothing was to be found.

    Attributes
    ----------
    starts : numpy.ndarray
        First day of each window, latest first.
    errors, believed : numpy.ndarray
        What was found in each window, whose truth is 0, and the model's standard error of it.
    n_apart : int
        Windows side by side, without overlap.
    """

    starts: np.ndarray
    errors: np.ndarray
    believed: np.ndarray
    n_apart: int

    @property
    def typical(self) -> float:
        """Root mean square of what was found."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def stretch(self) -> float:
        """How many times its standard error the model is usually off; 1 if it knows itself."""
        return float(np.sqrt(np.mean((self.errors / self.believed) ** 2)))


@dataclass(frozen=True, slots=True, eq=False)
class StructuralFit:
    """The model, whose variances are fitted to all days before the campaign.

    Attributes
    ----------
    series : DailySeries
        What it is fitted to.
    centre, scale : float
        Mean and standard deviation of the days before: the model sees the outcome less the one, over the other.
    parameters : numpy.ndarray
        Variances of irregular, level and persistent part, and persistence of the last.
    model, seen
        statsmodels' model of all days, the campaign's unseen, and what its filter says of the state before each.
    """

    series: DailySeries
    centre: float
    scale: float
    parameters: np.ndarray
    model: UnobservedComponents
    seen: FilterResults

    def forecast(self, at: int, days: int) -> Forecast:
        """The days from ``at`` on as those before foretell them; the weekdays', level's and regressors' part anew."""
        move, shown = _matrix(self.model, "transition"), _shown(self.model, at, days)
        state, told = self.seen.predicted_state[:, at], np.empty(days)
        for place in range(days):
            told[place] = shown[place] @ state
            state = move @ state
        errors = self.series.outcome[at : at + days] - self.centre - self.scale * told
        return Forecast(errors, self.scale * _error_of_mean(self.model, self.seen.predicted_state_cov[:, :, at], shown))

    def one_step(self) -> tuple[np.ndarray, np.ndarray]:
        """Each day before the campaign as the days before it foretell it, and the standardised errors; (before,)."""
        past = slice(0, self.series.before)
        told, errors = self.seen.forecasts[0, past], self.seen.standardized_forecasts_error[0, past]
        return self.centre + self.scale * told, errors


def structural_fit(series: DailySeries) -> StructuralFit:
    """Fit by maximum likelihood to the days before the campaign.

    Parameters
    ----------
    series : DailySeries
        Arrays.

    Raises
    ------
    NotEnoughData
        If the likelihood has no maximum to be found.
    """
    past = series.outcome[: series.before]
    centre, scale = float(past.mean()), float(past.std())
    model = _model((past - centre) / scale, series.regressors[: series.before])
    with warnings.catch_warnings():
        # A variance of 0 is at the border, where the search ends without saying that it has converged.
        warnings.simplefilter("ignore")
        parameters = np.asarray(model.fit(disp=0, return_params=True, factr=PATIENCE), dtype=float)
    if not np.isfinite(parameters).all():
        raise NotEnoughData("no structural series fits the days before the campaign.")
    return filtered(series, centre, scale, parameters)


def filtered(series: DailySeries, centre: float, scale: float, parameters: np.ndarray) -> StructuralFit:
    """The model with known variances, run through the days before the campaign; attributes as ``StructuralFit``."""
    values = (series.outcome - centre) / scale
    values[series.before :] = np.nan
    model = _model(values, series.regressors)
    model.update(parameters)
    return StructuralFit(series, centre, scale, parameters, model, model.ssm.filter())


def own_past(fit: StructuralFit) -> OwnPast:
    """The forecast on windows of the campaign's length that end before it, from the days before each window alone.

    Windows begin half a window apart, the last one right before the campaign. The variances alone are those of all days
    before the campaign. Windows with a kind of day that had not been seen before are left out.

    Parameters
    ----------
    fit : StructuralFit
        The model.
    """
    series, days = fit.series, fit.series.days
    every = range(series.before - days, training(days) - 1, -max(1, days // 2))
    starts = [at for at in every if series.is_told(at, days)][:MOST_WINDOWS]
    found = [fit.forecast(at, days) for at in starts]
    return OwnPast(
        starts=np.array(starts, dtype=int), errors=np.array([one.value for one in found]),
        believed=np.array([one.believed for one in found]), n_apart=_side_by_side(starts, days),
    )  # fmt: skip


def training(days: int) -> int:
    """Days before the first pseudo-campaign of a length."""
    return max(TRAINING * days, LEAST_TRAINING)


def _side_by_side(starts: list[int], days: int) -> int:
    """How many windows, latest first, fit without overlap."""
    count, free = 0, np.inf
    for at in starts:
        if at + days <= free:
            count, free = count + 1, at
    return count


def _model(values: np.ndarray, regressors: np.ndarray) -> UnobservedComponents:
    """Level that drifts, fixed weekdays, a persistent part, and regressors with a part of their own in the state."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents  # slow to import

    return UnobservedComponents(
        values, level="local level", seasonal=WEEK, stochastic_seasonal=False, autoregressive=1,
        exog=regressors if regressors.shape[1] else None, mle_regression=False,
    )  # fmt: skip


def _error_of_mean(model: UnobservedComponents, spread: np.ndarray, shown: np.ndarray) -> float:
    """Standard error of the mean over days, whose errors go together through the state."""
    move, load, shocks, noise = (_matrix(model, name) for name in ("transition", "selection", "state_cov", "obs_cov"))
    pull, variance = np.zeros(len(move)), len(shown) * float(noise[0, 0])
    # From the last day back: how much a change of the state on one day moves the sum over it and those after it.
    for place in range(len(shown) - 1, -1, -1):
        pull = shown[place] + move.T @ pull
        within = load @ shocks @ load.T if place else spread
        variance += float(pull @ within @ pull)
    return float(np.sqrt(variance)) / len(shown)


def _matrix(model: UnobservedComponents, name: str) -> np.ndarray:
    found = model.ssm[name]
    return found if found.ndim == 2 else found[:, :, 0]


def _shown(model: UnobservedComponents, at: int, days: int) -> np.ndarray:
    """What of the state is seen on each day from ``at`` on; (days, states)."""
    design = model.ssm["design"]
    if design.ndim == 2:  # without regressors the same every day
        return np.repeat(design, days, axis=0)
    return design[0, :, at : at + days].T
