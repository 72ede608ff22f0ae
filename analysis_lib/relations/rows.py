"""Rows of a regression while they stay in the engine: which are complete, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.relations.terms import Terms, check_columns, parsed, terms_of, used_by
from analysis_lib.warehouse.scratch import Scratch

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.regression.request import Request
    from analysis_lib.relations.gram import Gram
    from analysis_lib.warehouse import Warehouse

#: Column of weights, and the first letters of the others: values (the outcome is v0), effects, clusters.
WEIGHT, VALUE, EFFECT, CLUSTER = "w", "v", "e", "c"

#: A column varies no more than this part of its size: it is constant.
CONSTANT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Loose:
    """Rows of which one fixed effect has not been taken out.

    Attributes
    ----------
    table : ibis.Table
        As that of ``Rows``.
    key : str
        Column of the fixed effect.
    """

    table: ibis.Table
    key: str


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows that count.

    Attributes
    ----------
    warehouse : Warehouse
        What runs the expressions.
    table : ibis.Table
        w, v0 (the outcome), v1 … (regressors), e0 … (fixed effects), c0 … (clusters).
    scratch : Scratch
        Where tables are kept meanwhile.
    request : Request
        What was asked for.
    terms : Terms
        The formula.
    n, n_complete : int
        Rows; and before any was left out for being alone in its level.
    weight : float
        Sum of weights of the latter.
    shifts, scales : tuple of float
        What was taken from v0, v1 …, and what they were divided by: their means (0 without a constant) and standard
        deviations, so that products keep their digits.
    lengths : tuple of float
        Roots of the mean squares of v0, v1 … before, on their scale.
    dropped : tuple of tuple
        reason, name, n of what was left out.
    loose : Loose or None
        The rows before their finest fixed effect was taken out.
    plain : Gram or None
        Their cross-products, where they are known already.
    """

    warehouse: Warehouse
    table: ibis.Table
    scratch: Scratch
    request: Request
    terms: Terms
    n: int
    n_complete: int
    weight: float
    shifts: tuple[float, ...]
    scales: tuple[float, ...]
    lengths: tuple[float, ...]
    dropped: tuple[tuple[str, str, float], ...]
    loose: Loose | None = None
    plain: Gram | None = None

    @property
    def values(self) -> list[str]:
        """Names of the columns of values."""
        return [f"{VALUE}{place}" for place in range(len(self.shifts))]

    def noted(self, reason: str, name: str, n: float) -> Rows:
        """With something more left out."""
        return replace(self, dropped=(*self.dropped, (reason, name, n)))

    def ask(self, expression: Any) -> pd.Series:
        """The one row of an aggregate."""
        return self.warehouse.query(expression).iloc[0]


def rows_of(warehouse: Warehouse, table: ibis.Table, scratch: Scratch, request: Request) -> Rows:
    """The rows of a request that are complete.

    Raises
    ------
    ContractError
        A column that is not there; the message names the nearest.
    InvalidValue
        Infinite values, weights not above 0, a factor with one level, a constant regressor.
    NotEnoughData
        No rows are left.
    """
    used = list(dict.fromkeys([*used_by(parsed(request.formula), request.formula, table.columns), *request.columns]))
    check_columns(used, table)
    n_all, missing = _missing(warehouse, table, used)
    complete = table.filter([~_is_missing(table[name]) for name in missing]) if missing else table
    if n_all == 0 or max(missing.values(), default=0) == n_all:
        counts = "; ".join(f"'{name}' is missing in {n} of {n_all} rows" for name, n in missing.items()) or "0 rows"
        raise NotEnoughData(f"no row is complete in {', '.join(used)}: {counts}")
    terms = terms_of(warehouse, complete, request.formula, without_constant=bool(request.fixed_effects))
    picked = chosen(complete, request, terms)
    facts = warehouse.query(_facts(picked, len(terms.right) + 1)).iloc[0]
    if not facts["n"]:
        counts = "; ".join(f"'{name}' is missing in {n} of {n_all} rows" for name, n in missing.items())
        raise NotEnoughData(f"no row is complete in {', '.join(used)}: {counts}")
    _check_facts(facts, request, terms)
    means, sds = ([float(facts[f"{what}{place}"]) for place in range(len(terms.right) + 1)] for what in ("mean", "sd"))
    sizes = [math.hypot(mean, sd) for mean, sd in zip(means, sds, strict=True)]
    has_constant = "Intercept" in terms.names or bool(request.fixed_effects)
    shifts, scales = (means, sds) if has_constant else ([0.0] * len(means), sizes)
    n, weight = int(facts["n"]), float(facts["weight"])
    return Rows(
        warehouse, scaled(picked, shifts, scales), scratch, request, terms, n, n, weight,
        tuple(shifts), tuple(scales), tuple(size / scale for size, scale in zip(sizes, scales, strict=True)),
        tuple(("missing", name, missing[name]) for name in used if name in missing),
    )  # fmt: skip


