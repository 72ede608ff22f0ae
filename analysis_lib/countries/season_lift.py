"""How far days of a market lie from its usual ones, with the error of that: arithmetic on one series of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import NotEnoughData

#: Rounds of proportional fitting; it settles within ten.
ROUNDS = 40

#: Days of a block with a level of its own, when weekdays and paydays are measured.
BLOCK = 28

#: Days beyond which days of a market no longer go together, beside what a level has in common.
LAGS = 7

#: Fewest usual days on a side that carry a trend; with fewer, the level is taken as constant.
FEWEST_A_SIDE = 10

#: Fewest usual days that say what a usual day is.
FEWEST_USUAL = 21

#: The same about one of many windows that come back, whose levels' errors average out.
FEWEST_RECURRING = 8

#: Smallest share of a placebo window's days that must be usual.
PLACEBO_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric of one market, day by day without gaps.

    Attributes
    ----------
    values : numpy.ndarray
        Shape (days,), in the metric's unit; missing where it is not defined.
    usual : numpy.ndarray
        Whether it is a usual day of the market, shape (days,).
    shape : numpy.ndarray
        What weekday (and payday) make of a day, 1 on average over a week; shape (days,).
    fitted : numpy.ndarray
        Level of the day's block times ``shape``; shape (days,).
    covariances : numpy.ndarray
        Of (value − fitted) / √fitted on usual days, by days apart from 0 to ``LAGS``, tapered (Bartlett).
    """

    values: np.ndarray
    usual: np.ndarray
    shape: np.ndarray
    fitted: np.ndarray
    covariances: np.ndarray


@dataclass(frozen=True, slots=True)
class Lift:
    """Days against usual ones.

    Attributes
    ----------
    value, se : float
        Relative to usual days: 0.1 is a tenth more.
    actual, expected : float
        Sums over the days counted, in the metric's unit.
    n_days, n_usual : int
        Days counted, and usual days around them.
    """

    value: float
    se: float
    actual: float
    expected: float
    n_days: int
    n_usual: int


def series_of(values: np.ndarray, usual: np.ndarray, weekday: np.ndarray, payday: np.ndarray | None) -> Series:
    """What weekdays and paydays make of a day, and how far usual days scatter.

    Level by block × weekday × payday is fitted to usual days by proportional fitting, which is a Poisson regression
    with these effects.

    Parameters
    ----------
    values, usual : numpy.ndarray
        As in ``Series``.
    weekday : numpy.ndarray
        0 to 6, shape (days,).
    payday : numpy.ndarray | None
        Whether wages arrive; None where that is what is looked at.

    Raises
    ------
    NotEnoughData
        Too few usual days, or nothing on them.
    """
    values = np.asarray(values, dtype=float)
    counted = usual & np.isfinite(values)
    if counted.sum() < FEWEST_USUAL or values[counted].sum() <= 0 or (values[counted] < 0).any():
        raise NotEnoughData(f"{int(counted.sum())} usual days with a value that is not negative; {FEWEST_USUAL} needed")
    blocks = np.arange(len(values)) // BLOCK
    codes = [blocks, weekday.astype(int), np.zeros(len(values), int) if payday is None else payday.astype(int)]
    effects = [np.ones(int(code.max()) + 1) for code in codes]
    for _ in range(ROUNDS):
        for code, effect in zip(codes, effects, strict=True):
            fitted = _product(codes, effects)
            sold, thought = (np.bincount(code[counted], side[counted], len(effect)) for side in (values, fitted))
            effect *= np.divide(sold, thought, out=np.ones_like(effect), where=(thought > 0) & (sold > 0))
    # A block without a usual day has the level between its neighbours'.
    seen = np.unique(blocks[counted])
    effects[0] = np.exp(np.interp(np.arange(len(effects[0])), seen, np.log(np.maximum(effects[0][seen], 1e-12))))
    fitted = _product(codes, effects)
    shape = _product(codes[1:], [effects[1] / effects[1].mean(), effects[2] / effects[2][0]])
    n_effects = sum(len(np.unique(code[counted])) - 1 for code in codes) + 1
    left = np.where(counted, (np.where(counted, values, 0.0) - fitted) / np.sqrt(np.maximum(fitted, 1e-12)), np.nan)
    return Series(values, counted, shape, fitted, _covariances(left, n_effects))


