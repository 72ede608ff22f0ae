"""A linear regression in one query, where a first look at few rows says from where to count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.relations.gram import Gram, products, square
from analysis_lib.relations.rows import CLUSTER, VALUE, WEIGHT, Rows, chosen, scaled
from analysis_lib.relations.terms import check_columns, factors_of, parsed, terms_of, used_by
from analysis_lib.warehouse.scratch import Scratch

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.regression.request import Request
    from analysis_lib.relations.terms import Terms
    from analysis_lib.warehouse import Warehouse

#: Rows of the first look.
FEW = 2_048

#: How many standard deviations the mean may lie from that of the first look.
FAR = 1_000.0

#: Variance that a column must have, relative to its mean square; below it a second look decides whether it varies.
VARIES = 1e-10


def glance(warehouse: Warehouse, table: ibis.Table, scratch: Scratch, request: Request) -> Rows | None:
    """Rows with their cross-products, if all are complete and finite; None where they have to be looked at closer.

    Raises
    ------
    ContractError
        A column that is not there; the message names the nearest.
    """
    formula = parsed(request.formula)
    used = used_by(formula, request.formula, table.columns)
    check_columns([*used, *request.columns], table)
    written = {str(factor.expr) for side in (formula.lhs, formula.rhs) for term in side for factor in term.factors}
    if request.fixed_effects or factors_of(formula, table) or not written - {"1"} <= set(used):
        return None
    if any(table[name].type().is_floating() for name in request.cluster):
        return None
    terms = terms_of(warehouse, table, request.formula, without_constant=False)
    rows = chosen(table, request, terms)
    values = [f"{VALUE}{place}" for place in range(len(terms.right) + 1)]
    first = warehouse.query(_first(rows, values)).iloc[0].to_numpy(dtype=float)
    shifts, scales = first[: len(values)], first[len(values) :]
    if "Intercept" not in terms.names or not np.isfinite(first).all() or not (scales > 0).all():
        return None
    found = warehouse.query(_sums(rows, values, shifts, weighted=request.weights is not None)).iloc[0]
    seen = _gram(found, scales)
    if seen is None:
        return None
    lengths = np.hypot(shifts / scales + seen.means, np.sqrt(np.diag(seen.cross) / seen.weight))
    return _rows(warehouse, rows, scratch, request, terms, (shifts, scales, lengths), seen)


def _rows(
    warehouse: Warehouse, rows: ibis.Table, scratch: Scratch, request: Request, terms: Terms,
    facts: tuple[np.ndarray, np.ndarray, np.ndarray], seen: Gram,
) -> Rows:  # fmt: skip
    shifts, scales, lengths = (tuple(map(float, part)) for part in facts)
    table = scaled(rows, shifts, scales)
    return Rows(
        warehouse, table, scratch, request, terms, seen.n, seen.n, seen.weight, shifts, scales, lengths, (), plain=seen
    )


def _first(rows: ibis.Table, values: list[str]) -> ibis.Table:
    """Means and standard deviations of the first rows."""
    few = rows.limit(FEW)
    means = {f"mean_{name}": few[name].mean() for name in values}
    return few.agg(**means, **{f"sd_{name}": few[name].std(how="pop") for name in values})


def _sums(rows: ibis.Table, values: list[str], shifts: np.ndarray, *, weighted: bool) -> ibis.Table:
    """Cross-products about the shifts, and how many values there are."""
    moved = {name: rows[name] - float(shift) for name, shift in zip(values, shifts, strict=True)}
    clusters = [name for name in rows.columns if name.startswith(CLUSTER)]
    table = rows.select(WEIGHT, *clusters, **moved)
    weight = table[WEIGHT]
    sums: dict[str, Any] = {"n": table.count()} | {f"n_{name}": table[name].count() for name in [*clusters, *values]}
    if weighted:
        sums |= {"weight": weight.sum(), "lightest": weight.min(), f"n_{WEIGHT}": weight.count()}
    for place, name in enumerate(values):
        sums[f"s{place}"] = ((table[name] * weight) if weighted else table[name]).sum()
    return table.agg(**sums, **products(table, values, weighted=weighted))


def _gram(found: pd.Series, scales: np.ndarray) -> Gram | None:
    """Cross-products on their scale; None where something is missing, not finite, far off or constant."""
    k, n = len(scales), int(found["n"])
    counts = [found[name] for name in found.index if name.startswith("n_")]
    if n == 0 or min(counts) < n or not np.isfinite(found.to_numpy(dtype=float)).all() or found.get("lightest", 1) <= 0:
        return None
    total = float(found.get("weight", n))
    means = np.array([found[f"s{place}"] for place in range(k)], dtype=float) / total / scales
    cross = square(found, k) / np.outer(scales, scales)
    about = cross - total * np.outer(means, means)
    variances = np.diag(about) / total
    if not (variances > VARIES).all() or (np.abs(means) > FAR * np.sqrt(variances)).any():
        return None
    return Gram(n, total, means, about)
