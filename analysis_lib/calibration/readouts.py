"""The grade of ``experiments.read``: users of simulated marketplaces, their variants dealt out thousands of times."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config, world
from analysis_lib.calibration.crowds import Crowd, crowd_of, deal, together
from analysis_lib.calibration.redealing import Dealt, evidence_of
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, RIGHT
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.experiments.belief import ASSUMED_SPREAD, Prior
from analysis_lib.experiments.effects import effect_of
from analysis_lib.experiments.judging import judge
from analysis_lib.experiments.looking import evaluate
from analysis_lib.experiments.plan import Plan, load_plan
from analysis_lib.metrics import Registry, load_metrics
from analysis_lib.world.potential import potential_outcomes

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.readout import Readout

HOW = (
    "Marketplaces of the book's size are built from different seeds. Of the users of each experiment it is known what"
    " they would do under either variant, so that the variants can be dealt out anew as often as one likes, and the"
    " truth is the same for every deal. Without effect: both arms get the same page. Every look: the test is looked at"
    " each day. Verdicts: the printed rule is asked what to do, at the book's size and with the users of all these"
    " marketplaces together."
)

#: The test in which both arms get the same page.
NOTHING = "aa_home"

#: Metrics of every kind that are measured where nothing differs.
KINDS = {
    "views_per_user": "a count per user", "orders_per_user": "a rare count per user",
    "gmv_per_user": "money per user, few large", "aov": "a ratio, money per order",
    "checkout_rate": "a ratio, a rate of events", "crash_free_rate": "a rate close to one",
    "ordered": "a share of users",
}  # fmt: skip

#: Size of the crowd of all marketplaces.
TOGETHER = "all together"

#: Share of treated units on old devices that are lost, and share of such devices, as planted in ``video_autoplay``.
LOST, OLD = 0.35, 0.2

#: Levels of the ways to look every day.
_LOOKED = {
    "ordinary interval, looked at daily": "reach_fixed", "group-sequential": "reach_group",
    "confidence sequence": "reach_sequence", "harm only": "bound_harm",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """An experiment whose verdict is known to be right or wrong.

    Attributes
    ----------
    experiment : str
        One of the world.
    says : str
        What is right, in words.
    right : callable
        Whether a readout is.
    loses : bool
        Whether treated units on old devices are lost.
    """

    experiment: str
    says: str
    right: Callable[[Readout], bool]
    loses: bool = False


CASES = (
    Case("full_screen_offers", "harmful: rolled back", lambda one: one.decision.action == "Roll back"),
    Case("daily_spin", "wears off: not shipped", lambda one: one.decision.action not in ("Ship", "Roll back")),
    Case("reviews_first", "good here, bad there: held, markets named", lambda one: _is_split(one)),
    Case("video_autoplay", "units lost in one arm: no verdict", lambda one: not one.health.passed, loses=True),
    Case("faster_search", "ramped: nothing wrong with the shares", lambda one: one.health.passed),
    Case(NOTHING, "no effect: neither shipped nor rolled back", lambda one: one.decision.action not in _ACTED),
)

_ACTED = ("Ship", "Roll back")


def _is_split(one: Readout) -> bool:
    return one.decision.action == "Hold" and "Not the same for everybody" in one.decision.reason


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Deals of every kind.

    Parameters
    ----------
    worlds : int
        Marketplaces, each from its own seed.
    draws : int
        Deals of each in which nothing differs; a verdict is asked for in a tenth of them.
    seed : int
        Of the first.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    registry, rows = load_metrics(config.project()), []
    crowds: dict[str, list[Crowd]] = {case.experiment: [] for case in CASES}
    for number in range(seed, seed + worlds):
        progress(f"marketplace {number - seed + 1} of {worlds}")
        built = _crowds(number)
        for name, crowd in built.items():
            crowds[name].append(crowd)
        with _quick():
            rows += _one_world(built, number, draws, registry, progress)
    with _quick():
        for case in CASES:
            progress(f"{case.experiment}, all marketplaces together")
            rows += _verdicts(case, together(crowds[case.experiment]), TOGETHER, seed, max(1, draws // 10), registry)
    return pd.DataFrame(rows, columns=[*DRAWS, RIGHT])


def _one_world(
    built: dict[str, Crowd], number: int, draws: int, registry: Registry, progress: Callable[[str], None]
) -> list[tuple]:
    progress("without effect")
    rows = list(_without_effect(built[NOTHING], number, draws))
    progress("every look")
    rows += _every_look(built[NOTHING], number, max(1, draws // 4), registry)
    for case in CASES:
        progress(case.experiment)
        rows += _verdicts(case, built[case.experiment], "the book's size", number, max(1, draws // 10), registry)
    return rows


def _crowds(number: int) -> dict[str, Crowd]:
    """The units of every experiment of a marketplace."""
    with tempfile.TemporaryDirectory() as folder:
        path = world.build(Path(folder) / "world.duckdb", seed=number, scale=1.0)
        return {
            case.experiment: crowd_of(potential_outcomes(path, case.experiment), _wanted(case.experiment))
            for case in CASES
        }


def _wanted(experiment: str) -> set[str]:
    names = set(_plan(experiment).metrics)
    return names | (set(KINDS) - {"ordered"}) if experiment == NOTHING else names


def _plan(experiment: str) -> Plan:
    plan = load_plan(experiment)
    if plan is None:
        raise InvalidValue(f"data/plans holds no plan of '{experiment}', so its verdict cannot be graded.")
    return plan


@contextmanager
def _quick() -> Iterator[None]:
    """What is there already is left out of garbage collections, which a library asks for at every correction."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _without_effect(crowd: Crowd, number: int, draws: int) -> Iterator[tuple]:
    """Every kind of metric, with and without the days before."""
    plan, rng = _plan(NOTHING), np.random.default_rng(number)
    for _ in range(draws):
        dealt = Dealt(crowd, plan, deal(crowd, plan, rng))
        for name, says in KINDS.items():
            values = dealt.ordered() if name == "ordered" else dealt.values(name, crowd.days - 1)
            arms = dealt.arms(values, dealt.by_then(crowd.days - 1))
            for word, pair in (
                ("adjusted", (arms["control"], arms["treatment"])),
                ("plain", (arms["control"].plain(), arms["treatment"].plain())),
            ):
                yield _row("without effect", f"{says}, {word}", number, *_interval(pair), 0.0)