def scaled(table: ibis.Table, shifts: Sequence[float], scales: Sequence[float]) -> ibis.Table:
    """Values less their shifts, on their scales."""
    values = {
        f"{VALUE}{place}": (table[f"{VALUE}{place}"] - shift) * (1 / scale)
        for place, (shift, scale) in enumerate(zip(shifts, scales, strict=True))
    }
    return table.mutate(**values)


def _missing(warehouse: Warehouse, table: ibis.Table, used: list[str]) -> tuple[int, dict[str, int]]:
    """Rows in all, and of each column in which some are missing; infinite values are refused."""
    sums: dict[str, Any] = {"n": table.count()}
    for place, name in enumerate(used):
        sums[f"m{place}"] = _is_missing(table[name]).sum()
        if table[name].type().is_floating():
            sums[f"i{place}"] = table[name].isinf().sum()
    found = warehouse.query(table.agg(**sums)).iloc[0].fillna(0)
    for place, name in enumerate(used):
        infinite = int(found.get(f"i{place}", 0))
        if infinite:
            raise InvalidValue(f"'{name}' is infinite in {infinite} rows: set them missing or leave them out first")
    counts = {name: int(found[f"m{place}"]) for place, name in enumerate(used)}
    return int(found["n"]), {name: n for name, n in counts.items() if n}


def _is_missing(column: Any) -> Any:
    return column.isnull() | column.isnan().fill_null(True) if column.type().is_floating() else column.isnull()


def chosen(table: ibis.Table, request: Request, terms: Terms) -> ibis.Table:
    """Columns of a request, by the names that they have in ``Rows``."""
    import ibis

    weight = ibis.literal(1.0) if request.weights is None else table[request.weights].cast("float64")
    columns = {WEIGHT: weight} | {f"{VALUE}{place}": c for place, c in enumerate([terms.left, *terms.right])}
    columns |= {f"{EFFECT}{place}": table[name] for place, name in enumerate(request.fixed_effects)}
    columns |= {f"{CLUSTER}{place}": table[name] for place, name in enumerate(request.cluster)}
    return table.select(**columns)


def _facts(rows: ibis.Table, n_values: int) -> ibis.Table:
    """Rows, weights, and the size of each column, in one pass."""
    weight = rows[WEIGHT]
    sums: dict[str, Any] = {
        "n": rows.count(), "weight": weight.sum(), "lightest": weight.min(), "weightless": (weight <= 0).sum()
    }  # fmt: skip
    for place in range(n_values):
        column = rows[f"{VALUE}{place}"]
        sums |= {
            f"min{place}": column.min(), f"max{place}": column.max(), f"mean{place}": column.mean(),
            f"sd{place}": column.std(how="pop"), f"n{place}": column.count(),
        }  # fmt: skip
    return rows.agg(**sums)


