"""From a frame of days to the arrays of one series with one campaign, or a refusal that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown

#: Fewest days before the campaign: eight weeks, of which the first half is needed to learn week and level.
FEWEST_BEFORE = 56

#: A spread this small against the numbers themselves is rounding: the column is constant.
ROUNDING = 1e-12

WEEK = 7


@dataclass(frozen=True, slots=True, eq=False)
class DailySeries:
    """One series with a campaign at its end.

    Attributes
    ----------
    times : numpy.ndarray
        Days, in order.
    outcome : numpy.ndarray
        Outcome, or its logarithm; (days,).
    regressors : numpy.ndarray
        What each known kind of day adds to is told by, over its largest size before; (days, regressors).
    names : list of str
        The regressors.
    left_out : list of str
        Regressors that weekdays and the others already tell, or that do not vary.
    before : int
        Days before the campaign.
    n_after : int
        Days after it, which are left out of the arrays.
    log : bool
        Whether the outcome is a logarithm.
    """

    times: np.ndarray
    outcome: np.ndarray
    regressors: np.ndarray
    names: list[str]
    left_out: list[str]
    before: int
    n_after: int
    log: bool

    @property
    def days(self) -> int:
        """Days of the campaign."""
        return len(self.outcome) - self.before

    def shown(self, effect: ArrayLike) -> np.ndarray:
        """An effect as it is told: a difference of logarithms as a share."""
        return np.expm1(effect) if self.log else np.asarray(effect, dtype=float)

    def is_told(self, at: int, days: int) -> bool:
        """Whether what the regressors add on ``days`` days from ``at`` on is known from the days before."""
        known, asked = self.regressors[:at], self.regressors[at : at + days]
        return _untold(known, asked, self.names) is None


def daily_series(
    frame: pd.DataFrame, *, outcome: str, time: str, treated: str, regressors: Sequence[str], log: bool | None
) -> DailySeries:
    """Arrays of a frame with one row a day; parameters and errors as ``interrupted_series``."""
    names = list(regressors)
    _check_rows(frame, outcome, time, treated, names)
    order = _consecutive(frame[time])
    frame = frame.iloc[order]
    before, days = _campaign(frame[treated].to_numpy(dtype=int))
    kept = frame.iloc[: before + days]
    sold = kept[outcome].to_numpy(dtype=float)
    _refuse_dull(sold[:before], outcome)
    log = bool((sold > 0).all()) if log is None else log
    if log and (sold <= 0).any():
        raise InvalidValue(
            f"{outcome} has {int((sold <= 0).sum())} days that are not above 0, which have no logarithm: log=False."
        )
    values = kept[names].to_numpy(dtype=float).reshape(len(kept), len(names))
    told = _telling(values, before)
    _refuse_untold(values, before, names, told)
    size = np.abs(values[:before, told]).max(axis=0, initial=0.0)
    return DailySeries(
        times=kept[time].to_numpy(), outcome=np.log(sold) if log else sold, regressors=values[:, told] / size,
        names=[names[k] for k in told], left_out=[name for k, name in enumerate(names) if k not in told],
        before=before, n_after=len(frame) - len(kept), log=log,
    )  # fmt: skip


def _check_rows(frame: pd.DataFrame, outcome: str, time: str, treated: str, regressors: list[str]) -> None:
    used = [outcome, time, treated, *regressors]
    for name in used:
        if name not in frame:
            raise unknown("column", name, list(frame.columns), "the frame of days")
        if used.count(name) > 1:
            raise InvalidValue(f"{name} is given twice: outcome, time, treated and each regressor are columns apart.")
        if frame[name].isna().any():
            raise InvalidValue(f"{name} is missing in {int(frame[name].isna().sum())} rows.")
    for name in (outcome, treated, *regressors):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise InvalidValue(f"{name} must hold numbers; it holds {frame[name].dtype}.")
        if not np.isfinite(frame[name].to_numpy(dtype=float)).all():
            raise InvalidValue(f"{name} holds a number that is not finite.")
    if not set(frame[treated]) <= {0, 1}:
        raise InvalidValue(f"{treated} must be 1 in a campaign and 0 otherwise, not {sorted(set(frame[treated]))!r}.")
    if frame[time].duplicated().any():
        raise InvalidValue("a day has more than one row: sum them first.")


def _consecutive(times: pd.Series) -> np.ndarray:
    """Places of the rows in the order of their days, of which none is missing."""
    if pd.api.types.is_numeric_dtype(times):
        day = times.to_numpy(dtype=float)
    else:
        try:
            stamps = pd.to_datetime(times, format="ISO8601")
        except (TypeError, ValueError):
            raise InvalidValue(f"{times.name} must hold dates or numbers of days; it holds {times.dtype}.") from None
        day = ((stamps - stamps.min()) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    order = np.argsort(day, kind="stable")
    steps = np.diff(day[order])
    if (steps % 1 != 0).any():
        raise InvalidValue(f"{times.name} holds more than days: one row a day is meant.")
    if (steps > 1).any():
        place, named = int(steps.argmax()), times.iloc[order].tolist()
        raise NotEnoughData(
            f"{int(np.sum(steps - 1))} days are missing, first between {named[place]} and {named[place + 1]}: fill in"
            " what is known, as 0 where nothing was sold."
        )
    return order


def _campaign(flags: np.ndarray) -> tuple[int, int]:
    """Days before the campaign and of it."""
    begins = np.flatnonzero(np.diff(flags, prepend=0) == 1)
    if not len(begins):
        raise NotEnoughData("there is no campaign: no day is treated.")
    if len(begins) > 1:
        raise NotEnoughData(f"the campaign switches on {len(begins)} times: take the days of one, up to its last.")
    if begins[0] == 0:
        raise NotEnoughData("the series is treated from the first day on: nothing came before to compare with.")
    if begins[0] < FEWEST_BEFORE:
        raise NotEnoughData(f"{begins[0]} days came before the campaign; at least {FEWEST_BEFORE} are needed.")
    return int(begins[0]), int(flags.sum())


def _refuse_dull(past: np.ndarray, outcome: str) -> None:
    if not past.any():
        raise NotEnoughData(f"{outcome} is 0 on every day before the campaign: there is nothing to go on from.")
    if np.ptp(past) <= ROUNDING * np.abs(past).max():
        raise NotEnoughData(f"{outcome} is the same on every day before the campaign: its usual error cannot be told.")


def _telling(values: np.ndarray, before: int) -> list[int]:
    """Regressors that add something, before the campaign, to weekdays and the regressors in front of them."""
    kept: list[int] = []
    for place in range(values.shape[1]):
        if _rank(values[:before, [*kept, place]]) == WEEK + len(kept) + 1:
            kept.append(place)
    return kept


def _refuse_untold(values: np.ndarray, before: int, names: list[str], told: list[int]) -> None:
    """Refuse a campaign on days of a kind that never was before: its effect and theirs are one."""
    untold = _untold(values[:before], values[before:], names)
    if untold is not None:
        raise NotEnoughData(
            f"what {untold} adds cannot be told from the days before the campaign, on which it never was as it is in"
            " it: its effect and the campaign's are one. Take a longer past, or days without it."
        )


def _untold(known: np.ndarray, asked: np.ndarray, names: Sequence[str]) -> str | None:
    """First regressor whose course on the days asked for is not a mixture of what is known."""
    for place, name in enumerate(names):
        upto = slice(0, place + 1)
        whole = np.vstack([known[:, upto], asked[:, upto]])
        if _rank(whole) > _rank(known[:, upto]):
            return name
    return None


def _rank(values: np.ndarray) -> int:
    """Of weekdays and columns together; columns over their size, so that no unit counts."""
    weekdays = np.eye(WEEK)[np.arange(len(values)) % WEEK]
    size = np.abs(values).max(axis=0, initial=0.0)
    columns = values / np.where(size > 0, size, 1.0)
    return int(np.linalg.matrix_rank(np.hstack([weekdays, columns]), tol=1e-8 * np.sqrt(len(values))))
