"""What goes together with a metric, as it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.relations import exhibits, sentences, verdict
from analysis_lib.relations.cells import Cells
from analysis_lib.relations.setting import Setting
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.regression import Check, Diagnosis, Fit, SpecificationCurve
    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A regression with what may speak against it.

    Attributes
    ----------
    fit : Fit
        The regression.
    others : mapping of str to Fit
        The same with less held alike, by heading.
    curve : SpecificationCurve
        The first coefficient over all ways to estimate it.
    influence : Check or None
        The first coefficient without each of the largest units; None where it cannot be told.
    diagnosis : Diagnosis
        Verdicts on the regression.
    """

    fit: Fit
    others: Mapping[str, Fit]
    curve: SpecificationCurve
    influence: Check | None
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True, eq=False)
class Relation(Finding):
    """What goes together with a metric.

    Attributes
    ----------
    setting : Setting
        What was asked.
    cells : Cells
        What was looked at.
    found : Found or None
        What was found; None if nothing can be told.
    refusal : str
        Why not; empty if something can.
    """

    SENTENCES = sentences.SENTENCES
    EXHIBITS = exhibits.EXHIBITS
    CALLED = "a relation"
    PLOTTED = "terms"

    setting: Setting
    cells: Cells
    found: Found | None
    refusal: str

    @property
    def estimate(self) -> Estimate | None:
        """Relative difference of the outcome with more of the first regressor."""
        return None if self.found is None else sentences.effect(self, self.cells.terms[0])

    @property
    def table(self) -> pd.DataFrame:
        """Relative differences by regressor: regressor, more, rel_effect, rel_effect_ci_lower, rel_effect_ci_upper."""
        return exhibits.by_term(self)

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """The verdict by the printed rule."""
        return verdict.decide(self)

    @property
    def text(self) -> str:
        """What goes together, and the verdict."""
        return sentences.whole(self)

    def answer(self, warehouse: Warehouse, *, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return sentences.answer(self, warehouse.name, grade)
