"""``campaigns.without_lot``: what comparisons without a lot find where a lot has shown the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.campaigns import without_lot_exhibits, without_lot_text
from analysis_lib.causal import (
    DoubleMlEffect,
    Overlap,
    adjusted_difference,
    double_ml,
    entropy_balance,
    overlap,
    proportional_difference,
)
from analysis_lib.causal.overlap import LEAST, MOST
from analysis_lib.config import LEVEL
from analysis_lib.errors import NotEnoughData, check_level
from analysis_lib.results import Answer, Decision, Estimate, Finding

#: What is known of each man before the programme, and what that is called.
HISTORY = {
    "age": "age", "educ": "years of school", "black": "black", "hisp": "hispanic", "marr": "married",
    "nodegree": "no degree", "re74": "earnings in 1974", "re75": "earnings in 1975",
}  # fmt: skip

OUTCOME, TREATED, UNIT = "re78", "treat", "usd"

#: What the machine learns.
MODEL = {"outcome": OUTCOME, "treated": TREATED, "covariates": list(HISTORY)}

#: How often the folds of the machine are dealt anew.
REPETITIONS = 3

#: Ways of comparing, in the order of the page: how each is called, and what it takes for granted.
WAYS = {
    "lot": ("By lot", "nothing: chance alone made the groups"),
    "plain": ("As they are", "the others would have fared alike"),
    "growth": ("By growth", "without it both would have changed by the same factor"),
    "history": ("Same history", "nothing but the history told both who came and how they fared"),
    "learnt": ("By machine", "the same, in any form; only of those with somebody like them"),
}


@dataclass(frozen=True, slots=True, eq=False)
class WithoutLot(Finding):
    """One programme, measured by lot and by comparisons with people who were never in it.

    Attributes
    ----------
    effects : dict of str to Estimate
        By way (``WAYS``), per person in the programme.
    learnt : DoubleMlEffect
        The last of them with its diagnostics.
    overlap : Overlap
        Chances of being in the programme, for all people.
    treated : numpy.ndarray
        Whether each is in the programme, one a propensity.
    balance : pandas.DataFrame
        quantity, programme, others, weighted (means).
    n : dict of str to int
        People: programme, lot (left out), others, alike (others that are compared by machine), compared (those of the
        programme that are).
    spread : float
        Standard deviation of the earnings of those compared by machine.
    refusal : str
        Why it is not said what the programme would do for everybody in the survey; empty where it could be.
    level : float
        Level of the intervals.
    """

    SENTENCES = without_lot_text.SENTENCES
    EXHIBITS = without_lot_exhibits.EXHIBITS
    CALLED = "a comparison of comparisons"
    PLOTTED = "ways"

    effects: dict[str, Estimate]
    learnt: DoubleMlEffect
    overlap: Overlap
    treated: np.ndarray
    balance: pd.DataFrame
    n: dict[str, int]
    spread: float
    refusal: str
    level: float

    def off(self, way: str) -> float:
        """By how much a way misses what the lot shows."""
        return self.effects[way].value - self.effects["lot"].value

    def holds(self, way: str) -> bool:
        """Whether the interval of a way holds what the lot shows."""
        one = self.effects[way]
        return one.ci_lower <= self.effects["lot"].value <= one.ci_upper

    @property
    def holding(self) -> list[str]:
        """Ways without a lot whose interval holds what the lot shows."""
        return [way for way in WAYS if way != "lot" and self.holds(way)]

    @property
    def missing(self) -> list[str]:
        """Those whose interval does not."""
        return [way for way in WAYS if way != "lot" and not self.holds(way)]

    @property
    def decision(self) -> Decision:
        """What follows for campaigns."""
        return without_lot_text.decision(self)

    @property
    def answer(self) -> Answer:
        """The first screen."""
        return without_lot_text.answer(self)

    @property
    def text(self) -> str:
        """Headline and verdict."""
        return f"{self.sentence('headline')} {self.decision.text}"

    def to_frame(self) -> pd.DataFrame:
        """way, value, se, ci_lower, ci_upper, off, holds."""
        rows = [
            (way, it.value, it.se, it.ci_lower, it.ci_upper, self.off(way), self.holds(way))
            for way, it in self.effects.items()
        ]
        return pd.DataFrame(rows, columns=["way", "value", "se", "ci_lower", "ci_upper", "off", "holds"])


def without_lot(*, level: float = LEVEL) -> WithoutLot:
    """What comparisons without a lot find where a lot has shown the answer.

    The National Supported Work programme gave people without work a job for some months, to some of the applicants by
    lot. What they earned in 1978 against those left out is the answer. The comparisons take the people of a population
    survey in their place, of whom nobody knows whether they are like them: as in a campaign whose users were picked.

    Parameters
    ----------
    level : float
        Level of all intervals.

    Raises
    ------
    InvalidValue
        A level outside of 0.5 to 0.999.

    References
    ----------
    LaLonde (1986), "Evaluating the econometric evaluations of training programs with experimental data", American
    Economic Review 76(4). Dehejia and Wahba (1999), "Causal effects in nonexperimental studies", JASA 94(448), table
    3: 1,794 (633) by lot, -8,498 as they are; data as causaldata ships them. Chernozhukov et al. (2018), see
    ``double_ml``.
    """
    check_level(level)
    by_lot, survey = _people()
    chances = overlap(survey, treated=TREATED, covariates=list(HISTORY), learners="linear")
    alike = survey[(chances.propensity > LEAST) & (chances.propensity < MOST)]
    learnt = double_ml(alike, **MODEL, repetitions=REPETITIONS, level=level, unit=UNIT)
    weights = entropy_balance(survey, treated=TREATED, covariates=list(HISTORY)).weights
    effects = {
        "lot": _difference(by_lot, [], level), "plain": _difference(survey, [], level),
        "growth": _growth(survey, level), "history": _difference(survey, list(HISTORY), level, weights),
        "learnt": learnt.estimate,
    }  # fmt: skip
    is_treated = survey[TREATED].to_numpy() == 1
    n = {
        "programme": int(is_treated.sum()), "lot": int((by_lot[TREATED] == 0).sum()),
        "others": int((~is_treated).sum()), "alike": learnt.n_untreated, "compared": learnt.n_treated,
    }  # fmt: skip
    balance = _balance(survey, is_treated, weights)
    spread = float(alike[OUTCOME].std())
    return WithoutLot(effects, learnt, chances, is_treated, balance, n, spread, _refused(survey, level), level)


def _people() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Applicants of the programme, taken or left out by lot; and those taken beside the people of the survey."""
    from causaldata import cps_mixtape, nsw_mixtape  # data of some megabytes

    columns = [TREATED, OUTCOME, *HISTORY]
    by_lot, survey = (package.load_pandas().data[columns].astype(float) for package in (nsw_mixtape, cps_mixtape))
    taken = by_lot[by_lot[TREATED] == 1]
    return by_lot, pd.concat([taken, survey], ignore_index=True)


