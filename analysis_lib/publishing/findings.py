"""The finding of a page: what the executed notebook says it found, for titles and lists."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from analysis_lib.config import FINDING_MIME
from analysis_lib.errors import InvalidValue

#: Longest text of a field; longer ones are cut, so that no page or list breaks.
LONGEST = {"title": 160, "headline": 300, "why": 600}
_LONGEST_OTHER = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Finding(BaseModel):
    """What a report page found.

    Attributes
    ----------
    title : str
        The question, with this page's subject in it.
    headline : str
        The answer in one sentence.
    value_text : str
        The number with its interval and unit.
    decision : str
        The action.
    why : str
        The number that decided.
    money_text : str
        What it is worth.
    window : str
        Which days were looked at.
    source : str
        Which data.
    as_of : str
        Until when the data reach.
    method : str
        How it was estimated.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = ""
    headline: str = ""
    value_text: str = ""
    decision: str = ""
    why: str = ""
    money_text: str = ""
    window: str = ""
    source: str = ""
    as_of: str = ""
    method: str = ""

    @field_validator("*", mode="before")
    @classmethod
    def _tidy(cls, value: Any, info: Any) -> Any:
        if value is None:
            return ""
        if not isinstance(value, str):
            return value
        return cut(_CONTROL.sub(" ", value).strip(), LONGEST.get(info.field_name, _LONGEST_OTHER))


def cut(text: str, longest: int) -> str:
    """The text, shortened at a word with an ellipsis if it is too long.

    Examples
    --------
    >>> cut("one two three", 9)
    'one two…'
    """
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,;") + "…"


def read_finding(notebook: Any) -> Finding | None:
    """The last finding that a notebook's outputs hold, or None.

    Raises
    ------
    InvalidValue
        The finding is not made of texts.
    """
    found = [
        output["data"][FINDING_MIME]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if FINDING_MIME in output.get("data", {})
    ]
    if not found:
        return None
    try:
        return Finding.model_validate(found[-1])
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'finding'}: {e['msg']}" for e in error.errors())
        raise InvalidValue(f"the notebook's finding cannot be read: {problems}") from error
