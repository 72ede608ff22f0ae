"""A course in the space of a word."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis_lib.publishing.markup import escape_html

WIDTH, HEIGHT = 96, 20


def sparkline(values: Sequence[float | None], label: str) -> str:
    """An inline SVG line of values, its last point marked; nothing where fewer than two are known.

    The line spans its own range: it shows a course, not a level.

    Parameters
    ----------
    values : sequence of float
        In the order of time; missing ones leave a gap.
    label : str
        What a screen reader says.

    Examples
    --------
    >>> sparkline([None, 3.0], "x")
    ''
    >>> sparkline([1.0, 2.0], "a <b>").startswith('<svg class="sb-spark" role="img" aria-label="a &lt;b&gt;"')
    True
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    points = [
        (2 + (WIDTH - 4) * place / (len(values) - 1), HEIGHT - 2 - (HEIGHT - 4) * (value - low) / span)
        for place, value in enumerate(values)
        if value is not None and math.isfinite(value)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<svg class="sb-spark" role="img" aria-label="{escape_html(label)}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}"><polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2"/></svg>'
    )
