"""A rollout over few units as matrices: what was seen when, and which periods show a unit without the treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData

#: Periods that a unit must be seen before it is affected: less says too little about where it stood.
FEWEST_BEFORE = 8

#: Units not yet affected that a period needs: with one alone, whatever happens to it would be everybody's.
FEWEST_FREE = 2

#: Units in all.
FEWEST_UNITS = 5

#: Different starts: with one, a shock of that moment is told from nothing.
FEWEST_WAVES = 2


@dataclass(frozen=True, slots=True, eq=False)
class RolloutPanel:
    """Units × periods of a rollout.

    Attributes
    ----------
    outcomes : numpy.ndarray
        Units × periods; nan where nothing was seen.
    noise : numpy.ndarray
        Units × periods: how noisy a value is against others, as a variance.
    affected, started : numpy.ndarray
        Position of each unit's first period in which anything may be different, and of the first one treated; the
        number of periods if there is none.
    units, times : numpy.ndarray
        Names of rows and columns, sorted.
    dropped : numpy.ndarray
        Names of later periods in which too few units were not yet affected.
    """

    outcomes: np.ndarray
    noise: np.ndarray
    affected: np.ndarray
    started: np.ndarray
    units: np.ndarray
    times: np.ndarray
    dropped: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Units × periods, whether there is a value."""
        return np.isfinite(self.outcomes)

    @property
    def free(self) -> np.ndarray:
        """Units × periods, whether a value shows the unit without the treatment."""
        return self.seen & (np.arange(len(self.times))[None, :] < self.affected[:, None])

    @property
    def since(self) -> np.ndarray:
        """Units × periods: periods since the first one treated, which is 0; very negative where it never is."""
        n = len(self.times)
        since = np.arange(n)[None, :] - self.started[:, None]
        return np.where((self.started < n)[:, None], since, -10_000)


def rollout_panel(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, first_treated: str,
    first_affected: str | None = None, noise: str | None = None,
) -> RolloutPanel:  # fmt: skip
    """The matrices of a long frame, up to the last period in which there is somebody to compare with.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit and period; rows may lack, and so may outcomes.
    outcome, unit, time : str
        Columns; ``time`` of any type that sorts.
    first_treated : str
        Column with the unit's first treated period, the same in all its rows; missing for never, or not yet.
    first_affected : str, optional
        Column with the unit's first period in which an effect is allowed (an announcement); by default the first
        treated one. Periods in between are neither before nor after.
    noise : str, optional
        Column with the variance of the outcome up to one factor, above 0; by default that of a unit's changes from
        period to period.

    Raises
    ------
    ContractError
        A column is missing.
    InvalidValue
        A unit has two rows for a period, or two starts; an outcome is infinite; an announcement comes after the start.
    NotEnoughData
        Fewer than ``FEWEST_UNITS`` units or ``FEWEST_WAVES`` starts, nobody to compare with, or outcomes that never
        change.
    """
    _check(frame, [outcome, unit, time, first_treated, *(name for name in (first_affected, noise) if name)])
    _check_once(frame, unit, time)
    wide = frame.pivot(index=unit, columns=time, values=outcome).astype(float).sort_index(axis=0).sort_index(axis=1)
    if np.isinf(wide.to_numpy()).any():
        raise InvalidValue(f"'{outcome}' is infinite for {wide.index[np.isinf(wide.to_numpy()).any(axis=1)][0]}")
    if len(wide) < FEWEST_UNITS:
        raise NotEnoughData(
            f"{len(wide)} markets; {FEWEST_UNITS} are needed to tell an effect from their ups and downs"
        )
    started = _positions(frame, unit, first_treated, wide)
    affected = started if first_affected is None else _positions(frame, unit, first_affected, wide)
    if (affected > started).any():
        raise InvalidValue(f"'{first_affected}' of {wide.index[affected > started][0]} lies after '{first_treated}'")
    outcomes = wide.to_numpy()
    shape = _noise(outcomes) if noise is None else frame.pivot(index=unit, columns=time, values=noise)
    shape = np.asarray(shape.reindex_like(wide) if isinstance(shape, pd.DataFrame) else shape, dtype=float)
    if not (shape[np.isfinite(outcomes)] > 0).all():
        raise InvalidValue(f"'{noise or outcome}': a variance must be above 0")
    whole = RolloutPanel(
        outcomes, np.where(np.isfinite(shape), shape, 1.0), affected, started, np.asarray(wide.index),
        np.asarray(wide.columns), np.array([]),
    )  # fmt: skip
    return _cut(whole)


def _check(frame: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise ContractError(f"the frame has no column '{name}'; it has {', '.join(map(str, frame.columns))}")


def _check_once(frame: pd.DataFrame, unit: str, time: str) -> None:
    twice = frame.duplicated([unit, time])
    if twice.any():
        row = frame[twice].iloc[0]
        raise InvalidValue(f"{row[unit]} has two rows for {row[time]}; one is meant")


def _positions(frame: pd.DataFrame, unit: str, name: str, wide: pd.DataFrame) -> np.ndarray:
    """Place of each unit's first period from a date on; the number of periods where there is none."""
    counts = frame.groupby(unit)[name].nunique(dropna=False)
    if (counts > 1).any():
        raise InvalidValue(f"'{name}' of {counts.index[counts > 1][0]} is not one: a unit starts once")
    first = frame.groupby(unit)[name].first().reindex(wide.index)
    times = list(wide.columns)
    places = [len(times) if pd.isna(day) else sum(one < day for one in times) for day in first]
    return np.array(places, dtype=int)


def _noise(outcomes: np.ndarray) -> np.ndarray:
    """Half of the mean squared change of a unit against the others, from period to period."""
    against = outcomes - np.nanmedian(outcomes - np.nanmean(outcomes, axis=1, keepdims=True), axis=0)
    steps = np.nanmean(np.square(np.diff(against, axis=1)), axis=1) / 2
    floor = max(float(np.nanmedian(steps)) * 1e-3, np.finfo(float).tiny)
    return np.repeat(np.maximum(np.nan_to_num(steps, nan=floor), floor)[:, None], outcomes.shape[1], axis=1)


def _cut(panel: RolloutPanel) -> RolloutPanel:
    """Without periods in which too few are left to compare with; refused where that leaves too little."""
    free = panel.free
    enough = free.sum(axis=0) >= FEWEST_FREE
    if not enough.any():
        raise NotEnoughData(f"in no week were {FEWEST_FREE} markets not yet live: there is nobody to compare with")
    kept = np.flatnonzero(enough)
    place = np.searchsorted(kept, np.arange(len(panel.times) + 1))
    cut = RolloutPanel(
        panel.outcomes[:, kept], panel.noise[:, kept], place[panel.affected], place[panel.started], panel.units,
        panel.times[kept], panel.times[~enough],
    )  # fmt: skip
    if float(np.nanstd(cut.outcomes)) == 0:
        raise NotEnoughData("the outcome never changes: nothing can be read from it")
    return cut
