"""What to do, by which rule, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

from analysis_lib.results.estimate import Estimate
from analysis_lib.results.result import Result

#: The verdicts a page may carry, in the words of "How to read these reports".
ACTIONS = (
    "Repeat", "Change", "Stop", "Run", "Ship", "Hold", "Roll back", "Keep running", "Look into", "Leave alone",
    "Cannot tell",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Decision(Result):
    """A verdict with the rule that chose it.

    Attributes
    ----------
    action : str
        One of ``ACTIONS``.
    rule : str
        The printed rule, in words, that led to the action.
    reason : str
        One sentence with the number that decided.
    money_per_month : Estimate | None
        What following the decision is worth per 30 days; None where nothing can be said.
    owner : str
        Who acts.
    next_step : str
        What they do first.
    """

    action: str
    rule: str
    reason: str
    money_per_month: Estimate | None
    owner: str
    next_step: str

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action {self.action!r} is not one of {', '.join(ACTIONS)}")

    @property
    def text(self) -> str:
        """The verdict and why, in one breath."""
        return f"{self.action}. {self.reason}"