def _interval(pair: tuple) -> tuple[float, float, float]:
    try:
        found = effect_of(*pair, level=config.LEVEL, unit="").rel_effect
    except NotEnoughData:
        return (float("nan"),) * 3
    return found.value, found.ci_lower, found.ci_upper


def _row(scenario: str, quantity: str, number: int, value: float, low: float, high: float, truth: float) -> tuple:
    return scenario, quantity, number, value, low, high, truth, bool(np.isnan(value)), float("nan")


def _every_look(crowd: Crowd, number: int, draws: int, registry: Registry) -> list[tuple]:
    """Whether any look is fooled: z-values in units in which the interval has the width of the way to look."""
    plan, rng, rows = _plan(NOTHING).model_copy(update={"look_days": 1}), np.random.default_rng(number), []
    name = plan.success[0]
    days = [(1 + k) for k in range(crowd.days)]
    for _ in range(draws):
        dealt = Dealt(crowd, plan, deal(crowd, plan, rng))
        looks = {name: dealt.looks(name, dealt.dates(days))}
        frame = evaluate(looks, plan, {name: registry.get(name)}, growth=1.0).frame
        for says, column in _LOOKED.items():
            share = (frame["z"] if column != "bound_harm" else frame["z"].clip(upper=0)) / frame[column]
            worst = share.iloc[int(share.abs().to_numpy().argmax())]
            scenario = COMPARISON if column == "reach_fixed" else "every look"
            rows.append(_row(scenario, says, number, worst, worst - 1, worst + 1, 0.0))
    return rows


def _verdicts(
    case: Case, crowd: Crowd, size: str, number: int, draws: int, registry: Registry
) -> list[tuple]:  # fmt: skip
    """Verdicts of the printed rule, and the interval of the metric that decides."""
    plan, rng, rows = _plan(case.experiment), np.random.default_rng(1000 + number), []
    name, variant = plan.success[0], plan.treatments[0]
    truth, scenario = crowd.truth(name, variant), f"verdicts, {size}"
    prior = Prior(0.0, ASSUMED_SPREAD, 0)
    old = np.random.default_rng(number).random(len(crowd.exposed)) < OLD
    for place in range(draws):
        dealt, own = deal(crowd, plan, rng), crowd
        # Of one crowd, deals are what Monte Carlo error comes from.
        world = place if size == TOGETHER else number
        if case.loses:
            kept = ~(old & (dealt != plan.control) & (rng.random(len(dealt)) < LOST))
            dealt, own = dealt[kept], crowd.of(kept)
        one = judge(evidence_of(own, plan, dealt, registry), level=plan.level, prior=prior, is_planned=True)
        nothing = (float("nan"),) * 4
        rows.append((scenario, case.says, world, *nothing, False, float(case.right(one))))
        if not case.loses:
            found = one.effects[name, variant].rel_effect
            says = f"effect of {plan.title.lower() or case.experiment}"
            rows.append(_row(scenario, says, world, found.value, found.ci_lower, found.ci_upper, truth))
    return rows
