"""What to believe of an effect, given past ones: chance to be best, expected loss, winner's curse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm
from statsmodels.stats.meta_analysis import combine_effects

from analysis_lib.experiments.effects import normal
from analysis_lib.results import Estimate, Result, format_percent

#: Fewest past effects from which a prior is learned; with fewer, a cautious one is assumed.
FEWEST_PAST = 5

#: Spread of relative effects that is assumed where too few are known: most tests move a metric by a few percent.
ASSUMED_SPREAD = 0.03

#: Draws of the chance to be best among several arms.
DRAWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Prior(Result):
    """Relative effects before a test is read.

    Attributes
    ----------
    mean, spread : float
        Of a normal distribution of true relative effects.
    n_past : int
        Tests it was learned from; 0: assumed.
    """

    mean: float
    spread: float
    n_past: int

    @property
    def text(self) -> str:
        """Where the prior comes from."""
        around = f"around {format_percent(self.mean)}, give or take {format_percent(self.spread)}"
        if not self.n_past:
            return f"Effects are assumed to lie {around}: too few tests are known to learn from."
        return f"The {self.n_past} other tests had effects {around}."


@dataclass(frozen=True, slots=True, eq=False)
class Belief(Result):
    """What is believed of one arm after the test.

    Attributes
    ----------
    effect : Estimate
        Relative effect: the estimate drawn to the prior.
    chance_better : float
        Probability that the arm is better than control.
    chance_best : float
        Probability that it is the best of all arms, control included.
    expected_loss : float
        Relative loss to be expected from shipping it: what it costs on average in the cases in which it is worse.
    """

    effect: Estimate
    chance_better: float
    chance_best: float
    expected_loss: float

    @property
    def text(self) -> str:
        """The three numbers."""
        return (
            f"Given what such tests have found, the effect is {self.effect.short}; the arm is better than control with"
            f" probability {format_percent(self.chance_better, 0)}, and shipping it would cost"
            f" {format_percent(self.expected_loss, 2)} on average if it is not."
        )


def learn_prior(effects: Sequence[Estimate]) -> Prior:
    """A prior from the relative effects of other tests: their mean and spread, sampling error taken out.

    The mean is drawn to zero where it is uncertain itself, so that a handful of lucky tests does not make the next one
    look good.

    References
    ----------
    Deng (2015), "Objective Bayesian two sample hypothesis testing for online controlled experiments", WWW; Azevedo,
    Deng, Montiel Olea, Rao and Weyl (2020), "A/B testing with fat tails", JPE 128(12), for why effects are learned from
    past ones.
    """
    known = [one for one in effects if np.isfinite(one.value) and one.se > 0]
    if len(known) < FEWEST_PAST:
        return Prior(0.0, ASSUMED_SPREAD, 0)
    value, variance = np.array([one.value for one in known]), np.array([one.se**2 for one in known])
    spread2 = max(float(combine_effects(value, variance, method_re="iterated").tau2), (ASSUMED_SPREAD / 10) ** 2)
    weights = 1 / (variance + spread2)
    mean, error2 = float(weights @ value / weights.sum()), float(1 / weights.sum())
    return Prior(mean * spread2 / (spread2 + error2), float(np.sqrt(spread2)), len(known))


def corrected(estimate: Estimate, prior: Prior) -> Estimate:
    """An estimate drawn to the prior: what is left of it once luck is taken out (the winner's curse)."""
    own = prior.spread**2 / (prior.spread**2 + estimate.se**2)
    value, se = prior.mean + own * (estimate.value - prior.mean), float(np.sqrt(own)) * estimate.se
    method = f"{estimate.method}; drawn to the prior"
    return normal(replace(estimate, value=value, se=se, method=method), estimate.level)


def believe(effects: Mapping[str, Estimate], prior: Prior, *, shared: float = 0.0) -> dict[str, Belief]:
    """Beliefs about every arm of one test.

    Parameters
    ----------
    effects : mapping of str to Estimate
        Relative effects by arm, in the direction that is better.
    shared : float
        Variance that all effects share, because all are against the same control.

    References
    ----------
    Stucchio (2015), "Bayesian A/B testing at VWO", for the expected loss.
    """
    after = {arm: corrected(effect, prior) for arm, effect in effects.items()}
    best = _chance_best(list(effects.values()), prior, shared)
    found = {}
    for place, (arm, one) in enumerate(after.items()):
        z = one.value / one.se
        loss = one.se * (norm.pdf(z) - z * norm.sf(z))
        found[arm] = Belief(one, float(norm.cdf(z)), float(best[place]), float(loss))
    return found


def _chance_best(effects: list[Estimate], prior: Prior, shared: float) -> np.ndarray:
    """Probability of each arm to be the best, control (0) included: from draws of all arms together."""
    n = len(effects)
    own = np.array([one.se**2 for one in effects])
    noise = np.diag(own) + min(shared, 0.99 * own.min()) * (1 - np.eye(n))
    spread = prior.spread**2 * np.eye(n)
    gain = spread @ np.linalg.inv(spread + noise)
    mean = prior.mean + gain @ (np.array([one.value for one in effects]) - prior.mean)
    draws = np.random.default_rng(0).multivariate_normal(mean, spread - gain @ spread, DRAWS)
    wins = (draws.argmax(axis=1)[:, None] == np.arange(n)) & (draws.max(axis=1) > 0)[:, None]
    return wins.mean(axis=0)
