"""Values of parameters: from text to their type, and the checks that need no data."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import nearest

if TYPE_CHECKING:
    from analysis_lib.publishing.parameters import Parameter

#: Types that a parameter may have, with how a message calls their values.
TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date like 2026-11-11",
    "list[str]": "a list of texts",
}

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def same_type(kind: str, value: Any) -> bool:
    """Whether a Python value is one of the type; whole numbers count as numbers.

    Examples
    --------
    >>> same_type("float", 1), same_type("int", True)
    (True, False)
    """
    if kind == "list[str]":
        return isinstance(value, list) and all(isinstance(part, str) for part in value)
    if isinstance(value, bool) or kind == "bool":
        return isinstance(value, bool) and kind == "bool"
    allowed = {"str": (str,), "int": (int,), "float": (int, float), "date": (str,)}[kind]
    return isinstance(value, allowed)


def check_date(text: str) -> str:
    """The text if it is an ISO date, else ``ValueError``."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return dt.date.fromisoformat(text).isoformat()


def coerce(kind: str, value: Any) -> Any:
    """A given value in the parameter's type; text is parsed.

    Raises
    ------
    ValueError
        The value is not of that type.

    Examples
    --------
    >>> coerce("int", "12"), coerce("list[str]", "ID, TH"), coerce("bool", "yes")
    (12, ['ID', 'TH'], True)
    """
    if isinstance(value, dt.date) and kind == "date":
        return value.isoformat()[:10]
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, str):
        return _from_text(kind, value)
    if not same_type(kind, value):
        raise ValueError(value)
    return float(value) if kind == "float" else value


def _from_text(kind: str, text: str) -> Any:
    if kind == "list[str]":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "bool":
        if text.lower() not in _TRUTH:
            raise ValueError(text)
        return _TRUTH[text.lower()]
    if kind == "int" and not re.fullmatch(r"[+-]?[0-9]+", text.strip()):
        raise ValueError(text)
    if kind == "float" and not math.isfinite(float(text)):
        raise ValueError(text)
    readers = {"int": int, "float": float, "date": check_date}
    return readers.get(kind, str)(text)


def check(parameter: Parameter, value: Any) -> str | None:
    """What is wrong with a value of the right type by choices and range, or None."""
    if parameter.choices:
        for part in value if isinstance(value, list) else [value]:
            if part not in parameter.choices:
                return _not_a_choice(parameter, part)
    if parameter.type == "date" and value:
        try:
            check_date(value)
        except ValueError:
            return f"{parameter.name}: '{value}' is not {TYPES['date']}"
    return _outside(parameter, value)


def _not_a_choice(parameter: Parameter, value: Any) -> str:
    allowed = [str(choice) for choice in parameter.choices]
    guess = nearest(str(value), allowed)
    hint = f" Did you mean '{guess}'?" if guess else ""
    return f"{parameter.name}: '{value}' is not one of {', '.join(allowed)}.{hint}"


def _outside(parameter: Parameter, value: Any) -> str | None:
    low, high = parameter.low, parameter.high
    if parameter.type not in ("int", "float", "date") or value == "":
        return None
    if low is not None and value < low:
        return f"{parameter.name}: {value} is below {low}, the smallest allowed. {_allowed(low, high)}"
    if high is not None and value > high:
        return f"{parameter.name}: {value} is above {high}, the largest allowed. {_allowed(low, high)}"
    return None


def _allowed(low: Any, high: Any) -> str:
    return f"Allowed: {'…' if low is None else low} to {'…' if high is None else high}"


def as_text(value: Any) -> str:
    """A value as it is typed on the command line.

    Examples
    --------
    >>> as_text(["ID", "TH"]), as_text(True), as_text(0.5)
    ('ID,TH', 'true', '0.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    return str(value)
