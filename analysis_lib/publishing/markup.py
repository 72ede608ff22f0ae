"""Text from data and parameters, made harmless for Markdown and HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_WIDE = str.maketrans("<>\\", "＜＞＼")


def escape_markdown(text: str) -> str:
    r"""One line of text that Markdown, its maths, links and substitutions leave alone.

    Examples
    --------
    >>> print(escape_markdown("a *b* costs $5"))
    a \*b\* costs \$5
    """
    # Markdown allows a backslash before every ASCII punctuation mark.
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def safe_title(text: str) -> str:
    """A title without angle brackets and backslashes.

    The theme's print layout writes titles unescaped, and MathJax reads formulas in the sidebar.

    Examples
    --------
    >>> safe_title("is p <script> 0.05?")
    'is p ＜script＞ 0.05?'
    """
    return " ".join(text.split()).translate(_WIDE)


def escape_html(text: str) -> str:
    """One line of text without HTML, and without line breaks that would end an HTML block."""
    # What MathJax would take for maths is kept from it by a class on the element around.
    return html.escape(" ".join(str(text).split()), quote=True)


def table_html(rows: Iterable[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """A table of plain texts about how a page was made."""
    return table_of(
        (row_of(escape_html(cell) for cell in row) for row in rows), heads, classes="sb-table shopbook-provenance"
    )


def table_of(rows: Iterable[str], heads: tuple[str, ...], *, classes: str = "sb-table") -> str:
    """A table around finished rows; the maths renderer is told to keep out.

    One line, because a blank one would end the HTML block in Markdown.
    """
    top = "".join(f'<th scope="col">{escape_html(head)}</th>' for head in heads)
    return (
        f'<div class="{classes} tex2jax_ignore mathjax_ignore" tabindex="0"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def row_of(cells: Iterable[str]) -> str:
    """A table row of cells that are HTML already."""
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def fence(text: str, language: str) -> str:
    """A code block that its content cannot close.

    Examples
    --------
    >>> print(fence("a ``` b", "bash"))
    ````bash
    a ``` b
    ````
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"
