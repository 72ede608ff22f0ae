"""Figures: the finding as title, sharp at any width, alt text, and their numbers one click away."""

from __future__ import annotations

import base64
import io
import re

from analysis_lib.reporting import markup
from analysis_lib.reporting.tables import csv_link, table_html
from analysis_lib.reporting.theme import STYLE, WIDTH
from analysis_lib.results import Exhibit

#: What XML does not allow, in bytes that UTF-8 uses for nothing else.
CONTROL_CHARACTERS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")

#: Shapes of a drawing, and digits of its numbers that are not needed.
PATHS, DIGITS = re.compile(rb' d="[^"]*"'), re.compile(rb"(\d\d\d\.\d|\.\d\d)\d+")

#: The space between elements.
BETWEEN = re.compile(rb">\s+<")

#: Of what a drawing asks to have as pixels.
PIXELS_PER_INCH = 200


def figure_html(exhibit: Exhibit, *, with_numbers: bool = True) -> str:
    """An exhibit as a ``<figure>``: title, subtitle, image, numbers as table and CSV.

    Parameters
    ----------
    exhibit : Exhibit
        With ``draw``; text in it may come from data and is escaped.
    with_numbers : bool
        False where the page shows the same numbers in a table anyway.
    """
    image = _svg(exhibit)
    source = "data:image/svg+xml;base64," + base64.b64encode(image).decode("ascii")
    numbers = _numbers(exhibit) if with_numbers else ""
    return markup.element(
        "figure",
        markup.element(
            "figcaption",
            markup.element("span", markup.text(exhibit.title), classes="sb-title"),
            markup.element("span", markup.text(exhibit.subtitle), classes="sb-subtitle"),
        ),
        f'<img src="{source}" alt="{markup.text(exhibit.text)}">',
        numbers,
        classes="sb-figure",
    )


def _numbers(exhibit: Exhibit) -> str:
    """What was drawn, as a table that unfolds, and as CSV."""
    return markup.element(
        "details",
        markup.element("summary", "The numbers"),
        table_html(exhibit, caption=False),
        csv_link(exhibit.frame, exhibit.title),
        classes="sb-numbers",
    )


def _svg(exhibit: Exhibit) -> bytes:
    """The drawing as SVG bytes; the global matplotlib state is left alone."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH * exhibit.height), layout="constrained")
        exhibit.draw(figure.add_subplot())
        target = io.BytesIO()
        # Only what a drawing asks to have as pixels (thousands of dots) has a resolution.
        figure.savefig(target, format="svg", dpi=PIXELS_PER_INCH, metadata={"Date": None, "Creator": None})
    # A control character in a label would make the whole image unreadable.
    return _shorter(CONTROL_CHARACTERS.sub(b"", target.getvalue()))


def _shorter(svg: bytes) -> bytes:
    """The same drawing in fewer bytes: a hundredth of a point is finer than any screen.

    Examples
    --------
    >>> _shorter(b'<path d="M 1.234567 2.5 L -0.000123 10"/><use x="1.234567"/>')
    b'<path d="M 1.23 2.5 L -0.00 10"/><use x="1.234567"/>'
    """
    digits = PATHS.sub(lambda path: DIGITS.sub(rb"\1", path.group()), svg)
    return BETWEEN.sub(b"><", digits)
