"""The publish gate: what must not reach the site, looked for in the executed notebook."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote_to_bytes

from nbformat import NotebookNode

from analysis_lib.publishing.active import active_html, active_markdown, active_maths, without_pandas_style
from analysis_lib.publishing.small_groups import (
    small_cells,
    small_columns,
    small_csv,
    small_pipes,
    small_sentences,
    visible,
)
from analysis_lib.publishing.tokens import tokens

#: Pictures whose text nobody can search; SVG is searched.
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")

#: Kinds of output that the site shows as text, or not at all.
_TEXTS = ("text/plain", "text/csv", "application/json", "application/vnd.")

_DATA_ADDRESS = re.compile(r"data:[\w/+.;=-]*,[^\"'\s)>]*", re.IGNORECASE)


def problems(notebook: NotebookNode, user_ids: Sequence[str] = ()) -> list[str]:
    """Reasons why an executed notebook must not be published; empty if it may.

    Parameters
    ----------
    notebook : NotebookNode
        Executed notebook.
    user_ids : sequence of str
        Regular expressions of the ids of people, from ``data/sources.yml``.
    """
    patterns = [re.compile(pattern) for pattern in user_ids]
    found: list[str] = []
    for number, cell in enumerate(notebook.cells, start=1):
        outputs = cell.get("outputs", [])
        found += [f"cell {number} holds an error output ({o.ename})" for o in outputs if o.output_type == "error"]
        texts = [("source", cell.source), *(text for output in outputs for text in _texts(output))]
        reasons = [reason for kind, text in texts for reason in _reasons(kind, text, patterns)]
        found += [f"cell {number}: {reason}" for reason in dict.fromkeys(reasons)]
    return found


def _texts(output: NotebookNode) -> list[tuple[str, str]]:
    """MIME type and text of everything an output holds."""
    if output.output_type == "error":
        return []
    if "text" in output:
        return [("text/plain", _joined(output.text))]
    return [(kind, _joined(content)) for kind, content in output.get("data", {}).items() if kind not in _PICTURES]


def _joined(content: object) -> str:
    return "".join(content) if isinstance(content, list) else str(content)


def _reasons(kind: str, text: str, patterns: list[re.Pattern[str]]) -> Iterator[str]:
    """What is wrong with one text, the files it carries inside included."""
    if kind in ("text/html", "image/svg+xml"):
        yield from _markup_reasons(kind, text, patterns)
        return
    yield from _ids(_DATA_ADDRESS.sub(" ", text), patterns)
    if kind == "source":
        return
    yield from small_sentences(text)
    if kind == "text/csv":
        yield from small_csv(text)
    elif kind == "text/markdown":
        yield from active_markdown(text)
        yield from small_pipes(text)
        yield from _carried(text, patterns)
    elif kind == "text/latex":
        yield from active_maths(text)
    elif kind == "text/plain":
        yield from small_columns(text)
    elif not kind.startswith(_TEXTS):
        yield f"active content ({kind})"


def _markup_reasons(kind: str, text: str, patterns: list[re.Pattern[str]]) -> Iterator[str]:
    svg = kind == "image/svg+xml"
    pieces = list(tokens(without_pandas_style(text), svg=svg))
    seen = visible(pieces)
    # Once as it is written, with ids inside attributes, and once as it is read, with ids across tags.
    yield from _ids(_DATA_ADDRESS.sub(" ", text), patterns)
    yield from _ids(_DATA_ADDRESS.sub(" ", seen), patterns)
    yield from active_html(pieces, svg=svg)
    yield from small_sentences(seen)
    yield from small_cells(pieces)
    for token in pieces:
        for name, value in token.attributes:
            if name in ("href", "src", "style", "data"):
                yield from _carried(value, patterns)


def _ids(text: str, patterns: Iterable[re.Pattern[str]]) -> Iterator[str]:
    for pattern in patterns:
        if match := pattern.search(text):
            yield f"the id of a person ({match.group()[:2]}…)"


def _carried(text: str, patterns: list[re.Pattern[str]]) -> Iterator[str]:
    """What is wrong with the files inside data addresses: CSV downloads and images."""
    for match in _DATA_ADDRESS.finditer(text):
        head, _, body = match.group().partition(",")
        kind, *options = head.lower().removeprefix("data:").split(";")
        if kind in _PICTURES:
            continue
        content = _decoded(body, options)
        if kind not in ("text/csv", "image/svg+xml") or content is None:
            yield f"a file inside the page that cannot be looked into ({kind or 'no type'})"
        else:
            yield from _reasons(kind, content, patterns)


def _decoded(body: str, options: list[str]) -> str | None:
    """The text of a data address, or None if it cannot be read as UTF-8."""
    try:
        raw = unquote_to_bytes(body)
        return (base64.b64decode(raw, validate=True) if "base64" in options else raw).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
