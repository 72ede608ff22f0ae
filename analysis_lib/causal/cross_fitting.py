"""Predictions of outcome and treatment for each unit, from others alone: folds, learners, and their mixture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis_lib.causal.one_treated_fit import simplex_weights
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, unknown

#: Fewest units of each group in all, and in what a learner is taught on.
FEWEST, FEWEST_TAUGHT = 50, 20

#: Fewest clusters behind a clustered error.
FEWEST_CLUSTERS = 20

#: A learner makes one model of a number, or of a chance, from a seed.
Maker = Callable[[int], Any]


@dataclass(frozen=True, slots=True, eq=False)
class LearningFrame:
    """What is learnt from.

    Attributes
    ----------
    outcome : numpy.ndarray or None
        (units,).
    treated : numpy.ndarray
        Flags, (units,).
    covariates : numpy.ndarray
        (units, covariates).
    cluster : numpy.ndarray
        Number of each unit's cluster, its own without clusters; (units,).
    """

    outcome: np.ndarray | None
    treated: np.ndarray
    covariates: np.ndarray
    cluster: np.ndarray

    @property
    def n_clusters(self) -> int:
        """Clusters."""
        return int(self.cluster.max()) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Nuisances:
    """What others say of each unit.

    Attributes
    ----------
    untreated, treated : numpy.ndarray or None
        Outcome without and with treatment, (units,); None without an outcome.
    propensity : numpy.ndarray
        Chance of being treated, (units,).
    weights : dict[str, numpy.ndarray]
        Of the learners in each of the three, by its name.
    """

    untreated: np.ndarray | None
    treated: np.ndarray | None
    propensity: np.ndarray
    weights: dict[str, np.ndarray]


def learning_frame(
    frame: pd.DataFrame, *, outcome: str | None, treated: str, covariates: Sequence[str], cluster: str | None
) -> LearningFrame:
    """Arrays of a frame with one row a unit; parameters and errors as ``double_ml``."""
    names = list(covariates)
    if not names:
        raise InvalidValue("no covariates are given: what treated and untreated units differ by has to be named.")
    numbers = [name for name in (outcome, treated) if name is not None] + names
    for name in [*numbers, *([cluster] if cluster is not None else [])]:
        if name not in frame.columns:
            raise ContractError(f"the frame has no column '{name}'; it has {', '.join(map(str, frame.columns))}")
        if frame[name].isna().any():
            raise InvalidValue(f"'{name}' is missing in {int(frame[name].isna().sum())} rows; leave them out first")
    for name in numbers:
        if numbers.count(name) > 1:
            raise InvalidValue(f"'{name}' is given twice: outcome, treated and covariates are columns apart")
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise InvalidValue(f"'{name}' must hold numbers; it holds {frame[name].dtype}")
        if not np.isfinite(frame[name].to_numpy(dtype=float)).all():
            raise InvalidValue(f"'{name}' holds a number that is not finite")
    flag = frame[treated].to_numpy(dtype=float)
    if not np.isin(flag, (0.0, 1.0)).all():
        raise InvalidValue(f"'{treated}' must be 0 or 1 in every row; it holds {flag[~np.isin(flag, (0, 1))][0]:g}")
    _refuse_too_few(flag == 1)
    return LearningFrame(
        outcome=None if outcome is None else _varying(frame[outcome], outcome), treated=flag == 1,
        covariates=frame[names].to_numpy(dtype=float),
        cluster=np.arange(len(frame)) if cluster is None else _clusters(frame[cluster]),
    )  # fmt: skip


def _refuse_too_few(treated: np.ndarray) -> None:
    counts = {"treated": int(treated.sum()), "untreated": int((~treated).sum())}
    for word, count in counts.items():
        if count == 0:
            raise NotEnoughData(f"both groups are needed: there are no {word} units")
        if count < FEWEST:
            raise NotEnoughData(f"{count} {word} units; at least {FEWEST} are needed to learn from")


def _varying(column: pd.Series, name: str) -> np.ndarray:
    values = column.to_numpy(dtype=float)
    if np.ptp(values) == 0:
        raise NotEnoughData(f"'{name}' is {values[0]:g} in every row: there is nothing to explain")
    return values


def _clusters(column: pd.Series) -> np.ndarray:
    codes, names = pd.factorize(column)
    if len(names) < FEWEST_CLUSTERS:
        raise NotEnoughData(f"{len(names)} clusters: folds and a clustered error need at least {FEWEST_CLUSTERS}")
    return codes


def dealt(learning: LearningFrame, folds: int, rng: np.random.Generator) -> np.ndarray:
    """A fold for each unit; clusters stay whole, and are dealt in turn from the most to the least treated.

    Parameters
    ----------
    learning : LearningFrame
        Units.
    folds : int
        Folds.
    rng : numpy.random.Generator
        What decides among clusters that are treated alike.

    Raises
    ------
    InvalidValue
        If ``folds`` is not a whole number from 2.
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise InvalidValue(f"folds is {folds!r}; it is a whole number from 2")
    share = np.bincount(learning.cluster, weights=learning.treated) / np.bincount(learning.cluster)
    order = np.lexsort((rng.random(len(share)), -share))
    fold = np.empty(len(share), dtype=int)
    fold[order] = np.arange(len(share)) % folds
    return fold[learning.cluster]


