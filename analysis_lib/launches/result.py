"""A launch as it was reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.launches import launch_exhibits, launch_text, verdict
from analysis_lib.launches.effect import LaunchEffect
from analysis_lib.launches.launch import Launch
from analysis_lib.launches.proposal import Proposal
from analysis_lib.launches.setting import Setting
from analysis_lib.launches.worth import Worth
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class LaunchReview(Finding):
    """What a launch does, where, and whether and where to go on.

    Attributes
    ----------
    launch : Launch
        Where it is live since when, as known.
    setting : Setting
        How it was looked at.
    effect : LaunchEffect or None
        What it does to its metric; None if that cannot be told.
    refusal : str
        Why not; empty if it can.
    beside : dict of str to LaunchEffect or str
        What it does to other metrics, or why that cannot be told.
    worth : Worth or None
        In money; None for a metric with which sales do not move in proportion.
    proposal : Proposal or None
        The markets left; None if there are none.
    """

    SENTENCES = launch_text.SENTENCES
    EXHIBITS = launch_exhibits.EXHIBITS
    CALLED = "a launch review"
    PLOTTED = "growth"

    launch: Launch
    setting: Setting
    effect: LaunchEffect | None
    refusal: str
    beside: dict[str, LaunchEffect | str]
    worth: Worth | None
    proposal: Proposal | None

    @property
    def estimate(self) -> Estimate | None:
        """Settled relative change of the metric, mean over the markets that have one."""
        return None if self.effect is None else self.effect.mean

    @property
    def table(self) -> pd.DataFrame:
        """Effects and money by market.

        Returns
        -------
        DataFrame
            country, live_on, n_weeks (settled), rel_effect, rel_effect_ci_lower, rel_effect_ci_upper (its own),
            rel_shrunk, rel_shrunk_ci_lower, rel_shrunk_ci_upper, chance, and where it is told in money value_usd,
            value_usd_ci_lower, value_usd_ci_upper. Empty if nothing can be told.
        """
        return launch_exhibits.by_market(self)

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """The verdict by the printed rule."""
        return verdict.decide(self)

    @property
    def text(self) -> str:
        """What it does, and the verdict."""
        return launch_text.whole(self)

    def answer(self, warehouse: Warehouse, *, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return launch_text.answer(self, warehouse.name, grade)
