"""Creators, and the live sessions and short videos they make."""

from __future__ import annotations

from math import sqrt

from analysis_lib.world.draws import table, text
from analysis_lib.world.engine import Engine
from analysis_lib.world.recipe import Recipe
from analysis_lib.world.timeline import normal

#: Local hours at which live sessions begin and videos are published, as often as they stand here.
_STARTING_HOURS = (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 20)

#: Days of the periods in which creators decide whether to publish.
PERIOD = 30


#: Creators with whom a market has about three live sessions a day; fewer make more each, or most days would have none.
ENOUGH = 120.0


def make_creators(engine: Engine, recipe: Recipe) -> None:
    """Tables ``w_creators`` and ``w_contents``; a market's creators are numbered by the size of their audience.

    ``w_contents`` numbers the live sessions, and the videos, of a market-day by the audience of their creators.
    """
    engine.run("CREATE OR REPLACE TEMP TABLE w_creator_counts (m TINYINT, country VARCHAR, n BIGINT)")
    counts = [
        (number, market.country, recipe.sized(recipe.settings.supply.creators, market, 8))
        for number, market in recipe.markets()
    ]
    engine.connection.executemany("INSERT INTO w_creator_counts VALUES (?, ?, ?)", counts)
    engine.run(_creators(recipe))
    engine.run(_contents(recipe))


def _creators(recipe: Recipe) -> str:
    draws, tiers, days = recipe.draws, recipe.settings.supply.tiers, recipe.settings.days
    branches, running = [], 0.0
    for name, share in tiers.items():
        running += share
        branches.append(f"WHEN (r + 0.5) / n < {round(running, 9)!r} THEN {text(name)}")
    # The better known half was there before the first day; showcases are theirs.
    late = f"{draws.whole('creator joined', str(days * 3 // 2), 'k')} - {days // 2}"
    return f"""CREATE OR REPLACE TEMP TABLE w_creators AS
        SELECT *, 'k' || lpad(number::VARCHAR, 6, '0') AS creator_id,
            CASE {" ".join(branches)} ELSE {text(list(tiers)[-1])} END AS tier,
            CASE WHEN r * 2 < n THEN -{draws.whole("creator joined", "700", "k")} ELSE {late} END::INTEGER AS joined
        FROM (SELECT *, {draws.key("creator a", "number")} AS k1, {draws.key("creator b", "number")} AS k2
            FROM (SELECT m, country, r, n, row_number() OVER (ORDER BY m, r) AS number
                FROM w_creator_counts, unnest(range(n)) AS ranks(r)))"""


def _contents(recipe: Recipe) -> str:
    draws, days = recipe.draws, recipe.settings.days
    hours = "[" + ", ".join(map(str, _STARTING_HOURS)) + "]"
    hour = f"{hours}[1 + {draws.whole('content hour', str(len(_STARTING_HOURS)), 't')}::INTEGER]"
    return f"""CREATE OR REPLACE TEMP TABLE w_contents AS
    WITH made AS (
        SELECT m, country, r, number, creator_id, kind, period, joined, i,
            {draws.child("content a", "s1", "i")} AS t1, {draws.child("content b", "s2", "i")} AS t2
        FROM ({_amounts(recipe)}), unnest(range(whole)) AS numbers(i)),
    dated AS (
        SELECT *, (period * {PERIOD} + {draws.whole("content day", str(PERIOD), "t")})::INTEGER AS d,
            {hour} * 3600 + {draws.whole("content second", "3600", "t")} AS second,
            CASE kind WHEN 0 THEN 1800 + {draws.whole("content length", "9000", "t")}
                ELSE 15 + {draws.whole("content length", "75", "t")} END AS duration
        FROM made)
    SELECT * EXCLUDE (i, joined), 't' || to_hex(t1 * 4294967296 + t2) AS content_id,
        row_number() OVER (PARTITION BY m, d, kind ORDER BY r, i, t1, t2) - 1 AS rank,
        count(*) OVER (PARTITION BY m, d, kind) AS among
    FROM dated WHERE d < {days} AND d >= joined"""


def _amounts(recipe: Recipe) -> str:
    """How many live sessions (kind 0) and videos (kind 1) a creator makes in a period."""
    draws, supply = recipe.draws, recipe.settings.supply
    periods = recipe.settings.days // PERIOD + 1
    kinds = "(VALUES (0::UBIGINT), (1::UBIGINT)) AS kinds(kind)"
    # The best tenth of creators make about sqrt(10) times as much as the rest.
    more = f"least({sqrt(10):.6f}, greatest(0.5, 0.32 / sqrt((r + 0.5) / n)))"
    mean = f"CASE kind WHEN 0 THEN {supply.lives_per_month!r} ELSE {supply.videos_per_month!r} END"
    active = table([share for number, _ in recipe.markets() for share in _active(recipe, number, periods)])
    return f"""SELECT *, CASE WHEN {draws.uniform("publishes", "s")} < {active}[m::INTEGER * {periods} + period + 1]
                THEN floor(amount + {draws.uniform("content more", "s")}) ELSE 0 END::BIGINT AS whole
            FROM (SELECT w.*, period, kind, {more} * {mean} * greatest(1.0, {ENOUGH} / n) AS amount,
                    {draws.child("period a", "k1", "period * 2 + kind")} AS s1,
                    {draws.child("period b", "k2", "period * 2 + kind")} AS s2
                FROM w_creators AS w, range({periods}) AS periods(period), {kinds})"""


def _active(recipe: Recipe, number: int, periods: int) -> list[float]:
    """Share of a market's creators who publish, by period: it grows, and it wanders."""
    country, shares, drift = recipe.settings.markets[number].country, [], 0.0
    for period in range(periods):
        drift = round(0.6 * drift + 0.13 * normal(recipe.seed, f"creators {country} {period}"), 6)
        shares.append(round(min(0.98, max(0.15, 0.55 + 0.008 * period + drift)), 6))
    return shares


def active_creators(engine: Engine, recipe: Recipe) -> dict:
    """Creators who publish, by number of market and first day of month."""
    rows = engine.rows(
        f"""SELECT m, date_trunc('month', DATE '{recipe.settings.first_day}' + d)::DATE, count(DISTINCT r)
        FROM w_contents GROUP BY ALL"""
    )
    return {(m, month): count for m, month, count in rows}
