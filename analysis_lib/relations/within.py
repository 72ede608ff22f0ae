"""Fixed effects taken out in the engine: the finest exactly, by averages; a second one by its normal equations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.relations.gram import Gram, products, square
from analysis_lib.relations.pairs import shared
from analysis_lib.relations.rows import EFFECT, WEIGHT, Absorbed, Loose, Rows

if TYPE_CHECKING:
    import ibis

#: Levels of the coarser of two fixed effects up to which their equations are solved.
MOST_LEVELS = 500

#: Part of a value's square that must be left by the second of two fixed effects; else it is summed again.
KEPT = 1e-4

#: A direction of the levels in which the equations say no more than this, relative to the whole, they say nothing.
EMPTY = 1e-11


def within(rows: Rows, found: Absorbed) -> Rows:
    """The rows, their values less fixed effects.

    Raises
    ------
    InvalidValue
        More than two fixed effects, or two of which both have many levels.
    """
    if not found.levels:
        return rows
    if len(found.levels) > 2:
        raise InvalidValue(
            f"{len(found.levels)} fixed effects: in the engine one or two can be taken out; write the one with fewest "
            "levels as C(name)"
        )
    finest = int(np.argmax(found.levels))
    if len(found.levels) == 1:
        means = rows.scratch.keep(_means(rows, finest))
        return replace(rows, table=_less_means(rows, finest, means), loose=Loose(rows.table, f"{EFFECT}{finest}"))
    other = 1 - finest
    if found.levels[other] > MOST_LEVELS:
        name = rows.request.fixed_effects[other]
        raise InvalidValue(
            f"'{name}' has {found.levels[other]:,} levels: of two fixed effects one may have more than {MOST_LEVELS}"
        )
    return _less_both(rows, found, finest, other)


def _means(rows: Rows, place: int) -> ibis.Table:
    """Weighted averages of the values by level of one fixed effect."""
    table, key = rows.table, f"{EFFECT}{place}"
    if rows.request.weights is None:
        means = {f"m_{name}": table[name].mean() for name in rows.values}
    else:
        weight = table[WEIGHT]
        means = {f"m_{name}": (table[name] * weight).sum() / weight.sum() for name in rows.values}
    return table.group_by(key).agg(**means).rename({f"k_{key}": key})


def _less_means(rows: Rows, place: int, means: ibis.Table) -> ibis.Table:
    """Values less their averages."""
    table, key = rows.table, f"{EFFECT}{place}"
    joined = table.inner_join(means, table[key] == means[f"k_{key}"])
    return joined.select(
        *[name for name in table.columns if name not in rows.values],
        **{name: joined[name] - joined[f"m_{name}"] for name in rows.values},
    )


def _less_both(rows: Rows, found: Absorbed, finest: int, other: int) -> Rows:
    """Values less two fixed effects: the other's levels are solved for once the finest is taken out."""
    levels, plain = _solved(rows, found, finest, other)
    table, key = rows.table, f"{EFFECT}{other}"
    joined = table.inner_join(levels, table[key] == levels[f"k_{key}"])
    less = joined.select(
        *[name for name in table.columns if name not in rows.values],
        **{name: joined[name] - joined[f"d_{name}"] for name in rows.values},
    )
    rows = replace(rows, table=less)
    within_both = _less_means(rows, finest, _means(rows, finest))
    return replace(rows, table=within_both, loose=Loose(less, f"{EFFECT}{finest}"), plain=plain)


def _solved(rows: Rows, found: Absorbed, finest: int, other: int) -> tuple[ibis.Table, Gram | None]:
    """What each level of the other fixed effect adds to each value: a small table of the engine; and cross-products
    of the values less both, if these keep their digits."""
    import ibis

    once, key = _less_means(rows, finest, rows.scratch.keep(_means(rows, finest))), f"{EFFECT}{other}"
    weight, k = once[WEIGHT], len(rows.values)
    sums: dict[str, Any] = {f"d_{name}": (once[name] * weight).sum() for name in rows.values}
    crossed = products(once, rows.values, weighted=rows.request.weights is not None)
    by = once.group_by(key).agg(weight=weight.sum(), **sums, **crossed)
    right = rows.warehouse.query(by.order_by(key))
    cross = -shared(rows, finest, other, right[key], found.levels[finest])
    # What a level shares with all others is what its own rows do not keep to themselves.
    np.fill_diagonal(cross, -cross.sum(axis=0))
    sides = right[list(sums)].to_numpy(dtype=float)
    added = _settled(cross, sides)
    schema = {f"k_{key}": rows.table[key].type()} | dict.fromkeys(sums, "float64")
    frame = right[[key]].rename(columns={key: f"k_{key}"})
    frame[list(sums)] = added
    before = square(right.drop(columns=key).sum(), k)
    after = before - sides.T @ added
    is_kept = (np.diag(after) >= KEPT * np.diag(before)).all()
    plain = Gram(rows.n, float(right["weight"].sum()), np.zeros(k), (after + after.T) / 2) if is_kept else None
    return ibis.memtable(frame, schema=schema), plain


def _settled(cross: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Levels that solve their equations; the shortest, where the equations leave them open."""
    scale = 1 / np.sqrt(np.diag(cross).clip(min=np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(cross * np.outer(scale, scale))
    inverse = np.where(values > EMPTY, 1 / np.where(values > EMPTY, values, 1.0), 0.0)
    return scale[:, None] * (vectors @ (inverse[:, None] * (vectors.T @ (scale[:, None] * right))))
