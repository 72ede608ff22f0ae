"""An experiment as it was read: health, effects, doubts, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.errors import unknown
from analysis_lib.experiments import readout_exhibits, readout_text, verdict
from analysis_lib.experiments.belief import Belief, Prior
from analysis_lib.experiments.effects import Effect
from analysis_lib.experiments.evidence import Evidence
from analysis_lib.experiments.health import Health
from analysis_lib.experiments.looking import Looks
from analysis_lib.experiments.plan import Plan
from analysis_lib.experiments.segments import Segments
from analysis_lib.experiments.trial import Trial
from analysis_lib.experiments.wearing import Wearing
from analysis_lib.experiments.worth import Worth
from analysis_lib.results import Answer, Decision, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Readout(Finding):
    """What an experiment says.

    Attributes
    ----------
    evidence : Evidence
        The moments it stands on.
    is_planned : bool
        Whether a plan had been written before the start.
    level : float
        Of all intervals.
    effects : dict
        By (metric, arm): the effect that decides, adjusted where there is a covariate.
    plain, capped, stratified : dict
        The same without adjustment; with the largest units capped; with every arm weighted to the same markets.
    pvalues : dict
        By (metric, arm), corrected: success metrics by Holm, others by Benjamini and Hochberg.
    refused : dict of str to str
        Why a metric has no effect, by metric.
    segments : tuple of Segments
        Of the first success metric, by arm and dimension; p-values corrected for their number.
    by_segment : pandas.DataFrame
        Effects of every metric in every segment, as ``to_frame``.
    looks : Looks
        What earlier looks would have shown.
    wearing : dict of str to Wearing
        Early against late days, by arm: of the first success metric.
    worth : dict of str to Worth
        Money, by arm.
    prior : Prior
        What tests like this have found.
    beliefs : dict of str to Belief
        By arm: of the first success metric.
    """

    SENTENCES = readout_text.SENTENCES
    EXHIBITS = readout_exhibits.EXHIBITS
    CALLED = "a readout"
    PLOTTED = "effects"

    evidence: Evidence
    is_planned: bool
    level: float
    effects: dict[tuple[str, str], Effect]
    plain: dict[tuple[str, str], Effect]
    capped: dict[tuple[str, str], Effect]
    stratified: dict[tuple[str, str], Effect]
    pvalues: dict[tuple[str, str], float]
    refused: dict[str, str]
    segments: tuple[Segments, ...]
    by_segment: pd.DataFrame
    looks: Looks
    wearing: dict[str, Wearing]
    worth: dict[str, Worth]
    prior: Prior
    beliefs: dict[str, Belief]

    @property
    def trial(self) -> Trial:
        """What was run."""
        return self.evidence.trial

    @property
    def plan(self) -> Plan:
        """What was decided before."""
        return self.evidence.plan

    @property
    def health(self) -> Health:
        """What speaks against it."""
        return self.evidence.health

    @property
    def primary(self) -> str:
        """The metric that decides: the first success metric."""
        return self.plan.success[0]

    @property
    def days_left(self) -> int:
        """Days until the planned end; 0 once it is over."""
        planned = self.plan.days - self.evidence.days
        is_over = self.trial.ends_at is not None and self.trial.ends_at.date() <= self.evidence.data_end
        return 0 if is_over else max(0, planned)

    @property
    def is_cut_short(self) -> bool:
        """Whether it ended days before the plan says: then it was looked at, and the plan's looks decide."""
        return not self.days_left and self.evidence.days < self.plan.days - 1

    @property
    def is_early(self) -> bool:
        """Whether it has not run to its planned end: then its looks decide."""
        return self.days_left > 0 or self.is_cut_short

    def role(self, metric: str) -> str:
        """success, guardrail or explored."""
        if metric in self.plan.success:
            return "success"
        return "guardrail" if metric in self.plan.guardrails else "explored"

    def effect(self, metric: str, variant: str) -> Effect:
        """One effect.

        Raises
        ------
        UnknownName
            There is none: the message names those there are, or why it was refused.
        """
        if (metric, variant) in self.effects:
            return self.effects[metric, variant]
        if metric in self.refused:
            raise unknown("effect", metric, [name for name, _ in self.effects], f"this readout: {self.refused[metric]}")
        raise unknown("effect", f"{metric} of {variant}", [" of ".join(key) for key in self.effects], "this readout")

    def to_frame(self, *, segments: bool = True) -> pd.DataFrame:
        """Effects, one row per metric, arm and segment.

        Parameters
        ----------
        segments : bool
            Whether segments follow the whole.

        Returns
        -------
        DataFrame
            metric, variant, segment (``all``, or ``country=GB``), effect, effect_ci_lower, effect_ci_upper, rel_effect,
            rel_effect_ci_lower, rel_effect_ci_upper, pvalue, n_control, n_treatment, and role, pvalue_adjusted,
            control, treatment.
        """
        import pandas as pd

        whole = pd.DataFrame([readout_exhibits.row_of(self, key) for key in self.effects])
        if not segments or self.by_segment.empty:
            return whole
        return pd.concat([whole, self.by_segment], ignore_index=True)

    @property
    def decision(self) -> Decision:
        """The verdict by the printed rule."""
        return verdict.decide(self)

    @property
    def text(self) -> str:
        """Health, effects and verdict."""
        return readout_text.whole(self)

    def answer(self, warehouse: Warehouse, *, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return readout_text.answer(self, warehouse.name, grade)
