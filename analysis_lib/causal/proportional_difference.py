"""The effect on the treated where both groups would have grown by the same factor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis_lib.causal.adjusted_difference import AdjustedDifference
from analysis_lib.causal.alike import counts_of, variance_of
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

METHOD = "proportional difference-in-differences, errors robust by unit"

#: With fewer untreated units that have anything in a window, the factor of growth is chance.
FEWEST_GROWING = 20


def proportional_difference(
    frame: pd.DataFrame, *, outcomes: Mapping[str, str], treated: str, total: str, level: float, unit: str,
    counts: str | None = None,
) -> AdjustedDifference:  # fmt: skip
    """Effects on the treated: what they have, less what they had times the growth of the untreated.

    The assumption is of the same growth, not of the same history: without treatment the treated would
    have changed by the factor by which the untreated did. It holds where units were chosen for a lasting
    trait (how often they come), however unlike it makes the groups. Weights that make the past alike would
    then be wrong: of untreated units with a high past a part was high by chance and falls back. Where units
    were chosen for their recent past it is the other way round; see Ding and Li for the bracket of both.

    For one outcome this is the effect of a Poisson regression with effects of unit and period, in units of
    the outcome. It is linear in what the untreated have in the window, so that a small group makes it
    noisy and not biased, as long as the growth rests on many units before.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit, or one for several alike.
    outcomes : mapping of str to str
        Column of each outcome in its window, to the column of the same before (any length of time).
    treated : str
        Column of 0 and 1.
    total : str
        Name of the sum of all outcomes, whose effect is the sum of theirs.
    level : float
        Level of the intervals.
    unit : str
        Unit of the outcomes, for the formatter.
    counts : str, optional
        Column of how many units a row stands for; without it, one each.

    Returns
    -------
    AdjustedDifference
        Effects per treated unit, by outcome and in all.

    Raises
    ------
    NotEnoughData
        If nobody is treated, fewer than ``FEWEST_GROWING`` untreated units have any outcome in the window, or before
        it, or none of them has one of the outcomes before.

    References
    ----------
    Wooldridge (2023), "Simple approaches to nonlinear difference-in-differences with panel data",
    Econometrics Journal 26(3). Ding and Li (2019), "A bracketing relationship between
    difference-in-differences and lagged-dependent-variable adjustment", Political Analysis 27(4). Daw and
    Hatfield (2018), "Matching and regression to the mean in difference-in-differences analysis", Health
    Services Research 53(6).
    """
    flag = frame[treated].to_numpy(dtype=float) == 1
    if not flag.any():
        raise NotEnoughData("there are no treated")
    units = counts_of(frame, counts)
    n = int(units[flag].sum())
    _check(frame, outcomes, flag, units)
    effects, influences, left = {}, [], []
    for outcome, before in outcomes.items():
        value, influence, residual = _one(frame[outcome].to_numpy(float), frame[before].to_numpy(float), flag, units)
        effects[outcome] = _estimate(value / n, influence / n, units, n, level, unit)
        influences.append(influence)
        left.append(residual)
    whole = sum(effect.value for effect in effects.values())
    effects[total] = _estimate(whole, np.sum(influences, axis=0) / n, units, n, level, unit)
    rest = np.column_stack([*left, np.sum(left, axis=0)])
    spread = np.sqrt(variance_of(rest, units[flag], ddof=1))
    return AdjustedDifference(effects=effects, residual_sd=dict(zip(effects, map(float, spread), strict=True)))


def _check(frame: pd.DataFrame, outcomes: Mapping[str, str], flag: np.ndarray, units: np.ndarray) -> None:
    for when, columns in (("in the window", list(outcomes)), ("before it", list(outcomes.values()))):
        some = (frame[columns] != 0).to_numpy().any(axis=1) & ~flag
        if units[some].sum() < FEWEST_GROWING:
            raise NotEnoughData(
                f"fewer than {FEWEST_GROWING} of the untreated have anything {when}: how they grew cannot be told"
            )


def _one(
    after: np.ndarray, before: np.ndarray, flag: np.ndarray, units: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Effect summed over the treated, a unit's influence by row, and what growth leaves of a treated unit."""
    own_after, own_before, own = after[flag], before[flag], units[flag]
    mine, now = own @ own_before, own @ own_after
    had, others_now = ((units * ~flag) @ column for column in (before, after))
    if had == 0 and (mine or after[~flag].any()):
        raise NotEnoughData("of one outcome the untreated had nothing before: how it would have grown cannot be told")
    growth = others_now / had if had else 0.0
    value = now - growth * mine
    # Without treatment the treated would scatter as they do, at the level that growth gives them.
    level = growth * mine / now if now else 1.0
    influence = (after - growth * before) * -(mine / had if had else 0.0)
    influence[flag] = level * own_after - growth * own_before
    return float(value), influence, own_after - growth * own_before


def _estimate(value: float, influence: np.ndarray, units: np.ndarray, n: int, level: float, unit: str) -> Estimate:
    whole = units.sum()
    se = float(np.sqrt(units @ np.square(influence) * whole / (whole - 1)))
    reach = norm.ppf(0.5 + level / 2) * se
    return Estimate(
        value=float(value), se=se, ci_lower=float(value - reach), ci_upper=float(value + reach), level=level, unit=unit,
        n=n, method=METHOD,
    )  # fmt: skip
