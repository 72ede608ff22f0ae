"""What a campaign aimed at some users changed, and what the same method finds where there was no campaign."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import BUYERS, HISTORY, Alike, alike_at, balance, comparable, compare
from analysis_lib.campaigns.exposed import Exposure
from analysis_lib.campaigns.placebos import calibrations, grade
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import (
    AdjustedDifference,
    BalancingWeights,
    EventStudy,
    PlaceboCalibration,
    adjusted_difference,
)
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: Fewer targeted or untargeted buyers leave no interval worth printing.
FEWEST_BUYERS = 20

#: Standard errors by which the mean over windows without a campaign may lie beside zero.
OFF = 2.0

#: The last weeks before the start, kept out of the comparison to test it on.
WEEKS_HELD_OUT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A way of comparing, judged where there was no campaign.

    Attributes
    ----------
    placebos : pandas.DataFrame
        group, week, own (bool), and for each outcome its value and ``se_<outcome>``.
    calibration : dict[str, PlaceboCalibration]
        By outcome.
    grade : tuple of int
        Placebos that others far enough away can judge, and those whose widened interval is wrong.
    """

    placebos: pd.DataFrame
    calibration: dict[str, PlaceboCalibration]
    grade: tuple[int, int]

    @property
    def error(self) -> float:
        """Root mean square of what is found per targeted buyer where nothing was."""
        return float(np.sqrt(np.mean(np.square(self.calibration["total"].values))))

    def error_in(self, windows: pd.MultiIndex) -> float:
        """The same over some of the windows (groups and weeks); over all if none of them was tried."""
        tried = pd.MultiIndex.from_frame(self.placebos[["group", "week"]]).isin(windows)
        found = self.placebos["total"].to_numpy(float)[tried]
        return float(np.sqrt(np.mean(np.square(found)))) if found.size else self.error

    @property
    def is_off(self) -> bool:
        """Whether what is found where nothing was is off to one side by more than chance makes it."""
        scatter = self.calibration["total"]
        chance = np.sqrt(np.mean(np.square(scatter.ses)) / scatter.n_independent)
        return bool(abs(np.mean(scatter.values)) > OFF * chance)


@dataclass(frozen=True, slots=True, eq=False)
class PickedEffect:
    """The effect per targeted buyer, with everything that says how far to trust it.

    Attributes
    ----------
    plain : AdjustedDifference
        Effects per targeted buyer by outcome, before the placebo scatter is added.
    judged : Judged
        What the same comparison finds in windows without the campaign.
    held_out : Estimate
        Effect per targeted buyer "found" in the last weeks before the start by a comparison that has not
        seen them; zero is right.
    weekly : EventStudy | None
        Effects by week from the campaign's start, with the joint test of those before it; None where no details were
        asked for.
    ways : pandas.DataFrame
        One row a way of comparing that was tried: way, why_not (empty where it could be), value, ci_lower, ci_upper
        (per targeted buyer), error and is_off (as ``Judged``), n_windows, chosen.
    """

    plain: AdjustedDifference
    judged: Judged
    held_out: Estimate
    weekly: EventStudy | None = field(default=None, kw_only=True)
    ways: pd.DataFrame = field(default_factory=pd.DataFrame, kw_only=True)

    @property
    def n_targeted(self) -> int:
        """Targeted buyers."""
        return self.plain.effects["total"].n

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Rows of the ledger, without the total."""
        return tuple(name for name in self.plain.effects if name != "total")

    @property
    def placebos(self) -> pd.DataFrame:
        """Windows without the campaign."""
        return self.judged.placebos

    @property
    def calibration(self) -> dict[str, PlaceboCalibration]:
        """What they say about the error, by outcome."""
        return self.judged.calibration

    @property
    def grade(self) -> tuple[int, int]:
        """Placebos that could be judged by others, and those whose widened interval is wrong."""
        return self.judged.grade

    @property
    def residual_sd(self) -> float:
        """Standard deviation between targeted buyers of the total that the comparison does not explain."""
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


@dataclass(frozen=True, slots=True, eq=False)
class HistoryEffect(PickedEffect):
    """Against untargeted buyers weighted to the same history.

    Attributes
    ----------
    weights : BalancingWeights
        The weights, one a buyer, and the balance they reach.
    """

    KIND: ClassVar[str] = "history"

    weights: BalancingWeights


def history_effect(
    panel: Panel, seen: Exposure, windows: Windows, alike: Alike, runs: pd.DataFrame, *, level: float
) -> HistoryEffect:
    """Effect on the targeted and its placebos, the groups' history made alike.

    Parameters
    ----------
    alike : Alike
        The campaign's own window, from ``comparison.alike_at``.
    runs : pandas.DataFrame
        The same comparison in windows without the campaign, from ``placebos.run_placebos``.

    Raises
    ------
    NotEnoughData
        If groups differ too much, or too few placebo windows fit into the data.
    """
    weights = comparable(alike.frame)
    plain = compare(alike.frame, weights.weights, level=level, unit=windows.campaign.currency)
    held_out = _held_out(panel, seen, windows, level)
    by_buyer = replace(weights, weights=weights.weights[alike.place])
    return HistoryEffect(plain=plain, weights=by_buyer, judged=judge(runs, windows, level), held_out=held_out)


def judge(runs: pd.DataFrame, windows: Windows, level: float) -> Judged:
    """A comparison by what it found in windows without the campaign.

    Raises
    ------
    NotEnoughData
        If too few fit into the data.
    """
    return Judged(runs, calibrations(runs, windows, level=level), grade(runs, windows, level=level))


def check_groups(frame: pd.DataFrame) -> None:
    """Refuse groups that are too small.

    Raises
    ------
    NotEnoughData
        Fewer than ``FEWEST_BUYERS`` on a side.
    """
    targeted = int(frame["treated"] @ frame[BUYERS])
    untargeted = int(frame[BUYERS].sum()) - targeted
    if untargeted == 0:
        raise NotEnoughData("every known buyer was targeted: nobody is left to compare with")
    for what, number in (("targeted", targeted), ("untargeted", untargeted)):
        if number < FEWEST_BUYERS:
            # The number itself is not said: groups this small are not published.
            raise NotEnoughData(f"fewer than {FEWEST_BUYERS} known buyers were {what}: too few for an interval")


def _held_out(panel: Panel, seen: Exposure, windows: Windows, level: float) -> Estimate:
    """The 'effect' in the last weeks before the start, by weights built without them."""
    group = windows.campaign.campaign_id
    alike = alike_at(
        panel, seen.reached, windows, group, -WEEKS_HELD_OUT, windows.weeks_before - WEEKS_HELD_OUT, until=0
    )
    held_out = panel.weekly(-WEEKS_HELD_OUT, 0).sum(axis=1)
    frame = alike.frame.assign(held_out=held_out[alike.one_of])
    effects = adjusted_difference(
        frame, outcomes=["held_out"], treated="treated", covariates=list(HISTORY), weights=balance(frame).weights,
        level=level, unit=windows.campaign.currency, counts=BUYERS,
    ).effects  # fmt: skip
    return effects["held_out"]
