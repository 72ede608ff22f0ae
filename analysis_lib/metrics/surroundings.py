"""What the metrics file says about areas and marts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

#: What can be randomised, and so what is counted as one when the spread of a metric is measured.
Unit = Literal["user", "session", "creator", "merchant", "market"]


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


class UnitUse(BaseModel):
    """How a mart tells units of one kind apart.

    Attributes
    ----------
    column : str
        Column that names the unit; rows where it is missing belong to no unit.
    holds : tuple of str
        Columns each of whose values belongs to one unit: an order has one user. Distinct counts of these, and of the
        unit itself, may be added up over units.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(alias="is")
    holds: tuple[str, ...] = ()


class MartUse(BaseModel):
    """How metrics may use a mart.

    Attributes
    ----------
    units : dict of str to UnitUse
        Units of randomisation that its rows can be put together by.
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

    units: dict[Unit, UnitUse] = {}
    dimensions: tuple[str, ...]
    distinct_counts: tuple[str, ...] = ()
    unpriced: str | None = None
    as_of: Literal["exact", "days", "refused"] = "refused"
    covered_by: str | None = None
