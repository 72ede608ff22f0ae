"""What one arm holds of one metric: counts, means, covariances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tea_tasting.aggr import Aggregates

    from analysis_lib.metrics import Moments

#: Columns: numerator, denominator of a ratio, and the same beforehand.
ABOVE, BELOW, BEFORE = "above", "below", "_before"


@dataclass(frozen=True, slots=True, eq=False)
class ArmMoments:
    """Moments of the units of one arm.

    Attributes
    ----------
    n : float
        Units.
    mean, cov : numpy.ndarray
        Sample moments of the columns: numerator; denominator, of a ratio; and the same beforehand, with a covariate.
    is_ratio, has_covariate : bool
        Which columns there are.
    """

    n: float
    mean: np.ndarray
    cov: np.ndarray
    is_ratio: bool
    has_covariate: bool

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        own = [ABOVE, BELOW] if self.is_ratio else [ABOVE]
        return [*own, *(f"{name}{BEFORE}" for name in own)] if self.has_covariate else own

    @property
    def value(self) -> float:
        """The metric in the arm, without adjustment; missing where there is nothing to divide by."""
        if not self.is_ratio:
            return float(self.mean[0])
        return float(self.mean[0] / self.mean[1]) if self.mean[1] else float("nan")

    @property
    def variance(self) -> float:
        """Variance of a unit's contribution to the metric, by the delta method for a ratio."""
        if not self.is_ratio:
            return float(self.cov[0, 0])
        ratio, below = self.value, float(self.mean[1])
        return float(self.cov[0, 0] - 2 * ratio * self.cov[0, 1] + ratio**2 * self.cov[1, 1]) / below**2

    def aggregates(self) -> Aggregates:
        """The same for tea-tasting."""
        from tea_tasting.aggr import Aggregates

        names = self.names
        pairs = {(a, b): float(self.cov[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
        return Aggregates(
            count_=int(self.n), mean_=dict(zip(names, map(float, self.mean), strict=True)),
            var_={name: float(self.cov[i, i]) for i, name in enumerate(names)}, cov_=pairs,
        )  # fmt: skip

    def plain(self) -> ArmMoments:
        """The arm without what was measured beforehand."""
        width = 2 if self.is_ratio else 1
        return replace(self, mean=self.mean[:width], cov=self.cov[:width, :width], has_covariate=False)

    def beforehand(self) -> ArmMoments:
        """What the arm did beforehand, as a metric of its own."""
        width = 2 if self.is_ratio else 1
        return replace(self, mean=self.mean[width:], cov=self.cov[width:, width:], has_covariate=False)


def arms_of(moments: Moments, metric: str, *, cut: tuple[str, ...] = ("variant",)) -> dict[tuple, ArmMoments]:
    """The arms of a metric by cell, from the moments of an experiment.

    Parameters
    ----------
    moments : Moments
        Cut by ``variant``, alone or with other dimensions.
    metric : str
        One of theirs.
    cut : tuple of str
        Dimensions of the cells.

    Returns
    -------
    dict of tuple to ArmMoments
        By the values of the dimensions, in their order.
    """
    n, mean, cov = moments.arrays(metric, cut=cut)
    cells = moments.cells(cut=cut)
    width, beside = len(moments.columns[metric]), bool(moments.covariates[metric])
    keys = [tuple(row) for row in cells[list(cut)].itertuples(index=False)]
    return {
        key: ArmMoments(float(n[place]), mean[place], cov[place], width > 1, beside) for place, key in enumerate(keys)
    }


def pooled(arms: list[ArmMoments]) -> ArmMoments:
    """Arms without a unit in common as one."""
    from analysis_lib.metrics.pooling import pool

    n, mean, cov = pool(
        np.array([arm.n for arm in arms]), np.stack([arm.mean for arm in arms]), np.stack([arm.cov for arm in arms])
    )
    return replace(arms[0], n=n, mean=mean, cov=cov)
