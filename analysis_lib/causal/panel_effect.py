"""What a panel method found: the effect on the treated, and what would have been without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.results import Estimate, Result


@dataclass(frozen=True, slots=True, eq=False)
class PanelEffect(Result):
    """The average effect on the treated unit-periods, with the path it comes from.

    Attributes
    ----------
    estimate : Estimate
        Average over the treated units and their treated periods. Its unit is the name of the outcome
        column; ``estimate.scaled(1, "usd")`` gives it the formatter's.
    path : pandas.DataFrame
        time, actual, without, effect, is_after: means over the treated units; ``without`` is what the
        method says they would have had. The mean of ``effect`` where ``is_after`` is the estimate.
    unit_weights : pandas.Series or None
        One a donor, indexed by its name; they sum to 1.
    time_weights : pandas.Series or None
        One a period before the start, indexed by time; None if the method has none.
    diagnostics : dict[str, float]
        What the method says about itself, by name.
    note : str
        How the interval was made and what it takes for granted, in one sentence.
    """

    estimate: Estimate
    path: pd.DataFrame
    unit_weights: pd.Series | None
    time_weights: pd.Series | None
    diagnostics: dict[str, float]
    note: str

    @property
    def text(self) -> str:
        """The effect with its interval, and how the interval was made."""
        return f"{self.estimate.text}. {self.note}"

    def to_frame(self) -> pd.DataFrame:
        """The path."""
        return self.path.copy()


def path_of(times: np.ndarray, actual: np.ndarray, without: np.ndarray, start: int) -> pd.DataFrame:
    """The path of means over treated units; ``start`` is the position of the first treated period."""
    return pd.DataFrame(
        {
            "time": times,
            "actual": actual,
            "without": without,
            "effect": actual - without,
            "is_after": np.arange(len(times)) >= start,
        }
    )
