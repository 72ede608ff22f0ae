"""Errors of coefficients from scores that the engine sums."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.moments import HANGS
from analysis_lib.regression.sandwich import positive
from analysis_lib.regression.variance import FEW_ROWS, FEWEST_CLUSTERS, MANY_CLUSTERS, Variance
from analysis_lib.relations.gram import Meat, added, meat, mixed
from analysis_lib.relations.least_squares import Squares
from analysis_lib.relations.rows import CLUSTER, EFFECT, WEIGHT, Absorbed
from analysis_lib.results import format_count

if TYPE_CHECKING:
    import ibis

    from analysis_lib.regression.request import Request


#: Part of a value's square that the finest fixed effect must leave, for sums of scores to keep their digits without a
#: look at each row less its average.
LEFT = 1e-3


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
        covariance = n / (n - used) * bread @ meat(rows, _scores(squares), len(bread)).products @ bread
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
    bread = bread_of(squares)
    if _are_levels(squares):
        sums = [meat(rows, _scores_by_level(squares), len(bread))]
    else:
        scores = _scores(squares)
        sums = [meat(rows, scores, len(bread), (name,)) for name in names]
    fewest = min(one.n for one in sums)
    reason = _by_clusters(rows.request, fewest)
    for one, name in zip(sums, rows.request.cluster, strict=True):
        _check_hanging(squares, one, name)
    products = sum(one.products for one in sums)
    for pair in combinations(names, 2):
        products = products - meat(rows, scores, len(bread), pair).products
    factor = fewest / (fewest - 1) * (n - 1) / (n - _n_terms(squares) - found.beside_clusters)
    covariance = positive(in_units(squares, factor * bread @ products @ bread))
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


def _seen(squares: Squares, table: ibis.Table, beside: list[str]) -> ibis.Table:
    """Weight, u1 …, the residual e, and with clusters o0 …: each term less what the others hold of it."""
    rows, k = replace(squares.rows, table=table), len(squares.kept)
    columns = mixed(rows, squares.mix)
    if "Intercept" in rows.terms.names:
        columns = [column - float(mean) for column, mean in zip(columns, squares.seen.means, strict=True)]
    table = table.select(WEIGHT, *beside, **{f"u{place}": column for place, column in enumerate(columns)})
    names = [f"u{place}" for place in range(k + 1)]
    residual = added(table, names, [1.0, *-squares.slopes]) * (1 / float(squares.mix[0, 0]))
    own = squares.inverse @ squares.terms.T if rows.request.cluster else np.zeros((k, 0))
    return table.mutate(e=residual, **{f"o{place}": added(table, names[1:], part) for place, part in enumerate(own.T)})


def _scores(squares: Squares) -> ibis.Table:
    """Of each row, beside its clusters: weight × residual × each column, and each term's own variation."""
    clusters = [name for name in squares.rows.table.columns if name.startswith(CLUSTER)]
    table = _seen(squares, squares.rows.table, clusters)
    table = table.mutate(push=table["e"] * table[WEIGHT])
    pushed: list[Any] = [table["push"] * table[f"u{place}"] for place in range(1, len(squares.kept) + 1)]
    pushed = [table["push"], *pushed] if "Intercept" in squares.rows.terms.names else pushed
    own = [table[name] * table[name] * table[WEIGHT] for name in table.columns if name.startswith("o")]
    return table.select(*clusters, **_numbered("g", pushed), **_numbered("h", own))


def _are_levels(squares: Squares) -> bool:
    """Whether clusters are the levels of the finest fixed effect, and hold not nearly all of any value."""
    rows = squares.rows
    if rows.loose is None or len(rows.request.cluster) != 1:
        return False
    place = int(rows.loose.key.removeprefix(EFFECT))
    within = np.diag(squares.plain.cross)[[0, *squares.kept]]
    is_left = bool((within >= LEFT * squares.plain.weight).all())
    return is_left and rows.request.fixed_effects[place] == rows.request.cluster[0]


def _scores_by_level(squares: Squares) -> ibis.Table:
    """Scores summed by level of the finest fixed effect, which is taken out of sums rather than of rows: one pass."""
    loose, k = squares.rows.loose, len(squares.kept)
    table = _seen(squares, loose.table, [loose.key])
    weight, residual = table[WEIGHT], table["e"]
    sums = {"total": weight.sum(), "pushed": (weight * residual).sum()}
    for place in range(1, k + 1):
        column = table[f"u{place}"]
        sums |= {f"u{place}": (weight * column).sum(), f"eu{place}": (weight * residual * column).sum()}
    for place in range(k):
        own = table[f"o{place}"]
        sums |= {f"o{place}": (weight * own).sum(), f"oo{place}": (weight * own * own).sum()}
    by = table.group_by(loose.key).agg(**sums)
    scores = [by[f"eu{place}"] - by["pushed"] * by[f"u{place}"] / by["total"] for place in range(1, k + 1)]
    owns = [by[f"oo{place}"] - by[f"o{place}"] * by[f"o{place}"] / by["total"] for place in range(k)]
    return by.select(**_numbered("g", scores), **_numbered("h", owns))


def _numbered(first: str, columns: list[Any]) -> dict[str, Any]:
    return {f"{first}{place}": column for place, column in enumerate(columns)}