def _product(codes: list[np.ndarray], effects: list[np.ndarray]) -> np.ndarray:
    return np.prod([effect[code] for code, effect in zip(codes, effects, strict=True)], axis=0)


def _covariances(left: np.ndarray, n_effects: int) -> np.ndarray:
    n = int(np.isfinite(left).sum())
    found = [float(np.nanmean(left**2)) * n / max(n - n_effects, 1)]
    for lag in range(1, LAGS + 1):
        pairs = left[lag:] * left[:-lag]
        seen = np.isfinite(pairs)
        found.append(float(pairs[seen].mean()) * (1 - lag / (LAGS + 1)) if seen.any() else 0.0)
    return np.array(found)


def lift(
    series: Series,
    days: Sequence[np.ndarray],
    spans: Sequence[tuple[int, int]],
    reach: int,
    fewest: int = FEWEST_USUAL,
) -> Lift:
    """Days of one or more windows against usual days around each.

    Around each window a level with a straight trend is fitted to usual days, and carried into the window with its
    weekdays. The error has usual days' scatter in and around the windows, days that go together included (the weights
    of all days on the lift, times Newey and West's covariances); that they go against each other is not believed.

    Parameters
    ----------
    days : sequence of numpy.ndarray
        Positions of the days counted, one array for each window.
    spans : sequence of tuple of int
        First and last position of what is no part of the usual, window and its surroundings, one for each window.
    reach : int
        Days beyond the span on either side in which usual days are looked for.
    fewest : int
        Usual days that must lie around a window; one with fewer is not counted.

    Raises
    ------
    NotEnoughData
        No day is counted, or too few usual days lie around.
    """
    onto_actual, onto_expected, expected = (np.zeros(len(series.values)) for _ in range(3))
    n_days = n_usual = 0
    lacking = None
    for counted, span in zip(days, spans, strict=True):
        counted = counted[np.isfinite(series.values[counted])]
        if not len(counted):
            continue
        around = _around(series, span, reach)
        if len(around) < fewest:
            lacking = len(around)
            continue
        weights = _carried(series.shape, around, counted, span)
        onto_actual[counted] += 1.0
        onto_expected[around] += weights
        each = series.shape[counted] * float(weights @ series.values[around]) / series.shape[counted].sum()
        expected[counted] = each
        n_days, n_usual = n_days + len(counted), n_usual + len(around)
    if not n_days:
        few = "no day of it is counted" if lacking is None else f"{lacking} usual days lie around; {fewest} are needed"
        raise NotEnoughData(few)
    values = np.nan_to_num(series.values)
    sums = float(onto_actual @ values), float(onto_expected @ values)
    if sums[1] <= 0:
        raise NotEnoughData("usual days let expect nothing")
    ratio = sums[0] / sums[1]
    onto = (onto_actual - ratio * onto_expected) / sums[1]
    scale = np.where(onto_actual > 0, np.maximum(expected, 0.0) * max(1.0, ratio), series.fitted)
    return Lift(ratio - 1, float(np.sqrt(days_together(onto, scale, series.covariances))), *sums, n_days, n_usual)


def expected_days(series: Series, places: np.ndarray, span: tuple[int, int], reach: int) -> np.ndarray:
    """What usual days around let expect of each day, shape as ``places``; arguments as in ``lift``, of one window."""
    around = _around(series, span, reach)
    if len(around) < FEWEST_RECURRING:
        raise NotEnoughData(f"{len(around)} usual days lie around; {FEWEST_RECURRING} are needed")
    each = [_carried(series.shape, around, places[k : k + 1], span) @ series.values[around] for k in range(len(places))]
    return np.array(each)


