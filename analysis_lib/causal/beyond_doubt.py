"""Which of several tests stand when all of them are held to one level together."""

from __future__ import annotations

from collections.abc import Mapping


def beyond_doubt(pvalues: Mapping[str, float], level: float) -> list[str]:
    """Names whose test stands, the smallest p-value first: the chance of one false alarm or more is kept.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2).

    Examples
    --------
    >>> beyond_doubt({"a": 0.04, "b": 0.001, "c": 0.03}, 0.95)
    ['b']
    >>> beyond_doubt({}, 0.95)
    []
    """
    from statsmodels.stats.multitest import multipletests  # slow to import

    if not pvalues:
        return []
    ranked = sorted(pvalues, key=lambda name: pvalues[name])
    stands = multipletests([pvalues[name] for name in ranked], alpha=1 - level, method="holm")[0]
    return [name for name, told in zip(ranked, stands, strict=True) if told]
