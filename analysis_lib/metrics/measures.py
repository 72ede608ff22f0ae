"""What a metric adds up or counts: small structured expressions over one mart, data instead of code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scalar = bool | int | float | str

_TESTS = ("is", "is_not", "in", "above", "below", "known")
_KINDS = ("sum", "money", "count", "distinct")


class Condition(BaseModel):
    """One test of one column; exactly one of the tests is given.

    A missing value meets ``is_not`` and ``known: false``, and no other test.

    Attributes
    ----------
    column : str
        Column of the mart.
    is_, is_not : scalar | None
        The value it must or must not have.
    in_ : tuple of scalar | None
        The values it may have.
    above, below : float | None
        Bounds, themselves not allowed.
    known : bool | None
        Whether the value must be there, or must be missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    is_: Scalar | None = Field(None, alias="is")
    is_not: Scalar | None = None
    in_: tuple[Scalar, ...] | None = Field(None, alias="in", min_length=1)
    above: float | None = None
    below: float | None = None
    known: bool | None = None

    @model_validator(mode="after")
    def _has_one_test(self) -> Condition:
        given = self.model_fields_set - {"column"}
        if len(given) != 1 or self.value is None:
            raise ValueError(f"a condition on '{self.column}' needs exactly one of {', '.join(_TESTS)}")
        return self

    @property
    def test(self) -> str:
        """Which test it is, as the file spells it."""
        return next(iter(self.model_fields_set - {"column"})).removesuffix("_")

    @property
    def value(self) -> Any:
        """What the column is compared with."""
        return getattr(self, next(iter(self.model_fields_set - {"column"}), "known"))

    @property
    def text(self) -> str:
        """The condition in words."""
        shown = ", ".join(map(str, self.value)) if isinstance(self.value, tuple) else str(self.value)
        words = {"is_not": "is not", "known": "is known:"}
        return f"{self.column} {words.get(self.test, self.test)} {shown}"


class Measure(BaseModel):
    """A sum, a count of rows or a count of different values; exactly one of the four kinds is given.

    Attributes
    ----------
    sum : str | None
        A column that is added up; of a boolean column the rows where it is true.
    money : str | None
        An amount that is added up in the currency asked for: ``gmv`` stands for ``gmv_usd``, ``gmv_constant_usd``,
        ``gmv_local``.
    minus : str | None
        Another amount taken off it, row by row.
    count : "rows" | None
        Rows.
    distinct : str | None
        Column whose different values are counted, exactly.
    cap : float | None
        Largest value a row may add, in the unit of the column; with ``sum`` only.
    where : tuple of Condition
        Rows that count; all must hold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sum: str | None = None
    money: str | None = None
    minus: str | None = None
    count: Literal["rows"] | None = None
    distinct: str | None = None
    cap: float | None = Field(None, gt=0)
    where: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _has_one_kind(self) -> Measure:
        if len([kind for kind in _KINDS if getattr(self, kind) is not None]) != 1:
            raise ValueError(f"a measure needs exactly one of {', '.join(_KINDS)}")
        if self.minus is not None and self.money is None:
            raise ValueError("'minus' takes an amount off another: it needs 'money'")
        if self.cap is not None and self.sum is None:
            raise ValueError("'cap' bounds what a row adds: it needs 'sum'")
        return self

    @property
    def kind(self) -> str:
        """sum, money, count or distinct."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def column(self) -> str:
        """The column or amount; ``rows`` for a count."""
        return str(getattr(self, self.kind))

    @property
    def text(self) -> str:
        """The measure in words."""
        words = {"sum": "sum of", "money": "sum of", "count": "number of", "distinct": "different"}
        shown = f"{words[self.kind]} {self.column}"
        shown += f" − {self.minus}" if self.minus else ""
        shown += f" (each at most {self.cap:g})" if self.cap else ""
        return shown + (f" where {' and '.join(item.text for item in self.where)}" if self.where else "")