def _around(series: Series, span: tuple[int, int], reach: int) -> np.ndarray:
    places = np.arange(max(0, span[0] - reach), min(len(series.values), span[1] + reach + 1))
    return places[series.usual[places] & ((places < span[0]) | (places > span[1]))]


def _carried(shape: np.ndarray, around: np.ndarray, days: np.ndarray, span: tuple[int, int]) -> np.ndarray:
    """Weight of each usual day on what is expected over the days, which is linear in them."""
    middle = (span[0] + span[1]) / 2
    early, late = (around < span[0]).sum(), (around > span[1]).sum()
    powers = 2 if min(early, late) >= FEWEST_A_SIDE else 1
    seen, wanted = (((place - middle) / 28.0)[:, None] ** np.arange(powers) for place in (around, days))
    inner = seen.T @ (shape[around][:, None] * seen)
    return seen @ np.linalg.solve(inner, wanted.T @ shape[days])


def days_together(onto: np.ndarray, scale: np.ndarray, covariances: np.ndarray) -> float:
    """Variance of a weighted sum of days, days that go together included; never less than as if they did not.

    Parameters
    ----------
    onto, scale : numpy.ndarray
        Weight of each day, and what its variance is in proportion to; shape (days,).
    covariances : numpy.ndarray
        As in ``Series``.
    """
    pull = onto * np.sqrt(scale)
    plain = covariances[0] * float(pull @ pull)
    together = sum(2 * covariances[lag] * float(pull[lag:] @ pull[:-lag]) for lag in range(1, len(covariances)))
    return max(plain, plain + together)


def placebos(series: Series, length: int, beside: tuple[int, int], reach: int, step: int) -> tuple[np.ndarray, float]:
    """Windows of usual days: lifts that should be none.

    Parameters
    ----------
    length : int
        Days of the window.
    beside : tuple of int
        Days before and after it that are no part of the usual either.
    reach, step : int
        As in ``lift``; days from one window to the next.

    Returns
    -------
    tuple
        Values and standard errors, shape (windows, 2), and how many windows that do not overlap they amount to.
    """
    found, used = [], np.zeros(len(series.values), bool)
    for start in range(0, len(series.values) - length + 1, step):
        places = np.arange(start, start + length)
        places = places[series.usual[places]]
        if len(places) < max(1.0, PLACEBO_SHARE * length):
            continue
        try:
            one = lift(series, [places], [(start - beside[0], start + length - 1 + beside[1])], reach)
        except NotEnoughData:
            continue
        found.append((one.value, one.se))
        used[places] = True
    return np.array(found).reshape(-1, 2), float(used.sum()) / max(1.0, length)


def placebos_moved(series: Series, starts: list[int], length: int, beside: int, reach: int) -> tuple[np.ndarray, float]:
    """As ``placebos``, of windows that come back: all of them moved by the same number of days.

    Parameters
    ----------
    starts : list of int
        First positions of the true windows.
    beside : int
        Days on either side of a true window that are no part of the usual.
    """
    gap = int(np.median(np.diff(starts))) if len(starts) > 1 else 0
    found = []
    for move in range(beside + 1, gap - beside - length + 1):
        spans = [(start + move, start + move + length - 1) for start in starts]
        spans = [ends for ends in spans if ends[1] < len(series.values)]
        days = [np.arange(first, last + 1) for first, last in spans]
        days = [places[series.usual[places]] for places in days]
        kept = [place for place in range(len(days)) if len(days[place])]
        try:
            one = lift(
                series, [days[place] for place in kept], [spans[place] for place in kept], reach, FEWEST_RECURRING
            )
        except NotEnoughData:
            continue
        found.append((one.value, one.se))
    return np.array(found).reshape(-1, 2), max(1.0, len(found) / length)
