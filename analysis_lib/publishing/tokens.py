"""HTML and SVG cut into tags and text, so strictly that no browser reads them otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

_NAME = r"[a-zA-Z][a-zA-Z0-9:_.-]*"
_VALUE = r"\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+"
_ATTRIBUTE = re.compile(rf"\s+([^\s\"'<>/=\x00]+)(?:\s*=\s*({_VALUE}))?")
_START = re.compile(rf"<({_NAME})((?:\s+[^\s\"'<>/=\x00]+(?:\s*=\s*(?:{_VALUE}))?)*)\s*/?>")
_END = re.compile(rf"</({_NAME})\s*>")
# Browsers end a comment early at "<!-->" and at "--!>".
_COMMENT = re.compile(r"<!--(?!-?>)((?:(?!--!?>).)*)-->", re.DOTALL)
# Without the bracket in which a document could define entities of its own.
_PROLOGUE = re.compile(r"<\?xml[^<>?]*\?>|<!DOCTYPE svg[^<>\[\]]*>", re.IGNORECASE)
_OPENS = re.compile(r"<[a-zA-Z/!?]")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of markup.

    Attributes
    ----------
    kind : str
        ``start``, ``end``, ``text``, ``comment``, or ``broken``: from there on browsers may differ.
    name : str
        Of a tag, in lower case and without a namespace prefix.
    attributes : tuple[tuple[str, str], ...]
        Names as those of tags; values with entities resolved.
    text : str
        Text with entities resolved; of broken markup, its beginning.
    """

    kind: str
    name: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""

    def attribute(self, name: str) -> str:
        """The value of an attribute; empty if it has none."""
        return dict(self.attributes).get(name, "")


def tokens(markup: str, *, svg: bool = False) -> Iterator[Token]:
    """The pieces of a markup text.

    Parameters
    ----------
    markup : str
        HTML, or an SVG file.
    svg : bool
        Whether the prologue of an XML file is allowed.

    Examples
    --------
    >>> [token.name or token.text for token in tokens("<p>1 &lt; 2</p>")]
    ['p', '1 < 2', 'p']
    """
    place = 0
    while place < len(markup):
        opens = _OPENS.search(markup, place)
        until = opens.start() if opens else len(markup)
        if until > place:
            yield Token("text", text=unescape(markup[place:until]))
        if opens is None:
            return
        token, place = _read(markup, until, svg=svg)
        if token is not None:
            yield token
            if token.kind == "broken":
                return


def _read(markup: str, place: int, *, svg: bool) -> tuple[Token | None, int]:
    if found := _START.match(markup, place):
        return Token("start", _local(found.group(1)), _attributes(found.group(2))), found.end()
    if found := _END.match(markup, place):
        return Token("end", _local(found.group(1))), found.end()
    if found := _COMMENT.match(markup, place):
        return Token("comment", text=found.group(1)), found.end()
    if svg and (found := _PROLOGUE.match(markup, place)):
        return None, found.end()
    return Token("broken", text=markup[place : place + 20]), len(markup)


def _attributes(text: str) -> tuple[tuple[str, str], ...]:
    pairs = ((match.group(1), match.group(2) or "") for match in _ATTRIBUTE.finditer(text))
    return tuple((_local(name), unescape(_unquoted(value))) for name, value in pairs)


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value


def _local(name: str) -> str:
    """The name without its prefix: ``x:script`` is a script if x stands for SVG."""
    return name.lower().rpartition(":")[2]
