"""A coefficient in the words of a business: money, percentage points, percent."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from analysis_lib.errors import InvalidValue
from analysis_lib.regression.marginal import marginal_effects
from analysis_lib.regression.result import Fit
from analysis_lib.results import Estimate, format_value

_LOG = re.compile(r"^(np\.)?log\((.*)\)$")

#: Growth of a regressor in logarithms that is told.
GROWTH = 0.10


def effect_of(fit: Fit, term: str, *, unit: str = "", step: float = 1.0) -> Estimate:
    """What the outcome differs by when the term differs by ``step``, in the outcome's own terms.

    Parameters
    ----------
    fit : Fit
        A regression.
    term : str
        One of its terms; of a logarithm, the effect is of 10 % more.
    unit : str
        Unit of the outcome: ``usd``, ``pp`` for a share, a noun. Not used where the effect is relative or a chance.
    step : float
        How much more of the term.

    Returns
    -------
    Estimate
        In ``unit``; in ``share`` (relative) for outcomes in logarithms and for counts; in ``pp`` for chances.

    Raises
    ------
    UnknownName
        No such term.
    InvalidValue
        A step of 0.
    """
    if step == 0 or not math.isfinite(step):
        raise InvalidValue(f"step={step}: how much more of '{term}' is meant, for example 1")
    one = fit.fit_of(term)
    by = math.log1p(GROWTH) if _LOG.match(term) else step
    if fit.request.kind in ("logit", "probit"):
        return marginal_effects(fit).fit_of(term).scaled(by)
    if fit.request.kind in ("poisson", "negative_binomial") or _LOG.match(fit.outcome):
        moved = one.scaled(by)
        return replace(
            moved, value=math.expm1(moved.value), se=math.exp(moved.value) * moved.se, unit="share",
            ci_lower=math.expm1(moved.ci_lower), ci_upper=math.expm1(moved.ci_upper),
        )  # fmt: skip
    return one.scaled(by, unit)


def sentence(
    fit: Fit, term: str, *, unit: str = "", step: float = 1.0, outcome: str = "", regressor: str = "",
    step_unit: str = "",
) -> str:  # fmt: skip
    """A coefficient as a sentence; says what goes together, and not what causes what.

    Parameters
    ----------
    fit, term, unit, step
        As in ``effect_of``.
    outcome, regressor : str
        Their names in words; by default as in the formula.
    step_unit : str
        Unit of the regressor, for the formatter.
    """
    moved = effect_of(fit, term, unit=unit, step=step)
    left, right = _LOG.match(fit.outcome), _LOG.match(term)
    outcome = outcome or (left.group(2) if left else fit.outcome)
    regressor = regressor or (right.group(2) if right else term)
    more = f"{GROWTH:.0%}".replace("%", " %") if right else format_value(step, step_unit)
    if not moved.excludes_zero:
        return (
            f"Whether {outcome} differs with {regressor} cannot be told: {more} more goes with {moved.short}, "
            "the other terms alike."
        )
    way = "more" if moved.value > 0 else "less"
    size = moved if moved.value > 0 else moved.scaled(-1.0)
    return f"With {more} more {regressor}, {outcome} is {size.short} {way}, the other terms alike."
