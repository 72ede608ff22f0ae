"""Whether residuals last over time, and whether groups compared by a regressor of 0 and 1 overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.check import Check
from analysis_lib.regression.collinear import demeaned
from analysis_lib.regression.diagnostics import DOUBT
from analysis_lib.regression.linear import least_squares
from analysis_lib.regression.result import Fit
from analysis_lib.regression.sandwich import spread_of, sums_by
from analysis_lib.results import format_percent

#: Errors that allow for what lasts.
ALLOWING = ("CRV1", "CRV3", "wild", "HAC", "driscoll_kraay")

#: Chances of being in a group, outside of which there is nobody to compare with.
THIN = 0.05


def serial_correlation(fit: Fit, *, lags: int = 1) -> Check:
    """Breusch and Godfrey's test along one series; Wooldridge's, of first differences, in a panel.

    Raises
    ------
    InvalidValue
        The regression has no time.
    NotEnoughData
        Too few periods in a row.

    References
    ----------
    Breusch (1978), Godfrey (1978), Econometrica 46(6). Drukker (2003), "Testing for serial correlation in linear
    panel-data models", Stata Journal 3(2).
    """
    sample = fit.solved.sample
    if sample.time is None:
        raise InvalidValue("whether residuals last over time needs time=: the column of periods")
    if fit.request.kind == "panel" and fit.request.effects in ("between", "first_differences"):
        raise InvalidValue(f"effects='{fit.request.effects}' has no residuals by period: check effects='fixed'")
    alone = sample.unit is None or sample.unit.max() == 0
    statistic, pvalue, frame = _along_a_series(fit, lags) if alone else _in_a_panel(fit)
    lasts, allowed = pvalue < DOUBT, fit.errors.name in ALLOWING
    verdict = "No sign that residuals last from period to period"
    if lasts:
        verdict = "Residuals last from period to period: " + (
            "the errors allow for that"
            if allowed
            else "errors that take rows for independent are too small, use others"
        )
    return Check("lasting residuals", not lasts or allowed, f"{verdict} (p {pvalue:.2g}).", statistic, pvalue, frame)


def _along_a_series(fit: Fit, lags: int) -> tuple[float, float, pd.DataFrame]:
    from scipy.stats import chi2  # slow to import

    order = np.argsort(fit.solved.sample.time)
    rest, design = fit.solved.residuals[order], fit.solved.sample.design[order]
    if len(rest) <= design.shape[1] + 2 * lags:
        raise NotEnoughData(f"{len(rest)} periods are too few for {lags} lags")
    before = np.column_stack([np.r_[np.zeros(lag), rest[:-lag]] for lag in range(1, lags + 1)])
    whole = np.column_stack([design, before])
    coefficients, _ = least_squares(whole, rest, np.ones(len(rest)))
    explained = 1 - np.sum((rest - whole @ coefficients) ** 2) / np.sum(rest**2)
    statistic = float(len(rest) * explained)
    frame = pd.DataFrame({"before": rest[:-1], "residual": rest[1:]})
    return statistic, float(chi2.sf(statistic, lags)), frame


def _in_a_panel(fit: Fit) -> tuple[float, float, pd.DataFrame]:
    """Residuals of first differences, less what all units share, go with those before at −1/2 if nothing lasts."""
    from scipy.stats import t  # slow to import

    sample = fit.solved.sample
    order = np.lexsort([sample.time, sample.unit])
    unit, time = sample.unit[order], sample.time[order]
    follows = (unit[1:] == unit[:-1]) & (time[1:] - time[:-1] == 1)
    moved = np.diff(np.column_stack([sample.outcome, sample.design])[order], axis=0)
    # Shocks that all units share are not what lasts in one.
    moved[follows] = demeaned(moved[follows], time[1:][follows][:, None], np.ones(int(follows.sum())))
    varies = np.abs(moved[follows, 1:]).max(axis=0) > 0
    coefficients = np.linalg.lstsq(moved[follows, 1:][:, varies], moved[follows, 0], rcond=None)[0]
    rest = moved[:, 0] - moved[:, 1:][:, varies] @ coefficients
    pairs = follows[1:] & follows[:-1]
    later, before, who = rest[1:][pairs], rest[:-1][pairs], np.unique(unit[2:][pairs], return_inverse=True)[1]
    if pairs.sum() < 10 or who.max() < 2:
        raise NotEnoughData("fewer than 3 units have three periods in a row: what lasts cannot be told")
    one = np.ones(len(later))
    slope, bread = least_squares(before[:, None], later, one)
    sums = sums_by(((later - slope[0] * before) * before)[:, None], who)
    n = len(sums)
    spread = float(np.sqrt(spread_of(sums, bread, n / (n - 1))[0, 0]))
    statistic = (float(slope[0]) + 0.5) / spread
    return statistic, float(2 * t.sf(abs(statistic), n - 1)), pd.DataFrame({"before": before, "residual": later})


def overlap(fit: Fit, term: str) -> Check:
    """Whether rows with 0 and rows with 1 of a regressor are alike in the other terms.

    Raises
    ------
    InvalidValue
        A term that is not 0 and 1, or that has nothing beside it.
    """
    from analysis_lib.regression.generalised import solve_generalised

    sample, fit_of = fit.solved.sample, fit.fit_of(term)
    place = sample.names.index(term)
    flag = sample.design[:, place]
    others = [name for name in sample.names if name not in (term, "Intercept")]
    if not np.isin(flag, (0.0, 1.0)).all() or not others:
        raise InvalidValue(f"overlap is told of a term of 0 and 1 with others beside it; '{term}' is none")
    values = sample.design[:, [sample.names.index(name) for name in others]]
    means = [values[flag == side].mean(axis=0) for side in (0.0, 1.0)]
    spread = np.sqrt((values[flag == 0.0].var(axis=0) + values[flag == 1.0].var(axis=0)) / 2)
    gap = (means[1] - means[0]) / np.where(spread > 0, spread, np.inf)
    frame = pd.DataFrame({"term": others, "mean_0": means[0], "mean_1": means[1], "gap": gap})
    try:
        chance = solve_generalised(_propensity(fit, flag, values, others), "logit").fitted
    except (InvalidValue, NotEnoughData):
        verdict = f"The other terms tell without fail who has {term}: there is nobody to compare with."
        return Check("overlap", False, verdict, 1.0, frame=frame)
    thin = float(((chance < THIN) | (chance > 1 - THIN)).mean())
    fine = thin <= 0.1
    verdict = f"{format_percent(thin, 0)} of {fit_of.n} rows are of a sort that (nearly) always or never has {term}"
    rest = "the rest compares like with like" if fine else "there the answer is the line's, not the data's"
    return Check("overlap", fine, f"{verdict}; {rest}.", thin, frame=frame)


def _propensity(fit: Fit, flag: np.ndarray, values: np.ndarray, names: list[str]):
    from dataclasses import replace

    sample = fit.solved.sample
    design = np.column_stack([np.ones(len(flag)), values])
    none = np.zeros((len(flag), 0), dtype=int)
    return replace(sample, outcome=flag, design=design, names=("Intercept", *names), effects=none, endogenous=())
