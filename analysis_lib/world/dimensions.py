"""Who buys and what there is to buy: users, merchants, products."""

from __future__ import annotations

from analysis_lib.world.draws import around_median, chosen, exponential, literal, lognormal, table, text
from analysis_lib.world.engine import Engine
from analysis_lib.world.recipe import Recipe
from analysis_lib.world.settings import Market


def make_people(engine: Engine, recipe: Recipe) -> None:
    """Table ``w_users``: one row per user with what the world knows and an analyst does not.

    Days are numbers from the first day; ``rate`` is visits per 30 days; ``eager`` (0 to 1) says how soon
    a user installs a new version and rises with activity.
    """
    engine.run("CREATE OR REPLACE TEMP TABLE w_users AS " + " UNION ALL ".join(_users(recipe)))


def _users(recipe: Recipe) -> list[str]:
    first, parts = 0, []
    for number, market in recipe.markets():
        last = first + recipe.users_of(market)
        parts.append(_users_of(recipe, number, market, first, last))
        first = last
    return parts


def _users_of(recipe: Recipe, number: int, market: Market, first: int, last: int) -> str:
    people, days = recipe.settings.people, recipe.settings.days
    kinds = people.kinds
    traits = ("activity", "cart", "response", "claims")
    per_kind = {trait: literal([getattr(item, trait) for item in kinds.values()]) for trait in traits}
    # Nobody signs up before there is a shop.
    known = min(400, max(1, (recipe.settings.first_day - market.launched_on).days - 1))
    grown = f"(late + {market.growth!r} * late * (1 - late)) * {days}"
    return f"""
    SELECT idx, {number}::TINYINT AS m, {text(market.country)} AS country, user_id, u1, u2, signup, signup_second,
        churn,
        CASE WHEN u_back < {people.returning!r} THEN churn + 20 + away ELSE 1000000 END AS back,
        {per_kind["activity"]}[k] * spread * {round(people.visits_per_month * market.visits, 9)!r} AS rate,
        {per_kind["cart"]}[k] AS kind_cart, {per_kind["response"]}[k] AS response, {per_kind["claims"]}[k] AS claims,
        active, 0.55 * active + 0.45 * u_eager AS eager, platform,
        CASE platform WHEN 'android' THEN {chosen("u_os", people.android_versions)}
            WHEN 'ios' THEN {chosen("u_os", people.ios_versions)} END AS os_version, channel
    FROM (SELECT *, {table(lognormal(people.spread))}[1 + floor(active * 250)::INTEGER] AS spread, greatest(signup,
        0) + stay AS churn
        FROM (SELECT *, CASE WHEN u_signup < {people.before!r} THEN -1 - floor(u_signup / {people.before!r} * {known})
                ELSE floor({grown}) END::INTEGER AS signup
            FROM (SELECT *, (u_signup - {people.before!r}) / {round(1 - people.before, 9)!r} AS late
                FROM ({_user_draws(recipe, market, first, last)}))))"""


def _user_draws(recipe: Recipe, market: Market, first: int, last: int) -> str:
    """What is drawn for each user, before anything is made of it."""
    people, draws = recipe.settings.people, recipe.draws
    kinds = {str(position): kind.share for position, kind in enumerate(people.kinds.values(), start=1)}
    platforms = {"android": market.android, "ios": market.ios, "web": round(1 - market.android - market.ios, 6)}
    chances = {"active": "active", "u_eager": "eager", "u_back": "back", "u_os": "os", "u_signup": "signup"}
    drawn = ", ".join(f"{draws.uniform(purpose, 'u')} AS {name}" for name, purpose in chances.items())
    return f"""SELECT *, {drawn}, {draws.whole("signup second", "86400", "u")} AS signup_second,
            floor({draws.shaped("stay", exponential(people.stay_days), "u")})::INTEGER AS stay,
            floor({draws.shaped("away", exponential(people.away_days), "u")})::INTEGER AS away,
            {draws.choice("kind", kinds, "u")}::INTEGER AS k, {draws.choice("platform", platforms, "u")} AS platform,
            {draws.choice("channel", people.channels, "u")} AS channel
        FROM (SELECT range::BIGINT AS idx, 'u' || lpad(range::VARCHAR, 9, '0') AS user_id,
                {draws.key("user a", "range")} AS u1, {draws.key("user b", "range")} AS u2
            FROM range({first}, {last}))"""


