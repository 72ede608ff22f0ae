"""Markets that are switched between arms: how far periods of a market differ, by their length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.design_asking import Asked
from analysis_lib.experiments.design_history import History, Point, lengths_for, window_of
from analysis_lib.experiments.design_power import small_sample
from analysis_lib.metrics import query

if TYPE_CHECKING:
    from analysis_lib.metrics import Metric
    from analysis_lib.warehouse import Warehouse

#: Lengths of a period that are compared, in days.
PERIODS = (1, 2, 4, 7)

#: Days of history that the spread is taken from.
_LONGEST = 84

#: Fewest periods of a market that a spread is taken from.
_FEWEST_PERIODS = 3


@dataclass(frozen=True, slots=True)
class Period:
    """Periods of one length.

    Attributes
    ----------
    days : int
        Length.
    n_periods : int
        Of a market, in the history.
    variance, variance_adjusted : float
        Of a period's mean as a share of its market's mean: within markets; and after taking out what all markets share
        in a period.
    autocorrelation : float
        Of what is left, from a period to the next.
    """

    days: int
    n_periods: int
    variance: float
    variance_adjusted: float
    autocorrelation: float


@dataclass(frozen=True, slots=True, eq=False)
class Switchback:
    """How markets would be switched.

    Attributes
    ----------
    periods : tuple of Period
        By length.
    chosen : Period
        The one that is planned with.
    markets : tuple of str
        Markets that have a value on every day.
    left_out : tuple of str
        Those that lack one.
    carry_over : float
        Days after a switch that are lost.
    value : float
        Mean of the markets.
    """

    periods: tuple[Period, ...]
    chosen: Period
    markets: tuple[str, ...]
    left_out: tuple[str, ...]
    carry_over: float
    value: float

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the spread."""
        return (len(self.markets) - 1) * (self.chosen.n_periods - 1)


def switched_history(warehouse: Warehouse, asked: Asked, metric: Metric) -> tuple[History, Switchback]:
    """A history whose units are periods of markets.

    Raises
    ------
    NotEnoughData
        Fewer than two markets, too few days, or nothing varies.
    """
    first, last = window_of(warehouse, asked, metric)
    lengths = lengths_for(first, last, 0, asked, metric.name)
    days = min(max(_LONGEST, lengths[-1]), (last - first).days + 1) // 7 * 7
    names, series, left_out = _series(warehouse, asked, metric, last - timedelta(days=days - 1), last)
    wanted = PERIODS if asked.period is None else tuple(sorted({*PERIODS, asked.period}))
    allowed = [one for one in wanted if days // one >= _FEWEST_PERIODS and asked.carry_over < one]
    periods = tuple(period_of(series, one) for one in allowed)
    if not periods or not min(one.variance_adjusted for one in periods) > 0:
        raise NotEnoughData(f"'{metric.name}' does not vary between markets and days: there is nothing to plan with.")
    chosen = _chosen(periods, asked, len(names), lengths[-1])
    found = Switchback(periods, chosen, names, left_out, asked.carry_over, float(series.mean()))
    points = tuple(switched_point(found, asked, length, last) for length in lengths if length // chosen.days > 1)
    if not points or (asked.days is not None and points[0].days > asked.days):
        raise NotEnoughData(
            f"periods of {chosen.days} days need a test of {2 * chosen.days} days at least: choose shorter periods, or"
            " more days."
        )
    return History(metric, points, (), first, last, 0, ""), found


def _chosen(periods: tuple[Period, ...], asked: Asked, n_markets: int, length: int) -> Period:
    if asked.period is not None:
        found = [one for one in periods if one.days == asked.period]
        if not found:
            raise NotEnoughData(f"the history is too short for periods of {asked.period} days.")
        return found[0]
    able = [one for one in periods if length // one.days > 1]
    return min(able, key=lambda one: point_variance(one, n_markets, length // one.days, asked)
               / (n_markets * (length // one.days)))  # fmt: skip


def _series(
    warehouse: Warehouse, asked: Asked, metric: Metric, start: date, end: date
) -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Markets, their values by day (markets, days), and markets that lack a day."""
    found = query(warehouse, metric.name, by="country", grain="day", start=start, end=end, where=asked.where or None,
                  currency=asked.currency)  # fmt: skip
    wide = found.to_frame().pivot_table(index="country", columns="period_start", values=metric.name)
    wide = wide.reindex(columns=sorted(wide.columns))
    whole = wide[wide.notna().all(axis=1) & (wide.mean(axis=1) > 0)]
    if len(whole) < 2 or whole.shape[1] < (end - start).days + 1:
        raise NotEnoughData(
            f"{len(whole)} markets have a value of '{metric.name}' on every day from {start} to {end}: two are needed."
        )
    return tuple(map(str, whole.index)), whole.to_numpy(dtype=float), tuple(sorted(set(wide.index) - set(whole.index)))


def period_of(series: np.ndarray, days: int) -> Period:
    """How far periods of a length differ.

    Parameters
    ----------
    series : numpy.ndarray
        Values of shape (markets, days), positive on average.
    days : int
        Length of a period.
    """
    relative = series / series.mean(axis=1, keepdims=True)
    n = relative.shape[1] // days
    means = relative[:, relative.shape[1] - n * days :].reshape(len(relative), n, days).mean(axis=2)
    within = means - means.mean(axis=1, keepdims=True)
    left = within - within.mean(axis=0, keepdims=True)
    m = len(means)
    size = float((left**2).sum())
    follows = float((left[:, 1:] * left[:, :-1]).sum() / size) if size > 0 else float("nan")
    return Period(days, n, float((within**2).sum()) / (m * (n - 1)), size / ((m - 1) * (n - 1)), follows)


def point_variance(period: Period, n_markets: int, n_periods: int, asked: Asked) -> float:
    """Variance that stands for a market's period when arms are compared within markets and periods.

    The arms are drawn anew for every market and period, so that what follows from a period to the next does not bias
    the comparison. Means of markets and of periods cost their degrees of freedom; where few are left, the spread is
    uncertain itself; and the lost share of a period makes its mean less certain.

    References
    ----------
    Bojinov, Simchi-Levi and Zhao (2023), "Design and analysis of switchback experiments", Management Science 69(7).
    """
    freedom = (n_markets - 1) * (n_periods - 1)
    cost = n_markets * n_periods / freedom * small_sample(freedom, asked.alpha / asked.variants, asked.power)
    return period.variance_adjusted * cost / (1 - asked.carry_over / period.days)


def switched_point(found: Switchback, asked: Asked, length: int, end: date) -> Point:
    """A test of a length, as a point of the curve: without taking out what markets share, and with it."""
    period, m = found.chosen, len(found.markets)
    n = length // period.days
    cost = n / (n - 1) * small_sample(m * (n - 1), asked.alpha / asked.variants, asked.power)
    plain = period.variance * cost / (1 - asked.carry_over / period.days)
    return Point(length, end, m * n, found.value, plain, point_variance(period, m, n, asked))
