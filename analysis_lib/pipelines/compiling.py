"""The SQL of marts and feeds, made once and filled in with days: Ibis takes longer over it than the engine does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from analysis_lib.pipelines.declaration import MARGIN, Days, Feed, Mart, digest
from analysis_lib.pipelines.inputs import Inputs, shaped

if TYPE_CHECKING:
    import ibis

#: Days that no data have: an expression is compiled for these, and they are replaced in its text.
_ADJACENT = Days((date(1853, 3, 11), date(1853, 3, 12)))
_SCATTERED = Days((date(1853, 3, 11), date(1857, 9, 23)))
_YEARS_OF_NO_DATA = ("1853", "1857")

#: The day whose literals show how the engine writes one.
_SAMPLE = date(1871, 10, 21)

#: Texts made in this process; a schema more or less is a kilobyte or two.
_TEXTS: dict[str, str] = {}
_MOST_TEXTS = 1_000


class Compiler:
    """Turns marts and feeds into SQL.

    Attributes
    ----------
    inputs : Inputs
        What expressions read.
    compile : callable
        An Ibis expression to the SQL of the engine.
    schema : str
        Names and types of the source's columns, as text.
    """

    def __init__(self, inputs: Inputs, compile: Callable[[ibis.Expr], str], schema: str) -> None:
        self.inputs = inputs
        self.compile = compile
        self.schema = schema

    @cached_property
    def _surroundings(self) -> str:
        """Everything but the mart itself that its text depends on."""
        return repr((self.compile.__qualname__, self.schema, self.inputs.zones, self.inputs.years))

    def feed(self, feed: Feed) -> str:
        """The SQL of a feed."""
        name = f"{feed.rows.__module__}.{feed.rows.__qualname__}"
        return self._remembered(["feed", name], lambda: self.compile(feed.rows(self.inputs)))

    def mart(self, mart: Mart, days: Days) -> str:
        """The SQL of some days of a mart, with the columns it declares."""
        adjacent = (days.last - days.first).days + 1 == len(days.days)
        model = _ADJACENT if adjacent else _SCATTERED
        read = sorted(name for name in (*mart.upstream, *mart.optional_upstream) if name in self.inputs.marts)
        text = self._remembered(
            ["mart", mart.name, mart.version, str(adjacent), *read], lambda: self._compiled(mart, model)
        )
        filled = self._filled(text, model, days)
        # Whatever an engine makes of a date: if one of the model's is left, this text is not to be trusted.
        return self._compiled(mart, days) if any(year in filled for year in _YEARS_OF_NO_DATA) else filled

    def _compiled(self, mart: Mart, days: Days) -> str:
        return self.compile(shaped(mart.columns, mart.expression(self.inputs, days)))

    def _remembered(self, key: list[str], make: Callable[[], str]) -> str:
        place = digest([*key, self._surroundings])
        if place not in _TEXTS:
            if len(_TEXTS) >= _MOST_TEXTS:
                _TEXTS.clear()
            _TEXTS[place] = make()
        return _TEXTS[place]

    def _filled(self, text: str, model: Days, days: Days) -> str:
        every = ", ".join(self._literal(day) for day in days.days)
        text = text.replace(", ".join(self._literal(day) for day in model.days), every)
        for own, real in ((model.first, days.first), (model.last, days.last)):
            text = text.replace(self._literal(own), self._literal(real))
        for own, real in ((model.first - MARGIN, days.first - MARGIN), (model.last + MARGIN, days.last + MARGIN)):
            text = text.replace(self._instant(own), self._instant(real))
        return text

    def _literal(self, day: date) -> str:
        return self._texts_of(day)[0]

    def _instant(self, day: date) -> str:
        return self._texts_of(day)[1]

    @cached_property
    def _known(self) -> dict[date, tuple[str, str]]:
        return {}

    def _texts_of(self, day: date) -> tuple[str, str]:
        """A date and its midnight as the engine writes them; made from a sample, for there are thousands."""
        if day not in self._known:
            self._known[day] = tuple(_like(text, day) for text in self._sample)  # type: ignore[assignment]
        return self._known[day]

    @cached_property
    def _sample(self) -> tuple[str, str]:
        import ibis

        return _value(self.compile(ibis.literal(_SAMPLE))), _value(self.compile(ibis.timestamp(str(_SAMPLE))))


def _value(sql: str) -> str:
    """What ``SELECT value AS name`` selects."""
    found = re.match(r"SELECT (.*) AS ", sql, flags=re.DOTALL)
    return found[1].strip() if found else sql


def _like(text: str, day: date) -> str:
    """A literal written as the sample is: 1871-10-21, or 1871, 10, 21."""
    parts = (f"{_SAMPLE.year}, {_SAMPLE.month}, {_SAMPLE.day}", f"{day.year}, {day.month}, {day.day}")
    return text.replace(_SAMPLE.isoformat(), day.isoformat()).replace(*parts)
