"""The grade of ``countries.factors``: a dozen markets over two years, whose coefficients are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, RIGHT, draw_of
from analysis_lib.countries.factors import averaged, joint
from analysis_lib.countries.factors_text import named
from analysis_lib.countries.market_panel import MarketPanel, panel_of

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "12 markets over 24 months. Six factors wander in each market by themselves, and with all markets together; three"
    " of them move the logarithm of the metric, or none does. A month's noise is independent, or goes with that of the"
    " market's month before (correlation 0.6), or is three times as large in two markets. Coverage is that of the joint"
    " regression; where no factor does anything, a search is right if it names none. For averaging over models each"
    " factor belongs with a chance of one half, with an effect of anything: of those that were said to belong with a"
    " certain probability, so many did."
)


@dataclass(frozen=True, slots=True)
class PanelWorld:
    """How months of markets differ from what factors make of them.

    Attributes
    ----------
    noise : float
        Standard deviation of a month, log points.
    persistence : float
        Correlation of a month with the one before.
    uneven : float
        How many times as noisy two of the markets are.
    """

    noise: float = 0.04
    persistence: float = 0.0
    uneven: float = 1.0


WORLDS = {
    "independent months": PanelWorld(),
    "months that go together": PanelWorld(persistence=0.6),
    "two noisy markets": PanelWorld(uneven=3.0),
}

N_MARKETS, N_MONTHS, N_FACTORS = 12, 24, 6

#: Effects of one standard deviation of a factor's own movement, log points.
PLANTED = np.array([0.03, -0.02, 0.01, 0.0, 0.0, 0.0])

#: Edges between probabilities of belonging.
EDGES = (0.0, 0.1, 0.5, 0.9, 1.0)

NAMES = [f"factor_{number + 1}" for number in range(N_FACTORS)]


def panel(world: PanelWorld, effects: np.ndarray, rng: np.random.Generator) -> MarketPanel:
    """One draw."""
    import pandas as pd

    shape = (N_MARKETS, N_MONTHS)
    factors = np.stack([0.7 * _wander(rng, shape, 0.5) + 0.7 * _wander(rng, (1, N_MONTHS), 0.8) for _ in NAMES])
    scale = np.where(np.arange(N_MARKETS) < 2, world.uneven, 1.0)[:, None] * world.noise
    noise = _wander(rng, shape, world.persistence) * scale
    level = rng.normal(0, 0.5, (N_MARKETS, 1)) + rng.normal(0, 0.1, (1, N_MONTHS))
    outcome = level + np.einsum("k,kmt->mt", effects, factors) + noise
    months = pd.date_range("2024-11-01", periods=N_MONTHS, freq="MS")
    frame = pd.DataFrame(
        {
            "country": np.repeat([f"M{number:02d}" for number in range(N_MARKETS)], N_MONTHS),
            "month": np.tile(months, N_MARKETS), "outcome": np.exp(outcome).ravel(),
            **{name: factors[place].ravel() for place, name in enumerate(NAMES)},
        }
    )  # fmt: skip
    return panel_of(frame, dict.fromkeys(NAMES, "share"), None, {}, 0)


def _wander(rng: np.random.Generator, shape: tuple[int, int], persistence: float) -> np.ndarray:
    """Paths with a standard deviation of 1."""
    steps = rng.normal(size=shape) * np.sqrt(1 - persistence**2)
    path = np.empty(shape)
    path[:, 0] = rng.normal(size=shape[0])
    for place in range(1, shape[1]):
        path[:, place] = persistence * path[:, place - 1] + steps[:, place]
    return path


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Panels of every kind.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Panels of each kind with effects, without, and with effects drawn, in a round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[dict] = []
    for number in range(seed, seed + worlds):
        for scenario, world in WORLDS.items():
            progress(f"round {number - seed + 1} of {worlds}: {scenario}")
            for place in range(draws):
                rng = np.random.default_rng([number, place, list(WORLDS).index(scenario)])
                rows += _of_draw(scenario, world, f"{number}-{place}", rng)
    return pd.DataFrame(rows, columns=[*DRAWS, RIGHT])


def _of_draw(scenario: str, world: PanelWorld, name: str, rng: np.random.Generator) -> Iterator[dict]:
    found = joint(panel(world, PLANTED, rng), config.LEVEL)
    for term, truth in zip(NAMES, PLANTED, strict=True):
        yield dict(zip(DRAWS, draw_of(scenario, term, name, found.fit_of(term), float(truth)), strict=True))
    nothing = joint(panel(world, np.zeros(N_FACTORS), rng), config.LEVEL)
    yield _judged(scenario, "names nothing where nothing is", name, not named(nothing, config.LEVEL))
    # Over a prior of its own: whether the probability of belonging is what it says.
    belongs = rng.random(N_FACTORS) < 0.5
    effects = np.where(belongs, rng.normal(0, 0.03, N_FACTORS), 0.0)
    mixed = panel(world, effects, rng)
    chances = averaged(mixed, joint(mixed, config.LEVEL)).inclusion
    for term, truth in zip(NAMES, belongs, strict=True):
        place = min(int(np.searchsorted(EDGES, chances[term], side="right")) - 1, len(EDGES) - 2)
        low, high = (f"{100 * EDGES[one]:.0f}" for one in (place, place + 1))
        yield _judged(COMPARISON, f"{scenario}: belongs with {low} to {high} %", name, bool(truth))


def _judged(scenario: str, quantity: str, name: str, right: bool) -> dict:
    missing = dict.fromkeys(("estimate", "ci_lower", "ci_upper", "truth"), float("nan"))
    return {
        "scenario": scenario, "quantity": quantity, "world": name, **missing, "refused": False, RIGHT: float(right),
    }  # fmt: skip
