"""``experiments.programme``: every test of a source, read as on its own page, and put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import InvalidValue, ShopbookError, unknown
from analysis_lib.experiments import readout_text
from analysis_lib.experiments.arm_views import deciding, losers_of, sign_of, title, views, winner_of
from analysis_lib.experiments.belief import ASSUMED_SPREAD, corrected, learn_prior
from analysis_lib.experiments.effects import normal
from analysis_lib.experiments.programme_result import NOT_READ, NOT_STARTED, STILL_RUNNING, Line, Programme
from analysis_lib.experiments.reading import read
from analysis_lib.experiments.readout import Readout
from analysis_lib.experiments.trial import Trial, find_trial
from analysis_lib.metrics.asking import instant
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Spreads of true relative effects that are weighed against each other, evenly on the scale of logarithms.
SPREADS = np.geomspace(ASSUMED_SPREAD / 10, ASSUMED_SPREAD * 10, 61)


def programme(
    warehouse: Warehouse,
    *,
    experiments: Iterable[str] | str = (),
    as_of: datetime | str | None = None,
    level: float = 0.95,
) -> Programme:
    """Read every test of a source, and say what all of them brought.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    experiments : iterable of str, optional
        Some of its experiments; by default all.
    as_of : datetime or ISO text, optional
        UTC: as it stood then.
    level : float
        Level of all intervals of this page; each verdict stands on the level of its own plan.

    Returns
    -------
    Programme
        ``.decision``, ``.text``, ``.to_frame()``, ``.exhibit(name)``, ``.plot()``.

    Raises
    ------
    UnknownName
        An experiment that does not exist; the message names the nearest.
    InvalidValue
        A level that is no share, or a time that is none.
    ContractError
        The source has no table of experiments.

    Notes
    -----
    A test that cannot be read is a line that says why.

    Examples
    --------
    >>> found = experiments.programme(wh)  # doctest: +SKIP
    >>> found.impact().text  # doctest: +SKIP
    '$41 k (12 to 70), 95 % interval'
    """
    moment = instant(as_of)
    if not 0.5 <= level < 1:
        raise InvalidValue(f"level={level}: a share from 0.5 to below 1 is needed, for example 0.95.")
    known = [str(name) for name in warehouse.values("experiments", "experiment_id")]
    asked = list(dict.fromkeys((experiments,) if isinstance(experiments, str) else experiments)) or known
    for name in asked:
        if name not in known:
            raise unknown("experiment", name, known, f"the experiments of source '{warehouse.name}'")
    lines, ends = [], []
    for name in asked:
        line, end = _read(warehouse, name, moment, level)
        lines.append(line)
        ends += [end] if end is not None else []
    return put_together(lines, level=level, data_end=max(ends, default=None))


def _read(warehouse: Warehouse, name: str, moment: datetime | None, level: float) -> tuple[Line, date | None]:
    """One test as a line, and the day its data end."""
    trial: Trial | None = None
    try:
        trial = find_trial(warehouse, name)
        if moment is not None and trial.starts_at > moment:
            return _without(name, trial, NOT_STARTED, "it had not started"), None
        one = read(warehouse, name, as_of=moment)
        return line_of(one, level), one.evidence.data_end
    except ShopbookError as error:
        # The page of the test itself says the same; here it must not hide the other tests.
        return _without(name, trial, NOT_READ, str(error)), None


def _without(name: str, trial: Trial | None, outcome: str, why: str) -> Line:
    starts = None if trial is None else trial.starts_at.date()
    said = name if trial is None else trial.name
    return Line(name, said, starts, outcome, "", "", None, {}, None, why)


def line_of(one: Readout, level: float) -> Line:
    """A readout as one line: its verdict, the arm that the verdict is about, and what that arm is worth."""
    made, trial = one.decision, one.trial
    arm, sign = _arm(one, made.action), 0.0
    effects: dict[str, Estimate] = {}
    if one.primary in one.evidence.metrics:
        sign = sign_of(one, one.primary)
        arms = [variant for variant in one.plan.treatments if (one.primary, variant) in one.effects]
        found = {variant: deciding(one, one.primary, variant) for variant in arms}
        effects = {v: _at(e, level).scaled(sign) for v, e in found.items() if e.unit == "share" and e.se > 0}
    money = one.worth[arm].per_month if arm in one.worth else None
    return Line(
        experiment_id=trial.experiment_id, name=trial.name, starts_on=trial.starts_at.date(),
        outcome=outcome_of(made.action, is_believed=one.health.passed), variant=arm, metric=title(one, one.primary),
        effect=effects.get(arm), arms=effects, money=None if money is None else _at(money, level), why=made.reason,
    )  # fmt: skip


def outcome_of(action: str, *, is_believed: bool) -> str:
    """What became of a test, from its verdict.

    Examples
    --------
    >>> outcome_of("Ship", is_believed=True), outcome_of("Cannot tell", is_believed=False)
    ('won', 'not believed')
    """
    if not is_believed:
        return "not believed"
    names = {"Ship": "won", "Roll back": "rolled back", "Hold": "held", "Keep running": STILL_RUNNING}
    return names.get(action, "told nothing")


def _arm(one: Readout, action: str) -> str:
    """The arm that the verdict is about."""
    harm = one.looks.first("harmed")
    if action == "Roll back" and one.is_early and harm is not None:
        return str(harm["variant"])
    seen = views(one)
    winner, losers = winner_of(seen), losers_of(seen)
    if action == "Ship" and winner is not None:
        return winner.variant
    if action == "Roll back" and losers:
        return losers[0].variant
    return readout_text.best(one)


def _at(estimate: Estimate, level: float) -> Estimate:
    return estimate if abs(estimate.level - level) < 1e-9 else normal(estimate, level)


def put_together(lines: Sequence[Line], *, level: float = 0.95, data_end: date | None = None) -> Programme:
    """A programme from its lines: each effect drawn to what the other tests found, and its money with it.

    Parameters
    ----------
    lines : sequence of Line
        One for each test.
    level : float
        Of all intervals.
    data_end : date, optional
        Last day that was read.

    Notes
    -----
    The prior of a test is learned from the effects of all arms of the other tests that are over and can be believed.
    With fewer than ``belief.FEWEST_PAST`` of them it is assumed.

    Money is drawn by the same factor as the relative effect. That takes the luck out in full where the money of a test
    is lucky as far as its effect is, and somewhat too much where the two have less of their luck in common. What is not
    known of the prior is shared by all tests, and left out of sums: over many winners they are somewhat too narrow.
    """
    ordered = sorted(lines, key=lambda line: (line.starts_on or date.max, line.experiment_id))
    priors, effects, money = {}, {}, {}
    for line in ordered:
        if line.effect is None:
            continue
        others = [one for other in ordered if other is not line and other.is_finished for one in other.arms.values()]
        prior = priors[line.experiment_id] = learn_prior(others)
        after = corrected(line.effect, prior) if not prior.n_past else drawn_to(line.effect, others)
        after = effects[line.experiment_id] = normal(after, level)
        if line.money is not None:
            money[line.experiment_id] = drawn(line.money, line.effect, after, level)
    return Programme(tuple(ordered), level, data_end, priors, effects, money)


def drawn_to(effect: Estimate, others: Sequence[Estimate]) -> Estimate:
    """An effect drawn to what other tests found, with what they leave open about the prior.

    True effects are normal around a mean, with a spread; the mean is normal around nothing with the same spread, the
    spread half-Cauchy. A dozen tests leave much open about both, and a single best guess of them gives intervals that
    are far too narrow.

    References
    ----------
    Gelman (2006), "Prior distributions for variance parameters in hierarchical models", Bayesian Analysis 1(3).
    """
    known = [one for one in others if np.isfinite(one.value) and one.se > 0]
    seen = np.array([one.value for one in known])[:, None]
    spread2, own2 = SPREADS**2, effect.se**2
    total = np.array([one.se**2 for one in known])[:, None] + spread2
    open_ = 1 / (1 / spread2 + (1 / total).sum(axis=0))
    mean = open_ * (seen / total).sum(axis=0)
    ahead = open_ + spread2  # variance of the next true effect, at each spread
    chance = 0.5 * (np.log(open_ / spread2) + mean**2 / open_ - (np.log(total) + seen**2 / total).sum(axis=0))
    chance -= 0.5 * (np.log(ahead + own2) + (effect.value - mean) ** 2 / (ahead + own2))
    chance += np.log(SPREADS) - np.log1p((SPREADS / ASSUMED_SPREAD) ** 2)
    weights = np.exp(chance - chance.max())
    weights /= weights.sum()
    keep = ahead / (ahead + own2)
    at = mean + keep * (effect.value - mean)
    value = float(weights @ at)
    se = float(np.sqrt(weights @ (keep * own2 + (at - value) ** 2)))
    made = replace(effect, value=value, se=se, method=f"{effect.method}; drawn to the other tests")
    return normal(made, effect.level)


def drawn(money: Estimate, effect: Estimate, after: Estimate, level: float) -> Estimate:
    """Money drawn by the same factor as the relative effect it came with.

    An effect that cannot be told from nothing gives no factor; there, the weight of the test against the prior does.
    """
    weight = after.se / effect.se
    factor = after.value / effect.value if effect.excludes_zero else min(1.0, weight**2)
    method = f"{money.method}; drawn as its effect"
    return normal(replace(money, value=money.value * factor, se=money.se * weight, method=method), level)
