"""Groups of people under the privacy threshold, in sentences, tables and CSV files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analysis_lib.config import PEOPLE, PRIVACY_THRESHOLD
from analysis_lib.publishing.tokens import Token

_PEOPLE = set(PEOPLE)
_COUNTING = {"n", "number", "num", "count"}
_GROUPS = {"targeted", "untargeted", "treated", "untreated", "control", "treatment", "holdout", "exposed", "units"}
_BESIDE = {"of", "in", "the", "all", "total", "active", "new", "returning", "repeat", "unique", "distinct", "reached"}

_NOUN = rf"(?:{'|'.join(f'{noun[:-1]}s?' if noun.endswith('s') else noun for noun in PEOPLE)})"
# Words between may not be things that are counted themselves ("18 weeks of users"), shares or amounts.
_ADJECTIVE = r"(?!(?:percent|per|pp|million|billion|thousand|k|bn|of|in|for|by|and|or|than)\b)[a-z-]*[a-rt-z-] "
_SENTENCE = re.compile(
    rf"(?<![\w.,$€£−–-])(\d{{1,3}})(?: (?:out )?of(?: (?:the|these|those|its|our))?(?: \d[\d,.]*)?)? "
    rf"(?:{_ADJECTIVE}){{0,2}}{_NOUN}\b(?!-)",
    re.IGNORECASE,
)
#: A number that names something, the second bound of an interval, or money.
_NOT_A_COUNT = re.compile(
    r"(?:\b(?:campaign|type|version|release|week|day|experiment|variant|segment|wave|phase|age|per)s? |"
    r"(?:\d|%)[^\s|]* to |[$€£₱₫฿] ?)$",
    re.IGNORECASE,
)
_INLINE = {"a", "abbr", "b", "bdi", "code", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "u"}
_READ_ALOUD = ("alt", "title", "label", "aria-label", "summary")


def visible(pieces: Iterable[Token]) -> str:
    """What a reader sees or hears of markup, and its comments; ends of blocks are bars."""
    parts: list[str] = []
    for token in pieces:
        if token.kind in ("text", "comment"):
            parts.append(token.text if token.kind == "text" else f" | {token.text} | ")
        elif token.name not in _INLINE:
            parts.append(" " if token.name == "br" else " | ")
        parts += [f" | {value} | " for name, value in token.attributes if name in _READ_ALOUD]
    return "".join(parts)


def small_sentences(text: str) -> Iterator[str]:
    """Small groups named in running text.

    Examples
    --------
    >>> list(small_sentences("In 2017, 7 new buyers; 1,012 households; 18 weeks"))
    ["a group under 20 people ('7 new buyers')"]
    """
    text = " ".join(text.split())
    for found in _SENTENCE.finditer(text):
        grouped = found.group(1).startswith("0") and len(found.group(1)) > 1
        if grouped or _NOT_A_COUNT.search(text[max(0, found.start() - 30) : found.start()]):
            continue
        if 0 < int(found.group(1)) < PRIVACY_THRESHOLD:
            yield f"a group under {PRIVACY_THRESHOLD} people ('{found.group()}')"


def counts_people(name: str) -> bool:
    """Whether a column, or a row, of that name counts people.

    Examples
    --------
    >>> [counts_people(name) for name in ("n_users", "Households", "gmv_per_user", "n_orders", "share of users")]
    [True, True, False, False, False]
    """
    words = {word for word in re.split(r"[\W_]+", name.lower()) if word}
    if words == {"number"}:
        return True
    if not words <= _PEOPLE | _COUNTING | _GROUPS | _BESIDE | {"user", "buyer", "household", "customer"}:
        return False
    return bool(words & _PEOPLE) or bool(words & _COUNTING and words - _COUNTING - _BESIDE)


def is_small(text: str) -> bool:
    """Whether a cell holds a count from 1 to under the threshold, perhaps with a share behind it."""
    number = re.fullmatch(r"(\d[\d,]{0,8})(?:\.0+)?(?:\s*\(.*\)|\s*%?\*+)?", text.strip())
    return number is not None and 0 < int(number.group(1).replace(",", "")) < PRIVACY_THRESHOLD


def _reason(column: str) -> str:
    return f"a group under {PRIVACY_THRESHOLD} people in column '{column}'"


def small_csv(text: str) -> Iterator[str]:
    """Small groups in the columns of a CSV file."""
    text = text.lstrip("\ufeff")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        yield f"a CSV that cannot be looked into ({error})"
        return
    yield from (f"{reason} of a CSV" for reason in _small_rows(rows))


def small_pipes(text: str) -> Iterator[str]:
    """Small groups in the tables of Markdown."""
    yield from _small_rows([line.strip().strip("|").split("|") for line in text.splitlines() if "|" in line])


def _small_rows(rows: Iterable[list[str]]) -> list[str]:
    grid = _Grid()
    for row in rows:
        grid.next_row()
        for value in row:
            grid.cell(value.strip())
    return grid.small


def small_columns(text: str) -> Iterator[str]:
    """Small groups in plain text: numbers that end where the name of their column ends."""
    counts: dict[int, str] = {}
    for line in text.splitlines():
        words = list(re.finditer(r"\S+", line))
        if not words:
            counts = {}
        for word in words:
            if counts_people(word.group()):
                counts[word.end()] = word.group()
            elif word.end() in counts and is_small(word.group()):
                yield _reason(counts[word.end()])


def small_cells(pieces: Iterable[Token]) -> Iterator[str]:
    """Small groups in the tables of HTML, nested ones included."""
    open_tables: list[_Table] = []
    for token in pieces:
        if token.name == "table" and token.kind == "start":
            open_tables.append(_Table())
        elif open_tables:
            open_tables[-1].read(token)
            if token.name == "table" and token.kind == "end":
                yield from open_tables.pop().grid.small
    for table in open_tables:
        table.close()
        yield from table.grid.small


@dataclass
class _Grid:
    """Cells by column; a name that counts people counts for what is below it and right of it."""

    counts: dict[int, str] = field(default_factory=dict)
    below: dict[int, int] = field(default_factory=dict)
    column: int = 0
    row_name: str = ""
    small: list[str] = field(default_factory=list)

    def next_row(self) -> None:
        for place in [place for place, rows in self.below.items() if rows and place >= self.column]:
            self.below[place] -= 1
        self.column, self.row_name = 0, ""

    def cell(self, text: str, name: str = "", columns: int = 1, rows: int = 1) -> None:
        while self.below.get(self.column, 0) > 0:
            self.below[self.column] -= 1
            self.column += 1
        covered = range(self.column, self.column + columns)
        if counts_people(name or text):
            self.counts |= dict.fromkeys(covered, name or text)
            self.row_name = text if self.column == 0 else self.row_name
        elif is_small(text):
            column = next((self.counts[place] for place in covered if place in self.counts), self.row_name)
            self.small += [_reason(column)] if column else []
        self.below |= dict.fromkeys(covered, rows - 1)
        self.column += columns


class _Table:
    """The cells of an HTML table, with the ends that HTML lets authors leave out."""

    def __init__(self) -> None:
        self.grid = _Grid()
        self._cell: Token | None = None
        self._text: list[str] = []

    def read(self, token: Token) -> None:
        if token.kind == "text":
            self._text.append(token.text)
        elif token.name in ("td", "th", "tr", "table"):
            self.close()
            if token.kind == "start" and token.name == "tr":
                self.grid.next_row()
            elif token.kind == "start":
                self._cell, self._text = token, []

    def close(self) -> None:
        if self._cell is not None:
            span, rows = (_span(self._cell.attribute(name)) for name in ("colspan", "rowspan"))
            text = "".join(self._text).strip()
            self.grid.cell(text, self._cell.attribute("data-column"), span, rows)
        self._cell = None


def _span(text: str) -> int:
    return max(1, min(int(text), 1000)) if text.isdecimal() and len(text) < 9 else 1
