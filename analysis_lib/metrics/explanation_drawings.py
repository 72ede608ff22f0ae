"""How an explanation is drawn: frames in, marks on matplotlib axes out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.results import format_value

if TYPE_CHECKING:
    import pandas as pd

#: Up, down, and what is neither.
UP, DOWN, CONTEXT = PALETTE["subject"], PALETTE["second"], PALETTE["context"]

CONTEXT_TEXT = PALETTE["context_text"]


def draw_waterfall(axes: Any, parts: pd.DataFrame, ends: tuple[float, float], unit: str, end_unit: str) -> None:
    """The value before, each part from where the one above ended, and the value after.

    Parameters
    ----------
    parts
        part, contribution, contribution_ci_lower, contribution_ci_upper.
    ends
        Values before and after.
    unit, end_unit
        Of contributions, and of the values.
    """
    before, after = ends
    starts = before + np.concatenate([[0.0], np.cumsum(parts["contribution"])[:-1]])
    rows = np.arange(1, len(parts) + 1)
    values = parts["contribution"].to_numpy()
    colours = [UP if value >= 0 else DOWN for value in values]
    axes.barh([0, len(parts) + 1], [before, after], color=CONTEXT, alpha=0.55, height=0.62)
    axes.barh(rows, values, left=starts, color=colours, height=0.62)
    _whiskers(axes, rows, starts, parts)
    _links(axes, [before, *(starts + values)])
    texts = [format_value(before, end_unit), *(_signed(value, unit) for value in values), format_value(after, end_unit)]
    _labels(axes, ["Before", *parts["part"], "After"], texts)
    _zoom(axes, np.concatenate([starts, starts + values, _reach(starts, parts), [before, after]]))


def draw_bars(axes: Any, frame: pd.DataFrame, unit: str) -> None:
    """Contributions as bars from zero, with whiskers.

    Parameters
    ----------
    frame
        segment, contribution, contribution_ci_lower, contribution_ci_upper.
    """
    rows, values = np.arange(len(frame)), frame["contribution"].to_numpy()
    axes.barh(rows, values, color=[UP if value >= 0 else DOWN for value in values], height=0.62)
    _whiskers(axes, rows, np.zeros(len(frame)), frame)
    axes.axvline(0, color=CONTEXT_TEXT, lw=1)
    _labels(axes, frame["segment"], [_signed(value, unit) for value in values])


def _signed(value: float, unit: str) -> str:
    return f"{'+' if value > 0 else ''}{format_value(value, unit)}"


def _reach(starts: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    bounds = frame[["contribution_ci_lower", "contribution_ci_upper"]].to_numpy()
    found = (starts[:, None] + bounds).ravel()
    return found[np.isfinite(found)]


def _whiskers(axes: Any, rows: np.ndarray, starts: np.ndarray, frame: pd.DataFrame) -> None:
    low, high = (starts + frame[f"contribution_ci_{end}"].to_numpy() for end in ("lower", "upper"))
    axes.hlines(rows, low, high, color="#222222", lw=1.6, zorder=3)


def _links(axes: Any, edges: Iterable[float]) -> None:
    """Thin lines from where a bar ends to where the next begins."""
    for row, edge in enumerate(edges):
        axes.vlines(edge, row - 0.31, row + 1.31, color=CONTEXT_TEXT, lw=0.8, zorder=0)


def _labels(axes: Any, names: Iterable[str], texts: Iterable[str]) -> None:
    """Names at the left, numbers at the right, rows from the top."""
    named = list(names)
    axes.set_yticks(range(len(named)), named)
    axes.set_ylim(len(named) - 0.4, -0.6)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for row, text in enumerate(texts):
        axes.text(1.01, row, text, transform=axes.get_yaxis_transform(), va="center", ha="left", color="#222222")


def _zoom(axes: Any, places: np.ndarray) -> None:
    """Where the parts are small beside the whole, the axis does not begin at zero, and says so."""
    low, high = float(np.min(places)), float(np.max(places))
    span = (high - low) or abs(high) or 1.0
    if low > 0 and span < 0.45 * high:
        axes.set_xlim(low - 0.25 * span, high + 0.06 * span)
        axes.text(
            0.0, -0.02, "axis cut: the grey bars do not begin at zero", transform=axes.transAxes, va="top", ha="left",
            color=CONTEXT_TEXT,
        )  # fmt: skip
    else:
        axes.set_xlim(min(0.0, low) - 0.02 * span, high + 0.06 * span)
