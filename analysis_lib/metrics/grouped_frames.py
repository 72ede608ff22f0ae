"""Cells of several marts as arrays: by group of units, period and segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.metrics.cells import BEFORE
from analysis_lib.metrics.grouped_cells import GROUP, UNPRICED

if TYPE_CHECKING:
    import pandas as pd

#: More segments than this are a mistake: a key was taken for a dimension.
MOST_SEGMENTS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Quantities of two periods.

    Attributes
    ----------
    segments : pandas.DataFrame
        One row per segment: the dimensions.
    values : dict of str to numpy.ndarray
        By quantity, shape (groups, 2, segments): before, after. 0 where a mart has no row.
    n_unpriced : int
        Lines without an amount that should have counted.
    """

    segments: pd.DataFrame
    values: dict[str, np.ndarray]
    n_unpriced: int


def side_by_side(
    frames: list[pd.DataFrame], by: tuple[str, ...], names: list[str], ends: list[str], *, n_groups: int
) -> Grid:
    """The cells of every mart on one grid of segments: those in which the metric itself was counted.

    Parameters
    ----------
    frames
        Cells as ``grouped_cells`` gives them.
    names, ends
        All quantities, and those that make a segment count.

    Raises
    ------
    InvalidValue
        There are too many segments.
    """
    import pandas as pd

    keys = [f"by_{name}" for name in by]
    counted = [frame[(frame[[name for name in ends if name in frame]].fillna(0) != 0).any(axis=1)]
               for frame in frames if set(ends) & set(frame.columns)]  # fmt: skip
    segments = pd.concat(counted)[keys].drop_duplicates().sort_values(keys, na_position="last") if keys else None
    if segments is None:
        segments = pd.DataFrame(index=range(int(any(len(frame) for frame in counted))))
    segments = segments.reset_index(drop=True)
    if len(segments) > MOST_SEGMENTS:
        raise InvalidValue(
            f"{len(segments):,} segments by {', '.join(by)} are too many to explain: choose fewer dimensions, or some"
            " of their values in `where`."
        )
    values = {name: np.zeros((n_groups, 2, len(segments))) for name in names}
    for frame in frames:
        placed = _placed(frame, segments, keys)
        group = placed[GROUP].map(lambda text: int(text, 16) if text else 0).to_numpy(dtype=int)
        side = np.where(placed[BEFORE].astype(bool), 0, 1)
        for name in set(names) & set(placed.columns):
            place = group, side, placed["place"].to_numpy(dtype=int)
            np.add.at(values[name], place, placed[name].fillna(0.0).to_numpy(dtype=float))
    lines = sum(int(frame[UNPRICED].fillna(0).sum()) for frame in frames if UNPRICED in frame)
    return Grid(segments.rename(columns=lambda name: str(name).removeprefix("by_")), values, lines)


def _placed(frame: pd.DataFrame, segments: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Cells with the number of their segment; cells of other segments are left out."""
    if not keys:
        return frame.assign(place=0) if len(segments) else frame.iloc[:0].assign(place=0)
    numbered = segments.assign(place=range(len(segments)))
    return frame.merge(numbered, on=keys, how="inner")
