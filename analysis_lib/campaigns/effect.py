"""What a campaign changed, and what the same method finds where there was no campaign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import HISTORY, OTHERS_DURING, OUTCOMES, Exposure, comparison_frame
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import (
    FEWEST_PLACEBOS,
    AdjustedDifference,
    BalancingWeights,
    EventStudy,
    PlaceboCalibration,
    adjusted_difference,
    calibrate,
    entropy_balance,
    event_study,
)
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: Fewer targeted or (effectively) comparable buyers leave no interval worth printing.
FEWEST_BUYERS = 20
FEWEST_EFFECTIVE = 30

#: The last weeks before the start, kept out of the weights to test the comparison on.
WEEKS_HELD_OUT = 4

#: Placebos are borrowed only from groups at least this share of the campaign's own size: the scatter
#: per buyer falls with the size of the group.
BORROWED_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """The effect per targeted buyer, with everything that says how far to trust it.

    Attributes
    ----------
    plain : AdjustedDifference
        Effects per targeted buyer by outcome, before the placebo scatter is added.
    weights : BalancingWeights
        The weights and the balance they reach.
    placebos : pandas.DataFrame
        group, week, own (bool), and for each outcome its value and ``se_<outcome>``.
    calibration : dict[str, PlaceboCalibration]
        By outcome.
    held_out : Estimate
        Effect per targeted buyer "found" in the last weeks before the start by weights that have not
        seen them; zero is right.
    weekly : EventStudy
        Effects by week from the campaign's start, with the joint test of those before it.
    """

    plain: AdjustedDifference
    weights: BalancingWeights
    placebos: pd.DataFrame
    calibration: dict[str, PlaceboCalibration]
    held_out: Estimate
    weekly: EventStudy

    @property
    def n_targeted(self) -> int:
        """Targeted buyers."""
        return self.weights.n_treated

    def per_buyer(self, outcome: str) -> Estimate:
        """Effect per targeted buyer with the placebo scatter in its interval."""
        return self.calibration[outcome].widen(self.plain.effects[outcome])

    def total(self, outcome: str, unit: str) -> Estimate:
        """Effect summed over the targeted buyers."""
        return self.per_buyer(outcome).scaled(self.n_targeted, unit)


def estimate_effect(panel: Panel, seen: Exposure, windows: Windows, *, level: float) -> Effect:
    """Effect on the targeted, its placebos and its weekly course.

    Raises
    ------
    NotEnoughData
        If groups are too small or differ too much, or too few placebo windows fit into the data.
    """
    campaign = windows.campaign
    frame = _frame(panel, seen, windows, campaign.campaign_id, 0, windows.weeks_before)
    _check_groups(frame)
    weights = balance(frame)
    if weights.effective_n < FEWEST_EFFECTIVE:
        raise NotEnoughData(
            f"the untargeted buyers are so unlike the targeted that they count as {weights.effective_n:.0f} "
            f"(at least {FEWEST_EFFECTIVE} are needed)"
        )
    plain = compare(frame, weights.weights, level=level, unit=campaign.currency)
    runs = run_placebos(panel, seen, windows, level=level)
    if len(runs) < FEWEST_PLACEBOS:
        raise NotEnoughData(
            f"{len(runs)} placebo windows fit into the data with {windows.weeks_before} weeks of history and "
            f"{windows.weeks_after} after; {FEWEST_PLACEBOS} are needed to know how far the interval "
            "can be trusted, so ask for fewer weeks"
        )
    independent = independent_windows(runs, windows)
    calibration = {
        outcome: calibrate(
            runs[outcome].to_numpy(), runs[f"se_{outcome}"].to_numpy(), n_independent=independent, level=level
        )
        for outcome in OUTCOMES
    }
    return Effect(
        plain=plain, weights=weights, placebos=runs, calibration=calibration,
        held_out=_held_out(panel, seen, windows, level),
        weekly=_weekly(panel, seen, windows, weights.weights, level),
    )  # fmt: skip


def balance(frame: pd.DataFrame) -> BalancingWeights:
    """Weights that match the history of the untargeted to that of the targeted."""
    return entropy_balance(frame, treated="treated", covariates=list(HISTORY))


def compare(frame: pd.DataFrame, weights: np.ndarray, *, level: float, unit: str) -> AdjustedDifference:
    """Effects on all outcomes from one design."""
    covariates = [*HISTORY, OTHERS_DURING]
    return adjusted_difference(
        frame, outcomes=list(OUTCOMES), treated="treated", covariates=covariates, weights=weights, level=level,
        unit=unit,
    )  # fmt: skip


def run_placebos(panel: Panel, seen: Exposure, windows: Windows, *, level: float) -> pd.DataFrame:
    """The same analysis in windows without the campaign.

    First the campaign's own targeted buyers in earlier windows. Where the data hold fewer than
    five of those, the targeted buyers of other campaigns before theirs began are borrowed, in windows
    that neither overlap the campaign's own nor leave the data.
    """
    rows = [_placebo(panel, seen, windows, *place, level=level) for place in _placebo_places(panel, seen, windows)]
    columns = ["group", "week", "own", *OUTCOMES, *(f"se_{outcome}" for outcome in OUTCOMES)]
    return pd.DataFrame([row for row in rows if row is not None], columns=columns)


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
    starts = seen.known.groupby("campaign_id").agg(first=("first", "min"), n=("position", "nunique"))
    smallest = BORROWED_SHARE * starts.loc[own_id, "n"]
    others = starts[(starts["n"] >= smallest) & (starts.index != own_id)]
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
    return [week for week in free if abs(week) >= _length(windows)]


def _length(windows: Windows) -> int:
    """Weeks that the campaign and its aftermath touch."""
    return -(-windows.campaign.n_days // 7) + windows.weeks_after


def _free_weeks(panel: Panel, windows: Windows, before: int) -> list[int]:
    """Weeks where the whole analysis fits before week ``before``, history included, newest first."""
    return list(range(before - _length(windows), panel.first_week + windows.weeks_before - 1, -1))


def _placebo(panel: Panel, seen: Exposure, windows: Windows, group: str, week: int, own: bool, *, level: float):
    """One placebo run as a row, or None where the groups cannot be made alike."""
    frame = _frame(panel, seen, windows, group, week, windows.weeks_before)
    try:
        effects = compare(frame, balance(frame).weights, level=level, unit="").effects
    except NotEnoughData:
        return None
    values = {outcome: effects[outcome].value for outcome in OUTCOMES}
    return {"group": group, "week": week, "own": own} | values | {f"se_{o}": effects[o].se for o in OUTCOMES}


def _frame(panel: Panel, seen: Exposure, windows: Windows, group: str, start: int, weeks_before: int) -> pd.DataFrame:
    return comparison_frame(
        panel, seen, group=group, start=start, weeks_before=weeks_before, weeks_after=windows.weeks_after
    )


def _check_groups(frame: pd.DataFrame) -> None:
    targeted = int(frame["treated"].sum())
    untargeted = len(frame) - targeted
    if untargeted == 0:
        raise NotEnoughData("every known buyer was targeted: nobody is left to compare with")
    for what, number in (("targeted", targeted), ("untargeted", untargeted)):
        if number < FEWEST_BUYERS:
            # The number itself is not said: groups this small are not published.
            raise NotEnoughData(f"fewer than {FEWEST_BUYERS} known buyers were {what}: too few for an interval")


def _held_out(panel: Panel, seen: Exposure, windows: Windows, level: float) -> Estimate:
    """The 'effect' in the last weeks before the start, by weights built without them."""
    group = windows.campaign.campaign_id
    frame = _frame(panel, seen, windows, group, -WEEKS_HELD_OUT, windows.weeks_before - WEEKS_HELD_OUT)
    frame = frame.assign(held_out=panel.weekly(-WEEKS_HELD_OUT, 0).sum(axis=1))
    effects = adjusted_difference(
        frame, outcomes=["held_out"], treated="treated", covariates=list(HISTORY), weights=balance(frame).weights,
        level=level, unit=windows.campaign.currency,
    ).effects  # fmt: skip
    return effects["held_out"]


def _weekly(panel: Panel, seen: Exposure, windows: Windows, weights: np.ndarray, level: float) -> EventStudy:
    """Effects by week: household and week effects, the same weights, other campaigns held fixed."""
    group, n_users = windows.campaign.campaign_id, len(panel.users)
    last = -(-windows.campaign.n_days // 7) + windows.weeks_after
    last = min(last, panel.first_week + panel.n_weeks)
    weeks = np.arange(-windows.weeks_before, last)
    others = [seen.others(group, n_users, 7 * week, 7 * week + 7) for week in weeks]
    frame = pd.DataFrame(
        {
            "buyer": np.repeat(np.arange(n_users), len(weeks)),
            "week": np.tile(weeks, n_users),
            "spent": panel.weekly(weeks[0], last).ravel(),
            "treated": np.repeat(seen.treated(group, n_users), len(weeks)),
            "others": np.column_stack(others).ravel(),
            # The mean weight is 1 within each group, which keeps the fit well scaled.
            "weight": np.repeat(weights * n_users / 2, len(weeks)),
        }
    )
    # Where no other campaign ran there is nothing to hold fixed.
    controls = ["others"] if frame["others"].nunique() > 1 else []
    return event_study(
        frame, outcome="spent", unit="buyer", time="week", treated="treated", controls=controls, weights="weight",
        level=level,
    )  # fmt: skip
