"""Whether units reached the arms in the planned shares: overall, and in every part of the traffic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from analysis_lib.errors import InvalidValue
from analysis_lib.experiments.correcting import holm

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.trial import Trial

#: A mismatch is called one below this: the book reads many tests, each looked at in many ways.
ALPHA = 0.001

#: Fewest units in a part of the traffic for a test of its own.
FEWEST_UNITS = 50

_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


def planned_by_phase(
    trial: Trial, phases: list[str], given: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, np.ndarray]:
    """Planned shares of the arms by phase, in the order of ``trial.arms``.

    A phase called by a percentage (``20%``) is a ramp: that share of all units is in the treatments together. Any other
    phase has the shares of the experiment.

    Parameters
    ----------
    given : mapping, optional
        Shares by phase and arm that are known better.

    Raises
    ------
    InvalidValue
        Shares that are given do not fit the arms, or do not add up to 1.
    """
    shares = np.array(list(trial.arms.values()))
    shares = shares / shares.sum()
    found = {}
    for phase in phases:
        own = (given or {}).get(phase)
        percent = _PERCENT.match(phase or "")
        if own is not None:
            found[phase] = _given(trial, phase, own)
        elif percent:
            treated = float(percent.group(1)) / 100
            rest = shares[1:] / shares[1:].sum()
            found[phase] = np.concatenate([[1 - treated], treated * rest])
        else:
            found[phase] = shares
    return found


def _given(trial: Trial, phase: str, own: Mapping[str, float]) -> np.ndarray:
    if set(own) != set(trial.arms) or abs(sum(own.values()) - 1) > 1e-6:
        raise InvalidValue(
            f"shares of phase '{phase}' must name {', '.join(trial.arms)} and add up to 1, not {dict(own)!r}."
        )
    return np.array([own[arm] for arm in trial.arms])


def mismatch(counts: np.ndarray, planned: np.ndarray) -> tuple[float, float]:
    """A test of arms' counts against planned shares that may differ by stratum.

    Parameters
    ----------
    counts, planned : numpy.ndarray
        Shape (strata, arms): units, and shares that add up to 1 in each stratum.

    Returns
    -------
    tuple of float
        Statistic and p-value of a chi-square test of all arms' totals against their expectation, strata being fixed;
        with one stratum it is Pearson's test.
    """
    n = counts.sum(axis=1)
    apart = (counts - n[:, None] * planned).sum(axis=0)
    spread = np.einsum("s,sa,ab->ab", n, planned, np.eye(planned.shape[1]))
    spread = spread - np.einsum("s,sa,sb->ab", n, planned, planned)
    kept = np.diag(spread) > 0
    if kept.sum() < 2:
        return 0.0, 1.0
    statistic = float(apart[kept] @ np.linalg.pinv(spread[np.ix_(kept, kept)]) @ apart[kept])
    return statistic, float(chi2.sf(statistic, kept.sum() - 1))


def by_part(counts: pd.DataFrame, arms: list[str], planned: Mapping[str, np.ndarray], part: str) -> pd.DataFrame:
    """The test in every part of the traffic that is large enough, with Holm's correction for their number.

    Parameters
    ----------
    counts : DataFrame
        variant, phase, ``part``, n.
    part : str
        Column whose values are tested apart.

    Returns
    -------
    DataFrame
        part, value, n_units, pvalue, pvalue_adjusted; sorted, the worst first.
    """
    import pandas as pd

    rows = []
    keys = list(dict.fromkeys([part, "phase"]))
    wide = counts.pivot_table(index=keys, columns="variant", values="n", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=arms, fill_value=0)
    shares = np.stack([planned[phase] for phase in wide.index.get_level_values("phase")]) if len(wide) else None
    n, values = wide.to_numpy(dtype=float), wide.index.get_level_values(part)
    for value in values.unique():
        own = values == value
        if n[own].sum() >= FEWEST_UNITS:
            rows.append((part, str(value), int(n[own].sum()), mismatch(n[own], shares[own])[1]))
    found = pd.DataFrame(rows, columns=["part", "value", "n_units", "pvalue"])
    adjusted = holm(found["pvalue"])
    return found.assign(pvalue_adjusted=adjusted).sort_values("pvalue", ignore_index=True)


def table_of(
    counts: pd.DataFrame, arms: list[str], planned: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Units by phase and arm, and the planned shares of the same phases."""
    wide = counts.pivot_table(index="phase", columns="variant", values="n", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=arms, fill_value=0)
    return wide.to_numpy(dtype=float), np.stack([planned[phase] for phase in wide.index])
