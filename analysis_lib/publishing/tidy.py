"""Built pages without what a static, offline site has no use for, and with what readers by ear need."""

from __future__ import annotations

import re
from pathlib import Path

#: Fonts asked for ahead with credentials, which browsers refuse from a file share.
_PRELOADED_FONTS = re.compile(r'\s*<link rel="preload" as="font"[^>]*>')

#: Thebe runs code on a server elsewhere; it is off, but its loader is put into every page, twice.
_THEBE = re.compile(
    r'\s*<script>const THEBE_JS_URL[^<]*</script>|\s*<script[^>]*src="[^"]*sphinx-thebe[^"]*"[^>]*></script>'
    r'|\s*<link[^>]*href="[^"]*sphinx-thebe[^"]*"[^>]*>'
)

_MATHJAX = re.compile(r'\s*<script[^>]*src="[^"]*mathjax/[^"]*"[^>]*></script>')

#: Header cells of tables written in Markdown.
_HEADER_CELL = re.compile(r'<th class="(head|stub)([^"]*)">')
_SCOPES = {"head": "col", "stub": "row"}

#: Arrows of the sidebar that open the pages under one: pictures without a word.
_ARROW = re.compile(r'(>([^<]+)</a>\s*<details[^>]*>\s*)<summary>(?=\s*<span class="toctree-toggle")')

#: Marks that a page has formulas.
_FORMULA = ('class="math', "class='math")


def tidy(page: str) -> str:
    """One HTML page, tidied; with formulas it loads MathJax once, without them not at all."""
    page = _THEBE.sub("", _PRELOADED_FONTS.sub("", page))
    page = _HEADER_CELL.sub(lambda th: f'<th class="{th[1]}{th[2]}" scope="{_SCOPES[th[1]]}">', page)
    page = _ARROW.sub(lambda of: f'{of[1]}<summary aria-label="Pages under {of[2].strip()}">', page)
    loaders = _MATHJAX.findall(page)
    if not loaders:
        return page
    page = _MATHJAX.sub("", page)
    if not any(mark in page for mark in _FORMULA):
        return page
    return page.replace("</head>", f"{loaders[0]}\n  </head>", 1)


def tidy_site(folder: Path) -> None:
    """Tidy every page of a built site."""
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if (tidied := tidy(text)) != text:
            path.write_text(tidied, encoding="utf-8")
