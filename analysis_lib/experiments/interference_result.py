"""Tests in a market in which arms take from each other: what they say, what is true, and which to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.causal.budget_split import BudgetEffect
from analysis_lib.errors import unknown
from analysis_lib.experiments import interference_exhibits, interference_text
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Interference(Finding):
    """What tests say of a market whose truth is known.

    Attributes
    ----------
    balance, lift, spread, budget_usd : float
        Visits per offer and stay; factor of the feature on attraction; how unlike offers and users are; coupon budget
        per user.
    level : float
        Of all intervals.
    days : float
        Of each test, after the market has settled.
    base : float
        Bookings per offer and stay without the feature.
    truth, simulated : float
        Effect of the feature on all, as a share of ``base``: in a market of endless size, and in the simulated one.
    ways : dict of str to Estimate | None
        What each test says, as a share of ``base``; None where an arm stays empty.
    curve : pandas.DataFrame
        balance, and by how much of the truth each test is off.
    budget : dict of str to BudgetEffect
        ``shared`` and ``split``: effect of a reminder on orders per user.
    budget_truth : float
        The same of reminding all, under the same whole budget.
    budgets : pandas.DataFrame
        budget_usd, truth, shared, split.
    """

    SENTENCES = interference_text.SENTENCES
    EXHIBITS = interference_exhibits.EXHIBITS
    CALLED = "this chapter"
    PLOTTED = "ways"

    balance: float
    lift: float
    spread: float
    budget_usd: float
    level: float
    days: float
    base: float
    truth: float
    simulated: float
    ways: dict[str, Estimate | None]
    curve: pd.DataFrame
    budget: dict[str, BudgetEffect]
    budget_truth: float
    budgets: pd.DataFrame

    def off(self, way: str) -> float:
        """By how much of the truth a test is off in a market of endless size, at the nearest balance drawn."""
        if way not in self.ways:
            raise unknown("test", way, self.ways, "the tests of this market")
        nearest = (self.curve["balance"] / self.balance - 1).abs().idxmin()
        return float(self.curve.loc[nearest, way])

    def to_frame(self) -> pd.DataFrame:
        """What each test says: way, effect, ci_lower, ci_upper, truth, off (in a market of endless size)."""
        import pandas as pd

        rows = []
        for name, found in self.ways.items():
            value = (found.value, found.ci_lower, found.ci_upper) if found is not None else (float("nan"),) * 3
            rows.append((name, *value, self.truth, self.off(name)))
        return pd.DataFrame(rows, columns=["way", "effect", "ci_lower", "ci_upper", "truth", "off"])

    @property
    def decision(self) -> Decision:
        """Which test to run."""
        return interference_text.decide(self)

    @property
    def text(self) -> str:
        """What the tests say, and which to run."""
        return f"{interference_text.headline(self)} {self.decision.text}"

    def answer(self, *, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return interference_text.answer(self, grade)
