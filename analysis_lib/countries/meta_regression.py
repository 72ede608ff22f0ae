"""Effects of one change in several places, against what the places are like: random-effects meta-regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData

#: Spreads that are integrated over: so many steps, to so many times the residual spread of what was seen.
N_GRID, WIDEST = 200, 8.0

#: Median of the spread beforehand, in typical standard errors.
MIDDLE = 4.0

Spread = Literal["reml", "paule_mandel"]

Prior = Literal["shrinkage", "flat"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is believed of the effect in each place.

    Attributes
    ----------
    value, ci_lower, ci_upper : numpy.ndarray
        Of shape (places,).
    above_zero : numpy.ndarray
        Probability that the effect is above zero.
    """

    value: np.ndarray
    ci_lower: np.ndarray
    ci_upper: np.ndarray
    above_zero: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class MetaRegression:
    """Effects against covariates.

    Attributes
    ----------
    value, se, ci_lower, ci_upper : numpy.ndarray
        Coefficients, of shape (columns,), with Knapp and Hartung's intervals.
    wald_se : numpy.ndarray
        Standard errors that take the spread as known.
    tau2 : float
        Variance of the true effects around the line.
    scale : float
        Knapp and Hartung's: squared residuals against what is expected of them, 1 on average.
    statistic, pvalue : float
        Cochran's test that nothing is left between places but chance.
    df : int
        Places less columns.
    level : float
        Of the intervals.
    mass, spreads, coefficients, covariances : numpy.ndarray
        Probability of each spread, the spreads, and the coefficients given each: (steps,), (steps,), (steps, columns),
        (steps, columns, columns).
    effects, variances, design : numpy.ndarray
        What was fitted: (places,), (places,), (places, columns).
    """

    value: np.ndarray
    se: np.ndarray
    ci_lower: np.ndarray
    ci_upper: np.ndarray
    wald_se: np.ndarray
    tau2: float
    scale: float
    statistic: float
    pvalue: float
    df: int
    level: float
    mass: np.ndarray
    spreads: np.ndarray
    coefficients: np.ndarray
    covariances: np.ndarray
    effects: np.ndarray
    variances: np.ndarray
    design: np.ndarray

    def seen(self) -> Drawn:
        """Effects of the places that were fitted, each drawn to the line by how little it says itself."""
        lines = self.coefficients @ self.design.T
        pull = self.variances / (self.variances + self.spreads[:, None] ** 2)
        means = pull * lines + (1 - pull) * self.effects
        reach = np.einsum("kp,gpq,kq->gk", self.design, self.covariances, self.design)
        return self._drawn(means, (1 - pull) * self.variances + pull**2 * reach)

    def elsewhere(self, design: np.ndarray) -> Drawn:
        """Effects in places that were not fitted: what the line says, and how far places lie from it.

        Parameters
        ----------
        design : numpy.ndarray
            Of shape (places, columns).
        """
        reach = np.einsum("kp,gpq,kq->gk", design, self.covariances, design)
        return self._drawn(self.coefficients @ design.T, reach + self.spreads[:, None] ** 2)

    def line(self, design: np.ndarray) -> Drawn:
        """The line itself: the mean effect of places that are alike."""
        reach = np.einsum("kp,gpq,kq->gk", design, self.covariances, design)
        return self._drawn(self.coefficients @ design.T, reach)

    def _drawn(self, means: np.ndarray, variances: np.ndarray) -> Drawn:
        from scipy.special import ndtr  # slow to import

        sds = np.sqrt(np.maximum(variances, 0.0)) + 1e-300
        tail = (1 - self.level) / 2
        low, middle, high = (_quantile(self.mass, means, sds, chance) for chance in (tail, 0.5, 1 - tail))
        return Drawn(middle, low, high, self.mass @ ndtr(means / sds))


def meta_regression(
    effects: np.ndarray, variances: np.ndarray, design: np.ndarray, *, level: float = 0.95, spread: Spread = "reml",
    prior: Prior = "shrinkage",
) -> MetaRegression:  # fmt: skip
    """Effects with known standard errors against covariates, with places that differ beyond them.

    True effects are normal around a line, with a spread (tau). Coefficients are weighted least squares at the estimated
    spread, with Knapp and Hartung's t intervals. What is believed of each place integrates over the coefficients, flat
    beforehand, and over the spread: with a dozen places a single best guess of it is often zero, and intervals from it
    are too narrow. Beforehand half of the spreads lie below four times the typical standard error (DuMouchel's prior,
    whose own median, one, covers too little where places differ much): from half a dozen places a flat prior makes
    predictions several times as wide as they need be.

    Parameters
    ----------
    effects, variances : numpy.ndarray
        Effects and squared standard errors, of shape (places,).
    design : numpy.ndarray
        Columns of the line, the constant among them, of shape (places, columns).
    level : float
        Of all intervals.
    spread : {"reml", "paule_mandel"}
        How the spread is estimated.
    prior : {"shrinkage", "flat"}
        What is believed of the spread beforehand; flat is that of ``causal.drawn_effects``.

    Raises
    ------
    InvalidValue
        Shapes that do not fit, or a variance that is not positive.
    NotEnoughData
        Fewer than two places more than columns, or columns that go together.

    References
    ----------
    Knapp and Hartung (2003), "Improved tests for a random effects meta-regression with a single covariate", Statistics
    in Medicine 22(17); IntHout, Ioannidis and Borm (2014), BMC Medical Research Methodology 14:25; Higgins, Thompson
    and Spiegelhalter (2009), "A re-evaluation of random-effects meta-analysis", JRSS A 172(1), for the prediction;
    Rubin (1981), Journal of Educational Statistics 6(4), for the integral; DuMouchel (1994), "Hierarchical Bayes linear
    models for meta-analysis", NISS technical report 27, for the prior; Paule and Mandel (1982), Journal of Research of
    the NBS 87(5).
    """
    from scipy.stats import chi2, t  # slow to import

    y, v, x = _checked(effects, variances, design)
    df = len(y) - x.shape[1]
    spreads = _spreads(y, v, x)
    beta, covariance, _, logs = _along(y, v, x, np.square(spreads))
    beforehand = _shrinkage(spreads, v) if prior == "shrinkage" else 1.0
    mass = beforehand * np.exp(logs - logs.max())
    tau2 = _reml(y, v, x, spreads, logs) if spread == "reml" else _paule_mandel(y, v, x)
    value, wald, residual = _at(y, v, x, tau2)
    scale = residual / df
    wald_se = np.sqrt(np.diag(wald))
    se = wald_se * np.sqrt(scale)
    reach = t.ppf(0.5 + level / 2, df) * se
    statistic = _at(y, v, x, 0.0)[2]
    return MetaRegression(
        value=value, se=se, ci_lower=value - reach, ci_upper=value + reach, wald_se=wald_se, tau2=tau2, scale=scale,
        statistic=statistic, pvalue=float(chi2.sf(statistic, df)), df=df, level=level, mass=mass / mass.sum(),
        spreads=spreads, coefficients=beta, covariances=covariance, effects=y, variances=v, design=x,
    )  # fmt: skip


