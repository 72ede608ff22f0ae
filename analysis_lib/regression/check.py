"""One question put to a regression, with its answer in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from analysis_lib.results import Result


@dataclass(frozen=True, slots=True, eq=False)
class Check(Result):
    """What was asked of a regression and what came out.

    Attributes
    ----------
    name : str
        What was checked, in words.
    is_fine : bool
        Whether nothing speaks against the regression here.
    verdict : str
        The answer as a sentence, with what to do.
    statistic, pvalue : float
        Of the test; missing where there is none.
    frame : pandas.DataFrame
        The numbers of a picture.
    """

    name: str
    is_fine: bool
    verdict: str
    statistic: float = float("nan")
    pvalue: float = float("nan")
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def text(self) -> str:
        """The verdict."""
        return self.verdict

    def to_frame(self) -> pd.DataFrame:
        """The numbers of a picture."""
        return self.frame.copy()
