"""Gaps between what was seen under the treatment and what would have been without it, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.causal.rollout_noise import Noise, fit
from analysis_lib.causal.rollout_panel import FEWEST_FREE, RolloutPanel


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Gaps of single units and periods.

    Attributes
    ----------
    rows, columns : numpy.ndarray
        Position of unit and period, one a gap.
    values : numpy.ndarray
        Seen less expected.
    covariance : numpy.ndarray
        Of all gaps: noise of the value, of what is expected of the unit, and of the periods, which all units share.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    covariance: np.ndarray

    def averages(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted sums (rows of ``weights``) of the gaps, and their covariance."""
        return weights @ self.values, weights @ self.covariance @ weights.T


def gaps(panel: RolloutPanel, kinds: list[tuple[float, Noise]], wanted: np.ndarray) -> Gaps:
    """What is expected of units in ``wanted`` periods from all others that show them without the treatment.

    A unit's level and its lasting noise are carried forward from its own past, and what all units have in common is
    taken from those not yet affected: the best linear prediction under each kind of noise, averaged over the kinds.

    Parameters
    ----------
    kinds : list of (float, Noise)
        Kinds of noise and how likely each is.
    wanted : numpy.ndarray
        Units × periods; those that are not seen, or whose period shows too few other units, are left out.

    References
    ----------
    Borusyak, Jaravel and Spiess (2024), "Revisiting event-study designs", Review of Economic Studies 91(6), for the
    imputation. Goldberger (1962), "Best linear unbiased prediction in the generalized linear regression model",
    Journal of the American Statistical Association 57, for carrying noise that lasts.
    """
    parts = [(weight, _under(panel, noise, wanted)) for weight, noise in kinds]
    first = parts[0][1]
    values = sum(weight * part.values for weight, part in parts)
    covariance = sum(
        weight * (part.covariance + np.outer(part.values - values, part.values - values)) for weight, part in parts
    )
    return Gaps(first.rows, first.columns, np.asarray(values), np.asarray(covariance))


def _under(panel: RolloutPanel, noise: Noise, wanted: np.ndarray) -> Gaps:
    """The gaps under one kind of noise."""
    free = panel.free & ~wanted
    wanted = wanted & panel.seen & (free.sum(axis=0) >= FEWEST_FREE)[None, :] & (free.sum(axis=1) > 0)[:, None]
    used = free[free.sum(axis=1) > 0], np.flatnonzero(free.sum(axis=1) > 0)
    kept = RolloutPanel(
        panel.outcomes[used[1]], panel.noise[used[1]], panel.affected[used[1]], panel.started[used[1]],
        panel.units[used[1]], panel.times, panel.dropped,
    )  # fmt: skip
    fitted = fit(kept, used[0], noise)
    values, directions, own_parts = [], [], []
    for place, row in enumerate(used[1]):
        columns = np.flatnonzero(wanted[row])
        own, inverse = fitted.places[place], fitted.inverses[place]
        across = noise.covariance(own, columns)
        sums = inverse.sum(axis=0)
        level = (1 - sums @ across) / sums.sum()
        carried = inverse @ across + np.outer(sums, level)
        left = panel.outcomes[row, own] - fitted.periods[own]
        values.append(panel.outcomes[row, columns] - fitted.periods[columns] - left @ carried)
        direction = np.zeros((len(columns), len(panel.times)))
        direction[np.arange(len(columns)), columns] = 1.0
        direction[:, own] -= carried.T
        directions.append(direction)
        part = noise.covariance(columns, columns) - across.T @ inverse @ across + sums.sum() * np.outer(level, level)
        own_parts.append(part + np.diag(noise.passing * panel.noise[row, columns]))
    return _joined(wanted, used[1], values, directions, own_parts, fitted.covariance)


def _joined(
    wanted: np.ndarray,
    order: np.ndarray,
    values: list[np.ndarray],
    directions: list[np.ndarray],
    own_parts: list[np.ndarray],
    periods: np.ndarray,
) -> Gaps:
    """Gaps of all units together: own noise by unit, and the noise of the periods across them."""
    from scipy.linalg import block_diag

    rows = np.concatenate([np.full(int(wanted[row].sum()), row) for row in order])
    columns = np.concatenate([np.flatnonzero(wanted[row]) for row in order])
    direction = np.concatenate(directions)
    covariance = block_diag(*[part for part in own_parts if len(part)]) if len(rows) else np.zeros((0, 0))
    return Gaps(rows, columns, np.concatenate(values), covariance + direction @ periods @ direction.T)
