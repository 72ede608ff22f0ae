"""How figures look: one style, applied to one figure at a time."""

from __future__ import annotations

#: Inches; at 100 points to the CSS inch the figure is as wide as the text column on a desk.
WIDTH = 6.6

#: Text must stay at 9 px or more when the figure is scaled down to a phone of 390 px: 634 px wide at
#: full size, about 340 px on the phone, so 13 points (17 px) become 9 px.
FONT_SIZE = 13.0

STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": "#222222",
    "axes.edgecolor": "#5f5f5f",
    "axes.labelcolor": "#3d3d3d",
    "xtick.color": "#3d3d3d",
    "ytick.color": "#3d3d3d",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": False,
    "lines.linewidth": 2.2,
    "svg.fonttype": "path",
    # Two prices in one label are not a formula.
    "text.parse_math": False,
    # With a fixed salt and no date, the same numbers give the same bytes.
    "svg.hashsalt": "shopbook",
}