def cross_fitted(
    learning: LearningFrame, fold: np.ndarray, learners: Sequence[tuple[Maker, Maker]], seed: int
) -> Nuisances:
    """What models, taught on the other folds, say of each unit; of several learners the best mixture.

    The mixture has weights from 0 that sum to 1 and leave the least squares, of what was said from the other folds.

    Parameters
    ----------
    learning : LearningFrame
        Units.
    fold : numpy.ndarray
        The fold of each unit, (units,).
    learners : sequence of pair
        Makers of a model of numbers, and of chances.
    seed : int
        Of the models.

    Returns
    -------
    Nuisances

    Raises
    ------
    NotEnoughData
        If the other folds hold too few of a group.

    References
    ----------
    Ahrens, Hansen, Schaffer and Wiemann (2025), "Model averaging and double machine learning", Journal of Applied
    Econometrics 40(3): short-stacking.
    """
    everybody = np.ones(len(fold), dtype=bool)
    chance, weights = _mixed(
        learning, fold, learning.treated.astype(float), everybody, [pair[1] for pair in learners], seed
    )
    told, found = {}, {"propensity": weights}
    for name, group in (("untreated", ~learning.treated), ("treated", learning.treated)):
        if learning.outcome is None:
            told[name] = None
            continue
        makers = [pair[0] for pair in learners]
        told[name], found[name] = _mixed(learning, fold, learning.outcome, group, makers, seed)
    return Nuisances(told["untreated"], told["treated"], chance, found)


def _mixed(
    learning: LearningFrame, fold: np.ndarray, target: np.ndarray, group: np.ndarray, makers: list[Maker], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """What is said of everybody by models that are taught on a group, and the weights of the learners."""
    said = np.empty((len(fold), len(makers)))
    for number in np.unique(fold):
        taught, asked = group & (fold != number), fold == number
        if min(learning.treated[fold != number].sum(), (~learning.treated[fold != number]).sum()) < FEWEST_TAUGHT:
            raise NotEnoughData(f"outside fold {number} there are fewer than {FEWEST_TAUGHT} units of a group")
        for place, make in enumerate(makers):
            model = make(seed).fit(learning.covariates[taught], target[taught])
            said[asked, place] = _said(model, learning.covariates[asked])
    if len(makers) == 1:
        return said[:, 0], np.ones(1)
    weights = simplex_weights(said[group], target[group], 0.0)
    return said @ weights, weights


def _said(model: Any, covariates: np.ndarray) -> np.ndarray:
    if hasattr(model, "predict_proba"):
        return model.predict_proba(covariates)[:, 1]
    return model.predict(covariates)


def _least_squares(seed: int):
    from sklearn.linear_model import LinearRegression  # slow to import

    return LinearRegression()


def _logistic(seed: int):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=np.inf, tol=1e-8, max_iter=2000))


def _ridge(seed: int):
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-2, 4, 13)))


def _held_logistic(seed: int):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=2000))


def _boosted(seed: int):
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(random_state=seed, **_BOOSTING)


def _boosted_chance(seed: int):
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed, **_BOOSTING)


#: Small trees, slowly: nuisances are smooth, and units few.
_BOOSTING = {
    "max_iter": 100,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "early_stopping": False,
}

#: Learners of numbers and of chances, by name.
LEARNERS: dict[str, list[tuple[Maker, Maker]]] = {
    "linear": [(_least_squares, _logistic)],
    "boosting": [(_boosted, _boosted_chance)],
    "stacked": [(_ridge, _held_logistic), (_boosted, _boosted_chance)],
}


def chosen(learners: str) -> list[tuple[Maker, Maker]]:
    """Learners by name.

    Parameters
    ----------
    learners : str
        A name in ``LEARNERS``.

    Raises
    ------
    UnknownName
        If there is no such name.
    """
    if learners not in LEARNERS:
        raise unknown("learners", str(learners), LEARNERS, "those of double_ml")
    return LEARNERS[learners]