def _checked(
    effects: np.ndarray, variances: np.ndarray, design: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, v, x = (np.asarray(side, float) for side in (effects, variances, design))
    if y.ndim != 1 or v.shape != y.shape or x.ndim != 2 or len(x) != len(y):
        raise InvalidValue(f"effects {y.shape}, variances {v.shape} and design {x.shape} do not go together")
    if not (np.isfinite(y).all() and np.isfinite(x).all() and np.isfinite(v).all() and (v > 0).all()):
        raise InvalidValue("effects and design must be finite, and variances above zero")
    if len(y) < x.shape[1] + 2:
        raise NotEnoughData(f"{len(y)} places for {x.shape[1]} coefficients: {x.shape[1] + 2} are needed")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise NotEnoughData("the columns go together: the places do not differ in what is asked about")
    return y, v, x


def _at(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, their covariance, and the weighted sum of squared residuals."""
    value, covariance, residual, _ = _along(y, v, x, np.array([tau2]))
    return value[0], covariance[0], float(residual[0])


def _along(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: np.ndarray) -> tuple[np.ndarray, ...]:
    """As ``_at`` for each of many squared spreads, and the logarithm of the restricted likelihood."""
    weight = 1 / (v + tau2[:, None])
    covariance = np.linalg.inv(np.einsum("kp,gk,kq->gpq", x, weight, x))
    value = np.einsum("gpq,gk,kq,k->gp", covariance, weight, x, y, optimize=True)
    residual = (weight * np.square(y - value @ x.T)).sum(axis=1)
    logs = 0.5 * (np.linalg.slogdet(covariance)[1] + np.log(weight).sum(axis=1) - residual)
    return value, covariance, residual, logs


def _shrinkage(spreads: np.ndarray, v: np.ndarray) -> np.ndarray:
    """DuMouchel's density of a spread, by the harmonic mean of the variances, with another median."""
    middle = MIDDLE * np.sqrt(len(v) / (1 / v).sum())
    return middle / np.square(middle + spreads)


def _spreads(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Spreads that are looked at."""
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    seen = float(np.sqrt(left @ left / (len(y) - x.shape[1])))
    return np.linspace(0.0, WIDEST * max(seen, float(np.sqrt(v.min()))), N_GRID)


def _reml(y: np.ndarray, v: np.ndarray, x: np.ndarray, spreads: np.ndarray, logs: np.ndarray) -> float:
    """The spread of the highest restricted likelihood, squared."""
    from scipy.optimize import minimize_scalar  # slow to import

    best = int(np.argmax(logs))
    low, high = spreads[max(best - 1, 0)], spreads[min(best + 1, len(spreads) - 1)]
    found = minimize_scalar(
        lambda tau: -float(_along(y, v, x, np.array([tau**2]))[3][0]), bounds=(low, high), method="bounded",
        options={"xatol": 1e-9 * high},
    )  # fmt: skip
    # Near zero the likelihood is flat: what is no likelier than no spread is none.
    return 0.0 if logs[0] >= -found.fun - 1e-9 else float(found.x**2)


def _paule_mandel(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> float:
    """The spread at which squared residuals are what is expected of them, squared; 0 where they are fewer already."""
    from scipy.optimize import brentq  # slow to import

    df = len(y) - x.shape[1]
    if _at(y, v, x, 0.0)[2] <= df:
        return 0.0
    high = float(v.max())
    while _at(y, v, x, high)[2] > df:
        high *= 2
    return float(brentq(lambda tau2: _at(y, v, x, tau2)[2] - df, 0.0, high, xtol=1e-14, rtol=1e-12))


def _quantile(mass: np.ndarray, means: np.ndarray, sds: np.ndarray, chance: float) -> np.ndarray:
    """Quantile of each mixture of normals, by halving."""
    from scipy.special import ndtr  # slow to import

    low, high = (means - 9 * sds).min(axis=0), (means + 9 * sds).max(axis=0)
    for _ in range(45):
        middle = (low + high) / 2
        below = mass @ ndtr((middle - means) / sds) < chance
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
