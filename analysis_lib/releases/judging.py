"""Whether a version does harm: every look at every metric and system, by bounds that allow for looking daily."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.causal.sequential import sequence_reach
from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.releases.estimating import METRICS
from analysis_lib.releases.visits import ALL

if TYPE_CHECKING:
    import pandas as pd

#: Relative change of each metric that is still tolerated; beyond it a version is taken back.
TOLERANCES = {"crash_free_rate": -0.005, "start_ms_p50": 0.10, "start_ms_p95": 0.10, "conversion": -0.02}

#: What a version must be shown not to harm; the rest must not be shown to suffer.
GUARDRAILS = ("crash_free_rate", "start_ms_p50", "start_ms_p95")

#: Visits on each version, as many as they are worth, below which no number is shown.
FEWEST = 30

#: Standard errors at which a tolerated change would just be noticed.
_NOTICED = 3.0

#: Where the bounds are tightest, as shares of the information at which a tolerated change would just be noticed: large
#: harm shows with a small part of it.
_TIGHT_AT = (1.0, 0.1, 0.01)


def tolerated(given: Mapping[str, float] | None) -> dict[str, float]:
    """Tolerances, those that are given in place of the usual ones.

    Raises
    ------
    UnknownName
        A metric that is not judged.
    InvalidValue
        A tolerance on the wrong side of zero: it says how much worse a metric may get.
    """
    found = dict(TOLERANCES)
    for name, value in (given or {}).items():
        if name not in TOLERANCES:
            raise unknown("metric", name, METRICS, "what a version is judged by")
        if not value * better(name) < 0:
            side = "below" if better(name) > 0 else "above"
            raise InvalidValue(
                f"the tolerance of {name} says how much worse it may get: it must be {side} 0, not {value}."
            )
        found[name] = float(value)
    return found


def better(metric: str) -> int:
    """1 where more is better, −1 where less is."""
    return 1 if TOLERANCES[metric] < 0 else -1


def judged(looks: pd.DataFrame, tolerances: Mapping[str, float], *, level: float, is_over: bool) -> pd.DataFrame:
    """Looks with intervals, alarms and states.

    Parameters
    ----------
    looks : pandas.DataFrame
        As ``Comparison.looks``.
    tolerances : mapping
        As ``tolerated``.
    level : float
        Of the intervals.
    is_over : bool
        Whether no more days come: then intervals are ordinary ones; until then they hold at all looks together.

    Returns
    -------
    DataFrame
        The looks with limit (the worst tolerated difference), ci_lower, ci_upper, z_harm (how far it stands on the bad
        side, in standard errors), bound (what all looks together allow), is_alarm (beyond the bound on this day or an
        earlier one), is_thin (too few visits), and rel_value, rel_ci_lower, rel_ci_upper, rel_limit.
    """
    found = looks.assign(
        sign=looks["metric"].map(better).astype(float),
        limit=looks["metric"].map(dict(tolerances)).astype(float) * looks["old"],
        is_thin=(looks["n_new"] < FEWEST) | (looks["n_old"] < FEWEST) | ~(looks["se"] > 0),
    )
    usable = found["se"].where(found["se"] > 0)
    # Information against what is needed to notice the tolerated change.
    known = (found["limit"].abs() / (_NOTICED * usable)).pow(2)
    error = (1 - level) / 2
    found = found.assign(
        z_harm=_harm(found), bound=_reach(known, 1 - 2 * error / _parts(found)), reach=_reach(known, level)
    )
    if is_over:
        found["reach"] = float(norm.isf(error))
    half = found["reach"] * usable
    found = found.assign(ci_lower=found["value"] - half, ci_upper=found["value"] + half)
    crossed = (found["z_harm"] > found["bound"]) & ~_too_thin(found)
    found["is_alarm"] = crossed.groupby([found["system"], found["metric"]]).cummax()
    for name in ("value", "ci_lower", "ci_upper", "limit"):
        found[f"rel_{name}"] = found[name] / found["old"].where(found["old"] != 0)
    return found.drop(columns=["sign", "reach"])


def _parts(looks: pd.DataFrame) -> np.ndarray:
    """How many bounds share the error: all metrics, half of it for all systems together and half for each by itself."""
    systems = looks.loc[looks["system"] != ALL, "system"].nunique()
    return np.where(looks["system"] == ALL, 2.0, 2.0 * max(systems, 1)) * looks["metric"].nunique()


def _reach(known: pd.Series, level: np.ndarray | float) -> np.ndarray:
    """Standard errors that hold at all looks together: of several sequences, tight at different sizes, the narrowest.

    Each has its part of the error, so that choosing among them costs nothing more.
    """
    parts = 1 - (1 - np.broadcast_to(level, known.shape)) / len(_TIGHT_AT)
    found = [
        min(sequence_reach(one, at, of) for at in _TIGHT_AT) if one > 0 and math.isfinite(one) else math.inf
        for one, of in zip(known.to_numpy(dtype=float), parts, strict=True)
    ]
    return np.array(found)


def _harm(found: pd.DataFrame) -> pd.Series:
    """Standard errors by which a metric is worse; crashes, of which there are few, by their likelihood."""
    plain = -found["sign"] * found["value"] / found["se"].where(found["se"] > 0)
    crashes = found["metric"] == "crash_free_rate"
    return plain.where(~crashes, _crash_score(found)).fillna(0.0)


def _crash_score(found: pd.DataFrame) -> pd.Series:
    """Signed root of the deviance of two Poisson rates, drawn in by how much crashes heap up on the same users.

    A normal interval of a rate near zero is wrong in its tail, which is where the bounds lie. Fahrmeir and Tutz (2001),
    "Multivariate Statistical Modelling Based on Generalized Linear Models", section 2.2, for the deviance; McCullagh
    and Nelder (1989), section 6.2, for the factor.
    """
    n_new, n_old = found["n_new"], found["n_old"]
    # Rates as they are, without what was before: the deviance is of counts.
    new, old = (1 - found["raw_new"]).clip(lower=0) * n_new, (1 - found["old"]).clip(lower=0) * n_old
    share = n_new / (n_new + n_old)
    expected = (new + old) * share, (new + old) * (1 - share)
    deviance = sum(seen * _log_ratio(seen, wanted) for seen, wanted in zip((new, old), expected, strict=True))
    size = np.sqrt((2 * deviance).clip(lower=0) / found["spread"])
    return np.sign(new - expected[0]) * size


def _log_ratio(seen: pd.Series, wanted: pd.Series) -> pd.Series:
    return np.log((seen / wanted.where(wanted > 0)).where(seen > 0, 1.0)).fillna(0.0)


def _too_thin(found: pd.DataFrame) -> pd.Series:
    """Too little for an alarm: crashes need few visits, as their score is exact enough; other metrics need more."""
    return found["is_thin"] & (found["metric"] != "crash_free_rate")


def concluded(looks: pd.DataFrame) -> pd.DataFrame:
    """What is known in the end: the last look of each system and metric, with its ``state``.

    Parameters
    ----------
    looks : pandas.DataFrame
        As ``judged``.
    """
    found = looks.groupby(["system", "metric"], sort=False).tail(1).reset_index(drop=True)
    return found.assign(state=states(found))


def states(last: pd.DataFrame) -> np.ndarray:
    """One word for each row of the last looks: harmed, worse, safe, better, open, or thin.

    harmed: an alarm, and worse by more than is tolerated as far as one can say; worse: an alarm, but within what is
    tolerated; safe: the interval leaves no room for more than is tolerated; better: safe, and better than nothing.
    """
    sign = last["metric"].map(better).astype(float)
    worst = np.where(sign > 0, last["ci_lower"], -last["ci_upper"])
    limit, value = sign * last["limit"], sign * last["value"]
    return np.select(
        [last["is_alarm"] & (value < limit), last["is_alarm"] & (value < 0), last["is_thin"], worst > 0, worst > limit],
        ["harmed", "worse", "thin", "better", "safe"],
        default="open",
    )


def by_alarm(rows: pd.DataFrame, looks: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``system`` and ``metric`` with the ``day`` of their first alarm, the earliest first."""
    firsts = first_alarms(looks)[["system", "metric", "day"]]
    found = rows.drop(columns="day").merge(firsts, on=["system", "metric"], how="left")
    return found.sort_values("day", kind="stable", ignore_index=True)


def first_alarms(looks: pd.DataFrame) -> pd.DataFrame:
    """The first alarm of each system and metric: the row of that look, the earliest first."""
    own = looks[looks["is_alarm"]]
    return own.groupby(["system", "metric"], sort=False).head(1).sort_values("day", kind="stable", ignore_index=True)
