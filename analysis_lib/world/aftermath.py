"""What becomes of orders: shipping, delivery, cancellation, refusal at the door, returns and refunds."""

from __future__ import annotations

from analysis_lib.world.block import Block
from analysis_lib.world.draws import around_median, literal
from analysis_lib.world.levers import Push, product
from analysis_lib.world.traces import delay
from analysis_lib.world.trials import arm_pushes

#: Spread of the days of delivery around their median.
DELIVERY_SPREAD = 0.35
#: Extra chance of a return per day that a delivery takes beyond five.
LATE_RETURNS = 0.03


def fates(block: Block) -> str:
    """Table ``w_fates``: one row per order with what happens to it and when, however late that is."""
    settings, pushes = block.recipe.settings, _pushes(block)
    refused = literal([market.refused for market in settings.markets])
    returned = literal([item.returned for item in settings.supply.categories.values()])
    late = f"greatest(0.5, 1 + {LATE_RETURNS!r} * (days - 5))"
    return f"""CREATE OR REPLACE TEMP TABLE w_fates AS
    WITH sent AS ({_sent(block)}),
    kept AS (
        SELECT *, u_cancel < {settings.funnel.cancelled!r} * {product(pushes, "cancelled")} AS cancelled FROM sent),
    met AS (
        SELECT *, NOT cancelled AND at_door AND u_refuse < {refused}[m + 1] * {product(pushes, "refused")} AS refused
        FROM kept),
    judged AS (
        SELECT *, NOT cancelled AND NOT refused
            AND u_return < {returned}[c] * {late} * {product(pushes, "returned")} AS returned
        FROM met)
    SELECT *, CASE WHEN u_part < {settings.funnel.partial_refund!r} THEN 0.5 ELSE 1.0 END AS refunded_share,
        ordered_at + to_seconds(2 + {delay(block)}) AS reached_at,
        greatest(ordered_at + to_seconds((days * 86400)::BIGINT), shipped_at + INTERVAL 3 HOUR) AS delivered_at,
        delivered_at + to_seconds(86400 + floor(u_wait * 1728000)::BIGINT) AS returned_at,
        returned_at + to_seconds(86400 + floor(u_refund * 950400)::BIGINT) AS refunded_at
    FROM judged"""


def _sent(block: Block) -> str:
    """Orders with what they are worth, how long they are on their way, and their draws."""
    settings, draws = block.recipe.settings, block.draws
    local = literal([market.delivery_days.local for market in settings.markets])
    cross = literal([market.delivery_days.cross_border for market in settings.markets])
    strikes = "".join(
        f" + CASE WHEN {block.during(plant)} THEN {plant.size!r} ELSE 0.0 END"
        for plant in block.incidents("logistics_strike").values()
    )
    names = ("cancel", "refuse", "return", "part", "wait", "refund")
    drawn = ", ".join(f"{draws.uniform(name)} AS u_{name}" for name in names)
    goods = "gmv_local - platform_subsidy_local"
    return f"""SELECT o.*, gmv_local, goods_local, paid_local, digits, {drawn},
            CASE WHEN is_cross THEN {cross}[m + 1] ELSE {local}[m + 1] END * delivery
                * {draws.shaped("delivery", around_median(DELIVERY_SPREAD))}{strikes} AS days,
            ordered_at + to_seconds(14400 + {draws.whole("ship", "129600")}) AS shipped_at,
            ordered_at + to_seconds(600 + {draws.whole("cancel after", "12000")}) AS cancelled_at
        FROM w_orders AS o JOIN (
            SELECT order_id, sum(gmv_local::DECIMAL(18, 2))::DOUBLE AS gmv_local, any_value(digits) AS digits,
                sum(({goods})::DECIMAL(18, 2))::DOUBLE AS goods_local,
                sum(({goods} + shipping_local)::DECIMAL(18, 2))::DOUBLE AS paid_local
            FROM w_lines GROUP BY order_id) USING (order_id)"""


def _pushes(block: Block) -> list[Push]:
    pushes = [*block.release_pushes(), *block.launch_pushes()]
    for name, trial in block.experiments().items():
        pushes += arm_pushes(block, name, trial)
    for plant in block.incidents("logistics_strike").values():
        # Orders that take a week longer are cancelled twice as often.
        pushes.append(Push("cancelled", block.during(plant), "2.0"))
    return pushes


#: Share of an order's goods that is lost in the end; the truth counts it however late it comes.
LOST_SHARE = "CASE WHEN cancelled OR refused THEN 1.0 WHEN returned THEN refunded_share ELSE 0.0 END"

#: Every status change of the block's orders that lies before the end of the data.
UPDATES = """
    SELECT order_id, "at", status, amount_local, received_at FROM (
        SELECT u.*, greatest("at" + to_seconds(30 + (v1 % 5400)::BIGINT), reached_at) AS received_at FROM (
            SELECT order_id, v1, m, reached_at, ordered_at + INTERVAL 8 SECOND AS "at", 'paid' AS status,
                paid_local AS amount_local
                FROM w_fates WHERE NOT at_door
            UNION ALL SELECT order_id, v1, m, reached_at, cancelled_at, 'cancelled', CASE WHEN at_door THEN 0.0
                ELSE paid_local END
                FROM w_fates WHERE cancelled
            UNION ALL SELECT order_id, v1, m, reached_at, shipped_at, 'shipped', 0.0 FROM w_fates WHERE NOT cancelled
            UNION ALL SELECT order_id, v1, m, reached_at, delivered_at, 'delivered', 0.0 FROM w_fates
                WHERE NOT cancelled
                AND NOT refused
            UNION ALL SELECT order_id, v1, m, reached_at, delivered_at - INTERVAL 5 SECOND, 'paid', paid_local
                FROM w_fates WHERE NOT cancelled AND NOT refused AND at_door
            UNION ALL SELECT order_id, v1, m, reached_at, delivered_at, 'returned', 0.0 FROM w_fates WHERE refused
            UNION ALL SELECT order_id, v1, m, reached_at, returned_at, 'returned', 0.0 FROM w_fates WHERE returned
            UNION ALL SELECT order_id, v1, m, reached_at, refunded_at, 'refunded', round(goods_local * refunded_share,
                greatest(digits, 0))
                FROM w_fates WHERE returned) AS u
        JOIN w_ends USING (m) WHERE "at" < ends_at)"""
