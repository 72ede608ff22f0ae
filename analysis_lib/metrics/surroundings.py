"""What the metrics file says about areas and marts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Area(BaseModel):
    """A part of the business.

    Attributes
    ----------
    title, owner : str
        Its name for people, and who answers for its metrics.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    owner: str


class MartUse(BaseModel):
    """How metrics may use a mart.

    Attributes
    ----------
    dimensions : tuple of str
        Columns by which its metrics may be cut and filtered.
    distinct_counts : tuple of str
        Columns that are counts of different things: never added up.
    unpriced : str | None
        ``rows`` where amounts without a rate are missing in the row, or the column that counts such lines. Without it
        no money may be taken from the mart: what lacks a rate could not be told.
    as_of : str
        ``exact``: can be computed as known at an earlier time; ``days``: later days can be left out, later knowledge
        not; ``refused``: neither.
    covered_by : str | None
        Mart whose first and last day say what this one, with rows on few days only, covers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimensions: tuple[str, ...]
    distinct_counts: tuple[str, ...] = ()
    unpriced: str | None = None
    as_of: Literal["exact", "days", "refused"] = "refused"
    covered_by: str | None = None
