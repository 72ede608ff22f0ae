"""Are there treated and untreated units of one kind? Propensities to which no unit's own treatment was fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.causal.cross_fitting import chosen, cross_fitted, dealt, learning_frame
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Result, format_count, format_percent

#: Propensities in between have somebody like them in the other group (Crump et al. 2009 have 0.1 as a rule of thumb;
#: where one in fifty is treated by habit, as in campaigns, that would leave nobody).
LEAST, MOST = 0.02, 0.98

#: Whom an average is for: the treated, or all.
TARGETS = ("treated", "all")


@dataclass(frozen=True, slots=True, eq=False)
class Overlap(Result):
    """How far treated and untreated units are comparable.

    Attributes
    ----------
    propensity : numpy.ndarray
        Chance of being treated given the covariates, one a row of the input.
    inside : numpy.ndarray
        Whether it leaves the other group possible, one a row; for ``treated`` a small one does no harm.
    target : str
        Whom the average is for.
    share_outside : float
        Share of all units with a propensity outside 0.02 to 0.98.
    target_outside : float
        Share of the target's units with nobody to compare with: not ``inside``.
    smallest, largest : float
        Propensities.
    effective_treated, effective_untreated : float
        How many units the weighted group counts as: (sum of weights)² over the sum of squares.
    """

    propensity: np.ndarray
    inside: np.ndarray
    target: str
    share_outside: float
    target_outside: float
    smallest: float
    largest: float
    effective_treated: float
    effective_untreated: float

    @property
    def text(self) -> str:
        """How comparable the groups are, in one sentence."""
        return (
            f"Chances of being treated run from {self.smallest:.3f} to {self.largest:.3f};"
            f" {format_percent(self.target_outside)} of those the effect is for have nobody to compare with. Weighted,"
            f" the treated count as {format_count(self.effective_treated)} and the untreated as"
            f" {format_count(self.effective_untreated)}."
        )


def overlap(
    frame: pd.DataFrame, *, treated: str, covariates: Sequence[str], cluster: str | None = None,
    target: str = "treated", learners: str = "stacked", folds: int = 5, seed: int = 1,
) -> Overlap:  # fmt: skip
    """Chances of being treated given the covariates, cross-fitted, and whom they leave without a counterpart.

    To look only where the groups overlap, go on with the rows that are ``inside``: the effect is then for those.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit.
    treated, covariates, cluster, target, learners, folds, seed
        As in ``double_ml``.

    Raises
    ------
    ContractError, UnknownName, InvalidValue, NotEnoughData
        As ``double_ml``, but for what concerns the outcome.

    References
    ----------
    Crump, Hotz, Imbens and Mitnik (2009), "Dealing with limited overlap in estimation of average treatment effects",
    Biometrika 96(1).
    """
    if target not in TARGETS:
        raise InvalidValue(f"target is {target!r}; it is one of {', '.join(TARGETS)}.")
    learning = learning_frame(frame, outcome=None, treated=treated, covariates=covariates, cluster=cluster)
    fold = dealt(learning, folds, np.random.default_rng(seed))
    return overlap_of(cross_fitted(learning, fold, chosen(learners), seed).propensity, learning.treated, target)


def overlap_of(propensity: np.ndarray, treated: np.ndarray, target: str) -> Overlap:
    """What propensities say of the two groups.

    Parameters
    ----------
    propensity : numpy.ndarray
        One a unit.
    treated : numpy.ndarray
        Flags, one a unit.
    target : str
        ``treated`` or ``all``.
    """
    within = (propensity >= LEAST) & (propensity <= MOST)
    inside = within if target == "all" else propensity <= MOST
    asked = np.ones(len(propensity), dtype=bool) if target == "all" else treated
    own, other = weights_of(propensity, treated, target)
    return Overlap(
        propensity=propensity, inside=inside, target=target, share_outside=float(1 - within.mean()),
        target_outside=float(1 - inside[asked].mean()), smallest=float(propensity.min()),
        largest=float(propensity.max()), effective_treated=_effective(own), effective_untreated=_effective(other),
    )  # fmt: skip


def weights_of(propensity: np.ndarray, treated: np.ndarray, target: str) -> tuple[np.ndarray, np.ndarray]:
    """What makes treated, and untreated, units stand for the target; one a unit of each group.

    Parameters
    ----------
    propensity, treated, target
        As in ``overlap_of``.
    """
    own, other = propensity[treated], propensity[~treated]
    with np.errstate(divide="ignore"):
        if target == "all":
            return 1 / own, 1 / (1 - other)
        return np.ones(len(own)), other / (1 - other)


def _effective(weights: np.ndarray) -> float:
    """Kish's effective number; none if a weight has no bound or all are 0."""
    if not np.isfinite(weights).all() or not weights.any():
        return 0.0
    return float(weights.sum() ** 2 / np.square(weights).sum())


def refuse_no_overlap(found: Overlap, *, most_outside: float, fewest_effective: float) -> None:
    """Refuse groups that hardly have a kind of unit in common.

    Parameters
    ----------
    found : Overlap
        Of the units.
    most_outside : float
        Largest share of the target that may have nobody to compare with.
    fewest_effective : float
        Least effective number of each group.

    Raises
    ------
    NotEnoughData
        If there is more of the one or less of the other.
    """
    if found.target_outside > most_outside:
        raise NotEnoughData(
            f"no overlap: {format_percent(found.target_outside)} of those the effect is for have nobody to compare with"
            f" (propensities outside {LEAST} to {MOST}; up to {format_percent(most_outside, 0)} is borne). Leave out"
            " who is not `inside` of `overlap`, and say of whom the rest speaks."
        )
    least = min(found.effective_treated, found.effective_untreated)
    if least < fewest_effective:
        raise NotEnoughData(
            f"no overlap: weighted to be comparable, a group counts as {least:.1f} units, and {fewest_effective:g} are"
            " needed. A few units would carry the whole answer."
        )
