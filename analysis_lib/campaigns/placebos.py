"""The same analysis where there was no campaign, and what that says about its intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import alike_at
from analysis_lib.campaigns.exposed import Exposure
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import FEWEST_PLACEBOS, AdjustedDifference, PlaceboCalibration, calibrate
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: A way to compare: of a frame of buyers (``comparison.alike_at``), a level and the unit of money.
Compared = Callable[[pd.DataFrame, float, str], AdjustedDifference]

#: Placebos are borrowed only from groups at least this share of the campaign's own size: the scatter
#: per buyer falls with the size of the group.
BORROWED_SHARE = 0.5


def run_placebos(
    panel: Panel, seen: Exposure, windows: Windows, ways: Mapping[str, Compared], *, level: float
) -> dict[str, pd.DataFrame]:
    """The same analysis, each of ``ways``, in windows without the campaign; each window is cut out once for all.

    First the campaign's own targeted buyers in earlier windows. Where the data hold fewer than
    five of those, the targeted buyers of other campaigns before theirs began are borrowed, in windows
    that neither overlap the campaign's own nor leave the data.
    """
    rows: dict[str, list[dict[str, object]]] = {way: [] for way in ways}
    for group, week, own in _placebo_places(panel, seen, windows):
        frame = alike_at(panel, seen.reached, windows, group, week, windows.weeks_before).frame
        for way, compared in ways.items():
            found = _placebo(frame, compared, level, windows.campaign.currency)
            if found is not None:
                rows[way].append({"group": group, "week": week, "own": own, **found})
    return {way: pd.DataFrame(found) for way, found in rows.items()}


def independent_windows(runs: pd.DataFrame, windows: Windows) -> float:
    """How many windows without overlap in time the placebos amount to."""
    length = windows.campaign.n_days / 7 + windows.weeks_after
    # Each window adds what the one before it does not cover; gaps between windows count for nothing. Groups share
    # the untargeted buyers and the weeks of the year, so windows of two groups at one time count as one.
    return float(np.diff(np.sort(runs["week"]), prepend=-np.inf).clip(max=length).sum() / length)


def _placebo_places(panel: Panel, seen: Exposure, windows: Windows) -> list[tuple[str, int, bool]]:
    """Group, first week and whether the group is the campaign's own."""
    own_id = windows.campaign.campaign_id
    own = [(own_id, week, True) for week in _free_weeks(panel, windows, 0)]
    if len(own) >= FEWEST_PLACEBOS:
        return own
    starts = seen.known.groupby("campaign_id").agg(
        first=("first", "min"), n=("position", "nunique"), by_lot=("is_holdout", "any")
    )
    smallest = BORROWED_SHARE * starts.loc[own_id, "n"]
    # Groups drawn by lot are alike whatever is compared: they would show no error where picked ones have one.
    others = starts[(starts["n"] >= smallest) & (starts.index != own_id) & ~starts["by_lot"]]
    borrowed = [
        (str(group), week, False)
        for group, row in others.iterrows()
        for week in _borrowed_weeks(panel, windows, int(row["first"]) // 7)
    ]
    return own + borrowed


def _borrowed_weeks(panel: Panel, windows: Windows, before: int) -> list[int]:
    """Weeks for a window before week ``before`` that see nothing of the campaign under review."""
    whole_weeks = ((windows.last_day - windows.campaign.starts_on).days + 1) // 7
    free = _free_weeks(panel, windows, min(before, whole_weeks))
    return [week for week in free if abs(week) >= windows.weeks_touched]


def _free_weeks(panel: Panel, windows: Windows, before: int) -> list[int]:
    """Weeks where the whole analysis fits before week ``before``, history included, newest first."""
    return list(range(before - windows.weeks_touched, panel.first_week + windows.weeks_before - 1, -1))


def _placebo(frame: pd.DataFrame, compared: Compared, level: float, unit: str) -> dict[str, float] | None:
    """One placebo run as a row, or None where the groups cannot be compared."""
    try:
        effects = compared(frame, level, unit).effects
    except NotEnoughData:
        return None
    return {name: x.value for name, x in effects.items()} | {f"se_{name}": x.se for name, x in effects.items()}


def calibrations(runs: pd.DataFrame, windows: Windows, *, level: float) -> dict[str, PlaceboCalibration]:
    """By outcome, what the placebo runs say about the error.

    Raises
    ------
    NotEnoughData
        With fewer than ``FEWEST_PLACEBOS`` runs.
    """
    if len(runs) < FEWEST_PLACEBOS:
        raise NotEnoughData(
            f"{len(runs)} placebo windows fit into the data with {windows.weeks_before} weeks of history and "
            f"{windows.weeks_after} after; {FEWEST_PLACEBOS} are needed to know how far the interval "
            "can be trusted, so ask for fewer weeks"
        )
    names = [column.removeprefix("se_") for column in runs.columns if column.startswith("se_")]
    return {outcome: _learned(runs, windows, outcome, level) for outcome in names}


def _learned(runs: pd.DataFrame, windows: Windows, outcome: str, level: float) -> PlaceboCalibration:
    values, ses = runs[outcome].to_numpy(), runs[f"se_{outcome}"].to_numpy()
    return calibrate(values, ses, n_independent=independent_windows(runs, windows), level=level)


def grade(runs: pd.DataFrame, windows: Windows, *, level: float) -> tuple[int, int]:
    """How often the widened interval is wrong: each placebo judged by those that do not overlap it.

    Returns
    -------
    tuple of int
        Placebos that could be judged so, and those of them whose widened interval excludes zero.
    """
    judged, wrong = 0, 0
    for week, value, se in zip(runs["week"], runs["total"], runs["se_total"], strict=True):
        apart = runs[(runs["week"] - week).abs() >= windows.weeks_touched]
        if len(apart) >= FEWEST_PLACEBOS:
            plain = Estimate(float(value), float(se), float(value), float(value), level, "", 0, "")
            judged += 1
            wrong += _learned(apart, windows, "total", level).widen(plain).excludes_zero
    return judged, wrong
