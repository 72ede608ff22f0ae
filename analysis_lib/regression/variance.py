"""Which errors, by a printed rule, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.jackknife import jackknifed
from analysis_lib.regression.moments import cluster_moments, hanging
from analysis_lib.regression.request import LINEAR, Request
from analysis_lib.regression.sample import Sample
from analysis_lib.regression.sandwich import clustered, over_time, parameters, robust
from analysis_lib.regression.solved import Solved
from analysis_lib.regression.wild import wild_interval, wild_tests
from analysis_lib.results import format_count

#: With fewer clusters no error is fit to read.
FEWEST_CLUSTERS = 6

#: Below it linear regressions resample clusters; below the next they leave out one at a time.
FEW_CLUSTERS, MANY_CLUSTERS = 12, 50

#: Rows below which errors robust to unequal variances weigh each row by its pull (Long and Ervin, 2000).
FEW_ROWS = 250

#: Fewest periods behind an error that allows for what lasts over time.
FEWEST_PERIODS = 30

WORDS = {
    "iid": "equal variances", "HC1": "robust to unequal variances (HC1)", "HC3": "robust to unequal variances (HC3)",
    "CRV1": "clustered (CRV1)", "CRV3": "clustered, leaving out one cluster at a time (CR3)",
    "wild": "clustered, wild restricted bootstrap with Webb's weights",
    "HAC": "robust to unequal variances and to what lasts over time (Newey–West)",
    "driscoll_kraay": "robust to what lasts over time and goes across units (Driscoll–Kraay)",
    "model": "as the model has it", "lot": "those of the lot alone",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Variance:
    """Errors of coefficients.

    Attributes
    ----------
    name : str
        One of ``request.VARIANCES``.
    reason : str
        Why this one, in words.
    covariance : numpy.ndarray
        Shape (k, k).
    df : float
        Degrees of freedom of Student's t; infinite for the normal.
    n_clusters : int or None
        Clusters of the column that has fewest.
    intervals, pvalues : numpy.ndarray or None
        Where they do not follow from the covariance: shapes (k, 2) and (k,).
    """

    name: str
    reason: str
    covariance: np.ndarray
    df: float
    n_clusters: int | None = None
    intervals: np.ndarray | None = None
    pvalues: np.ndarray | None = None


def variance_of(solved: Solved, request: Request) -> Variance:
    """The errors that were asked for, or that the rule chooses.

    Raises
    ------
    NotEnoughData
        Too few clusters or periods.
    """
    sample = solved.sample
    name, reason, clusters = choose(sample, request)
    if name in ("CRV1", "CRV3", "wild"):
        return _clustered(solved, request, name, reason, clusters)
    rest = sample.n - parameters(solved)
    df = float(rest) if request.kind in LINEAR else float("inf")
    if name in ("HAC", "driscoll_kraay"):
        periods = int(sample.time.max()) + 1
        lags = request.lags if request.lags is not None else lags_for(periods)
        told = f"{reason}; {lags} lags of {periods} periods"
        return Variance(name, told, over_time(solved, lags), fixed_b_df(lags, periods))
    if name in ("iid", "model"):
        return Variance(name, reason, solved.equal, df)
    return Variance(name, reason, robust(solved, jackknifed=name == "HC3"), df)


def choose(sample: Sample, request: Request) -> tuple[str, str, np.ndarray]:
    """Name of the errors, the reason, and the columns of clusters.

    Raises
    ------
    NotEnoughData
        Fewer than ``FEWEST_CLUSTERS`` clusters, or ``FEWEST_PERIODS`` periods.
    InvalidValue
        More than one row a period for errors over time.
    """
    if request.kind == "mixed":
        return (
            "model",
            "units differ by a draw from a normal distribution: the model itself says how far",
            sample.clusters,
        )
    over = request.variance in ("HAC", "driscoll_kraay")
    if over or request.variance in ("iid", "HC1", "HC3"):
        return _over_time(sample, request, "asked for") if over else (request.variance, "asked for", sample.clusters)
    clusters, called = sample.clusters, " and ".join(request.cluster)
    between = request.kind == "panel" and request.effects == "between"
    if not clusters.shape[1] and sample.unit is not None and not between:
        n_units = int(sample.unit.max()) + 1
        if n_units < FEWEST_CLUSTERS and sample.time is not None and request.variance is None:
            many = "1 unit is" if n_units == 1 else f"{n_units} units are"
            return _over_time(sample, request, f"{many} too few to cluster by")
        clusters, called = np.unique(sample.unit, return_inverse=True)[1][:, None], request.unit
    if clusters.shape[1]:
        return *_by_clusters(request, int(min(clusters.max(axis=0)) + 1), called), clusters
    if sample.time is not None and not between:
        return _over_time(sample, request, "rows follow each other in time")
    plain = request.kind in LINEAR and not sample.endogenous and not sample.effects.shape[1]
    if plain and sample.n < FEW_ROWS:
        return (
            "HC3",
            f"{format_count(sample.n)} rows, fewer than {FEW_ROWS}: a row that pulls hard counts for more",
            clusters,
        )
    return "HC1", f"{format_count(sample.n)} rows that stand for themselves; variances may differ", clusters


def _by_clusters(request: Request, n: int, called: str) -> tuple[str, str]:
    if n < FEWEST_CLUSTERS:
        raise NotEnoughData(
            f"{n} clusters of {called}: under {FEWEST_CLUSTERS} no error is fit to read; cluster by something finer, "
            "bring more, or, if the regressor was drawn by lot, name it as assigned="
        )
    if request.variance is not None:
        return request.variance, f"asked for; {n} clusters of {called}"
    plain = request.kind in ("ols", "panel") and len(request.cluster) < 2
    if n < FEW_CLUSTERS and plain:
        return "wild", f"{n} clusters of {called}, fewer than {FEW_CLUSTERS}: clusters are resampled"
    if n < MANY_CLUSTERS and request.kind != "quantile":
        return (
            "CRV3",
            f"{n} clusters of {called}, fewer than {MANY_CLUSTERS}: usual errors would be too small",
        )
    return "CRV1", f"{n} clusters of {called}"


def _over_time(sample: Sample, request: Request, why: str) -> tuple[str, str, np.ndarray]:
    periods = int(sample.time.max()) + 1
    if periods < FEWEST_PERIODS:
        raise NotEnoughData(
            f"{why}, and {periods} periods are too few for an error over time: at least {FEWEST_PERIODS} are needed; "
            "take a finer grain, or units to cluster by"
        )
    once = periods == sample.n
    if request.variance == "HAC" and not once:
        raise InvalidValue("variance='HAC' is for one row a period: for a panel use 'driscoll_kraay'")
    return request.variance or ("HAC" if once else "driscoll_kraay"), why, sample.clusters


def _clustered(solved: Solved, request: Request, name: str, reason: str, clusters: np.ndarray) -> Variance:
    n = int(min(clusters.max(axis=0)) + 1)
    levels = _levels_of_clusters(solved.sample, request, name, clusters)
    if name == "wild":
        moments = cluster_moments(solved.sample, clusters[:, 0])
        if moments is not None:
            return _wild(solved, request, reason, clusters, moments)
        name, reason = "CRV3", f"{reason}; too many fixed effects cut across them to resample"
    covariance = jackknifed(solved, clusters, request.kind) if name == "CRV3" else clustered(solved, clusters)
    if levels:
        return _without_levels(solved, request, reason, covariance, n, levels)
    return Variance(name, reason, covariance, float(n - 1), n)


def _levels_of_clusters(sample: Sample, request: Request, name: str, clusters: np.ndarray) -> list[int]:
    """Places of levels of a factor that each lie in one cluster; any other term that does is refused.

    Raises
    ------
    NotEnoughData
        A term that is told by one cluster alone.
    """
    places = hanging(sample, clusters)
    levels = [place for place in places if "[" in sample.names[place]]
    others = [sample.names[place] for place in places if place not in levels]
    if others or (levels and name != "CRV1"):
        named = others[0] if others else sample.names[levels[0]]
        advice = "leave the term out, or bring other clusters in which it varies"
        if not others:
            linear = request.kind in LINEAR
            advice = "take fixed_effects= instead" if linear else "ask for variance='CRV1', or leave the factor out"
        raise NotEnoughData(
            f"'{named}' is told by one cluster of {int(clusters[:, 0].max()) + 1} alone: chance in it cannot be told "
            f"from an effect; {advice}"
        )
    return levels


def _without_levels(
    solved: Solved, request: Request, reason: str, covariance: np.ndarray, n: int, levels: list[int]
) -> Variance:
    """CRV1 with no interval for levels that are clusters themselves, and for the constant they are measured from."""
    from scipy.stats import t  # slow to import

    value, se = solved.coefficients, np.sqrt(np.diag(covariance))
    reach = t.ppf(0.5 + request.level / 2, n - 1) * se
    intervals = np.column_stack([value - reach, value + reach])
    pvalues = 2 * t.sf(np.abs(value / se), n - 1)
    blank = [*levels, *[place for place, name in enumerate(solved.sample.names) if name == "Intercept"]]
    intervals[blank], pvalues[blank] = np.nan, np.nan
    k = solved.n_terms
    told = f"{reason}; levels that lie in one cluster get no interval"
    return Variance("CRV1", told, covariance, float(n - 1), n, intervals[:k], pvalues[:k])


def _wild(solved: Solved, request: Request, reason: str, clusters: np.ndarray, moments) -> Variance:
    covariance = clustered(solved, clusters)
    tests = wild_tests(moments, request.seed)
    spread = np.sqrt(np.diag(covariance))
    intervals = np.array([wild_interval(test, se, request.level) for test, se in zip(tests, spread, strict=True)])
    n = len(moments.cross)
    pvalues = np.array([test.pvalue(0.0) for test in tests])
    return Variance("wild", reason, covariance, float(n - 1), n, intervals, pvalues)


def lags_for(periods: int) -> int:
    """Lags for errors over time: 1.3 √periods, many, with critical values that allow for it.

    References
    ----------
    Lazarus, Lewis, Stock and Watson (2018), "HAR inference: recommendations for practice", Journal of Business
    and Economic Statistics 36(4).
    """
    return max(int(np.ceil(1.3 * np.sqrt(periods))) - 1, 1)


def fixed_b_df(lags: int, periods: int) -> float:
    """Degrees of freedom with which Student's t has the critical value that ``lags`` of ``periods`` call for.

    References
    ----------
    Kiefer and Vogelsang (2005), "A new asymptotic theory for heteroskedasticity-autocorrelation robust tests",
    Econometric Theory 21(6), table 1 (Bartlett, 97.5 %); Vogelsang (2012), Journal of Econometrics 166(2), for panels.
    """
    from scipy.optimize import brentq  # slow to import
    from scipy.stats import t

    b = min((lags + 1) / periods, 1.0)
    critical = 1.96 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
    return float(brentq(lambda df: t.ppf(0.975, df) - critical, 1.0, 1e6))