def _difference(
    frame: pd.DataFrame, covariates: list[str], level: float, weights: np.ndarray | None = None
) -> Estimate:
    """The difference of means, or of what covariates leave of them."""
    weights = np.ones(len(frame)) if weights is None else weights
    return adjusted_difference(
        frame, outcomes=[OUTCOME], treated=TREATED, covariates=covariates, weights=weights, level=level, unit=UNIT,
    ).effects[OUTCOME]  # fmt: skip


def _growth(frame: pd.DataFrame, level: float) -> Estimate:
    found = proportional_difference(
        frame, outcomes={OUTCOME: "re75"}, treated=TREATED, total="total", level=level, unit=UNIT
    )
    return found.effects[OUTCOME]


def _balance(frame: pd.DataFrame, is_treated: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """Means of the programme, of the others, and of the others once weighted."""
    values = frame[list(HISTORY)].to_numpy(float)
    own, others = values[is_treated].mean(axis=0), values[~is_treated].mean(axis=0)
    weighted = np.average(values[~is_treated], axis=0, weights=weights[~is_treated])
    return pd.DataFrame({"quantity": HISTORY.values(), "programme": own, "others": others, "weighted": weighted})


def _refused(frame: pd.DataFrame, level: float) -> str:
    """Why it cannot be said what the programme would do for everybody in the survey; empty if it can."""
    try:
        double_ml(frame, **MODEL, target="all", learners="linear", repetitions=1, level=level, unit=UNIT)
    except NotEnoughData as lack:
        return str(lack)
    return ""
