"""From a long frame, one row a unit and period, to the matrices that panel methods work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A balanced panel: every unit in every period, and when it was treated.

    Attributes
    ----------
    outcomes : numpy.ndarray
        Units × periods, in the outcome's own unit.
    units : numpy.ndarray
        Names of the rows, sorted.
    times : numpy.ndarray
        Names of the columns, sorted.
    treated : numpy.ndarray
        Units × periods, True from a unit's first treated period on.
    """

    outcomes: np.ndarray
    units: np.ndarray
    times: np.ndarray
    treated: np.ndarray

    @property
    def is_treated(self) -> np.ndarray:
        """Which units are ever treated, one flag a unit."""
        return self.treated.any(axis=1)

    @property
    def donors(self) -> np.ndarray:
        """Names of the units that are never treated."""
        return self.units[~self.is_treated]

    @property
    def starts(self) -> np.ndarray:
        """Position of each unit's first treated period; the number of periods if there is none."""
        return np.where(self.is_treated, self.treated.argmax(axis=1), len(self.times))

    @property
    def start(self) -> int:
        """Position of the period in which all treated units start.

        Raises
        ------
        InvalidValue
            If they do not start together.
        """
        starts = np.unique(self.starts[self.is_treated])
        if len(starts) > 1:
            began = ", ".join(str(self.times[place]) for place in starts[:4])
            raise InvalidValue(f"the treated units start in different periods ({began}); `staggered` is made for that")
        return int(starts[0])

    @property
    def treated_mean(self) -> np.ndarray:
        """Mean outcome of the treated units, one a period."""
        return self.outcomes[self.is_treated].mean(axis=0)

    @property
    def donor_outcomes(self) -> np.ndarray:
        """Outcomes of the donors, donors × periods."""
        return self.outcomes[~self.is_treated]

    def pretended(self, places: np.ndarray) -> Panel:
        """The donors alone, those at ``places`` (among the donors) treated when the treated units were."""
        mask = np.zeros_like(self.treated[~self.is_treated])
        mask[places, self.start :] = True
        return Panel(outcomes=self.donor_outcomes, units=self.donors, times=self.times, treated=mask)

    def without(self, name: object) -> Panel:
        """The panel without one unit."""
        kept = self.units != name
        return Panel(outcomes=self.outcomes[kept], units=self.units[kept], times=self.times, treated=self.treated[kept])


def panel_of(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: str | None = None,
    first_treated: str | None = None,
    donors_needed: bool = True,
) -> Panel:
    """The panel of a long frame; treatment as a flag a row, or as each unit's first treated period.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit and period; any order, any index. Outcomes may be negative or always zero.
    outcome, unit, time : str
        Columns; ``time`` of any type that sorts.
    treated : str, optional
        Column of 0 and 1, 1 from a unit's first treated period on.
    first_treated : str, optional
        Column with the first treated period, the same in all rows of a unit; 0 or missing for never.
        Exactly one of ``treated`` and ``first_treated`` is given.
    donors_needed : bool
        Whether units are needed that are never treated.

    Raises
    ------
    ContractError
        If a column is missing.
    InvalidValue
        If a unit has two rows for a period, a treatment ends, ``first_treated`` changes within a unit,
        or an outcome is not a finite number.
    NotEnoughData
        If a unit lacks a period, nobody is treated, there are no donors, or a unit is treated from
        the first period on.
    """
    if (treated is None) == (first_treated is None):
        raise InvalidValue("give either `treated` or `first_treated`, and not both")
    flag = treated if treated is not None else first_treated
    _check_columns(frame, [outcome, unit, time, str(flag)])
    rows, units = _codes(frame, unit)
    columns, times = _codes(frame, time)
    _check_complete(rows, columns, units, times)
    outcomes = np.empty((len(units), len(times)))
    outcomes[rows, columns] = _numbers(frame[outcome], outcome)
    if not np.isfinite(outcomes).all():
        row, column = np.argwhere(~np.isfinite(outcomes))[0]
        raise InvalidValue(f"'{outcome}' of unit {units[row]} in period {times[column]} is not a finite number")
    mask = np.empty(outcomes.shape, dtype=bool)
    mask[rows, columns] = (
        _flags(frame[treated], treated) if treated is not None else _since(frame, unit, time, str(first_treated))
    )
    found = Panel(outcomes=outcomes, units=units, times=times, treated=mask)
    _check_treatment(found, donors_needed)
    return found


def _check_columns(frame: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise ContractError(f"the frame has no column '{name}'; it has {', '.join(map(str, frame.columns))}")


def _codes(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Place of each row's value among the sorted values, and those."""
    if frame[name].isna().any():
        raise InvalidValue(f"'{name}' is missing in {int(frame[name].isna().sum())} rows")
    codes, values = pd.factorize(frame[name], sort=True)
    return codes, np.asarray(values)


def _numbers(column: pd.Series, name: str) -> np.ndarray:
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise InvalidValue(f"'{name}' must hold numbers; it holds {column.dtype}") from None


def _check_complete(rows: np.ndarray, columns: np.ndarray, units: np.ndarray, times: np.ndarray) -> None:
    """Each unit once in each period."""
    counts = np.bincount(rows * len(times) + columns, minlength=len(units) * len(times)).reshape(-1, len(times))
    if (counts > 1).any():
        row, column = np.argwhere(counts > 1)[0]
        raise InvalidValue(f"unit {units[row]} has {counts[row, column]} rows for period {times[column]}; one is meant")
    if (counts == 0).any():
        row, column = np.argwhere(counts == 0)[0]
        raise NotEnoughData(
            f"unit {units[row]} has no row for period {times[column]} ({int((counts == 0).any(axis=1).sum())} units "
            "are incomplete): fill in what is known to be zero, or leave the unit out"
        )


def _flags(column: pd.Series, name: str) -> np.ndarray:
    values = _numbers(column, name)
    if not np.isin(values, (0.0, 1.0)).all():
        odd = values[~np.isin(values, (0.0, 1.0))][0]
        raise InvalidValue(f"'{name}' must be 0 or 1 in every row; it holds {odd:g}")
    return values == 1


def _since(frame: pd.DataFrame, unit: str, time: str, name: str) -> np.ndarray:
    """Whether a row lies in or after its unit's first treated period."""
    first = frame[name].mask(frame[name].isna() | (frame[name] == 0))
    changing = first.groupby(frame[unit]).nunique(dropna=False) > 1
    if changing.any():
        raise InvalidValue(f"'{name}' changes within unit {changing.index[changing][0]}; a unit has one start")
    return (first.notna() & (frame[time] >= first)).to_numpy(dtype=bool)


def _check_treatment(panel: Panel, donors_needed: bool) -> None:
    ended = (panel.treated[:, :-1] & ~panel.treated[:, 1:]).any(axis=1)
    if ended.any():
        raise InvalidValue(
            f"the treatment of unit {panel.units[ended][0]} ends or comes twice; it has to last once begun"
        )
    if not panel.is_treated.any():
        raise NotEnoughData("no unit is treated in any period")
    if donors_needed and panel.is_treated.all():
        raise NotEnoughData("all units are treated: there are no donors to compare with")
    always = panel.starts == 0
    if always.any():
        raise NotEnoughData(
            f"{int(always.sum())} of {len(panel.units)} units, first {panel.units[always][0]}, are treated from the "
            f"first period ({panel.times[0]}) on: without a period before, leave them out or bring earlier data"
        )
