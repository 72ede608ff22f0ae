"""Group averages of group-time effects, with each unit's influence on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.causal.panel import Panel


@dataclass(frozen=True, slots=True, eq=False)
class GroupAverages:
    """For each group of units that start together, its average effect over its treated periods.

    Attributes
    ----------
    starts : numpy.ndarray
        Position of the group's first treated period, one a group.
    shares : numpy.ndarray
        Share of the panel's units in the group.
    n_periods : numpy.ndarray
        Treated periods in which there was somebody to compare with.
    values : numpy.ndarray
        Average effects.
    influence : numpy.ndarray
        Units × groups: each unit's influence on the value, of mean zero over units.
    membership : numpy.ndarray
        Units × groups, True where the unit belongs to the group.
    """

    starts: np.ndarray
    shares: np.ndarray
    n_periods: np.ndarray
    values: np.ndarray
    influence: np.ndarray
    membership: np.ndarray

    def average(self, per_unit: np.ndarray) -> tuple[float, np.ndarray]:
        """Average of the groups, each unit counting ``per_unit`` times, and each unit's influence on it.

        The shares of the groups are estimates too, and their part of the influence is included.
        """
        total = float(self.shares @ per_unit)
        weights = self.shares * per_unit / total
        value = float(weights @ self.values)
        return value, self.influence @ weights + self.membership @ (per_unit * (self.values - value)) / total


def group_averages(panel: Panel, *, control: str, anticipation: int) -> GroupAverages:
    """Average effect of each group by differences in changes of means (no covariates).

    A group's effect in a period is its change since the last period before any effect, less the
    controls' change. Periods without controls are left out of the average, and groups without any.

    Parameters
    ----------
    panel : Panel
        All units in all periods.
    control : str
        ``never`` or ``not_yet``: never treated, or not treated until ``anticipation`` periods after.
    anticipation : int
        Periods before the start in which an effect is allowed.

    References
    ----------
    Callaway and Sant'Anna (2021), Journal of Econometrics 225(2), equations 2.5 to 2.6 and Theorem 2.
    """
    starts = np.unique(panel.starts[panel.is_treated])
    parts = [(start, _of_group(panel, int(start), control, anticipation)) for start in starts]
    kept = [(start, part) for start, part in parts if part is not None]
    membership = panel.starts[:, None] == np.array([start for start, _ in kept], dtype=int)
    return GroupAverages(
        starts=np.array([start for start, _ in kept], dtype=int), shares=membership.mean(axis=0),
        n_periods=np.array([part[0] for _, part in kept], dtype=float),
        values=np.array([part[1] for _, part in kept]),
        influence=np.column_stack([part[2] for _, part in kept]) if kept else np.empty((len(panel.units), 0)),
        membership=membership,
    )  # fmt: skip


def clustered_error(influence: np.ndarray, clusters: np.ndarray | None) -> float:
    """Standard error of an average from each unit's influence, summed within clusters (codes from 0)."""
    if clusters is None:
        return float(np.sqrt(np.square(influence).sum()) / len(influence))
    sums = np.bincount(clusters, weights=influence)
    n = len(sums)
    return float(np.sqrt(n / (n - 1) * np.square(sums - sums.mean()).sum()) / len(influence))


def _of_group(panel: Panel, start: int, control: str, anticipation: int) -> tuple[int, float, np.ndarray] | None:
    """Periods, average and influence of one group; None if nobody is left to compare it with."""
    base, n_times, own = start - 1 - anticipation, len(panel.times), panel.starts == start
    if base < 0:
        return None
    effects, influence = [], np.zeros(len(panel.units))
    for period in range(start, n_times):
        free = panel.starts == n_times if control == "never" else panel.starts > period + anticipation
        free = free & ~own
        if not free.any():
            continue
        change = panel.outcomes[:, period] - panel.outcomes[:, base]
        effects.append(change[own].mean() - change[free].mean())
        influence += own * (change - change[own].mean()) / own.mean()
        influence -= free * (change - change[free].mean()) / free.mean()
    if not effects:
        return None
    return len(effects), float(np.mean(effects)), influence / len(effects)
