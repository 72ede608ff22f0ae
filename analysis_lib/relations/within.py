"""Fixed effects taken out in the engine: the finest exactly, by averages; a second one by its normal equations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.relations.rows import CLUSTER, EFFECT, WEIGHT, Rows

if TYPE_CHECKING:
    import ibis
    import pandas as pd

#: Levels of the coarser of two fixed effects up to which their equations are solved.
MOST_LEVELS = 500

#: A direction of the levels in which the equations say no more than this, relative to the whole, they say nothing.
EMPTY = 1e-11


@dataclass(frozen=True, slots=True)
class Absorbed:
    """Fixed effects that were taken out.

    Attributes
    ----------
    levels : tuple of int
        Of each, in the order they were named.
    nested : tuple of bool
        Whether each level lies in one cluster.
    """

    levels: tuple[int, ...] = ()
    nested: tuple[bool, ...] = ()

    @property
    def total(self) -> int:
        """Degrees of freedom they take, a constant included; as fixest counts them."""
        return sum(self.levels) - (len(self.levels) - 1) if self.levels else 0

    @property
    def beside_clusters(self) -> int:
        """The same, those inside of clusters not counted."""
        inside = [n for n, nested in zip(self.levels, self.nested, strict=True) if nested]
        return self.total - sum(inside) + len(inside)


def absorbed(rows: Rows) -> Absorbed:
    """Levels of each fixed effect, and whether they lie inside of clusters."""
    levels, nested = [], []
    n_clusters = len(rows.request.cluster)
    for place, name in enumerate(rows.request.fixed_effects):
        table = rows.table
        spans = {f"s{one}": table[f"{CLUSTER}{one}"].min() != table[f"{CLUSTER}{one}"].max()
                 for one, cluster in enumerate(rows.request.cluster) if cluster != name}  # fmt: skip
        by = table.group_by(f"{EFFECT}{place}").agg(n=table.count(), **spans)
        found = rows.ask(by.agg(n=by.count(), **{one: by[one].sum() for one in spans}))
        levels.append(int(found["n"]))
        nested.append(len(spans) < n_clusters or any(found[one] == 0 for one in spans))
    return Absorbed(tuple(levels), tuple(nested))


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
        return replace(rows, table=_less_means(rows, finest))
    other = 1 - finest
    if found.levels[other] > MOST_LEVELS:
        name = rows.request.fixed_effects[other]
        raise InvalidValue(
            f"'{name}' has {found.levels[other]:,} levels: of two fixed effects one may have more than {MOST_LEVELS}"
        )
    return _less_both(rows, finest, other)


def _less_means(rows: Rows, place: int) -> ibis.Table:
    """Values less their weighted averages by level of one fixed effect."""
    table, key = rows.table, f"{EFFECT}{place}"
    weight = table[WEIGHT]
    means = table.group_by(key).agg(
        **{f"m_{name}": (table[name] * weight).sum() / weight.sum() for name in rows.values}
    )
    means = rows.scratch.keep(means.rename({f"k_{key}": key}))
    joined = table.inner_join(means, table[key] == means[f"k_{key}"])
    return joined.select(
        *[name for name in table.columns if name not in rows.values],
        **{name: joined[name] - joined[f"m_{name}"] for name in rows.values},
    )


def _less_both(rows: Rows, finest: int, other: int) -> Rows:
    """Values less two fixed effects: the other's levels are solved for once the finest is taken out."""
    levels = _solved(rows, finest, other)
    table, key = rows.table, f"{EFFECT}{other}"
    joined = table.inner_join(levels, table[key] == levels[f"k_{key}"])
    less = joined.select(
        *[name for name in table.columns if name not in rows.values],
        **{name: joined[name] - joined[f"d_{name}"] for name in rows.values},
    )
    rows = replace(rows, table=less)
    return replace(rows, table=_less_means(rows, finest))


def _solved(rows: Rows, finest: int, other: int) -> ibis.Table:
    """What each level of the other fixed effect adds to each value: a small table of the engine."""
    import ibis

    once, key = _less_means(rows, finest), f"{EFFECT}{other}"
    weight = once[WEIGHT]
    sums = {f"d_{name}": (once[name] * weight).sum() for name in rows.values}
    right = rows.warehouse.query(once.group_by(key).agg(own=weight.sum(), **sums).order_by(key))
    shared = rows.warehouse.query(_shared(rows.table, f"{EFFECT}{finest}", key))
    codes = pd_codes(right[key])
    cross = np.diag(right["own"].to_numpy(dtype=float))
    one, two = (shared[name].map(codes).to_numpy() for name in ("one", "two"))
    np.subtract.at(cross, (one, two), shared["shared"].to_numpy(dtype=float))
    columns = list(sums)
    added = _settled(cross, right[columns].to_numpy(dtype=float))
    schema = {f"k_{key}": rows.table[key].type()} | dict.fromkeys(columns, "float64")
    frame = right[[key]].rename(columns={key: f"k_{key}"})
    frame[columns] = added
    return ibis.memtable(frame, schema=schema)


def pd_codes(values: pd.Series) -> dict[Any, int]:
    """Places of values, by value."""
    return {value: place for place, value in enumerate(values)}


def _shared(table: ibis.Table, finest: str, other: str) -> ibis.Table:
    """Of each pair of levels of the other fixed effect: what they share through levels of the finest."""
    cells = table.group_by([finest, other]).agg(weight=table[WEIGHT].sum())
    totals = table.group_by(finest).agg(total=table[WEIGHT].sum()).rename(k=finest)
    left = cells.inner_join(totals, cells[finest] == totals["k"])
    left = left.select(k=finest, one=other, share=left["weight"] / left["total"])
    right = cells.select(k2=finest, two=other, weight=cells["weight"])
    pairs = left.inner_join(right, left["k"] == right["k2"])
    return pairs.group_by(["one", "two"]).agg(shared=(pairs["share"] * pairs["weight"]).sum())


def _settled(cross: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Levels that solve their equations; the shortest, where the equations leave them open."""
    scale = 1 / np.sqrt(np.diag(cross).clip(min=np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(cross * np.outer(scale, scale))
    inverse = np.where(values > EMPTY, 1 / np.where(values > EMPTY, values, 1.0), 0.0)
    return scale[:, None] * (vectors @ (inverse[:, None] * (vectors.T @ (scale[:, None] * right))))
