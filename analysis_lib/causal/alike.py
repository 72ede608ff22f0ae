"""Rows that stand for several units alike in every column: how many, and moments that count each of them."""

from __future__ import annotations

import numpy as np
import pandas as pd


def counts_of(frame: pd.DataFrame, counts: str | None) -> np.ndarray:
    """Units that each row stands for: of the column ``counts``, or one."""
    return np.ones(len(frame)) if counts is None else frame[counts].to_numpy(dtype=float)


def mean_of(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean over units of each column; shape (columns,)."""
    return counts @ values / counts.sum()


def variance_of(values: np.ndarray, counts: np.ndarray, *, ddof: int = 0) -> np.ndarray:
    """Variance over units of each column; shape (columns,)."""
    return counts @ np.square(values - mean_of(values, counts)) / (counts.sum() - ddof)
