"""Cross-products and scores of rows in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.relations.rows import WEIGHT, Rows

if TYPE_CHECKING:
    import ibis
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """Weighted cross-products of columns, the outcome first.

    Attributes
    ----------
    n : int
        Rows.
    weight : float
        Their weights, added.
    means : numpy.ndarray
        Shape (k,).
    cross : numpy.ndarray
        Shape (k, k); about the means where there is a constant.
    """

    n: int
    weight: float
    means: np.ndarray
    cross: np.ndarray


def mixed(rows: Rows, mix: np.ndarray) -> list[Any]:
    """Columns of the engine: column j is the sum over i of value i × mix[i, j]; a part of 0 costs nothing."""
    found = []
    for parts in mix.T:
        terms = [
            rows.table[name] * float(part) if part != 1 else rows.table[name]
            for name, part in zip(rows.values, parts, strict=True) if part
        ]  # fmt: skip
        value = terms[0]
        for term in terms[1:]:
            value = value + term
        found.append(value)
    return found


def gram(rows: Rows, mix: np.ndarray, *, centred: bool) -> Gram:
    """All cross-products of mixed columns, in one query."""
    k = mix.shape[1]
    named = {f"z{place}": column for place, column in enumerate(mixed(rows, mix))}
    table = rows.table.select(WEIGHT, **named)
    weight = table[WEIGHT]
    is_plain = rows.request.weights is None
    sums: dict[str, Any] = {"n": table.count(), "weight": weight.sum()}
    for one in range(k):
        left = table[f"z{one}"] if is_plain else table[f"z{one}"] * weight
        sums[f"s{one}"] = left.sum()
        sums |= {f"s{one}_{other}": (left * table[f"z{other}"]).sum() for other in range(one, k)}
    found = rows.ask(table.agg(**sums))
    total = float(found["weight"])
    means = np.array([found[f"s{place}"] for place in range(k)], dtype=float) / total
    cross = _square(found, k) - (total * np.outer(means, means) if centred else 0.0)
    return Gram(int(found["n"]), total, means, cross)


def _square(found: pd.Series, k: int) -> np.ndarray:
    """Products told once, as a matrix."""
    products = np.empty((k, k))
    for one in range(k):
        for other in range(one, k):
            products[one, other] = products[other, one] = found[f"s{one}_{other}"]
    return products


@dataclass(frozen=True, slots=True, eq=False)
class Meat:
    """Products of scores that were summed by cluster.

    Attributes
    ----------
    products : numpy.ndarray
        Shape (k, k).
    n : int
        Clusters, or rows.
    most : numpy.ndarray
        Part of each term's own variation that lies in the cluster that holds most of it.
    """

    products: np.ndarray
    n: int
    most: np.ndarray


def meat(rows: Rows, scores: ibis.Table, k: int, by: tuple[str, ...] = ()) -> Meat:
    """Products of the scores g0 …, by cluster or by row; h0 … is each term's own variation."""
    names, owns = ([name for name in scores.columns if name[0] == first] for first in "gh")
    if by:
        scores = scores.group_by(list(by)).agg(**{name: scores[name].sum() for name in [*names, *owns]})
    sums: dict[str, Any] = {"n": scores.count()}
    for one in range(k):
        sums |= {f"s{one}_{other}": (scores[f"g{one}"] * scores[f"g{other}"]).sum() for other in range(one, k)}
    if by:
        sums |= {f"max_{name}": scores[name].max() for name in owns} | {name: scores[name].sum() for name in owns}
    found = rows.ask(scores.agg(**sums))
    most = np.array([found[f"max_{name}"] / found[name] for name in owns] if by else [])
    return Meat(_square(found, k), int(found["n"]), most)
