"""Errors of coefficients from scores that the engine sums."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.moments import HANGS
from analysis_lib.regression.sandwich import covariance_of, positive
from analysis_lib.regression.variance import FEW_ROWS, FEWEST_CLUSTERS, MANY_CLUSTERS, Variance
from analysis_lib.relations.gram import Meat, meat, mixed
from analysis_lib.relations.least_squares import Squares
from analysis_lib.relations.rows import CLUSTER, WEIGHT
from analysis_lib.relations.within import Absorbed
from analysis_lib.results import format_count

if TYPE_CHECKING:
    import ibis

    from analysis_lib.regression.request import Request


def spread_of(squares: Squares, found: Absorbed) -> Variance:
    """Covariance of the coefficients, in their own units.

    Raises
    ------
    NotEnoughData
        Fewer rows than coefficients, too few clusters, a term that one cluster tells alone.
    """
    rows, n = squares.rows, squares.seen.n
    used = _n_terms(squares) + found.total
    if n <= used:
        raise NotEnoughData(f"{n} rows for {used} coefficients and fixed effects: more rows are needed, or fewer terms")
    if rows.request.cluster:
        return _clustered(squares, found)
    name, reason = _by_rows(rows.request, n, bool(found.levels))
    bread = bread_of(squares)
    if name == "iid":
        covariance = bread * squares.left / (n - used)
    else:
        covariance = covariance_of(bread, meat(rows, _scores(squares), len(bread)).products, n / (n - used))
    return Variance(name, reason, in_units(squares, covariance), float(n - used))


def _n_terms(squares: Squares) -> int:
    return len(squares.kept) + ("Intercept" in squares.rows.terms.names)


def _by_rows(request: Request, n: int, has_effects: bool) -> tuple[str, str]:
    if request.variance is not None:
        return request.variance, "asked for"
    if n < FEW_ROWS and not has_effects:
        raise InvalidValue(
            f"{n} rows, fewer than {FEW_ROWS}: errors need single rows then; bring them into a frame, for "
            "regression.fit, or ask for variance='HC1'"
        )
    return "HC1", f"{format_count(n)} rows that stand for themselves; variances may differ"


def _by_clusters(request: Request, n: int) -> str:
    """Why the errors are clustered as they are."""
    called = " and ".join(request.cluster)
    if n < FEWEST_CLUSTERS:
        raise NotEnoughData(
            f"{n} clusters of {called}: under {FEWEST_CLUSTERS} no error is fit to read; cluster by something finer, "
            "or bring more"
        )
    if request.variance is not None:
        return f"asked for; {n} clusters of {called}"
    if n < MANY_CLUSTERS:
        raise NotEnoughData(
            f"{n} clusters of {called}, fewer than {MANY_CLUSTERS}: usual errors would be too small, and better ones "
            "need single rows; bring them into a frame, for regression.fit, or ask for variance='CRV1'"
        )
    return f"{n} clusters of {called}"


def _clustered(squares: Squares, found: Absorbed) -> Variance:
    """One or two columns of clusters; of two, less their crossing."""
    rows, n = squares.rows, squares.seen.n
    names = [f"{CLUSTER}{place}" for place in range(len(rows.request.cluster))]
    scores, bread = _scores(squares), bread_of(squares)
    sums = [meat(rows, scores, len(bread), (name,)) for name in names]
    fewest = min(one.n for one in sums)
    reason = _by_clusters(rows.request, fewest)
    for one, name in zip(sums, rows.request.cluster, strict=True):
        _check_hanging(squares, one, name)
    products = sum(one.products for one in sums)
    for pair in combinations(names, 2):
        products = products - meat(rows, scores, len(bread), pair).products
    factor = fewest / (fewest - 1) * (n - 1) / (n - _n_terms(squares) - found.beside_clusters)
    covariance = positive(in_units(squares, covariance_of(bread, products, factor)))
    return Variance("CRV1", reason, covariance, float(fewest - 1), fewest)


def _check_hanging(squares: Squares, one: Meat, cluster: str) -> None:
    """No term is told by one cluster alone."""
    for place, most in zip(squares.kept, one.most, strict=True):
        if most > HANGS:
            raise NotEnoughData(
                f"'{squares.rows.terms.regressors[place - 1]}' is told by one cluster of {one.n} of {cluster} alone: "
                "chance in it cannot be told from an effect; leave the term out, or bring other clusters in which it "
                "varies"
            )


def bread_of(squares: Squares) -> np.ndarray:
    """Inverse of the cross-products of the constant, if there is one, and u about its means."""
    inverse = squares.inverse
    if "Intercept" not in squares.rows.terms.names:
        return inverse
    bread = np.zeros((len(inverse) + 1, len(inverse) + 1))
    bread[0, 0], bread[1:, 1:] = 1 / squares.seen.weight, inverse
    return bread


def in_units(squares: Squares, covariance: np.ndarray) -> np.ndarray:
    """From the constant and u to the terms as they were given."""
    turn = units_of(squares)
    return turn @ covariance @ turn.T


def units_of(squares: Squares) -> np.ndarray:
    """What coefficients of u make of those of the terms as they were given; those of the constant first."""
    rows, kept = squares.rows, list(squares.kept)
    scales, shifts = np.array(rows.scales), np.array(rows.shifts)
    turn = scales[0] / scales[kept][:, None] * squares.terms
    if "Intercept" not in rows.terms.names:
        return turn
    means = shifts[kept] + scales[kept] * squares.plain.means[kept]
    return np.block([[scales[:1][:, None], -(means @ turn)[None, :]], [np.zeros((len(kept), 1)), turn]])


def _scores(squares: Squares) -> ibis.Table:
    """Of each row, beside its clusters: weight × residual × each column, and each term's own variation."""
    rows, means = squares.rows, squares.seen.means
    has_constant = "Intercept" in rows.terms.names
    columns = [
        column - float(mean) if has_constant else column
        for column, mean in zip(mixed(rows, squares.mix), means, strict=True)
    ]
    clusters = [name for name in rows.table.columns if name.startswith(CLUSTER)]
    named = {f"u{place}": column for place, column in enumerate(columns)}
    table = rows.table.select(WEIGHT, *clusters, **named)
    residual = table["u0"]
    for place, slope in enumerate(squares.slopes, start=1):
        residual = residual - table[f"u{place}"] * float(slope)
    table = table.mutate(push=residual * (1 / float(squares.mix[0, 0])) * table[WEIGHT])
    pushed: list[Any] = [table["push"] * table[f"u{place}"] for place in range(1, len(columns))]
    pushed = [table["push"], *pushed] if has_constant else pushed
    scores = {f"g{place}": column for place, column in enumerate(pushed)}
    return table.select(*clusters, **scores, **(_own(squares, table) if clusters else {}))


def _own(squares: Squares, table: ibis.Table) -> dict[str, Any]:
    """Weighted squares of each term less what the others hold of it."""
    parts = squares.inverse @ squares.terms.T
    found = {}
    for place, part in enumerate(parts.T):
        value = table["u1"] * float(part[0])
        for other, number in enumerate(part[1:], start=2):
            value = value + table[f"u{other}"] * float(number)
        found[f"h{place}"] = value * value * table[WEIGHT]
    return found
