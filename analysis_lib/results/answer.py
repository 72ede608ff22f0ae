"""What the first screen of a report says."""

from __future__ import annotations

from dataclasses import dataclass

from analysis_lib.results.decision import Decision
from analysis_lib.results.estimate import Estimate
from analysis_lib.results.result import Result


@dataclass(frozen=True, slots=True, eq=False)
class Answer(Result):
    """The first screen: question, number, verdict, and the small print that goes with them.

    Attributes
    ----------
    title : str
        The question, with market and dates in words.
    headline : str
        The answer as one sentence.
    number : Estimate | None
        The one number; None if it was refused.
    number_of : str
        What the number is, in words.
    decision : Decision
        Verdict, reason, money per month, owner, next step.
    source, window, as_of : str
        Where the data come from, which days, and when they end.
    counted : str
        Who is counted, in which money, how mature.
    grade : str
        How far the method can be trusted, in one sentence.
    """

    title: str
    headline: str
    number: Estimate | None
    number_of: str
    decision: Decision
    source: str
    window: str
    as_of: str
    counted: str
    grade: str

    @property
    def text(self) -> str:
        """Headline and verdict."""
        return f"{self.headline} {self.decision.text}"
