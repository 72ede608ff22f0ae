"""A test that rests on the lot alone: what the coefficient would have been had the lot fallen otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.collinear import demeaned
from analysis_lib.regression.inversion import bound
from analysis_lib.regression.request import LINEAR, Request
from analysis_lib.regression.solved import Solved
from analysis_lib.regression.variance import Variance

#: Up to so many orders all are looked at; beyond, so many drawn ones.
MOST_ORDERS, DRAWS = 5040, 1999

#: A bound is sought as far as so many times the spread under the lot.
FARTHEST = 64.0

#: Halvings of the bracket around a bound.
HALVINGS = 30


def by_the_lot(solved: Solved, request: Request, frame: pd.DataFrame) -> Variance:
    """Interval and p value of a regressor that was drawn by lot between clusters; other terms get none.

    The regressor's values are dealt out anew between clusters. The interval holds the effects that, taken off the
    outcome, leave a coefficient as chance would make it.

    Raises
    ------
    InvalidValue
        A regressor that is no term, or differs within a cluster; a kind that is not linear.
    NotEnoughData
        Too few ways to deal for the level.

    References
    ----------
    Fisher (1935), "The Design of Experiments". Rosenbaum (2002), "Covariance adjustment in randomized experiments
    and observational studies", Statistical Science 17(3).
    """
    values, codes, place = _dealt(solved, request, frame)
    orders = _orders(values, request.seed)
    least = 1 / len(orders)
    if least > 1 - request.level:
        raise NotEnoughData(
            f"{len(values)} clusters can be dealt in {len(orders)} ways: the least p value is {least:.2f}, so that no "
            f"interval at {request.level:g} is bounded; bring more clusters, or a lower level"
        )
    k = solved.n_terms
    test = _lot_test(solved, place, orders, codes)
    covariance = np.full((k, k), np.nan)
    intervals, pvalues = np.full((k, 2), np.nan), np.full(k, np.nan)
    estimate, spread = solved.coefficients[place], float(np.std(test.of_outcome))
    covariance[place, place] = spread**2
    size, search = 1 - request.level, {"farthest": FARTHEST, "halvings": HALVINGS}
    intervals[place] = [bound(test.pvalue, estimate, side * spread, size, **search) for side in (-1, 1)]
    pvalues[place] = test.pvalue(0.0)
    reason = f"'{request.assigned}' was drawn by lot between {len(values)} clusters, dealt out anew {len(orders)} times"
    return Variance("lot", reason, covariance, float("inf"), len(values), intervals, pvalues)


def _dealt(solved: Solved, request: Request, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, int]:
    """The lot's value by cluster, the cluster of each row, and the place of the term."""
    sample, name = solved.sample, request.assigned
    if request.kind not in LINEAR or sample.endogenous:
        raise InvalidValue(f"assigned= goes with kind='ols' or 'panel', not '{request.kind}'")
    if name not in sample.names:
        raise InvalidValue(f"assigned='{name}' must be a term of its own in '{request.formula}'")
    if sample.clusters.shape[1] != 1:
        raise InvalidValue("assigned= needs cluster=: the one column between whose values the lot was drawn")
    column, codes = frame[name].to_numpy(dtype=float)[sample.index], sample.clusters[:, 0]
    table = pd.Series(column).groupby(codes).agg(["min", "max"])
    if (table["min"] != table["max"]).any():
        raise InvalidValue(f"'{name}' differs within a cluster: it was not drawn by lot between them")
    return table["min"].to_numpy(), codes, sample.names.index(name)


def _orders(values: np.ndarray, seed: int) -> np.ndarray:
    """The ways to deal the values, the one that came among them."""
    if factorial(len(values)) <= MOST_ORDERS:
        return np.unique(np.array(list(permutations(values))), axis=0)
    rng = np.random.default_rng(seed)
    return np.vstack([values, *[rng.permutation(values) for _ in range(DRAWS)]])


@dataclass(frozen=True, slots=True, eq=False)
class _LotTest:
    """Coefficients of the outcome, and of the regressor itself, on each way to deal it."""

    estimate: float
    of_outcome: np.ndarray
    of_regressor: np.ndarray

    def pvalue(self, value: float) -> float:
        """Share of the ways to deal whose coefficient is as far from 0 as the one that came, less ``value``."""
        drawn = np.abs(self.of_outcome - value * self.of_regressor)
        return float((drawn >= abs(self.estimate - value) * (1 - 1e-9)).mean())


def _lot_test(solved: Solved, place: int, orders: np.ndarray, codes: np.ndarray) -> _LotTest:
    sample = solved.sample
    rest = np.delete(sample.design, place, axis=1)
    columns = np.column_stack([sample.outcome, sample.design[:, place], orders.T[codes]])
    within = demeaned(np.column_stack([columns, rest]), sample.effects, sample.weights)
    within = within * np.sqrt(sample.weights)[:, None]
    columns, rest = within[:, : columns.shape[1]], within[:, columns.shape[1] :]
    if rest.shape[1]:
        columns = columns - rest @ np.linalg.lstsq(rest, columns, rcond=None)[0]
    dealt = columns[:, 2:]
    size = (dealt**2).sum(axis=0)
    size[size <= 1e-12 * size.max()] = np.inf
    own = (dealt.T @ columns[:, :2]) / size[:, None]
    return _LotTest(float(solved.coefficients[place]), own[:, 0], own[:, 1])
