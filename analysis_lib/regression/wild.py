"""The wild cluster restricted bootstrap: intervals that hold when clusters are as few as six."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.regression.inversion import bound
from analysis_lib.regression.moments import ClusterMoments

#: Draws; with one more they divide by 20, so that a 5 % test has its size.
DRAWS = 1999

#: Webb's six points: with so few clusters two would give too few different draws.
WEBB = np.array([-1.5, -1.0, -0.5, 0.5, 1.0, 1.5])

#: A bound is sought as far as so many standard errors.
FARTHEST = 200.0

#: Halvings of the bracket around a bound.
HALVINGS = 18


@dataclass(frozen=True, slots=True, eq=False)
class WildTest:
    """Draws of one coefficient's t statistic under any hypothesis about it.

    Attributes
    ----------
    moments, inverse, coefficients : ClusterMoments, numpy.ndarray, numpy.ndarray
        Cross-products by cluster; the inverse of their sum, and what least squares makes of them.
    draws : numpy.ndarray
        Weights of the clusters, shape (draws, clusters).
    contrast : numpy.ndarray
        Shape (k,): the sum of coefficients that is tested.
    """

    moments: ClusterMoments
    inverse: np.ndarray
    coefficients: np.ndarray
    draws: np.ndarray
    contrast: np.ndarray

    @property
    def estimate(self) -> float:
        """What is tested, as estimated."""
        return float(self.contrast @ self.coefficients)

    def pvalue(self, value: float) -> float:
        """Two-sided p value of the coefficient being ``value``, by symmetric t statistics."""
        moments, row, away = self.moments, self.inverse @ self.contrast, self.estimate - value
        restricted = self.coefficients - row * away / (self.contrast @ row)
        scores = moments.with_outcome - moments.cross @ restricted
        own = (moments.with_outcome - moments.cross @ self.coefficients) @ row
        observed = abs(away) / np.sqrt(own @ own)
        moved = (self.draws @ scores) @ self.inverse
        parts = self.draws * (scores @ row) - moved @ (moments.cross @ row).T
        spread = np.sqrt(np.einsum("bg,bg->b", parts, parts))
        drawn = np.abs(moved @ self.contrast) / np.where(spread > 0, spread, np.inf)
        return float((1 + (drawn >= observed * (1 - 1e-12)).sum()) / (1 + len(drawn)))


def wild_tests(moments: ClusterMoments, seed: int) -> list[WildTest]:
    """A test for each term, all with the same draws.

    The hypothesis is imposed, and each cluster's residuals are multiplied by one of Webb's six weights; t statistics
    are computed from cross-products by cluster.

    References
    ----------
    Cameron, Gelbach and Miller (2008), "Bootstrap-based improvements for inference with clustered errors",
    Review of Economics and Statistics 90(3). Webb (2023), "Reworking wild bootstrap-based inference for
    clustered errors", Canadian Journal of Economics 56(3). Roodman, MacKinnon, Nielsen and Webb (2019), "Fast and
    wild", Stata Journal 19(1).
    """
    rng = np.random.default_rng(seed)
    draws = np.sign(WEBB) * np.sqrt(np.abs(WEBB))
    chosen = rng.choice(draws, size=(DRAWS, len(moments.cross)))
    inverse, coefficients = moments.inverse, moments.coefficients
    contrasts = np.zeros((moments.n_terms, len(coefficients)))
    contrasts[:, : moments.n_terms] = moments.back
    return [WildTest(moments, inverse, coefficients, chosen, contrast) for contrast in contrasts]


def wild_interval(test: WildTest, se: float, level: float) -> tuple[float, float]:
    """The values that are not rejected; infinite where none is rejected on a side."""
    estimate = test.estimate
    low, high = (
        bound(test.pvalue, estimate, step, 1 - level, farthest=FARTHEST, halvings=HALVINGS) for step in (-se, se)
    )
    return low, high