def _check_facts(facts: pd.Series, request: Request, terms: Terms) -> None:
    n = int(facts["n"])
    if facts["weightless"]:
        raise InvalidValue(
            f"'{request.weights}' holds {int(facts['weightless'])} weights not above 0 (the smallest is "
            f"{facts['lightest']:g}): a row of weight 0 is left out first, a negative weight means nothing"
        )
    for place, name in enumerate([terms.outcome, *terms.regressors]):
        bad = n - int(facts[f"n{place}"])
        if bad or not math.isfinite(facts[f"max{place}"] - facts[f"min{place}"]):
            rows = f"{bad} rows" if bad else "some rows"
            raise InvalidValue(f"'{name}' is not finite in {rows} (a logarithm of 0?): add a constant or drop them")
    if facts["min0"] == facts["max0"]:
        raise NotEnoughData(f"the outcome is {facts['min0']:g} in all {n} rows: there is nothing to explain")
    if "Intercept" not in terms.names and not request.fixed_effects:
        return
    for place, name in enumerate(terms.regressors, start=1):
        low, high = facts[f"min{place}"], facts[f"max{place}"]
        if high - low <= CONSTANT * max(abs(low), abs(high)):
            raise InvalidValue(
                f"regressor '{name}' is {low:g} in all {n} rows: what does not vary explains nothing; leave it out, or "
                "bring rows in which it differs"
            )


@dataclass(frozen=True, slots=True)
class Absorbed:
    """Fixed effects of rows.

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


def without_singletons(rows: Rows) -> tuple[Rows, Absorbed]:
    """Rows that a fixed effect of their own explains wholly, left out and counted, until there are none."""
    names = rows.request.fixed_effects
    counts, levels, nested = dict.fromkeys(names, 0), [0] * len(names), [False] * len(names)
    quiet = 0
    while quiet < len(names):
        for place, name in enumerate(names):
            if quiet == len(names):
                break
            sizes = _sizes(rows, place)
            alone, levels[place], nested[place] = _told(rows, sizes, place)
            quiet = 1 if alone else quiet + 1
            if alone:
                counts[name] += alone
                key = f"{EFFECT}{place}"
                kept = rows.scratch.keep(sizes.filter(sizes["size"] > 1).select(**{f"k_{key}": key}))
                table = rows.table.semi_join(kept, rows.table[key] == kept[f"k_{key}"])
                rows = replace(rows, table=table, n=rows.n - alone)
    for name, n in counts.items():
        if n:
            rows = rows.noted("singleton", name, n)
    return rows, Absorbed(tuple(levels), tuple(nested))


def _sizes(rows: Rows, place: int) -> ibis.Table:
    """Rows of each level of a fixed effect, and whether it spans several clusters."""
    table, own = rows.table, rows.request.fixed_effects[place]
    spans = {
        f"span{one}": table[f"{CLUSTER}{one}"].min() != table[f"{CLUSTER}{one}"].max()
        for one, name in enumerate(rows.request.cluster) if name != own
    }  # fmt: skip
    return table.group_by(f"{EFFECT}{place}").agg(size=table.count(), **spans)


def _told(rows: Rows, sizes: ibis.Table, place: int) -> tuple[int, int, bool]:
    """Levels of one row, of several, and whether each of the latter lies in one cluster."""
    shared = sizes["size"] > 1
    spans = [name for name in sizes.columns if name.startswith("span")]
    sums = {name: (shared & sizes[name]).sum() for name in spans}
    found = rows.ask(sizes.agg(alone=(~shared).sum(), levels=shared.sum(), **sums))
    if not found["levels"]:
        names = " and ".join(rows.request.fixed_effects)
        raise NotEnoughData(f"each row is alone in its level of {names}: nothing is left to compare")
    is_cluster = rows.request.fixed_effects[place] in rows.request.cluster
    return int(found["alone"]), int(found["levels"]), is_cluster or any(found[name] == 0 for name in spans)
