"""What may be wrong with a regression: each question with data for a picture and a verdict in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.regression.check import Check
from analysis_lib.regression.collinear import demeaned, independent
from analysis_lib.regression.fitting import fit_request
from analysis_lib.regression.linear import least_squares
from analysis_lib.regression.request import LINEAR
from analysis_lib.regression.result import Fit
from analysis_lib.regression.sandwich import spread_of, sums_by
from analysis_lib.results import format_value

#: p value below which a test speaks against a regression.
DOUBT = 0.05

#: Residuals farther than so many standard deviations are looked at one by one.
FAR = 4.0

#: Variance inflation from which on terms can hardly be told apart (the customary bound).
INFLATED = 10.0

#: Points of a picture of residuals.
BINS = 20


def residuals(fit: Fit) -> Check:
    """Residuals against fitted values, averaged in bins of as many rows, and the rows that lie far off."""
    rest, fitted = fit.solved.residuals, fit.solved.fitted
    if fit.request.kind in ("logit", "probit"):
        raise InvalidValue("an outcome of 0 and 1 has no residuals that could lie far off")
    if fit.request.kind in ("poisson", "negative_binomial"):
        rest = rest / np.sqrt(fitted)  # counts scatter by the root of what is expected
    scale = 1.4826 * np.median(np.abs(rest - np.median(rest))) or float(np.std(rest))
    far = np.abs(rest) > FAR * scale if scale > 0 else np.zeros(len(rest), dtype=bool)
    bins = pd.qcut(pd.Series(fitted).rank(method="first"), min(BINS, max(2, fit.n // 5)), labels=False)
    frame = pd.DataFrame({"fitted": fitted, "residual": rest, "size": rest**2}).groupby(bins.to_numpy()).mean()
    fine = far.mean() <= 0.01
    share = f"{int(far.sum())} of {fit.n} rows lie more than {FAR:g} spreads from what the regression expects"
    verdict = (
        f"{share}." if fine else f"{share}: look at them before trusting a mean, or take logarithms or the median."
    )
    return Check("residuals", fine, verdict, statistic=float(far.sum()), frame=frame.reset_index(drop=True))


def heteroskedasticity(fit: Fit, *, squares: bool = False) -> Check:
    """Whether the spread of residuals goes with the terms: Breusch and Pagan's test, or White's with squares.

    References
    ----------
    Koenker (1981), "A note on studentizing a test for heteroscedasticity", Journal of Econometrics 17(1). White
    (1980), Econometrica 48(4).
    """
    from scipy.stats import chi2  # slow to import

    _linear(fit, "heteroskedasticity")
    terms = fit.solved.sample.design[:, np.array(fit.solved.sample.names) != "Intercept"]
    if squares:
        upper = np.triu_indices(terms.shape[1])
        terms = np.column_stack([terms, terms[:, upper[0]] * terms[:, upper[1]]])
    design = np.column_stack([np.ones(fit.n), terms])
    design = design[:, independent(design)]
    size = fit.solved.sample.weights * fit.solved.residuals**2
    coefficients, _ = least_squares(design, size, np.ones(fit.n))
    explained = 1 - np.sum((size - design @ coefficients) ** 2) / np.sum((size - size.mean()) ** 2)
    statistic, df = float(fit.n * explained), design.shape[1] - 1
    pvalue = float(chi2.sf(statistic, df))
    fine = pvalue >= DOUBT
    allowed = fit.errors.name != "iid"
    verdict = "No sign that the spread of residuals goes with the terms"
    if not fine:
        verdict = "The spread of residuals goes with the terms: " + (
            "the errors allow for that" if allowed else "errors of equal variances are wrong here, use others"
        )
    return Check("equal variances", fine or allowed, f"{verdict} (p {pvalue:.2g}).", statistic, pvalue)


def functional_form(fit: Fit) -> Check:
    """Whether squares and cubes of the fitted values explain more: Ramsey's test, with the errors of the regression.

    References
    ----------
    Ramsey (1969), "Tests for specification errors in classical linear least-squares regression analysis", Journal of
    the Royal Statistical Society B 31(2).
    """
    from scipy.stats import f  # slow to import

    _linear(fit, "the functional form")
    sample = fit.solved.sample
    if sample.endogenous:
        raise InvalidValue("the functional form is checked for least squares, not with instruments")
    along = sample.design @ fit.solved.coefficients
    along = (along - along.mean()) / (along.std() or 1.0)
    within = demeaned(np.column_stack([sample.design, along**2, along**3]), sample.effects, sample.weights)
    outcome = demeaned(sample.outcome[:, None], sample.effects, sample.weights)[:, 0]
    kept = independent(within * np.sqrt(sample.weights)[:, None])
    added = int(kept[-2:].sum())
    if added == 0 or not kept[:-2].all():
        return Check("functional form", True, "With so few different values a curve cannot be told from a line.")
    within = within[:, kept]
    coefficients, bread = least_squares(within, outcome, sample.weights)
    scores = (sample.weights * (outcome - within @ coefficients))[:, None] * within
    sums = sums_by(scores, sample.clusters[:, 0]) if sample.clusters.shape[1] else scores
    n = len(sums)
    covariance = spread_of(sums, bread, n / (n - 1 if sample.clusters.shape[1] else n - within.shape[1]))
    extra = coefficients[-added:]
    statistic = float(extra @ np.linalg.pinv(covariance[-added:, -added:]) @ extra) / added
    pvalue = float(f.sf(statistic, added, max(n - 1 if sample.clusters.shape[1] else n - within.shape[1], 1)))
    if pvalue >= DOUBT:
        return Check(
            "functional form", True, f"No sign of a curve that the terms miss (p {pvalue:.2g}).", statistic, pvalue
        )
    verdict = f"The terms miss a curve (p {pvalue:.2g}): try logarithms, squares or an interaction."
    return Check("functional form", False, verdict, statistic, pvalue)


def collinearity(fit: Fit) -> Check:
    """How far each term is told by the others: variance inflation, within fixed effects."""
    sample = fit.solved.sample
    named = [name for name in sample.names if name != "Intercept"]
    design = sample.design[:, [sample.names.index(name) for name in named]]
    within = demeaned(design, sample.effects, sample.weights)
    within = within - np.average(within, axis=0, weights=sample.weights)
    within = within * np.sqrt(sample.weights)[:, None]
    size = np.linalg.norm(within, axis=0)
    inflation = np.diag(np.linalg.pinv((within / size).T @ (within / size), hermitian=True))
    frame = pd.DataFrame({"term": named, "inflation": inflation}).sort_values("inflation", ascending=False)
    worst = frame.iloc[0]
    value = float(worst["inflation"])
    if value < INFLATED:
        verdict = f"Terms can be told apart: the largest variance inflation is {format_value(value)} ({worst['term']})."
    else:
        verdict = (
            f"'{worst['term']}' is nearly told by the other terms (variance inflation {format_value(value)}): its "
            "interval is wide for that, and which of them matters cannot be told; drop or join some."
        )
    return Check("collinearity", value < INFLATED, verdict, value, frame=frame.reset_index(drop=True))


def influence(fit: Fit, term: str, by: str, *, keep: tuple[object, ...] = ()) -> Check:
    """The coefficient without each group of rows, such as each market; groups in ``keep`` are never left out.

    Raises
    ------
    UnknownName
        A term or column that does not exist.
    NotEnoughData
        Fewer than 3 groups.
    """
    whole = fit.fit_of(term)
    if by not in fit.frame.columns:
        raise unknown("column", by, fit.frame.columns, "the frame")
    used = fit.frame.iloc[fit.solved.sample.index] if fit.request.kind != "panel" else fit.frame
    groups = sorted(set(used[by].dropna().unique()) - set(keep))
    if len(groups) < 3:
        raise NotEnoughData(f"{len(groups)} groups of {by}: with fewer than 3 leaving one out leaves no comparison")
    bare = replace(fit.request, variance=None if fit.request.kind == "mixed" else "HC1", cluster=(), assigned=None)
    rows = []
    for group in groups:
        try:
            part = fit_request(bare, used[used[by] != group])
            value = part.fit_of(term).value if term in part.solved.sample.names else float("nan")
        except (NotEnoughData, InvalidValue):
            value = float("nan")
        rows.append((group, value, value - whole.value))
    frame = pd.DataFrame(rows, columns=[by, "value", "change"])
    told = frame["change"].abs()
    if told.isna().any():
        lost = frame.loc[told.isna(), by].iloc[0]
        return Check(
            "influence", False, f"Without {lost} the coefficient of {term} cannot be told at all.", frame=frame
        )
    most, named = frame.loc[told.idxmax()], frame.loc[told.idxmax(), by]
    turned = bool((np.sign(frame["value"]) != np.sign(whole.value)).any())
    fine = not turned and float(told.max()) <= whole.se
    without = format_value(float(most["value"]), spread=2 * whole.se)
    verdict = f"Without {named}, {term} would be {without}, not {format_value(whole.value, spread=2 * whole.se)}"
    rest = "no single group decides" if fine else "one group decides: say so, or look at what is special there"
    return Check("influence", fine, f"{verdict}; {rest}.", float(told.max()), frame=frame)


def leverage(fit: Fit) -> Check:
    """Rows that pull the fit hard, by Cook's distance.

    Raises
    ------
    InvalidValue
        A kind without leverage.
    """
    pull = fit.solved.leverage
    if pull is None:
        raise InvalidValue(
            "leverage is told for least squares without fixed effects; `influence` leaves out whole groups"
        )
    spread, k = fit.facts["residual_sd"], fit.solved.n_terms
    distance = fit.solved.sample.weights * fit.solved.residuals**2 / (k * spread**2) * pull / (1 - pull).clip(1e-9) ** 2
    frame = pd.DataFrame({"row": fit.solved.sample.index, "leverage": pull, "distance": distance})
    frame = frame.sort_values("distance", ascending=False, ignore_index=True)
    most = float(frame.loc[0, "distance"])
    row = int(frame.loc[0, "row"])
    verdict = f"The row that pulls hardest ({row}) has a Cook's distance of {most:.2g}"
    rest = "no row decides." if most < 1 else "it decides the fit: look at it."
    return Check("leverage", most < 1, f"{verdict}: {rest}", most, frame=frame.head(50))


def _linear(fit: Fit, what: str) -> None:
    if fit.request.kind not in LINEAR:
        raise InvalidValue(f"{what} is checked for linear kinds, not for kind='{fit.request.kind}'")
