"""From the cart to the payment."""

from __future__ import annotations

from analysis_lib.world.block import Block
from analysis_lib.world.draws import chosen, literal, text
from analysis_lib.world.levers import Push, effects, product
from analysis_lib.world.plants import Budget
from analysis_lib.world.settings import METHODS, Market
from analysis_lib.world.trials import arm_pushes, arms


def coverage(block: Block) -> list[str]:
    """Tables ``w_cover_name``: share of claims that a day's shared budget can serve, by market and day.

    This is where one user's variant reaches another: the more claims, the fewer of them are served.
    """
    statements = []
    for name, trial in block.experiments("cart").items():
        if trial.budget is not None:
            columns, joins = arms(block, "cart", "w_visits")
            coupons = literal([_coupons(block, market, trial.budget) for _, market in block.recipe.markets()])
            statements.append(f"""CREATE OR REPLACE TEMP TABLE w_cover_{name} AS
                SELECT m, d, least(1.0, {coupons}[m + 1] / count(*)) AS served
                FROM (SELECT w_visits.*, {columns} {_claims(block, name)} AS claimed FROM w_visits {joins} WHERE carted)
                WHERE claimed GROUP BY m, d""")
    return statements


def _coupons(block: Block, market: Market, budget: Budget) -> float:
    """Coupons that a market's budget buys on a day; at least one."""
    return max(1.0, round(budget.coupons_per_thousand_users * block.recipe.users_of(market) / 1000, 3))


def _claims(block: Block, name: str) -> str:
    """SQL condition: a visit with a cart claims a coupon of the experiment's budget."""
    trial = block.recipe.experiments[name]
    shares = literal([arm.claims for arm in trial.variants.values()])
    return f"coalesce({block.draws.uniform(f'claim {name}')} < {shares}[x_{name} + 1], false)"


def orders(block: Block) -> str:
    """Table ``w_orders``: visits with a cart, whether they paid, how, and with how many lines."""
    funnel, pushes = block.recipe.settings.funnel, _order_pushes(block)
    chance = f"least(0.99, base_success * success * {product(pushes, 'pay')})"
    basket = f"{funnel.basket!r} * {product(pushes, 'basket')}"
    return f"""CREATE OR REPLACE TEMP TABLE w_orders AS
    WITH carts AS ({_carts(block)}),
    choosing AS (SELECT *, CASE WHEN at_door THEN 'cod' ELSE {_method(block)} END AS payment_method FROM carts),
    paying AS (
        SELECT *, {_success(block)} AS base_success,
            u_checkout < least(0.985, {funnel.checkout!r} * {product(pushes, "checkout")}) AS checked_out
        FROM choosing),
    first AS (SELECT *, checked_out AND (at_door OR u_pay_1 < {chance}) AS paid_first FROM paying),
    second AS (SELECT *, checked_out AND NOT paid_first AND u_retry < {funnel.retry!r} AS retried FROM first),
    tried AS (SELECT *, retried AND u_pay_2 < {chance} AS paid_second FROM second)
    SELECT *, paid_first OR paid_second AS ordered, 'o' || visit_id AS order_id,
        1 + (u_basket < {basket})::INTEGER + (u_basket < 0.5 * {basket})::INTEGER AS n_lines,
        began + to_seconds(to_view + to_cart + gap + to_pay + CASE WHEN paid_first THEN 0 ELSE 45 END) AS ordered_at
    FROM tried"""


def _carts(block: Block) -> str:
    """Visits with a cart, with their arms, the coupons of shared budgets they were granted, and their draws."""
    draws = block.draws
    columns, joins = arms(block, "cart", "w_visits")
    granted = ""
    for name in [name for name, trial in block.experiments("cart").items() if trial.budget]:
        joins += f" LEFT JOIN w_cover_{name} AS k_{name} ON k_{name}.m = w_visits.m AND k_{name}.d = w_visits.d"
        served = f"{draws.uniform(f'serve {name}')} < coalesce(k_{name}.served, 0.0)"
        granted += f" {_claims(block, name)} AND {served} AS got_{name},"
    names = ("checkout", "basket", "method", "pay 1", "pay 2", "retry")
    drawn = ", ".join(f"{draws.uniform(name)} AS u_{name.replace(' ', '_')}" for name in names)
    return f"""SELECT w_visits.*, {columns}{granted} {drawn}, {draws.uniform("cod")} < cod AS at_door,
            {draws.uniform("ours")} < claims AS claims_coupon
        FROM w_visits {joins} WHERE carted"""


def _method(block: Block) -> str:
    """How an order that is not paid at the door is paid, by the habits of the market."""
    habits = [chosen("u_method", _not_cod(market.methods)) for market in block.recipe.settings.markets]
    return f"CASE m {' '.join(f'WHEN {m} THEN {sql}' for m, sql in enumerate(habits))} END"


def _success(block: Block) -> str:
    """Chance that a payment by ``payment_method`` succeeds in the market."""
    markets, branches = block.recipe.settings.markets, []
    for name in METHODS:
        if name != "cod":
            chances = literal([market.success.get(name, 1.0) for market in markets])
            branches.append(f"WHEN {text(name)} THEN {chances}[m + 1]")
    return f"CASE payment_method {' '.join(branches)} ELSE 1.0 END"


def _not_cod(methods: dict[str, float]) -> dict[str, float]:
    return {name: share for name in METHODS if name != "cod" and (share := methods.get(name, 0)) > 0}


def _order_pushes(block: Block) -> list[Push]:
    pushes = [*block.release_pushes(), *block.launch_pushes()]
    for name, trial in block.experiments().items():
        pushes += arm_pushes(block, name, trial)
        if trial.budget:
            pushes += effects({"checkout": trial.budget.cart_lift}, f"got_{name}")
    for plant in block.incidents("payment_outage").values():
        hit = f"{block.incident_day(plant)} AND payment_method = {text(plant.method or 'card')}"
        pushes.append(Push("pay", hit, repr(plant.size)))
    return pushes
