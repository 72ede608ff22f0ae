"""P-values of several tests judged together."""

from __future__ import annotations

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests


def holm(pvalues: Sequence[float]) -> list[float]:
    """Corrected so that the chance of one false alarm or more is kept (Holm 1979, Scand. Journal of Statistics 6).

    Examples
    --------
    >>> holm([0.01, 0.04])
    [0.02, 0.04]
    """
    return _adjusted(pvalues, "holm")


def benjamini_hochberg(pvalues: Sequence[float]) -> list[float]:
    """Corrected so that the share of false alarms among all alarms is kept (Benjamini and Hochberg 1995, JRSS B 57).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04])
    [0.02, 0.04]
    """
    return _adjusted(pvalues, "fdr_bh")


def _adjusted(pvalues: Sequence[float], method: str) -> list[float]:
    # One p-value is its own correction.
    return list(map(float, multipletests(pvalues, method=method)[1] if len(pvalues) > 1 else pvalues))
