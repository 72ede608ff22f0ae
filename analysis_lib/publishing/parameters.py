"""Typed parameters, read from the notebook cell tagged ``parameters`` without running it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.publishing.cells import cell_source, cell_tags, load_notebook
from analysis_lib.publishing.values import TYPES, check, check_date, same_type

#: What may stand in braces in a parameter's comment.
_MARKS = ("choices", "range", "column", "source", "date", "metric", "dimension")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One typed parameter of a notebook.

    Attributes
    ----------
    name : str
        Name of the variable.
    type : str
        One of ``str``, ``int``, ``float``, ``bool``, ``date`` (ISO text), ``list[str]``.
    default : object
        Value when nothing is given.
    meaning : str
        The comment, without what stands in braces.
    choices : tuple
        Allowed values; empty: any.
    low, high : int | float | str | None
        Smallest and largest allowed value.
    column : str
        ``table.column`` of the source in which the value must occur; empty: not checked.
    is_source : bool
        Whether the value names the data source.
    is_metric : bool
        Whether the value names metrics of ``data/metrics.yml``.
    dimension_of : str
        Parameter whose metric the value must be a dimension of; empty: not checked.
    """

    name: str
    type: str
    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()
    low: Any = None
    high: Any = None
    column: str = ""
    is_source: bool = False
    is_metric: bool = False
    dimension_of: str = ""


def read_parameters(path: Path) -> tuple[Parameter, ...]:
    """The parameters that a notebook declares, in their order.

    Parameters
    ----------
    path : Path
        Notebook file.

    Returns
    -------
    tuple[Parameter, ...]
        Empty if no cell is tagged ``parameters``.

    Raises
    ------
    InvalidValue
        A line does not follow ``name: type = literal  # meaning {marks}``; names file and line.
    """
    cells = [cell for cell in load_notebook(path)["cells"] if "parameters" in cell_tags(cell)]
    if len(cells) > 1:
        raise InvalidValue(f"{path}: {len(cells)} cells are tagged 'parameters'; exactly one may be")
    return parse_parameters(cell_source(cells[0]), path.name) if cells else ()


def parse_parameters(source: str, file: str) -> tuple[Parameter, ...]:
    """The parameters declared by the text of a ``parameters`` cell.

    Examples
    --------
    >>> parse_parameters("weeks: int = 12  # weeks before {range: 6..26}", "x.ipynb")[0].high
    26
    """
    try:
        statements = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise InvalidValue(f"{file}, parameters cell, line {getattr(error, 'lineno', '?')}: {error}") from error
    found = tuple(_parse_statement(statement, comments, file) for statement in statements)
    names = [parameter.name for parameter in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(f"{file}, parameters cell: '{name}' is declared twice")
    return found


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("#").strip() for token in tokens if token.type == tokenize.COMMENT}


def _parse_statement(statement: ast.stmt, comments: dict[int, str], file: str) -> Parameter:
    where = f"{file}, parameters cell, line {statement.lineno}"
    if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
        raise InvalidValue(f"{where}: expected 'name: type = literal  # meaning', got '{_short(statement)}'")
    name = statement.target.id
    kind = ast.unparse(statement.annotation).strip("'\"")
    if kind not in TYPES or kind == "date":
        allowed = ", ".join(kind for kind in TYPES if kind != "date")
        raise InvalidValue(f"{where}: type '{kind}' of '{name}' is not one of {allowed} (dates: str and {{date}})")
    comment = comments.get(statement.end_lineno or 0, "")
    meaning, marks = _split_comment(comment, where)
    if not meaning:
        raise InvalidValue(f"{where}: '{name}' needs a comment that says what it means")
    return _build(name, kind, _literal(statement, where), meaning, marks, where)


def _short(statement: ast.stmt) -> str:
    return ast.unparse(statement).splitlines()[0][:60]


def _literal(statement: ast.AnnAssign, where: str) -> Any:
    try:
        return ast.literal_eval(statement.value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise InvalidValue(f"{where}: the default must be a literal, got '{_short(statement)}'") from error


def _split_comment(comment: str, where: str) -> tuple[str, dict[str, str]]:
    """The meaning and the marks of ``meaning {key: text} {key}``."""
    meaning, _, rest = comment.partition("{")
    marks: dict[str, str] = {}
    while rest:
        body, closed, rest = rest.partition("}")
        if not closed:
            raise InvalidValue(f"{where}: a brace is not closed in '{comment}'")
        key, _, text = body.partition(":")
        if key.strip() not in _MARKS:
            raise InvalidValue(str(unknown("mark", key.strip(), _MARKS, where)))
        marks[key.strip()] = text.strip()
        rest = rest.partition("{")[2]
    return meaning.strip(), marks


def _build(name: str, kind: str, default: Any, meaning: str, marks: dict[str, str], where: str) -> Parameter:
    if "date" in marks:
        if kind != "str":
            raise InvalidValue(f"{where}: {{date}} goes with 'str', not with '{kind}'")
        kind = "date"
    if not same_type(kind, default):
        raise InvalidValue(f"{where}: the default {default!r} of '{name}' is not of type {kind}")
    if isinstance(default, int) and kind == "float":
        default = float(default)
    low, high = _range(marks, kind, where)
    column = marks.get("column", "")
    if "column" in marks and column.count(".") != 1:
        raise InvalidValue(f"{where}: {{column: …}} needs table.column, got '{column}'")
    choices = tuple(_bound(text.strip(), kind, where) for text in marks.get("choices", "").split(",") if text.strip())
    found = Parameter(
        name, kind, default, meaning, choices, low, high, column, "source" in marks, "metric" in marks,
        marks.get("dimension", ""),
    )  # fmt: skip
    problem = check(found, default)
    if problem:
        raise InvalidValue(f"{where}: the default is not allowed: {problem}")
    return found


def _range(marks: dict[str, str], kind: str, where: str) -> tuple[Any, Any]:
    if "range" not in marks:
        return None, None
    low, dots, high = marks["range"].partition("..")
    if not dots or kind not in ("int", "float", "date"):
        raise InvalidValue(
            f"{where}: {{range: low..high}} is for int, float and dates, got '{marks['range']}' on {kind}"
        )
    bounds = (_bound(low.strip(), kind, where), _bound(high.strip(), kind, where))
    if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
        raise InvalidValue(f"{where}: the range {marks['range']} is empty")
    return bounds


def _bound(text: str, kind: str, where: str) -> Any:
    """A bound or choice in the parameter's own type; an open end of a range is None."""
    if not text:
        return None
    readers = {"int": int, "float": float, "date": check_date}
    try:
        return readers.get(kind, str)(text)
    except ValueError as error:
        raise InvalidValue(f"{where}: '{text}' is not of type {kind}") from error


def names(parameters: Iterable[Parameter]) -> list[str]:
    """Names of parameters, in order."""
    return [parameter.name for parameter in parameters]


def source_of(parameters: Sequence[Parameter], values: dict[str, Any]) -> str | None:
    """The data source that resolved values name, or None if the notebook has no such parameter."""
    found = [parameter.name for parameter in parameters if parameter.is_source]
    return str(values[found[0]]) if found else None
