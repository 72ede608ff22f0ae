"""A figure or a table with its finding, before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from analysis_lib.results.result import Result


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit(Result):
    """What a figure or table shows; ``reporting.show`` turns it into a page element.

    Attributes
    ----------
    title : str
        The finding, as a sentence.
    subtitle : str
        Metric, unit, window, who is counted.
    frame : pandas.DataFrame
        The numbers behind it; empty if there is nothing to show.
    units : dict[str, str]
        Unit of each column of ``frame`` as the formatter reads it; text columns are left out.
    draw : callable | None
        Draws on a matplotlib Axes; None for a table.
    height : float
        Height over width of the figure.
    note : str
        Why there is nothing to show, if so.
    """

    title: str
    subtitle: str = ""
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    units: dict[str, str] = field(default_factory=dict)
    draw: Callable[[object], None] | None = None
    height: float = 0.5
    note: str = ""

    @property
    def text(self) -> str:
        """The finding and what it is measured in."""
        return f"{self.title}. {self.subtitle}".strip() if self.subtitle else self.title

    def to_frame(self) -> pd.DataFrame:
        """The numbers behind it."""
        return self.frame.copy()


def nothing_to_show(what: str, missing: str) -> Exhibit:
    """An exhibit that says what is missing."""
    return Exhibit(title=f"{what}: not shown", note=f"Not enough data: {missing}.")
