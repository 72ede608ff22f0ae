"""The machinery: a connection in which one world's stages are made, block by block."""

from __future__ import annotations

from analysis_lib.world.aftermath import fates
from analysis_lib.world.baskets import lines
from analysis_lib.world.block import BLOCK_DAYS, Block, blocks
from analysis_lib.world.creators import active_creators, make_creators
from analysis_lib.world.dimensions import make_people, make_supply
from analysis_lib.world.engine import Engine
from analysis_lib.world.purchases import coverage, orders
from analysis_lib.world.recipe import Recipe
from analysis_lib.world.timeline import MarketDay, Month, market_days, months, rates
from analysis_lib.world.trials import EXPOSURES, expose
from analysis_lib.world.visits import seen, visits

_DAY_COLUMNS = (
    "m TINYINT, d INTEGER, day DATE, utc_start TIMESTAMP, seconds BIGINT, visits DOUBLE, cart DOUBLE, price DOUBLE,"
    " delivery DOUBLE, success DOUBLE, cod DOUBLE, abroad DOUBLE, usd DOUBLE, fx_month DOUBLE"
)


class Stage:
    """A world in the making.

    Attributes
    ----------
    engine : Engine
        Holds the temporary tables ``w_*``.
    recipe : Recipe
        The world.
    months : list of Month
        Country factors.
    rates : list
        Exchange rates, true and as recorded.
    """

    def __init__(self, engine: Engine, recipe: Recipe) -> None:
        self.engine, self.recipe = engine, recipe
        make_people(engine, recipe)
        make_supply(engine, recipe)
        make_creators(engine, recipe)
        self.rates = rates(recipe)
        self.months: list[Month] = months(recipe, active_creators(engine, recipe))
        self._fill_days(market_days(recipe, self.months, self.rates))
        engine.run(EXPOSURES)

    def renew(self, recipe: Recipe) -> None:
        """Take the same world with other plants: people, goods and days stay, exposures begin anew."""
        self.recipe = recipe
        self.engine.run(EXPOSURES)

    def play(self, block: Block) -> None:
        """Make one block: tables ``w_seen``, ``w_visits``, ``w_orders``, ``w_lines``, ``w_fates``.

        Blocks must be played in the order of time: experiments remember whom they have exposed.
        """
        steps = [seen(block), *expose(block, "visit"), visits(block), *expose(block, "cart"), *coverage(block)]
        for statement in [*steps, orders(block), lines(block), fates(block)]:
            self.engine.run(statement)

    def blocks(self, first: int = 0, last: int | None = None, markets: tuple[int, ...] | None = None) -> list[Block]:
        """The blocks that cover some days of some markets; all of them unless said otherwise."""
        return blocks(self.recipe, first, last, markets)

    def _fill_days(self, days: list[MarketDay]) -> None:
        import pandas as pd

        names = list(MarketDay.__slots__)
        frame = pd.DataFrame([[getattr(day, name) for name in names] for day in days], columns=names)
        counts = ", ".join(
            f"coalesce((SELECT max(among) FROM w_contents AS t WHERE t.m = g.m AND t.d = g.d AND kind = {kind}), 0)"
            f" AS {name}"
            for kind, name in enumerate(("n_live", "n_video"))
        )
        self.engine.run(f"CREATE OR REPLACE TEMP TABLE w_base_days ({_DAY_COLUMNS})")
        self.engine.insert("w_base_days", frame)
        self.engine.run(f"CREATE OR REPLACE TEMP TABLE w_days AS SELECT g.*, {counts} FROM w_base_days AS g")
        # No day of a block is busier than this, whatever is planted: candidates for visits are drawn at this rate.
        most = self.recipe.settings.people.most
        self.engine.run(f"""CREATE OR REPLACE TEMP TABLE w_bounds AS
            SELECT m, d // {BLOCK_DAYS} AS block, max(visits) * {most!r} AS bound FROM w_days GROUP BY ALL""")
        self.engine.run("""CREATE OR REPLACE TEMP TABLE w_ends AS
            SELECT m, max(utc_start + to_seconds(seconds)) AS ends_at FROM w_days GROUP BY m""")
