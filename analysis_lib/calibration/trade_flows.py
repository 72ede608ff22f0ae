"""The grade of ``countries.gravity``: simulated trade of few origins with a dozen markets, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, SHIPPED, draw_of
from analysis_lib.countries.gravity_fit import Coefficients, gravity_fit
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "Sales of origins in markets over 24 months: four origins abroad and merchants at home in 12 markets, or ten"
    " origins that all sell in ten markets. Origins and markets grow and shrink with noise that lasts; so do pairs, and"
    " all that a market buys abroad. What is asked: what a currency's rate (a random walk), days of delivery (which"
    " return to their mean) or an agreement between an origin and a market do to sales, nothing or something; and by"
    " how much merchants at home outsell those abroad. The usual interval, clustered by pair, is shown for comparison"
    " on the same draws."
)

MONTHS = 24

#: What is offered beside: what most programs print.
USUAL = "clustered by pair"

THREE_WAY = ("pair", "origin_month", "destination_month")


@dataclass(frozen=True, slots=True)
class Trade:
    """How simulated trade differs from what is known of it.

    Attributes
    ----------
    kind : str
        ``currency``, ``delivery``, ``agreement`` or ``border``.
    effect : float
        What is there besides nothing.
    origins, markets : int
        How many; the first origin is merchants at home unless the kind is ``agreement``.
    pair_noise, side_noise : float
        Spread of the log of a pair's noise, and of the noise of all that a market buys abroad.
    """

    kind: str
    effect: float
    origins: int = 5
    markets: int = 12
    pair_noise: float = 0.1
    side_noise: float = 0.08


KINDS = {
    "currency, four origins abroad": Trade("currency", 0.5),
    "days of delivery, four origins abroad": Trade("delivery", -0.3),
    "border, four origins abroad": Trade("border", 2.5, side_noise=0.4),
    "agreement, ten origins": Trade("agreement", 0.4, origins=10, markets=10, pair_noise=0.4, side_noise=0.0),
}  # fmt: skip


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Coefficients of every kind of trade.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Panels of each kind, with and without an effect, in a round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        for place, (scenario, trade) in enumerate(KINDS.items()):
            progress(f"round {number - seed + 1} of {worlds}: {scenario}")
            for draw in range(draws):
                for turn, effect in enumerate((0.0, trade.effect)):
                    rng = np.random.default_rng([number, place, draw, turn])
                    rows += _panel(scenario, trade, effect, f"{number}-{draw}-{turn}", rng)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _panel(scenario: str, trade: Trade, effect: float, name: str, rng: np.random.Generator) -> Iterator[tuple]:
    found = _told(trade, traded(trade, effect, rng))
    quantity = "an effect" if effect else "no effect"
    shipped, usual = (None, None) if found is None else (found.values["x"], found.plain["x"])
    yield draw_of(scenario, quantity, name, shipped, effect)
    yield draw_of(COMPARISON, f"{scenario}: {SHIPPED}", name, shipped, effect)
    yield draw_of(COMPARISON, f"{scenario}: {USUAL}", name, usual, effect)


def _told(trade: Trade, frame: pd.DataFrame) -> Coefficients | None:
    border = trade.kind == "border"
    terms = ["x", "log_merchants"] if border else ["x"]
    effects = ["destination_month"] if border else list(THREE_WAY)
    try:
        return gravity_fit(frame, "sales", terms, effects, level=config.LEVEL)
    except NotEnoughData:
        return None


def traded(trade: Trade, effect: float, rng: np.random.Generator) -> pd.DataFrame:
    """Sales of every origin in every market and month.

    Returns
    -------
    DataFrame
        country, pair, origin_month, destination_month, sales, x, log_merchants.
    """
    import pandas as pd

    shape = (trade.origins, trade.markets, MONTHS)
    abroad = np.ones(trade.origins) if trade.kind == "agreement" else (np.arange(trade.origins) > 0).astype(float)
    size, merchants = _sizes(trade, rng)
    x = _moved(trade, abroad, rng)
    noise = lasting(shape, 0.7, trade.pair_noise, rng) - trade.pair_noise**2 / 2
    shared = lasting((1, *shape[1:]), 0.8, trade.side_noise, rng) - trade.side_noise**2 / 2
    log_mean = size + effect * x + noise + abroad[:, None, None] * shared
    log_mean += lasting((1, *shape[1:]), 0.9, 0.3, rng)
    if trade.kind != "border":
        log_mean += lasting((shape[0], 1, MONTHS), 0.9, 0.3, rng)
    # Orders are counted, and each is worth something else.
    sales = rng.poisson(20 * np.exp(log_mean)) * rng.gamma(4, 0.25, shape)
    origin, market, month = (axis.ravel() for axis in np.indices(shape))
    return pd.DataFrame({
        "country": market, "pair": origin * shape[1] + market, "origin_month": origin * MONTHS + month,
        "destination_month": market * MONTHS + month, "sales": sales.ravel(), "x": x.ravel(),
        "log_merchants": np.broadcast_to(merchants, shape).ravel(),
    })  # fmt: skip


def _sizes(trade: Trade, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Log size of pairs, and of the number of merchants behind them."""
    shape = (trade.origins, trade.markets, 1)
    if trade.kind == "border":
        merchants = np.broadcast_to(np.array([0.0, 1.6, -0.4, -0.6, -1.0])[:, None, None], shape).copy()
        merchants[0] += rng.normal(0, 0.8, (trade.markets, 1))
        return merchants, merchants
    if trade.kind == "agreement":
        return rng.normal(0, 1, (trade.origins, 1, 1)) + rng.normal(0, 0.4, shape), np.zeros(shape)
    one = np.array([4.0, 2.0, 0.0, -0.2, 0.2])[: trade.origins, None, None]
    return one + rng.normal(0, 0.4, shape), np.zeros(shape)


def _moved(trade: Trade, abroad: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What is asked about."""
    shape = (trade.origins, trade.markets, MONTHS)
    if trade.kind == "agreement":
        begins = np.where(rng.uniform(size=shape[:2]) < 0.5, rng.integers(4, 20, shape[:2]), MONTHS)
        return (np.arange(MONTHS) >= begins[..., None]).astype(float)
    if trade.kind == "border":
        return np.broadcast_to(1 - abroad[:, None, None], shape).copy()
    steps = rng.normal(0, 0.03, (1, *shape[1:])).cumsum(axis=-1)
    one = steps if trade.kind == "currency" else lasting((1, *shape[1:]), 0.5, 0.15, rng)
    return abroad[:, None, None] * one


def lasting(shape: tuple[int, ...], kept: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of which a share is left a month later (last axis), of the same spread in every month."""
    found = rng.normal(0, spread * np.sqrt(1 - kept**2), shape)
    found[..., 0] = rng.normal(0, spread, shape[:-1])
    for month in range(1, shape[-1]):
        found[..., month] += kept * found[..., month - 1]
    return found
