"""The grade of ``launches.review``: something that goes live wave by wave in a dozen simulated markets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, draw_of
from analysis_lib.causal import RolloutEffect, rollout
from analysis_lib.errors import NotEnoughData
from analysis_lib.launches.effect import relative
from analysis_lib.markets.rollout_panels import WAVES, Rolled, rolled_markets
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "A metric of 12 markets by week, in which something goes live in waves of two; markets differ in size and so in"
    " noise,"
    " and each has noise of which nine tenths are left a week later. It changes nothing, or by about 8 % once it has"
    " grown"
    " for six weeks, more in some markets than in others. It is read when half of the markets have it, or when all"
    " have;"
    " in another kind it is announced two weeks ahead, which costs 6 % until it is live, and four markets never get it;"
    " in"
    " another the noise that lasts differs threefold between markets and has heavy tails. The truth is the mean over"
    " the"
    " markets read, each market's own effect (one of them a draw), and that of a market still to come. For comparison:"
    " markets with a trend of their own, 3 % a year."
)

#: Weeks after which six of the markets have had it for eight weeks or more.
HALF = 73

GROWS = Rolled(effect=0.08, differs=0.035)

KINDS = {
    "no effect, half live": Rolled(weeks=HALF),
    "no effect, all live": Rolled(),
    "grows, half live": replace(GROWS, weeks=HALF),
    "grows, all live": GROWS,
    "announced, some never": Rolled(
        waves=tuple(week if place < 8 else 1000 for place, week in enumerate(WAVES)), effect=0.05, differs=0.01,
        waiting=-0.06, announced=2, lasting=0.025,
    ),
    "noise unlike, half live": replace(GROWS, weeks=HALF, unlike=0.7, tails=4.0),
}  # fmt: skip

#: What the method does not allow for; shown, and not wanted of it.
DRIFTING = ("trends of their own", replace(GROWS, drift=0.03))

LEARNING = 6


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Launches in every kind of markets.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Launches in each kind of markets in a round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        for place, (scenario, rolled) in enumerate((*KINDS.items(), DRIFTING)):
            progress(f"round {number - seed + 1} of {worlds}: {scenario}")
            for draw in range(draws):
                rng = np.random.default_rng([number, place, draw])
                rows += _launch(scenario, rolled, f"{number}-{draw}", rng)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _launch(scenario: str, rolled: Rolled, name: str, rng: np.random.Generator) -> Iterator[tuple]:
    """Effects of one launch, as relative changes."""
    frame, effects = rolled_markets(rolled, rng)
    found = _read(frame)
    shown, prefix = (COMPARISON, f"{scenario}: ") if scenario == DRIFTING[0] else (scenario, "")
    if found is None:
        yield draw_of(shown, f"{prefix}mean", name, None, float("nan"))
        return
    known = found.units["value"].notna().to_numpy()
    yield draw_of(shown, f"{prefix}mean", name, relative(found.estimate), float(np.expm1(effects[known].mean())))
    for quantity, among in (("one market", known), ("a market to come", ~known)):
        if among.any():
            chosen = int(rng.choice(np.flatnonzero(among)))
            truth = float(np.expm1(effects[chosen]))
            yield draw_of(shown, f"{prefix}{quantity}", name, relative(_of_market(found, chosen)), truth)
    if found.waiting is not None:
        truth = float(np.expm1(rolled.waiting))
        yield draw_of(shown, f"{prefix}announcement", name, relative(found.waiting), truth)


def _read(frame: pd.DataFrame) -> RolloutEffect | None:
    try:
        return rollout(
            frame, outcome="outcome", unit="market", time="week", first_treated="first_live",
            first_affected="first_affected", noise="noise", settled=LEARNING, level=config.LEVEL,
        )  # fmt: skip
    except NotEnoughData:
        return None


def _of_market(found: RolloutEffect, place: int) -> Estimate:
    """What is known of one market."""
    row = found.units.iloc[place]
    return replace(
        found.estimate, value=float(row["shrunk"]), se=float(row["shrunk_se"]),
        ci_lower=float(row["shrunk_ci_lower"]), ci_upper=float(row["shrunk_ci_upper"]),
    )  # fmt: skip
