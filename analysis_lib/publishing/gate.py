"""The publish gate: what must not reach the site, looked for in the executed notebook."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

from nbformat import NotebookNode

from analysis_lib.config import PRIVACY_THRESHOLD

#: Elements that run, load or send something. Pages are made of text, tables and images.
ACTIVE_ELEMENTS = {"script", "iframe", "frame", "object", "embed", "applet", "form", "link", "meta", "base", "style"}

#: Attributes that hold an address.
_ADDRESSES = {"href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset"}

#: Schemes that run something; blanks and control characters inside them are ignored by browsers.
_ACTIVE_SCHEMES = ("javascript:", "vbscript:", "data:text/html", "data:application/xhtml")

#: Columns that count people.
_COUNTS = re.compile(r"^n?[_ ]?(users|buyers|households|customers|people|targeted|untargeted|number)$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<![\d.,$€£−-])\b(\d{1,3}) (?:\w+ ){0,1}(users|buyers|households|customers|people)\b")
_DATA_ADDRESS = re.compile(r"data:[\w/+.;=-]*,[^\"'\s)>]+")
_SPACES = re.compile(r"[\s\x00-\x1f]+")


def problems(notebook: NotebookNode, user_ids: Sequence[str] = ()) -> list[str]:
    """Reasons why an executed notebook must not be published; empty if it may.

    Parameters
    ----------
    notebook : NotebookNode
        Executed notebook.
    user_ids : sequence of str
        Regular expressions of the ids of people, from ``data/sources.yml``.
    """
    found: list[str] = []
    patterns = [re.compile(pattern) for pattern in user_ids]
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        texts = [("source", cell.source)]
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {number} holds an error output ({output.ename})")
            texts += _texts(output)
        reasons = [reason for kind, text in texts for reason in _reasons(kind, text, patterns)]
        found += [f"cell {number}: {reason}" for reason in dict.fromkeys(reasons)]
    return found


def _texts(output: NotebookNode) -> list[tuple[str, str]]:
    """MIME type and text of everything an output holds."""
    if "text" in output:
        return [("text/plain", _joined(output.text))]
    data = output.get("data", {})
    return [(kind, _joined(content)) for kind, content in data.items() if not kind.startswith("image/p")]


def _joined(content: object) -> str:
    return "".join(content) if isinstance(content, list) else str(content)


def _reasons(kind: str, text: str, patterns: list[re.Pattern[str]]) -> Iterator[str]:
    """What is wrong with one text, the files it carries inside included."""
    for pattern in patterns:
        if match := pattern.search(text):
            yield f"the id of a person ({match.group()[:2]}…)"
    if kind == "source":
        return
    if "javascript" in kind:
        yield f"active content ({kind})"
    yield from _small_sentences(text)
    if kind in ("text/html", "text/markdown", "image/svg+xml"):
        page = _Page(svg="svg" in kind)
        page.feed(text)
        page.close()
        yield from page.active
        yield from page.small
        for inner_kind, inner in _carried(text):
            yield from _reasons(inner_kind, inner, patterns)
    if kind == "text/csv":
        yield from _small_rows(text)


def _carried(text: str) -> Iterator[tuple[str, str]]:
    """Files inside data addresses: CSV downloads and SVG images."""
    for match in _DATA_ADDRESS.finditer(text):
        head, _, body = match.group().partition(",")
        kind = head.removeprefix("data:").partition(";")[0]
        if kind not in ("text/csv", "image/svg+xml"):
            continue
        try:
            raw = base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
        except binascii.Error:
            continue
        yield kind, raw.decode("utf-8", errors="replace")


def _small_sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(re.sub(r"<[^>]*>", " ", text)):
        if 0 < int(match.group(1)) < PRIVACY_THRESHOLD:
            yield f"a group under {PRIVACY_THRESHOLD} people ('{match.group()}')"


def _small_rows(text: str) -> Iterator[str]:
    rows = list(csv.reader(io.StringIO(text)))
    counts = [place for place, name in enumerate(rows[0] if rows else []) if _COUNTS.match(name)]
    for row in rows[1:]:
        for place in counts:
            if place < len(row) and _is_small(row[place]):
                yield f"a group under {PRIVACY_THRESHOLD} people in column '{rows[0][place]}' of a CSV"


def _is_small(text: str) -> bool:
    number = text.strip().replace(",", "")
    return bool(re.fullmatch(r"\d+(\.0+)?", number)) and 0 < float(number) < PRIVACY_THRESHOLD


class _Page(HTMLParser):
    """Active content and small counts in a piece of HTML."""

    def __init__(self, *, svg: bool = False) -> None:
        super().__init__()
        # An SVG file has styles and metadata of its own, shown as an image they are inert.
        self._forbidden = ACTIVE_ELEMENTS - {"style", "metadata"} if svg else ACTIVE_ELEMENTS
        self.active: list[str] = []
        self.small: list[str] = []
        self._counts: dict[int, str] = {}
        self._column = -1
        self._cell: list[str] | None = None
        self._tag = ""
        self._named = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._forbidden:
            self.active.append(f"active content (<{tag}>)")
        self.active += [reason for name, value in attrs if (reason := _active_attribute(name, value or ""))]
        if tag == "table":
            self._counts = {}
        if tag == "tr":
            self._column = -1
        if tag in ("td", "th"):
            self._column += 1
            self._cell, self._tag = [], tag
            self._named = dict(attrs).get("data-column") or ""

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("td", "th") or self._cell is None:
            return
        text = "".join(self._cell).strip()
        self._cell = None
        if self._tag == "th" and (_COUNTS.match(self._named) or _COUNTS.match(text)):
            self._counts[self._column] = self._named or text
        elif self._tag == "td" and self._column in self._counts and _is_small(text):
            self.small.append(f"a group under {PRIVACY_THRESHOLD} people in column '{self._counts[self._column]}'")


def _active_attribute(name: str, value: str) -> str | None:
    if name.lower().startswith("on"):
        return f"active content (attribute {name})"
    plain = _SPACES.sub("", value).lower()
    if name.lower() in _ADDRESSES and plain.startswith(_ACTIVE_SCHEMES):
        return f"active content ({name} with {plain.partition(':')[0]}:)"
    return None
