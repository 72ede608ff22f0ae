"""What levels of one fixed effect share through those of another, in parts whose lists fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.relations.rows import EFFECT, WEIGHT, Rows

if TYPE_CHECKING:
    import ibis
    import pandas as pd

#: Rows whose lists are gathered at a time.
AT_A_TIME = 10_000_000

#: Rows of a cell (a level of either) from which on cells are gathered in place of rows: pairs go with their square.
CROWDED = 1.25

#: Rows of which cells are counted.
COUNTED = 1_000_000

#: And only where rows would fill this part of all that there can be.
FULL = 0.25


def shared(rows: Rows, finest: int, other: int, levels: pd.Series, n_finest: int) -> np.ndarray:
    """Of each two levels of the other fixed effect, the weight that they share through levels of the finest.

    Parameters
    ----------
    rows : Rows
        Before anything is taken out.
    finest, other : int
        Places of the fixed effects.
    levels : pandas.Series
        The D levels of the other, each once.
    n_finest : int
        How many the finest has.

    Returns
    -------
    numpy.ndarray
        Shape (D, D), symmetric, 0 on the diagonal: the sum over levels of the finest of weight × weight / all weight.
    """
    weighted = rows.request.weights is not None
    n_parts = -(-rows.n // AT_A_TIME)
    parts = [_part(rows, finest, other, levels, (place, n_parts)) for place in range(n_parts)]
    few = _part(rows, finest, other, levels, (0, -(-rows.n // COUNTED)))
    if rows.n > FULL * len(levels) * n_finest and _is_crowded(rows, few):
        parts, weighted = [_cells(part) for part in parts], True
    found = np.zeros((len(levels), len(levels)))
    for part in parts:
        pairs = rows.warehouse.query((_pairs_by_weight if weighted else _pairs)(part))
        one, two = (pairs[name].to_numpy(dtype=int) for name in ("one", "two"))
        found[one, two] += pairs["shared"].to_numpy(dtype=float)
    return found + found.T


def _part(rows: Rows, finest: int, other: int, levels: pd.Series, part: tuple[int, int]) -> ibis.Table:
    """One part of the levels of the finest: key, level (its place among the levels), weight.

    A level told as a small number takes a quarter of the memory, or less, in lists; all rows of a key are in one part.
    """
    import ibis

    table, key, name = rows.table, f"{EFFECT}{finest}", f"{EFFECT}{other}"
    place, n_parts = part
    if n_parts > 1:
        table = table.filter((table[key].hash() % n_parts).abs() == place)
    codes = ibis.memtable(
        levels.to_frame("k_level").assign(level=np.arange(len(levels), dtype="int16")),
        schema={"k_level": table[name].type(), "level": "int16"},
    )
    joined = table.inner_join(codes, table[name] == codes["k_level"])
    return joined.select(key=joined[key], level=joined["level"], weight=joined[WEIGHT])


def _is_crowded(rows: Rows, part: ibis.Table) -> bool:
    cells = _cells(part)
    found = rows.ask(cells.agg(n_cells=cells.count(), n_rows=cells["n"].sum()))
    return bool(found["n_rows"] > CROWDED * found["n_cells"])


def _cells(part: ibis.Table) -> ibis.Table:
    return part.group_by(["key", "level"]).agg(weight=part["weight"].sum(), n=part.count())


def _pairs(part: ibis.Table) -> ibis.Table:
    """Of each pair of levels, the lower first: what they share.

    Each level of the finest is gathered into a list of its rows, and the list laid out twice: a join of the rows with
    themselves is slower.
    """
    lists = part.group_by("key").agg(levels=part["level"].collect(), total=part["weight"].sum())
    once = lists.select(one=lists["levels"].unnest(), levels=lists["levels"], share=1.0 / lists["total"])
    return _summed(once.select(one="one", two=once["levels"].unnest(), share="share"))


def _pairs_by_weight(part: ibis.Table) -> ibis.Table:
    """The same where rows have weights."""
    import ibis

    cells = ibis.struct({"level": part["level"], "weight": part["weight"]})
    lists = part.group_by("key").agg(cells=cells.collect(), total=part["weight"].sum())
    once = lists.select(one=lists["cells"].unnest(), cells=lists["cells"], total=lists["total"])
    share = once["one"]["weight"] / once["total"]
    twice = once.select(one=once["one"]["level"], share=share, two=once["cells"].unnest())
    both = twice.select(one="one", two=twice["two"]["level"], share=twice["share"] * twice["two"]["weight"])
    return _summed(both)


def _summed(pairs: ibis.Table) -> ibis.Table:
    pairs = pairs.filter(pairs["one"] < pairs["two"])
    return pairs.group_by(["one", "two"]).agg(shared=pairs["share"].sum())
