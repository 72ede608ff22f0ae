"""HTML for pages: everything that comes from data or parameters is escaped here."""

from __future__ import annotations

from html import escape

from IPython.display import HTML

#: MathJax must not read dollar signs in prices as formulas; both names are looked for by Sphinx themes.
NO_MATH = "tex2jax_ignore mathjax_ignore"


def text(value: object) -> str:
    """Escaped text, safe inside an element or an attribute."""
    return escape(str(value), quote=True)


def element(tag: str, *inside: str, classes: str = "", **attributes: str) -> str:
    """An element around markup that is already safe; attribute values are escaped."""
    pairs = {"class": classes, **{name.strip("_").replace("_", "-"): value for name, value in attributes.items()}}
    written = "".join(f' {name}="{text(value)}"' for name, value in pairs.items() if value != "")
    return f"<{tag}{written}>{''.join(inside)}</{tag}>"


def block(*inside: str, classes: str) -> HTML:
    """A page element of its own."""
    return HTML(element("div", *inside, classes=f"{classes} {NO_MATH}"))
