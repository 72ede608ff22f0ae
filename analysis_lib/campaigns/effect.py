"""What a campaign changed, and what the same method finds where there was no campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import HISTORY, OUTCOMES, Exposure, balance, compare, frame_at
from analysis_lib.campaigns.placebos import calibrations, grade, run_placebos
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import (
    AdjustedDifference,
    BalancingWeights,
    EventStudy,
    PlaceboCalibration,
    adjusted_difference,
    event_study,
)
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: Fewer targeted or (effectively) comparable buyers leave no interval worth printing.
FEWEST_BUYERS = 20
FEWEST_EFFECTIVE = 30

#: The last weeks before the start, kept out of the weights to test the comparison on.
WEEKS_HELD_OUT = 4


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
    grade : tuple of int
        Placebos that others far enough away can judge, and those whose widened interval is wrong.
    held_out : Estimate
        Effect per targeted buyer "found" in the last weeks before the start by weights that have not
        seen them; zero is right.
    weekly : EventStudy
        Effects by week from the campaign's start, with the joint test of those before it.
    """

    KIND: ClassVar[str] = "history"

    plain: AdjustedDifference
    weights: BalancingWeights
    placebos: pd.DataFrame
    calibration: dict[str, PlaceboCalibration]
    grade: tuple[int, int]
    held_out: Estimate
    weekly: EventStudy

    @property
    def n_targeted(self) -> int:
        """Targeted buyers."""
        return self.weights.n_treated

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Rows of the ledger, without the total."""
        return tuple(name for name in OUTCOMES if name != "total")

    @property
    def residual_sd(self) -> float:
        """Standard deviation between targeted buyers of the total that history does not explain."""
        return self.plain.residual_sd["total"]

    @property
    def grade_text(self) -> str:
        """How far the interval can be trusted, in one sentence."""
        return self.calibration["total"].text

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
    frame = frame_at(panel, seen, windows, campaign.campaign_id, 0, windows.weeks_before)
    _check_groups(frame)
    weights = balance(frame)
    if weights.effective_n < FEWEST_EFFECTIVE:
        raise NotEnoughData(
            f"the untargeted buyers are so unlike the targeted that they count as {weights.effective_n:.0f} "
            f"(at least {FEWEST_EFFECTIVE} are needed)"
        )
    plain = compare(frame, weights.weights, level=level, unit=campaign.currency)
    runs = run_placebos(panel, seen, windows, level=level)
    return Effect(
        plain=plain, weights=weights, placebos=runs, calibration=calibrations(runs, windows, level=level),
        grade=grade(runs, windows, level=level),
        held_out=_held_out(panel, seen, windows, level),
        weekly=_weekly(panel, seen, windows, weights.weights, level),
    )  # fmt: skip


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
    frame = frame_at(panel, seen, windows, group, -WEEKS_HELD_OUT, windows.weeks_before - WEEKS_HELD_OUT)
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
