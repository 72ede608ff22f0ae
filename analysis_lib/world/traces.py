"""What visits leave in the log: client events, with what incidents do to them."""

from __future__ import annotations

from analysis_lib.world.block import Block
from analysis_lib.world.draws import chosen, text

_COLUMNS = """event_id, "at", user_id, session_id, name, surface, content_id, creator_id, product_id, country,
    platform,
    app_version, os_version, value, received_at"""


def events(block: Block) -> str:
    """A query of the block's events in the order of time."""
    parts = "\n UNION ALL ".join(_of_visits())
    bots = "".join(f"\n UNION ALL {_bots(block, name)}" for name in block.incidents("bot_traffic"))
    return f"""SELECT {_COLUMNS} FROM (
        SELECT event_id, "at", user_id, session_id, name, surface, content_id, creator_id, product_id, country,
            platform,
            app_version, os_version, value, "at" + to_seconds(2 + {delay(block)}) AS received_at, m, d
        FROM ({parts}){_lost(block)}{bots})
    ORDER BY "at", event_id"""


#: Product pages of a visit: that of the product it is about, then its neighbours in popularity.
_LOOKS = """(SELECT w.* EXCLUDE (product_id), k, p.product_id FROM w_visits AS w, unnest(range(n_views)) AS looks(k)
    JOIN w_products AS p ON p.pool = w.pool AND p.c = w.c AND p.r = (w.r + k) % w.n WHERE viewed) AS v"""

#: Kinds of events of a visit: step (a letter, the end of the event's id), name, seconds after the visit's beginning,
#: value, and the source of their rows.
_STEPS = (
    ("'a'", "app_start", "0", "start_ms", "w_visits AS v"),
    ("'b'", "impression", "3", "shown", "w_visits AS v"),
    ("'c' || k", "product_view", "to_view + 5 * k", "NULL", _LOOKS),
    ("'d'", "add_to_cart", "to_view + to_cart", "NULL", "w_orders AS v"),
    ("'e'", "checkout", "to_view + to_cart + gap", "NULL", "w_orders AS v WHERE checked_out"),
    ("'f'", "payment_attempt", "to_view + to_cart + gap + to_pay", "paid_first::INTEGER",
     "w_orders AS v WHERE checked_out"),
    ("'g'", "payment_attempt", "to_view + to_cart + gap + to_pay + 45", "paid_second::INTEGER",
     "w_orders AS v WHERE retried"),
    ("'h'", "crash", "to_view + 2", "NULL", "w_visits AS v WHERE crashed"),
)  # fmt: skip

#: Events that are about one product, and those that happen nowhere in particular.
_ABOUT_PRODUCT = ("product_view", "add_to_cart", "checkout", "payment_attempt")
_NOWHERE = "NULL AS surface, NULL AS content_id, NULL AS creator_id"


def _of_visits() -> list[str]:
    """One query per kind of event."""
    parts = []
    for step, name, after, value, source in _STEPS:
        place = _NOWHERE if name == "app_start" else "surface, content_id, credited AS creator_id"
        product = "product_id" if name in _ABOUT_PRODUCT else "NULL"
        parts.append(f"""SELECT v.visit_id || {step} AS event_id, began + to_seconds({after}) AS "at", user_id,
            's' || visit_id AS session_id, '{name}' AS name, {place}, {product} AS product_id, country, platform,
            app_version, os_version, {value}::DOUBLE AS value, m, d, v1, v2 FROM {source}""")
    return parts


def delay(block: Block) -> str:
    """Seconds until a record reaches the warehouse: seconds as a rule, hours from some phones, days in an incident."""
    usual = "CASE WHEN v2 % 70 = 0 THEN 3600 + (v1 % 30000)::BIGINT ELSE (v1 % 60)::BIGINT END"
    late = [
        f"WHEN {block.during(plant)} THEN {round(plant.size * 86400)} + (v1 % 7200)::BIGINT"
        for plant in block.incidents("late_data").values()
    ]
    return f"CASE {' '.join(late)} ELSE {usual} END" if late else usual


def _lost(block: Block) -> str:
    """Events that never arrive."""
    losses = []
    for name, plant in block.incidents("tracking_loss").items():
        of = f" AND platform = {text(plant.platform)}" if plant.platform else ""
        losses.append(f"({block.during(plant)}{of} AND {block.draws.uniform(f'lost {name}')} < {plant.size!r})")
    return f" WHERE NOT ({' OR '.join(losses)})" if losses else ""


def _bots(block: Block, name: str) -> str:
    """Visits of machines: signed out, fast, looking at products and buying none."""
    plant, draws, parts = block.recipe.incidents[name], block.draws, []
    for m in set(block.recipe.numbers(plant.countries)) & set(block.markets):
        market = block.recipe.settings.markets[m]
        number = max(1, round(plant.size * block.recipe.users_of(market) / 1000))
        views = chosen("u_views", {"4": 1, "7": 1, "11": 1})
        parts.append(f"""SELECT visit_id || 'x' || k AS event_id, utc_start + to_seconds((begins + 2
            * k)::BIGINT) AS "at",
                NULL AS user_id, 's' || visit_id AS session_id, CASE k WHEN 0 THEN 'impression' ELSE 'product_view'
                    END AS name,
                {text(plant.surface or "shop_tab")} AS surface, NULL AS content_id, NULL AS creator_id,
                    NULL AS product_id,
                {text(market.country)} AS country, 'web' AS platform, 'web' AS app_version, NULL AS os_version,
                CASE k WHEN 0 THEN 20.0 END AS value, utc_start + to_seconds((begins + 2
                    * k + 5)::BIGINT) AS received_at, m, d
            FROM (SELECT w.*, to_hex(v1 * 4294967296 + v2) AS visit_id, {draws.whole("bot second", "86000")} AS begins,
                    {draws.uniform("bot views")} AS u_views
                FROM (SELECT m, d, utc_start, {draws.key(f"bot a {name}", "d * 1000000 + i")} AS v1,
                        {draws.key(f"bot b {name}", "d * 1000000 + i")} AS v2
                    FROM w_days, unnest(range({number})) AS numbers(i)
                    WHERE m = {m} AND {block.during(plant)} AND d BETWEEN {block.first} AND {block.last}) AS w),
                unnest(range({views}::BIGINT)) AS steps(k)""")
    return " UNION ALL ".join(parts)
