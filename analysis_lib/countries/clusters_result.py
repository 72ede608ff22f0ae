"""Groups of markets, as they were found or not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.countries import clusters_text
from analysis_lib.countries.grouping import Split
from analysis_lib.results import Finding

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class MarketClusters(Finding):
    """Whether markets fall into groups.

    Attributes
    ----------
    split : Split | None
        The clearest split; None where it is refused.
    markets : dict of str to str
        Names by code.
    traits : tuple of str
        What they are compared by.
    refusal : str
        Why there is no split.
    level : float
        Share of clouds without groups that must be less clear.
    source : str
        Name of the source.
    """

    SENTENCES = clusters_text.SENTENCES
    EXHIBITS = clusters_text.EXHIBITS
    CALLED = "a look for groups of markets"
    PLOTTED = "together"

    split: Split | None
    markets: dict[str, str]
    traits: tuple[str, ...]
    refusal: str
    level: float
    source: str

    @property
    def has_groups(self) -> bool:
        """Whether there are groups worth the name."""
        return self.split is not None and self.split.pvalue <= 1 - self.level + 1e-12

    @property
    def table(self) -> pd.DataFrame:
        """Every market with the group the clearest split puts it into.

        Returns
        -------
        DataFrame
            country, group (from 1), rel_lasting (share of the group found again, months and traits drawn anew).
        """
        import pandas as pd

        if self.split is None:
            return pd.DataFrame(columns=["country", "group", "rel_lasting"])
        split = self.split
        return pd.DataFrame(
            {"country": split.names, "group": split.labels + 1, "rel_lasting": split.jaccard[split.labels]}
        )

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def text(self) -> str:
        """Whether there are groups, and which."""
        return f"{clusters_text.headline(self)} {clusters_text.groups(self)}"
