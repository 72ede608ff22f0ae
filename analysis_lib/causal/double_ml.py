"""The effect of a treatment that covariates decide in ways nobody can write down: doubly robust, cross-fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.causal.cross_fitting import LearningFrame, Nuisances, chosen, cross_fitted, dealt, learning_frame
from analysis_lib.causal.overlap import TARGETS, Overlap, overlap_of, refuse_no_overlap
from analysis_lib.errors import InvalidValue
from analysis_lib.results import Estimate, Result

#: Propensities are kept this far from 0 and 1. For the treated only from 1: an untreated unit whose chance is next to 0
#: should count for next to nothing, and thousands of them at 0.01 would count as much as the treated.
CLIP = 0.01

#: More of the target without anybody to compare with, or a group that counts as fewer units, is no overlap. Among units
#: that were all inside once, learnt anew, one in twenty is found outside.
MOST_OUTSIDE, FEWEST_EFFECTIVE = 0.10, 30.0

METHOD = "double machine learning: cross-fitted, doubly robust"


@dataclass(frozen=True, slots=True, eq=False)
class DoubleMlEffect(Result):
    """An average effect, and how well what it rests on could be learnt.

    Attributes
    ----------
    estimate : Estimate
        Average over the target, in the outcome's unit.
    target : str
        ``treated`` or ``all``.
    overlap : Overlap
        Of the repetition in the middle.
    r2 : dict[str, float]
        Share of variance told, for units that were not learnt from, by ``untreated`` and ``treated`` (outcomes of each
        group) and ``propensity`` (treatment); below 0 is worse than the mean. Medians over repetitions.
    repetitions : pandas.DataFrame
        value, se; one a way of dealing the folds.
    n_treated, n_untreated, n_clusters : int
        Units of each group; clusters, as many as units without any.
    n_clipped : int
        Units whose propensity was moved to its bound, in the repetition in the middle.
    """

    estimate: Estimate
    target: str
    overlap: Overlap
    r2: dict[str, float]
    repetitions: pd.DataFrame
    n_treated: int
    n_untreated: int
    n_clusters: int
    n_clipped: int

    @property
    def text(self) -> str:
        """The effect, how comparable the groups are, and what is taken for granted."""
        whom = "a treated unit" if self.target == "treated" else "a unit"
        return (
            f"{self.estimate.text} for {whom} on average. {self.overlap.text} It takes for granted that nothing but the"
            " covariates goes with both the treatment and the outcome."
        )

    def to_frame(self) -> pd.DataFrame:
        """The repetitions."""
        return self.repetitions.copy()


def double_ml(
    frame: pd.DataFrame,
    *,
    outcome: str,
    treated: str,
    covariates: Sequence[str],
    cluster: str | None = None,
    target: str = "treated",
    learners: str = "stacked",
    folds: int = 5,
    repetitions: int = 5,
    seed: int = 1,
    level: float = 0.95,
    unit: str = "",
) -> DoubleMlEffect:
    """Average effect of a treatment given covariates, whose part is learnt by machine.

    Each unit's outcome without and with treatment, and its chance of being treated, are told by models that were taught
    on other folds; what they miss is weighed so that a slow error in one is made good by the others. It rests on the
    covariates being all that goes with both treatment and outcome, measured before the treatment, and on overlap.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit, no missing values in the columns used.
    outcome, treated : str
        Columns of numbers; ``treated`` is 0 or 1.
    covariates : sequence of str
        Columns of numbers; their form is learnt.
    cluster : str, optional
        Column of the clusters in which units go together: they stay whole in folds and in the error.
    target : str
        ``treated``: the average over the treated; ``all``: over all units.
    learners : str
        ``linear`` (least squares, logistic), ``boosting`` (trees), or ``stacked``: ridge and trees, mixed as fits best.
    folds, repetitions : int
        Folds, and how often they are dealt anew.
    seed : int
        Of the folds and the models; the same seed gives the same numbers.
    level : float
        Level of the interval, with Student's t (clusters - 1).
    unit : str
        Unit of the outcome, for the formatter.

    Raises
    ------
    ContractError
        If a column is missing.
    UnknownName
        If the learners are unknown.
    InvalidValue
        If values are missing or not finite, ``treated`` is not 0 or 1, or an option is not allowed.
    NotEnoughData
        If a group is empty or under 50 units, there are fewer than 20 clusters, the outcome does not vary, or there is
        no overlap: over ``MOST_OUTSIDE`` of the target has nobody to compare with, or a group counts as fewer than
        ``FEWEST_EFFECTIVE`` units once weighted.

    References
    ----------
    Chernozhukov et al. (2018), "Double/debiased machine learning for treatment and structural parameters",
    Econometrics Journal 21(1), section 5 (scores 5.3 and 5.4), definitions 3.2 and 3.3 (several ways of dealing,
    median). Chiang, Kato, Ma and Sasaki (2022), "Multiway cluster robust double/debiased machine learning", Journal of
    Business and Economic Statistics 40(3): folds that keep clusters whole.
    """
    _check_options(target, repetitions, level)
    learning = learning_frame(frame, outcome=outcome, treated=treated, covariates=covariates, cluster=cluster)
    rng, makers, runs = np.random.default_rng(seed), chosen(learners), []
    for number in range(repetitions):
        nuisances = cross_fitted(learning, dealt(learning, folds, rng), makers, seed + number)
        found = overlap_of(nuisances.propensity, learning.treated, target)
        refuse_no_overlap(found, most_outside=MOST_OUTSIDE, fewest_effective=FEWEST_EFFECTIVE)
        runs.append((*averaged(learning, nuisances, target), found, _r2(learning, nuisances)))
    values, errors = (np.array([run[k] for run in runs]) for k in (0, 1))
    value, se = median_rule(values, errors)
    middle = runs[int(np.argmin(np.abs(values - value)))][2]
    reach = float(student.ppf(0.5 + level / 2, learning.n_clusters - 1)) * se
    n = len(learning.treated)
    return DoubleMlEffect(
        estimate=Estimate(value, se, value - reach, value + reach, level, unit, n, METHOD), target=target,
        overlap=middle, r2={name: float(np.median([run[3][name] for run in runs])) for name in runs[0][3]},
        repetitions=pd.DataFrame({"value": values, "se": errors}), n_treated=int(learning.treated.sum()),
        n_untreated=int((~learning.treated).sum()), n_clusters=learning.n_clusters,
        n_clipped=int((middle.propensity != _clipped(middle.propensity, target)).sum()),
    )  # fmt: skip


def averaged(learning: LearningFrame, nuisances: Nuisances, target: str) -> tuple[float, float]:
    """The average effect and its standard error, of one way of dealing the folds.

    Parameters
    ----------
    learning : LearningFrame
        Units.
    nuisances : Nuisances
        What others say of each.
    target : str
        ``treated`` or ``all``.
    """
    flag, y = learning.treated.astype(float), learning.outcome
    chance = _clipped(nuisances.propensity, target)
    missed = y - nuisances.untreated
    if target == "treated":
        share = flag.mean()
        parts, counted = (flag - (1 - flag) * chance / (1 - chance)) * missed / share, flag / share
    else:
        own = y - nuisances.treated
        parts = nuisances.treated - nuisances.untreated + flag * own / chance - (1 - flag) * missed / (1 - chance)
        counted = np.ones(len(y))
    value = float(parts.mean())
    sums = np.bincount(learning.cluster, weights=parts - value * counted)
    # Between clusters, with their usual correction: units alone have the published error times n / (n - 1).
    spread = float(np.square(sums).sum()) * len(sums) / (len(sums) - 1)
    return value, float(np.sqrt(spread)) / len(y)


def _clipped(propensity: np.ndarray, target: str) -> np.ndarray:
    return np.clip(propensity, CLIP if target == "all" else 0.0, 1 - CLIP)


def median_rule(values: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """The median over repetitions; its error allows for how far they lie apart.

    Parameters
    ----------
    values, errors : numpy.ndarray
        Of each repetition.
    """
    value = float(np.median(values))
    return value, float(np.sqrt(np.median(errors**2 + (values - value) ** 2)))


def _check_options(target: str, repetitions: int, level: float) -> None:
    if target not in TARGETS:
        raise InvalidValue(f"target is {target!r}; it is one of {', '.join(TARGETS)}")
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise InvalidValue(f"repetitions is {repetitions!r}; it is a whole number from 1")
    if not 0 < level < 1:
        raise InvalidValue(f"level must lie between 0 and 1, not {level!r}.")


def _r2(learning: LearningFrame, nuisances: Nuisances) -> dict[str, float]:
    """Share of variance that was told of units not learnt from."""
    flag, everybody = learning.treated, np.ones(len(learning.treated), dtype=bool)
    cases = {
        "untreated": (learning.outcome, nuisances.untreated, ~flag),
        "treated": (learning.outcome, nuisances.treated, flag),
        "propensity": (flag.astype(float), nuisances.propensity, everybody),
    }
    return {name: _told(real[group], said[group]) for name, (real, said, group) in cases.items()}


def _told(real: np.ndarray, said: np.ndarray) -> float:
    around = float(np.square(real - real.mean()).sum())
    return 1 - float(np.square(real - said).sum()) / around if around > 0 else float("nan")
