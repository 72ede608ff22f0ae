"""Cross-products and scores of rows in the engine."""

from __future__ import annotations

from collections.abc import Iterable
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


def added(table: ibis.Table, names: list[str], parts: Iterable[float]) -> Any:
    """Columns times numbers, added; a number of 0 costs nothing."""
    terms = [
        table[name] * float(part) if part != 1 else table[name] for name, part in zip(names, parts, strict=True) if part
    ]
    value = terms[0]
    for term in terms[1:]:
        value = value + term
    return value


def mixed(rows: Rows, mix: np.ndarray) -> list[Any]:
    """Columns of the engine: column j is the sum over i of value i × mix[i, j]."""
    return [added(rows.table, rows.values, parts) for parts in mix.T]


def gram(rows: Rows, mix: np.ndarray, *, centred: bool) -> Gram:
    """All cross-products of mixed columns, in one query."""
    k = mix.shape[1]
    named = {f"z{place}": column for place, column in enumerate(mixed(rows, mix))}
    table = rows.table.select(WEIGHT, **named)
    weight = table[WEIGHT]
    sums: dict[str, Any] = {"n": table.count(), "weight": weight.sum()}
    sums |= {f"s{place}": (table[name] * weight).sum() for place, name in enumerate(named)}
    sums |= products(table, list(named), weighted=rows.request.weights is not None)
    found = rows.ask(table.agg(**sums))
    total = float(found["weight"])
    means = np.array([found[f"s{place}"] for place in range(k)], dtype=float) / total
    cross = square(found, k) - (total * np.outer(means, means) if centred else 0.0)
    return Gram(int(found["n"]), total, means, cross)


def products(table: ibis.Table, names: list[str], *, weighted: bool) -> dict[str, Any]:
    """Products of columns, each pair once."""
    sums = {}
    for one, name in enumerate(names):
        left = table[name] * table[WEIGHT] if weighted else table[name]
        sums |= {f"s{one}_{other}": (left * table[names[other]]).sum() for other in range(one, len(names))}
    return sums


def square(found: pd.Series, k: int) -> np.ndarray:
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
    if owns:
        sums |= {f"max_{name}": scores[name].max() for name in owns} | {name: scores[name].sum() for name in owns}
    found = rows.ask(scores.agg(**sums))
    most = np.array([found[f"max_{name}"] / found[name] for name in owns])
    return Meat(square(found, k), int(found["n"]), most)