def make_supply(engine: Engine, recipe: Recipe) -> None:
    """Tables ``w_merchants``, ``w_products`` and ``w_pools``.

    A pool is what one market's local merchants sell in one category, or what cross-border merchants sell
    in it to every market (pool -1). Within a pool products are numbered by popularity.
    """
    engine.run("CREATE OR REPLACE TEMP TABLE w_pools (pool INTEGER, c INTEGER, n BIGINT, merchants BIGINT)")
    engine.connection.executemany("INSERT INTO w_pools VALUES (?, ?, ?, ?)", _pools(recipe))
    draws, supply = recipe.draws, recipe.settings.supply
    names = [text(name) for name in supply.categories]
    countries = [text(market.country) for market in recipe.settings.markets]
    prices = literal([item.price_usd for item in supply.categories.values()])
    spread = " ".join(
        f"WHEN {c} THEN {table(around_median(item.spread))}[1 + floor(u_price * 250)::INTEGER]"
        for c, item in enumerate(supply.categories.values(), start=1)
    )
    engine.run(f"""CREATE OR REPLACE TEMP TABLE w_merchants AS
        SELECT *, 'm' || lpad(number::VARCHAR, 6, '0') AS merchant_id,
            CASE WHEN pool < 0 THEN {chosen(draws.uniform("home", "g"), supply.origins)}
                ELSE [{", ".join(countries)}][pool + 1] END AS home_country,
            [{", ".join(names)}][c] AS category, -{draws.whole("joined", "900", "g")}::INTEGER AS joined
        FROM (SELECT *, {draws.key("merchant a", "number")} AS g1, {draws.key("merchant b", "number")} AS g2
            FROM (SELECT pool, c, r, row_number() OVER (ORDER BY pool, c, r) AS number
                FROM w_pools, unnest(range(merchants)) AS ranks(r)))""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE w_products AS
        SELECT p.*, 'p' || lpad(p.number::VARCHAR, 7, '0') AS product_id, merchant_id,
            [{", ".join(names)}][p.c] AS category,
            greatest(0.5, round({prices}[p.c] * CASE p.c {spread} END, 2)) AS list_price_usd
        FROM (SELECT *, {draws.uniform("price", "q")} AS u_price, {draws.whole("merchant", "merchants", "q")} AS owner
            FROM (SELECT *, {draws.key("product a", "number")} AS q1, {draws.key("product b", "number")} AS q2
                FROM (SELECT pool, c, n, merchants, r, row_number() OVER (ORDER BY pool, c, r) AS number
                    FROM w_pools, unnest(range(n)) AS ranks(r)))) AS p
        JOIN w_merchants AS w ON w.pool = p.pool AND w.c = p.c AND w.r = p.owner""")


def _pools(recipe: Recipe) -> list[tuple[int, int, int, int]]:
    """Pool, category, products and merchants. A third of both is cross-border."""
    supply, rows = recipe.settings.supply, []
    total = sum(item.popularity for item in supply.categories.values())
    for number, market in [(-1, None), *recipe.markets()]:
        share = 1 / 3 if market is None else 2 / 3
        for c, category in enumerate(supply.categories.values(), start=1):
            part = share * category.popularity / total
            products = recipe.sized(supply.products * part, market, 6)
            rows.append((number, c, products, min(products, recipe.sized(supply.merchants * part, market, 2))))
    return rows
