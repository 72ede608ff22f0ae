"""From a frame of markets and periods to arrays with one treated market, or a refusal that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown

#: Periods further apart than so many usual steps have others missing between them (months differ by less).
_GAP = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class LonePanel:
    """One treated market and its donors.

    Attributes
    ----------
    market : str
        The treated market.
    names : list
        The donors.
    times : numpy.ndarray
        Periods, in order.
    treated : numpy.ndarray
        Outcome, or its logarithm, of the treated market; (periods,).
    donors : numpy.ndarray
        The same of the donors; (donors, periods).
    before : int
        Periods before the campaign.
    n_after : int
        Periods after it, which are left out of the arrays.
    log : bool
        Whether the arrays are logarithms.
    """

    market: str
    names: list
    times: np.ndarray
    treated: np.ndarray
    donors: np.ndarray
    before: int
    n_after: int
    log: bool

    @property
    def days(self) -> int:
        """Periods of the campaign."""
        return len(self.treated) - self.before

    @property
    def places(self) -> range:
        """Rows of the donors."""
        return range(len(self.donors))

    def shown(self, effect: ArrayLike) -> np.ndarray:
        """An effect as it is told: a difference of logarithms as a share."""
        return np.expm1(effect) if self.log else np.asarray(effect, dtype=float)


def lone_panel(frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, log: bool) -> LonePanel:
    """Arrays of a frame with one row a market and period; parameters and errors as ``one_treated``."""
    _check_rows(frame, outcome, unit, time, treated)
    market = _market(frame, unit, treated)
    wide = frame.pivot(index=time, columns=unit, values=outcome).sort_index()
    lacking = wide.isna().sum()
    if lacking.any():
        raise NotEnoughData(f"{lacking.idxmax()} lacks {lacking.max()} of {len(wide)} periods: fill or drop them.")
    _check_steps(wide.index)
    own = frame[frame[unit] == market].set_index(time)[treated].reindex(wide.index)
    before, days = _campaign(own.to_numpy(dtype=int), str(market))
    kept = wide.iloc[: before + days].astype(float)
    if log:
        wrong = (kept <= 0).sum()
        if wrong.any():
            raise InvalidValue(
                f"{wrong.idxmax()} has {wrong.max()} periods that are not above 0, which have no logarithm: use longer"
                " periods, or log=False."
            )
        kept = np.log(kept)
    others = kept.drop(columns=[market])
    return LonePanel(
        market=str(market), names=list(others.columns), times=kept.index.to_numpy(), treated=kept[market].to_numpy(),
        donors=others.to_numpy().T.copy(), before=before, n_after=len(wide) - len(kept), log=log,
    )  # fmt: skip


def _check_rows(frame: pd.DataFrame, outcome: str, unit: str, time: str, treated: str) -> None:
    for name in (outcome, unit, time, treated):
        if name not in frame:
            raise unknown("column", name, list(frame.columns), "the frame of markets")
    for name in (outcome, unit, time, treated):
        if frame[name].isna().any():
            raise InvalidValue(f"{name} is missing in {int(frame[name].isna().sum())} rows.")
    if not np.isfinite(frame[outcome].to_numpy(dtype=float)).all():
        raise InvalidValue(f"{outcome} holds a number that is not finite.")
    if not set(frame[treated]) <= {0, 1}:
        raise InvalidValue(f"{treated} must be 1 in a campaign and 0 otherwise, not {sorted(set(frame[treated]))!r}.")
    if frame.duplicated([unit, time]).any():
        raise InvalidValue("a market has more than one row in a period: sum them first.")


def _market(frame: pd.DataFrame, unit: str, treated: str) -> object:
    """The one treated market."""
    found = list(frame.loc[frame[treated] == 1, unit].unique())
    if not found:
        raise NotEnoughData(f"no market has a campaign: {treated} is 0 everywhere.")
    if len(found) > 1:
        names = ", ".join(sorted(map(str, found)))
        raise InvalidValue(
            f"{len(found)} markets have a campaign ({names}): this is for one. Drop the others, since a treated market"
            " is no donor, or use a method for several."
        )
    return found[0]


def _check_steps(times: pd.Index) -> None:
    """Refuse periods that are missing from all markets, as far as steps can tell."""
    if len(times) < 3 or not (pd.api.types.is_numeric_dtype(times) or pd.api.types.is_datetime64_any_dtype(times)):
        return
    steps = np.diff(times.to_numpy()).astype(float)
    if steps.max() > _GAP * np.median(steps):
        place = int(steps.argmax())
        raise NotEnoughData(f"periods are missing from all markets between {times[place]} and {times[place + 1]}.")


def _campaign(flags: np.ndarray, market: str) -> tuple[int, int]:
    """Periods before the campaign and of it."""
    begins = np.flatnonzero(np.diff(flags, prepend=0) == 1)
    if len(begins) > 1:
        raise InvalidValue(f"the campaign in {market} switches on {len(begins)} times: take the periods of one.")
    if begins[0] == 0:
        raise NotEnoughData(f"{market} is treated from the first period on: nothing came before to compare with.")
    return int(begins[0]), int(flags.sum())
