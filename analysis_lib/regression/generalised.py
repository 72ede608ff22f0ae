"""Regressions of chances and counts: logit, probit, Poisson and negative binomial, by maximum likelihood."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.collinear import demeaned
from analysis_lib.regression.sample import Sample, recoded
from analysis_lib.regression.separation import EXTREME, MOST_ROWS, refuse_empty, refuse_separated
from analysis_lib.regression.solved import Solved

#: Steps of the solver, and when it stops.
MOST_STEPS, SETTLED = 200, 1e-10


def solve_generalised(sample: Sample, kind: str) -> Solved:
    """Coefficients of a logit, probit or Poisson regression.

    Raises
    ------
    InvalidValue
        An outcome that the kind does not take; a term that separates the outcome.
    NotEnoughData
        The likelihood has no maximum that can be found.
    """
    check_outcome(sample, kind)
    if kind == "poisson":
        refuse_empty(sample)
    elif sample.n <= MOST_ROWS:
        refuse_separated(sample)
    if sample.effects.shape[1]:
        return _poisson_within(sample)
    try:
        model, result = _fitted(sample, kind)
    except NotEnoughData:
        if kind != "poisson":
            refuse_separated(sample)
        raise
    params = np.asarray(result.params)
    mean = np.asarray(result.fittedvalues)
    if kind != "poisson" and sample.n > MOST_ROWS and min(mean.min(), 1 - mean.max()) < EXTREME:
        refuse_separated(sample)
    scores = np.asarray(model.score_factor(params))[:, None] * sample.design
    factor = np.asarray(model.hessian_factor(params, observed=False))
    bread = np.linalg.inv((sample.design * factor[:, None]).T @ sample.design)
    return Solved(
        sample=sample, coefficients=params, bread=bread, scores=scores, residuals=sample.outcome - mean, fitted=mean,
        equal=bread, refit=lambda kept: _refit(sample, kind, kept),
        facts={"log_likelihood": float(result.llf), "pseudo_r2": 1 - float(result.deviance / result.null_deviance)},
    )  # fmt: skip


def check_outcome(sample: Sample, kind: str) -> None:
    """Whether the outcome is of the kind's sort.

    Raises
    ------
    InvalidValue
        If it is not.
    """
    outcome = sample.outcome
    if kind in ("logit", "probit") and not np.isin(outcome, (0.0, 1.0)).all():
        raise InvalidValue(
            f"kind='{kind}' needs an outcome of 0 and 1; it runs from {outcome.min():g} to {outcome.max():g}: "
            "for shares take kind='ols'"
        )
    if kind in ("poisson", "negative_binomial") and (outcome < 0).any():
        raise InvalidValue(f"kind='{kind}' needs an outcome of 0 or more; the smallest is {outcome.min():g}")
    if kind == "negative_binomial" and not np.allclose(outcome, np.round(outcome)):
        raise InvalidValue("kind='negative_binomial' needs whole counts; kind='poisson' takes any amount from 0")


def without_empty_levels(sample: Sample, names: tuple[str, ...]) -> Sample:
    """Levels in which the outcome is always 0 say nothing of a Poisson regression: dropped and counted."""
    counts = dict.fromkeys(names, 0)
    while True:
        before = sample.n
        for place, name in enumerate(names):
            codes = sample.effects[:, place]
            empty = np.bincount(codes, sample.outcome)[codes] == 0
            counts[name] += int(empty.sum())
            sample = sample.rows(~empty)
        if sample.n == 0:
            raise NotEnoughData("the outcome is 0 in all rows")
        if sample.n == before:
            break
    for name, n in counts.items():
        if n:
            sample = sample.noted("outcome always 0", name, n)
    return replace(sample, effects=recoded(sample.effects))


def _fitted(sample: Sample, kind: str):
    """Model and result of statsmodels, its warnings turned into refusals."""
    import statsmodels.api as sm  # slow to import

    family = {
        "logit": lambda: sm.families.Binomial(),
        "probit": lambda: sm.families.Binomial(link=sm.families.links.Probit()),
        "poisson": lambda: sm.families.Poisson(),
    }[kind]()
    model = sm.GLM(sample.outcome, sample.design, family=family, var_weights=sample.weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = model.fit(maxiter=MOST_STEPS, tol=SETTLED, tol_criterion="params")
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as wrong:
            raise NotEnoughData(
                f"kind='{kind}' finds no solution ({wrong}): fewer terms, or scale them alike"
            ) from None
    if not result.converged:
        raise NotEnoughData(
            f"kind='{kind}' does not settle in {MOST_STEPS} steps: a term may explain all zeros; leave out terms"
        )
    return model, result


def _refit(sample: Sample, kind: str, kept: np.ndarray) -> np.ndarray:
    part = sample.rows(kept)
    part = replace(part, effects=recoded(part.effects))
    try:
        solved = solve_generalised(part, kind)
    except (NotEnoughData, InvalidValue, np.linalg.LinAlgError):
        return np.full(len(sample.names), np.nan)
    return solved.coefficients


def _poisson_within(sample: Sample) -> Solved:
    """Poisson regression with fixed effects, by pyfixest."""
    import pandas as pd
    import pyfixest  # slow to import

    k = len(sample.names)
    data = pd.DataFrame(sample.design, columns=[f"x{place}" for place in range(k)])
    data["y"], data["w"] = sample.outcome, sample.weights
    effects = [f"e{place}" for place in range(sample.effects.shape[1])]
    data[effects] = sample.effects
    formula = f"y ~ {' + '.join(data.columns[:k])} | {' + '.join(effects)}"
    given = {"weights": "w"} if not np.allclose(sample.weights, 1.0) else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = pyfixest.fepois(formula, data, vcov="iid", iwls_tol=1e-12, fixef_tol=1e-10, **given)
    except (RuntimeError, ValueError, np.linalg.LinAlgError) as wrong:
        raise NotEnoughData(f"the Poisson regression with fixed effects finds no solution: {wrong}") from None
    coefficients = fit.coef().to_numpy()
    mean = np.asarray(fit.predict(type="response"), dtype=float)
    if len(mean) != sample.n or len(coefficients) != k:
        raise NotEnoughData("some levels of the fixed effects explain their rows wholly: use fewer fixed effects")
    within = demeaned(sample.design, sample.effects, mean * sample.weights)
    bread = np.linalg.inv((within * (mean * sample.weights)[:, None]).T @ within)
    rest = sample.outcome - mean
    return Solved(
        sample=sample, coefficients=coefficients, bread=bread, scores=(sample.weights * rest)[:, None] * within,
        residuals=rest, fitted=mean, equal=bread, refit=lambda kept: _refit(sample, "poisson", kept),
    )  # fmt: skip


def solve_negative_binomial(sample: Sample) -> Solved:
    """Coefficients of a negative binomial regression (variance mean + alpha × mean²), and alpha.

    Raises
    ------
    InvalidValue
        An outcome that is no count.
    NotEnoughData
        Counts that scatter no more than a Poisson's.
    """
    import statsmodels.api as sm  # slow to import

    check_outcome(sample, "negative_binomial")
    model = sm.NegativeBinomial(sample.outcome, sample.design)
    start = np.append(_fitted(sample, "poisson")[1].params, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = model.fit(start_params=start, disp=0, maxiter=500, method="bfgs", gtol=1e-8)
        if np.asarray(result.params)[-1] > 0:
            result = model.fit(start_params=result.params, disp=0, maxiter=MOST_STEPS, method="newton", tol=1e-12)
    params = np.asarray(result.params)
    if not np.isfinite(params).all() or params[-1] <= 1e-6:
        raise NotEnoughData("the counts scatter no more than kind='poisson' expects: use that")
    mean = np.asarray(model.predict(params))
    bread = np.linalg.inv(-np.asarray(model.hessian(params)))
    return Solved(
        sample=sample, coefficients=params, bread=bread, scores=np.asarray(model.score_obs(params)),
        residuals=sample.outcome - mean, fitted=mean, equal=bread,
        refit=lambda kept: _refit_counts(sample, kept), extra=("alpha",),
        facts={"alpha": float(params[-1]), "log_likelihood": float(result.llf)},
    )  # fmt: skip


def _refit_counts(sample: Sample, kept: np.ndarray) -> np.ndarray:
    try:
        return solve_negative_binomial(sample.rows(kept)).coefficients
    except (NotEnoughData, np.linalg.LinAlgError):
        return np.full(len(sample.names) + 1, np.nan)
