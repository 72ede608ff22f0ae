"""The grade of ``experiments.interference``: tests in markets whose arms take from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, DRAWS, draw_of
from analysis_lib.experiments.interference_text import OFFERS, STEADY, USERS
from analysis_lib.experiments.interfering import WAYS, budgets_compared, market_of, measured
from analysis_lib.markets.shared_budget import CouponWorld, true_effect
from analysis_lib.markets.two_sided_market import mean_field, mean_field_effect

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "Markets with 0.1 to 10 visits per offer and stay, whose offers and users are alike, or unlike (the logarithm of"
    " attraction has a standard deviation of 0.5). Each test is run as often as there are draws, and held against what"
    " the feature would bring to all in a market of endless size. The ordinary tests are shown for comparison. Budgets:"
    " a reminder in 30 market-weeks, from budgets that always run out to one that never does."
)

#: Visits per offer and stay; budgets per user; visits and offers of a test.
BALANCES, BUDGETS = (0.1, 0.3, 1.0, 3.0, 10.0), (0.8, 1.2, 1.6, 3.0)
VISITS, SIZE, LIFT = 250_000, 1000, 1.25

#: Spreads of attraction, and what they are called.
SPREADS = {"both sides, alike": 0.0, "both sides, unlike": 0.5}


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Tests in every market.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Tests of each kind in each market and round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        for scenario, spread in SPREADS.items():
            for balance in BALANCES:
                progress(f"round {number - seed + 1} of {worlds}: {scenario}, {balance:g} visits per offer and stay")
                rows += _markets(scenario, balance, spread, number, draws)
        progress("budgets")
        rows += _budgets(number, draws)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _markets(scenario: str, balance: float, spread: float, number: int, draws: int) -> Iterator[tuple]:
    """Effects as shares of the bookings without the feature."""
    market = market_of(balance, LIFT, spread, offers=SIZE)
    base = float(mean_field(market, customer_share=0.0, listing_share=0.0).sum())
    truth, days = mean_field_effect(market) / base, VISITS / (SIZE * balance)
    for place in range(draws):
        for way in (way for way in WAYS if way.name in (USERS, OFFERS, STEADY)):
            found = measured(way, market, days=days, seed=1000 * number + place, level=config.LEVEL, base=base)
            said = scenario if way.name == STEADY else COMPARISON
            where = "" if way.name == STEADY else f"{way.name}, {scenario}: "
            yield draw_of(said, f"{where}{balance:g} visits per offer and stay", f"{number}-{place}", found, truth)


def _budgets(number: int, draws: int) -> Iterator[tuple]:
    """Orders per user that a reminder brings."""
    for budget in BUDGETS:
        world = CouponWorld(budget_usd=budget)
        truth = sum(true_effect(world, seed=own) for own in range(40)) / 40
        for place in range(draws):
            for name, found in budgets_compared(world, seed=1000 * number + place, level=config.LEVEL).items():
                said = "split budget" if name == "split" else COMPARISON
                quantity = f"{'' if name == 'split' else 'one budget: '}${budget:g} per user"
                yield draw_of(said, quantity, f"{number}-{place}", found.effect, truth)
