"""The definition of a metric, one class per type."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from analysis_lib.metrics.measures import Condition, Measure
from analysis_lib.metrics.surroundings import Unit

#: What ``additive_over`` may say besides a list of dimensions.
EVERYTHING, NOTHING, TIME = "everything", "nothing", "time"

#: How a metric belongs to its parent: a part adds up with its siblings, a factor multiplies, a driver moves it.
Role = Literal["part", "factor", "driver"]


class Link(BaseModel):
    """A quantity of a chain.

    Attributes
    ----------
    to : str
        A sum, count or distinct metric.
    title : str | None
        What its quotient by the quantity before is called; by default as the ratio metric of the two is, or "X per Y".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str
    title: str | None = Field(None, alias="as", min_length=1)


class Metric(BaseModel):
    """What every definition holds.

    Attributes
    ----------
    name, title, meaning : str
        Name in the file, name for people, and one sentence.
    area, owner : str
        Part of the business, and who answers for the definition.
    tier : int
        1 steers the company, 2 a team, 3 explains.
    unit : str
        As the formatter reads it.
    better : str
        up, down or neither.
    type : str
        sum, count, distinct, ratio, quantile, cumulative, conversion or retention.
    mart, time : str
        The one table it reads, and the market-local date by which its rows are filed.
    where : tuple of Condition
        Rows that belong to the metric at all.
    currency : str
        ``converted`` where money is added up: at the rate of the order's day, constant, or local. Else ``none``.
    maturity_days : int
        Days after which a value is final.
    additive_over : str or tuple of str
        ``everything``, ``nothing``, or the dimensions (``time`` included) over which cells may be added up.
    randomised_by : tuple of str
        Units of randomisation it can be tested at.
    min_detectable_rel : float
        Smallest change, as a share of the value, that is worth looking for.
    parents : dict of str to str
        Metrics above it in the tree, with its role there.
    chain : tuple of Link
        Quantities by which a change of it is told apart, each divided by the one before: with visitors, buyers and
        orders, GMV is visitors × buyers per visitor × orders per buyer × GMV per order. Of a ratio they stand between
        its denominator and its numerator.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    meaning: str = Field(min_length=1)
    area: str
    owner: str
    tier: Literal[1, 2, 3]
    unit: str
    better: Literal["up", "down", "neither"]
    type: str
    mart: str
    time: str = "day"
    where: tuple[Condition, ...] = ()
    currency: Literal["converted", "none"] = "none"
    maturity_days: int = Field(0, ge=0)
    additive_over: Literal["everything", "nothing"] | tuple[str, ...] = NOTHING
    randomised_by: tuple[Unit, ...] = ("user",)
    min_detectable_rel: float = Field(0.01, gt=0, lt=1)
    parents: dict[str, Role] = {}
    chain: tuple[Link, ...] = ()

    @field_validator("chain", mode="before")
    @classmethod
    def _names_are_links(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [{"to": item} if isinstance(item, str) else item for item in value]
        return value

    @model_validator(mode="after")
    def _adds_up_only_what_does(self) -> Metric:
        if self.additive_over != NOTHING and self.type not in ("sum", "count", "distinct"):
            raise ValueError(f"a {self.type} does not add up: 'additive_over' must be 'nothing'")
        if self.type == "distinct" and self.additive_over == EVERYTHING:
            raise ValueError("a distinct count does not add up over everything: list the dimensions it adds up over")
        return self

    @property
    def inputs(self) -> dict[str, Measure | str]:
        """Measures, or names of metrics, by the part they play."""
        return {}

    def adds_up_over(self, dimension: str) -> bool:
        """Whether cells that differ in this dimension (or in ``time``) may be added up."""
        return self.additive_over == EVERYTHING or dimension in self.additive_over

    @property
    def formula(self) -> str:
        """How it is computed, in words."""
        said = {part: item if isinstance(item, str) else item.text for part, item in self.inputs.items()}
        return ", ".join(text if part == "of" else f"{part}: {text}" for part, text in said.items())


class Simple(Metric):
    """A sum, a count of rows, or a count of different values.

    Attributes
    ----------
    of : Measure
        What is added up or counted.
    """

    type: Literal["sum", "count", "distinct"]
    of: Measure

    @model_validator(mode="before")
    @classmethod
    def _sums_add_up(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("type") in ("sum", "count"):
            return {"additive_over": EVERYTHING, **values}
        return values

    @model_validator(mode="after")
    def _measures_what_it_says(self) -> Simple:
        if {"money": "sum"}.get(self.of.kind, self.of.kind) != self.type:
            raise ValueError(f"the type is '{self.type}' and 'of' is a {self.of.kind}")
        return self

    @property
    def inputs(self) -> dict[str, Measure | str]:
        """What is added up or counted."""
        return {"of": self.of}


class Ratio(Metric):
    """A quotient of two measures, or of sums, counts and distinct metrics, of the same mart.

    Attributes
    ----------
    numerator, denominator : Measure or str
        A measure, or the name of a metric.
    """

    type: Literal["ratio"]
    numerator: Measure | str
    denominator: Measure | str

    @property
    def inputs(self) -> dict[str, Measure | str]:
        """Both sides."""
        return {"numerator": self.numerator, "denominator": self.denominator}


class Quantile(Metric):
    """An exact quantile of a column, interpolated between the two nearest values.

    Attributes
    ----------
    column : str
        The column.
    level : float
        Between 0 and 1.
    """

    type: Literal["quantile"]
    column: str
    level: float = Field(gt=0, lt=1)

    @property
    def formula(self) -> str:
        """How it is computed, in words."""
        return f"{self.level:.0%} of the values of {self.column} lie below"


class Conversion(Metric):
    """Share of rows with a first time at which a second followed within a window.

    Attributes
    ----------
    begins, follows : str
        Columns of times; rows without the first do not count, nor does a second that lies before the first.
    within_hours : float
        The window, its end included.
    """

    type: Literal["conversion"]
    begins: str
    follows: str
    within_hours: float = Field(gt=0)

    @model_validator(mode="after")
    def _waits_for_the_window(self) -> Conversion:
        if self.maturity_days < self.within_hours / 24 - 1:
            raise ValueError(f"a window of {self.within_hours:g} hours cannot be final after {self.maturity_days} days")
        return self

    @property
    def formula(self) -> str:
        """How it is computed, in words."""
        return f"share of rows with {self.begins} whose {self.follows} comes within {self.within_hours:g} hours"


class Retention(Metric):
    """Share of entities, from their first day in the cell on, that are seen again between two days after it.

    Attributes
    ----------
    entity : str
        Column of who returns.
    returns : tuple of int
        First and last day after the first day, both included.
    """

    type: Literal["retention"]
    entity: str
    returns: tuple[int, int]

    @model_validator(mode="after")
    def _waits_for_the_return(self) -> Retention:
        first, last = self.returns
        if not 1 <= first <= last:
            raise ValueError(
                f"'returns' needs a first day of at least 1 and a last day not before it, not {first}–{last}"
            )
        if self.maturity_days < last:
            raise ValueError(f"a return up to day {last} cannot be final after {self.maturity_days} days")
        return self

    @property
    def formula(self) -> str:
        """How it is computed, in words."""
        first, last = self.returns
        return f"share of {self.entity} seen again {first} to {last} days after their first day in the period"


class Cumulative(Metric):
    """The running total of an additive metric since the month, quarter or year began.

    Attributes
    ----------
    of : str
        The metric that is added up.
    resets : str
        month, quarter or year.
    """

    type: Literal["cumulative"]
    of: str
    resets: Literal["month", "quarter", "year"]

    @property
    def inputs(self) -> dict[str, Measure | str]:
        """The metric beneath."""
        return {"of": self.of}

    @property
    def formula(self) -> str:
        """How it is computed, in words."""
        return f"{self.of} since the first day of the {self.resets}"


CLASSES: dict[str, type[Metric]] = {
    "sum": Simple, "count": Simple, "distinct": Simple, "ratio": Ratio, "quantile": Quantile,
    "conversion": Conversion, "retention": Retention, "cumulative": Cumulative,
}  # fmt: skip
