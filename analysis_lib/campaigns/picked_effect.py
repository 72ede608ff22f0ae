"""Of two ways of comparing users that somebody picked, the one that errs less where there was no campaign."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import alike_at, by_history
from analysis_lib.campaigns.effect import PickedEffect, check_groups, history_effect
from analysis_lib.campaigns.exposed import Exposure
from analysis_lib.campaigns.growth import by_growth
from analysis_lib.campaigns.growth_effect import growth_effect
from analysis_lib.campaigns.placebos import run_placebos
from analysis_lib.campaigns.windows import Windows
from analysis_lib.errors import NotEnoughData

#: In which groups would have been alike without the campaign: in what they buy, or in how it changes.
WAYS = {"history": by_history, "growth": by_growth}


def picked_effect(panel: Panel, seen: Exposure, windows: Windows, *, level: float) -> PickedEffect:
    """The way that is not off to one side in the windows without the campaign; of two, the one that errs less there.

    Raises
    ------
    NotEnoughData
        If neither can be tried, and why.
    """
    alike = alike_at(panel, seen.reached, windows, windows.campaign.campaign_id, 0, windows.weeks_before)
    check_groups(alike.frame)
    made = {
        "history": lambda runs: history_effect(panel, seen, windows, alike, runs, level=level),
        "growth": lambda runs: growth_effect(panel, windows, alike, runs, level=level),
    }
    lacks = _refused(alike.frame, windows, level)
    runs = run_placebos(
        panel, seen, windows, {way: compared for way, compared in WAYS.items() if way not in lacks}, level=level
    )
    found: dict[str, PickedEffect] = {}
    for way in runs:
        try:
            found[way] = made[way](runs[way])
        except NotEnoughData as lack:
            lacks[way] = lack
    if not found:
        raise NotEnoughData("; ".join(dict.fromkeys(str(lack) for lack in lacks.values())))
    shared = _shared(list(found.values()))
    best = min(found, key=lambda way: (found[way].judged.is_off, found[way].judged.error_in(shared)))
    rows = [_row(way, found.get(way), lacks.get(way), chosen=way == best) for way in WAYS]
    return replace(found[best], ways=pd.DataFrame(rows))


def _refused(frame: pd.DataFrame, windows: Windows, level: float) -> dict[str, NotEnoughData]:
    """Ways that the campaign's own window refuses, and why: they need not be tried without it."""
    lacks = {}
    for way, compared in WAYS.items():
        try:
            compared(frame, level, windows.campaign.currency)
        except NotEnoughData as lack:
            lacks[way] = lack
    return lacks


def _shared(effects: list[PickedEffect]) -> pd.MultiIndex:
    """Windows in which all could be tried: groups and weeks."""
    windows = [pd.MultiIndex.from_frame(effect.placebos[["group", "week"]]) for effect in effects]
    return windows[0].intersection(windows[-1])


def _row(way: str, effect: PickedEffect | None, lack: NotEnoughData | None, *, chosen: bool) -> dict[str, object]:
    if effect is None:
        missing = dict.fromkeys(("value", "ci_lower", "ci_upper", "error"), float("nan"))
        return {"way": way, "why_not": str(lack), **missing, "n_windows": 0, "is_off": False, "chosen": False}
    widened, judged = effect.per_buyer("total"), effect.judged
    return {
        "way": way, "why_not": "", "value": widened.value, "ci_lower": widened.ci_lower, "ci_upper": widened.ci_upper,
        "error": judged.error, "n_windows": len(judged.placebos), "is_off": judged.is_off, "chosen": chosen,
    }  # fmt: skip
