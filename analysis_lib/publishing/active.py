"""Active content: what runs, loads or sends something when a page is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape

from analysis_lib.publishing.tokens import Token


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Elements that run, load, send or restyle something.
ACTIVE_ELEMENTS = _names(
    "script iframe frame frameset object embed applet form input button select textarea link meta base style template "
    "noscript foreignobject handler listener audio video source track portal"
)

#: What pages are made of: text, lists, tables, images, folds.
PAGE_ELEMENTS = _names(
    "a abbr article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl "
    "dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark meter nav ol p pre "
    "progress q s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul "
    "var wbr svg circle clippath defs desc ellipse g line lineargradient marker mask path pattern polygon polyline "
    "radialgradient rect stop symbol text textpath tspan use"
)

#: Elements of an SVG file that can run or load something; the others draw.
SVG_ELEMENTS = ACTIVE_ELEMENTS - {"style"}

#: Attributes that hold words: shown or looked up, never followed.
_WORDS = {"alt", "title", "class", "id", "download", "name", "lang", "scope", "abbr", "summary", "label", "headers"}
_REFUSED = {"srcdoc", "formaction", "action", "ping", "http-equiv"}
_LOADING = {"src", "srcset", "poster", "background", "data", "href", "lowsrc", "dynsrc", "manifest", "longdesc"}

_ACTIVE_SCHEMES = (
    "javascript:",
    "vbscript:",
    "livescript:",
    "data:text/html",
    "data:application/xhtml",
    "data:text/xml",
)
_LINKS = {"http", "https", "mailto", "tel"}
_IMAGES = ("data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp", "data:image/svg+xml")

# Browsers pass over blanks and control characters inside a scheme.
_SPACES = re.compile(r"[\s\x00-\x20]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?=:)")
_ACTIVE_CSS = re.compile(r"url\((?![\"']?(?:#|data:image/))|@import|expression\(|behaviou?r:|-moz-binding|\\")

#: What pandas puts before every table; it restyles that table only.
_PANDAS_STYLE = re.compile(r"<style scoped>[\s.:,;{}a-z-]*</style>")

_DIRECTIVE = re.compile(
    r"^[ \t>*+\d.-]*(?:`{3,}|~{3,}|:{3,})[ \t]*\{|^[ \t>]*:{3,}[ \t]*\w|\{[\w:.+-]+\}`|^\.\. \w+::", re.MULTILINE
)
_RAW_HTML = re.compile(r"<(?:[a-zA-Z][\w-]*[\s/>]|/[a-zA-Z]|!|\?)")
_MARKDOWN_ADDRESS = re.compile(r"(?:\]\(|\]:|<)\s*<?([^\s)>]{1,80})")
_MATHS = re.compile(r"\\(?:href|require|html\w*|class|cssId|style|unicode|includegraphics|input|write|def)\b")


def without_pandas_style(markup: str) -> str:
    """HTML without the style block of pandas tables."""
    return _PANDAS_STYLE.sub("", markup)


def active_html(pieces: Iterable[Token], *, svg: bool = False) -> Iterator[str]:
    """What is active in HTML, or in an SVG file that is shown as an image."""
    styled = False
    for token in pieces:
        if token.kind == "broken":
            yield f"active content cannot be ruled out: malformed markup at '{token.text}'"
        if token.kind == "text" and styled and _is_active_css(token.text):
            yield "active content (style that loads something)"
        if token.kind == "start":
            yield from _active_element(token.name, svg=svg)
            for name, value in token.attributes:
                yield from _active_attribute(token.name, name, value)
        styled = svg and token.kind == "start" and token.name == "style"


def _active_element(tag: str, *, svg: bool) -> Iterator[str]:
    if tag in (SVG_ELEMENTS if svg else ACTIVE_ELEMENTS):
        yield f"active content (<{tag}>)"
    elif not svg and tag not in PAGE_ELEMENTS:
        yield f"active content cannot be ruled out: <{tag}> is not an element that pages are made of"


def _active_attribute(tag: str, name: str, value: str) -> Iterator[str]:
    if name.startswith("on") or name in _REFUSED:
        yield f"active content (attribute {name})"
    if name in _WORDS or name.startswith(("data-", "aria-")):
        return
    plain = _SPACES.sub("", value).lower()
    if plain.startswith(_ACTIVE_SCHEMES):
        yield f"active content ({name} with {plain.partition(':')[0]}:)"
    elif name in _LOADING:
        yield from _address(tag, name, plain)
    elif _is_active_css(plain):
        yield f"active content ({name} that loads something)"


def _is_active_css(text: str) -> bool:
    return bool(_ACTIVE_CSS.search(_SPACES.sub("", text).lower()))


def _address(tag: str, name: str, plain: str) -> Iterator[str]:
    """Links may lead anywhere; what loads by itself must lie in the page."""
    scheme = _SCHEME.match(plain)
    if tag in ("a", "area") and name == "href":
        if scheme and scheme.group() not in _LINKS and not plain.startswith("data:text/csv"):
            yield f"active content ({name} with {scheme.group()}:)"
    elif name == "srcset":
        if ":" in plain or "//" in plain:
            yield "active content (srcset that may load from elsewhere)"
    elif not plain.startswith(_IMAGES) and (scheme or "//" in plain or "\\" in plain):
        yield f"active content ({name} that loads from elsewhere)"


def active_markdown(text: str) -> Iterator[str]:
    """What Markdown may not hold in an output: directives, roles, HTML, and links that run something."""
    if found := _DIRECTIVE.search(text):
        yield f"active content (the directive or role '{found.group().strip()}' in Markdown)"
    if found := _RAW_HTML.search(text):
        yield f"active content (HTML in Markdown, '{found.group()}')"
    for found in _MARKDOWN_ADDRESS.finditer(_SPACES.sub(" ", unescape(text))):
        scheme = _SCHEME.match(found.group(1).lower())
        if scheme and scheme.group() not in _LINKS and not found.group(1).lower().startswith(_IMAGES):
            yield f"active content (a link with {scheme.group()}: in Markdown)"
    yield from active_maths(text)


def active_maths(text: str) -> Iterator[str]:
    """Commands by which a formula links, loads or restyles."""
    if found := _MATHS.search(text):
        yield f"active content ({found.group()} in a formula)"
