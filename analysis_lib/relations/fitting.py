"""``relations.fit_cells``: a linear regression whose rows stay in the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue
from analysis_lib.regression.request import Request, checked, names_of
from analysis_lib.relations.glance import glance
from analysis_lib.relations.least_squares import least_squares
from analysis_lib.relations.rows import rows_of, without_singletons
from analysis_lib.relations.spread import spread_of
from analysis_lib.relations.summed import summed
from analysis_lib.relations.within import within
from analysis_lib.warehouse.memory import sparing
from analysis_lib.warehouse.scratch import Scratch

if TYPE_CHECKING:
    import ibis

    from analysis_lib.regression import Fit
    from analysis_lib.warehouse import Warehouse

#: Errors that sums tell.
VARIANCES = ("iid", "HC1", "CRV1")


def fit_cells(
    warehouse: Warehouse, table: ibis.Table, formula: str, *, fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] | None = None, weights: str | None = None, variance: str | None = None,
    level: float = 0.95,
) -> Fit:  # fmt: skip
    """Regress an outcome on what may explain it, over any number of rows: only sums come back from the engine.

    Coefficients, errors, and what is left out are those of ``regression.fit(kind="ols")`` on the same rows.

    Parameters
    ----------
    warehouse : Warehouse
        An open source; anything whose ``query`` runs the expression.
    table : ibis.Table
        One row an observation. Rows in which something used is missing are left out and counted.
    formula : str
        ``outcome ~ regressors``: columns, ``a:b``, ``a*b``, ``C(x)``, arithmetic, and log, log1p, exp, sqrt, abs.
    fixed_effects : str or sequence of str
        One or two columns whose values each get an effect of their own; one of two may have any number of levels.
    cluster : str or sequence of str, optional
        One or two columns in which errors go together.
    weights : str, optional
        Column of weights above 0 (how much a row counts).
    variance : str, optional
        ``iid``, ``HC1`` or ``CRV1``; by default ``CRV1`` with 50 clusters or more, ``HC1`` without clusters.
    level : float
        Level of all intervals.

    Returns
    -------
    Fit
        As that of ``regression.fit``; what needs single rows (residuals, leverage) is refused.

    Raises
    ------
    ContractError
        A column that does not exist; the message names the nearest.
    UnknownName
        A variance that does not exist.
    InvalidValue
        A formula that the engine cannot compute; arguments that do not go together; infinite values; weights not above
        0; a constant regressor; a factor with one level; too many levels.
    NotEnoughData
        Too few clusters, fewer rows than coefficients, or nothing that varies within fixed effects.

    Notes
    -----
    The finest fixed effect is taken out exactly, by averages; the levels of a second one solve their normal equations,
    which the engine sums. Columns are centred and scaled before they are multiplied; where terms are close to each
    other, products are taken again of each less what the others hold, so that no digits are lost (Fukaya et al. 2020,
    "Shifted Cholesky QR", SIAM Journal on Scientific Computing 42(1)). Terms that lie in one cluster are refused.

    Memory does not go with the number of rows: DuckDB is held to a gigabyte meanwhile, for the whole database
    (``warehouse.memory``), and what two fixed effects share is summed in parts of the finer one.
    """
    request = checked(Request(
        formula, "ols", names_of(fixed_effects), names_of(cluster), weights, variance, (), (), None, None, "fixed", 0.5,
        None, None, level, 0,
    ))  # fmt: skip
    if variance not in (None, *VARIANCES):
        raise InvalidValue(
            f"variance='{variance}' needs single rows: sums tell {', '.join(VARIANCES)}; or bring the rows into a "
            "frame, for regression.fit"
        )
    return sparing(table.get_backend(), lambda: _fitted(warehouse, table, request))


def _fitted(warehouse: Warehouse, table: ibis.Table, request: Request) -> Fit:
    with Scratch(table) as scratch:
        rows = glance(warehouse, table, scratch, request) or rows_of(warehouse, table, scratch, request)
        rows, found = without_singletons(rows)
        rows = within(rows, found)
        squares = least_squares(rows, centred="Intercept" in rows.terms.names)
        return summed(squares, found, spread_of(squares, found))
