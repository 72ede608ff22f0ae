"""``regression.fit``: from a formula and a frame to coefficients with errors chosen by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.regression.collinear import without_collinear
from analysis_lib.regression.generalised import solve_generalised, solve_negative_binomial, without_empty_levels
from analysis_lib.regression.linear import solve_linear
from analysis_lib.regression.panel import panel_sample
from analysis_lib.regression.request import Request, checked, names_of
from analysis_lib.regression.result import Fit
from analysis_lib.regression.sample import Sample, recoded, sample_of
from analysis_lib.regression.solved import Solved
from analysis_lib.regression.special import solve_mixed, solve_quantile
from analysis_lib.regression.variance import variance_of

if TYPE_CHECKING:
    import pandas as pd


def fit(
    formula: str, frame: pd.DataFrame, *, kind: str = "ols", fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] | None = None, weights: str | None = None, variance: str | None = None,
    endogenous: str | Sequence[str] = (), instruments: str | Sequence[str] = (), unit: str | None = None,
    time: str | None = None, effects: str = "fixed", quantile: float = 0.5, lags: int | None = None,
    assigned: str | None = None, level: float = 0.95, seed: int = 0,
) -> Fit:  # fmt: skip
    """Regress an outcome on what may explain it.

    Parameters
    ----------
    formula : str
        ``outcome ~ regressors``, as formulaic reads it: ``log(y) ~ x + C(market)``.
    frame : pandas.DataFrame
        One row an observation. Rows in which something used is missing are left out and counted.
    kind : str
        ``ols``, ``logit``, ``probit``, ``poisson`` (any amount from 0), ``negative_binomial``, ``quantile``, ``iv``,
        ``panel`` or ``mixed`` (an intercept by unit drawn at random).
    fixed_effects : str or sequence of str
        Columns whose values each get an effect of their own (ols, iv, poisson, panel).
    cluster : str or sequence of str, optional
        One or two columns in which errors go together; by default ``unit``, if given.
    weights : str, optional
        Column of weights above 0 (how much a row counts).
    variance : str, optional
        ``iid``, ``HC1``, ``HC3``, ``CRV1``, ``CRV3``, ``wild``, ``HAC`` or ``driscoll_kraay``; by default chosen by
        rule: 6 to 11 clusters ``wild``, to 49 ``CRV3``, then ``CRV1``; rows over time ``HAC`` or, in a panel of few
        units, ``driscoll_kraay``; other rows ``HC3`` under 250, then ``HC1``. The result says which and why.
    endogenous, instruments : str or sequence of str
        With ``kind="iv"``: the regressors that are moved, and the columns from outside that move them.
    unit, time : str, optional
        Columns of a panel: whose row, of which period.
    effects : str
        With ``kind="panel"``: ``fixed`` (each unit against itself), ``random``, ``between`` or
        ``first_differences``.
    quantile : float
        With ``kind="quantile"``.
    lags : int, optional
        Lags of errors over time; by default 1.3 √periods.
    assigned : str, optional
        A regressor that was drawn by lot between clusters, whose test then rests on the lot alone, however few
        clusters there are; other terms get no error.
    level : float
        Level of all intervals.
    seed : int
        Of the draws of ``wild``.

    Returns
    -------
    Fit
        ``.coefficients``, ``.n``, ``.dropped``, ``.variance`` with its ``.reason``, ``.fit_of(term)``, ``.text``.

    Raises
    ------
    UnknownName, ContractError
        A kind, variance or column that does not exist; the message names the nearest.
    InvalidValue
        Arguments that do not go together; infinite values; weights not above 0; a constant regressor; a factor with
        one level; a term that separates the outcome of a logit.
    NotEnoughData
        Fewer than 6 clusters, fewer rows than coefficients, weak instruments, or nothing that varies within fixed
        effects.

    Notes
    -----
    Coefficients come from least squares (fixed effects taken out by pyfixest), statsmodels (logit, probit, counts,
    quantiles, mixed) and pyfixest (Poisson with fixed effects). One set of covariances serves all kinds, from their
    scores, with the small-sample factors of fixest. A term that is a sum of terms before it is dropped and named.
    """
    request = checked(Request(
        formula, kind, names_of(fixed_effects), names_of(cluster), weights, variance, names_of(endogenous),
        names_of(instruments), unit, time, effects, quantile, lags, assigned, level, seed,
    ))  # fmt: skip
    return fit_request(request, frame)


def fit_request(request: Request, frame: pd.DataFrame) -> Fit:
    """As ``fit``, from a checked request."""
    if request.kind == "panel" and request.effects == "fixed" and request.unit not in request.fixed_effects:
        request = replace(request, fixed_effects=(request.unit, *request.fixed_effects))
    sample = sample_of(frame, request)
    if request.kind == "panel":
        sample = panel_sample(sample, request)
    if request.kind == "poisson" and request.fixed_effects:
        sample = without_empty_levels(sample, request.fixed_effects)
    sample = _numbered(without_collinear(sample))
    solved = solve(sample, request)
    if request.assigned is not None:
        from analysis_lib.regression.randomised import by_the_lot

        return Fit(request, solved, by_the_lot(solved, request, frame), frame)
    return Fit(request, solved, variance_of(solved, request), frame)


def solve(sample: Sample, request: Request) -> Solved:
    """Coefficients of a sample."""
    if request.kind in ("logit", "probit", "poisson"):
        return solve_generalised(sample, request.kind)
    if request.kind == "negative_binomial":
        return solve_negative_binomial(sample)
    if request.kind == "quantile":
        return solve_quantile(sample, request.quantile)
    if request.kind == "mixed":
        return solve_mixed(sample)
    return solve_linear(sample)


def _numbered(sample: Sample) -> Sample:
    """Codes without gaps, now that all rows are known that stay."""
    unit, time = (
        None if part is None else np.unique(part, return_inverse=True)[1] for part in (sample.unit, sample.time)
    )
    return replace(sample, clusters=recoded(sample.clusters), unit=unit, time=time)
