"""The front door to grades: run a method where the truth is known, and say how it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.calibration import (
    country_panels,
    explanations,
    interferences,
    launched_markets,
    lone_markets,
    many_deals,
    own_series,
    readouts,
    reviews,
    rollouts,
    trade_flows,
)
from analysis_lib.calibration.grades import Grade, code_version
from analysis_lib.calibration.scoring import Wanted, score
from analysis_lib.config import LEVEL
from analysis_lib.errors import InvalidValue, unknown

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Grader:
    """How one method is graded.

    Attributes
    ----------
    title : str
        What it is called.
    how : str
        What is drawn, and what the truth is.
    simulate : callable
        ``simulate(worlds, draws, seed, progress)`` gives draws.
    wanted : tuple of Wanted
        What the grades should be.
    worlds, draws : int
        Defaults of the stored grades.
    entries : tuple of str
        Modules that the method begins in.
    """

    title: str
    how: str
    simulate: Callable[[int, int, int, Progress], pd.DataFrame]
    wanted: tuple[Wanted, ...]
    worlds: int
    draws: int
    entries: tuple[str, ...]


def _of_each(scenarios: Iterable[str], bias: tuple[str, float] | None = None) -> tuple[Wanted, ...]:
    """What is wanted where one market is told from few others: that intervals rather cover too often, in each scenario.

    Parameters
    ----------
    scenarios : iterable of str
        Scenarios, each with the same wishes.
    bias : tuple, optional
        A measure of bias, and how large it may be either way.
    """
    found: list[Wanted] = []
    for scenario in scenarios:
        found += [Wanted("coverage", 0.93, 1.0, scenario), Wanted("false_positive", 0.0, 0.07, scenario)]
        if bias is not None:
            found.append(Wanted(bias[0], -bias[1], bias[1], scenario))
    return tuple(found)


GRADERS = {
    "metrics.explain": Grader(
        title="Why a metric changed",
        how=explanations.HOW.format(n=explanations.ONE_OF),
        simulate=explanations.simulate,
        wanted=(Wanted("coverage", 0.93, 0.97), Wanted("false_positive", 0.0, 0.06)),
        worlds=12,
        draws=40,
        entries=("metrics.explaining",),
    ),
    "metrics.moments": Grader(
        title="Metrics of arms that differ by chance alone",
        how=many_deals.HOW,
        simulate=many_deals.simulate,
        wanted=(Wanted("coverage", 0.93, 0.97), Wanted("false_positive", 0.04, 0.06)),
        worlds=1,
        draws=2000,
        entries=("metrics.measuring", "experiments.arms", "experiments.effects"),
    ),
    "experiments.read": Grader(
        title="What an experiment did",
        how=readouts.HOW,
        simulate=readouts.simulate,
        wanted=(
            Wanted("coverage", 0.93, 0.97, "without effect"),
            Wanted("false_positive", 0.04, 0.06, "without effect"),
            Wanted("false_positive", 0.0, 0.05, "every look"),
            Wanted("coverage", 0.93, 0.97, "verdicts, the book's size"),
            Wanted("coverage", 0.93, 0.97, "verdicts, all together"),
            Wanted("right", 0.9, 1.0, "verdicts, the book's size"),
            Wanted("right", 0.9, 1.0, "verdicts, all together"),
        ),
        worlds=4,
        draws=500,
        entries=("experiments.judging",),
    ),
    "experiments.interference": Grader(
        title="What a feature brings where arms take from each other",
        how=interferences.HOW,
        simulate=interferences.simulate,
        wanted=(
            Wanted("coverage", 0.93, 0.97, "both sides, alike"),
            Wanted("coverage", 0.93, 0.97, "both sides, unlike"),
            Wanted("coverage", 0.93, 0.97, "split budget"),
            # A fifth of the bias of the ordinary tests where it is smallest, with as many visits as offers.
            Wanted("rel_bias", -0.047, 0.047, "both sides, alike"),
            Wanted("rel_bias", -0.047, 0.047, "both sides, unlike"),
        ),
        worlds=1,
        draws=100,
        entries=("experiments.interfering",),
    ),
    "causal.one_treated": Grader(
        title="What a campaign in one market brought",
        how=lone_markets.HOW,
        simulate=lone_markets.simulate,
        wanted=_of_each(f"{scenario}, {n} donors" for scenario in lone_markets.WORLDS for n in lone_markets.DONORS),
        worlds=1,
        draws=500,
        entries=("causal.one_treated",),
    ),
    "causal.interrupted_series": Grader(
        title="What a campaign brought, told from the market's own past alone",
        how=own_series.HOW,
        simulate=own_series.simulate,
        wanted=_of_each(own_series.WORLDS, ("bias", 0.01)),
        worlds=1,
        draws=200,
        entries=("causal.interrupted_series",),
    ),
    "countries.factors": Grader(
        title="What a metric goes with, market by market",
        how=country_panels.HOW,
        simulate=country_panels.simulate,
        wanted=tuple(
            one
            for scenario in country_panels.WORLDS
            for one in (Wanted("coverage", 0.93, 0.97, scenario), Wanted("right", 0.95, 1.0, scenario))
        ),
        worlds=1,
        draws=200,
        entries=("countries.factors",),
    ),
    "releases.assess": Grader(
        title="What a version of the app did",
        how=rollouts.HOW,
        simulate=rollouts.simulate,
        wanted=(
            Wanted("coverage", 0.93, 0.97),
            Wanted("rel_bias", -0.10, 0.10),
            Wanted("false_positive", 0.0, 0.06, "placebo"),
            Wanted("right", 0.9, 1.0),
        ),
        worlds=8,
        draws=25,
        entries=("releases.assessing",),
    ),
    "launches.review": Grader(
        title="What a launch did, market by market",
        how=launched_markets.HOW,
        simulate=launched_markets.simulate,
        wanted=_of_each(launched_markets.KINDS, ("rel_bias", 0.10)),
        worlds=1,
        draws=200,
        # What is drawn is what it estimates with; how weeks are made of days is tested, not graded.
        entries=("causal.rollout",),
    ),
    "countries.gravity": Grader(
        title="What borders, currencies and delivery do to trade",
        how=trade_flows.HOW,
        simulate=trade_flows.simulate,
        wanted=tuple(
            wish
            for scenario in trade_flows.KINDS
            for wish in (Wanted("coverage", 0.92, 1.0, scenario), Wanted("false_positive", 0.0, 0.08, scenario))
        ),
        worlds=1,
        draws=85,
        # What is drawn is the panel; how flows are counted is tested, not graded.
        entries=("countries.gravity_fit",),
    ),
    "campaigns.review": Grader(
        title="What a campaign brought",
        how=reviews.HOW,
        simulate=reviews.simulate,
        wanted=(
            Wanted("rel_bias", -0.10, 0.10),
            Wanted("coverage", 0.93, 0.98),
            Wanted("false_positive", 0.0, 0.06),
            Wanted("right", 0.93, 1.0, "other markets beside the lot, with effects"),
            Wanted("right", 0.93, 1.0, "other markets beside the lot, without any effect"),
            Wanted("right", 0.94, 1.0, "windows without a campaign"),
            Wanted("right", 0.93, 1.0, "windows without a campaign, Complete Journey"),
        ),
        worlds=4,
        draws=5,
        entries=("campaigns.lot_effect", "campaigns.picked_effect", "campaigns.observed"),
    ),
}


def grade(
    name: str, *, worlds: int | None = None, draws: int | None = None, seed: int = 1, progress: Progress | None = None
) -> Grade:
    """Grade a method: many draws in which the truth is known.

    Parameters
    ----------
    name : str
        The method, as it is called: ``"campaigns.review"``.
    worlds, draws : int, optional
        Worlds (or partitions of users), and draws in each; by default as many as the stored grade has.
    seed : int
        Seed of the first world; the others follow.
    progress : callable, optional
        Called with a few words as each part is begun.

    Returns
    -------
    Grade
        Bias, coverage, false alarms, power, width and refusals, each with its Monte Carlo error.

    Raises
    ------
    UnknownName
        No such method is graded; the message names the nearest.
    InvalidValue
        Fewer than one world or draw.

    Examples
    --------
    >>> calibration.grade("metrics.explain", worlds=2, draws=10).text  # doctest: +SKIP
    """
    if name not in GRADERS:
        raise unknown("method", str(name), GRADERS, "the graded methods")
    grader = GRADERS[name]
    worlds, draws = grader.worlds if worlds is None else worlds, grader.draws if draws is None else draws
    for word, number in (("worlds", worlds), ("draws", draws), ("seed", seed)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InvalidValue(f"{word} must be a whole number from 1, not {number!r}.")
    # The code as it is now: somebody may be editing while the draws run.
    begun, code = time.monotonic(), code_version(grader.entries)
    found = grader.simulate(worlds, draws, seed, progress or (lambda _: None))
    return Grade(
        name=name, title=grader.title, how=grader.how, table=score(found, level=LEVEL), wanted=grader.wanted,
        level=LEVEL, worlds=worlds, draws=len(found), seed=seed, seconds=time.monotonic() - begun,
        graded_on=date.today().isoformat(), code=code, entries=grader.entries,
    )  # fmt: skip
