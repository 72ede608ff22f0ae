"""The lines of an order: which products, at what price, and who pays for the discounts."""

from __future__ import annotations

from analysis_lib.world.block import Block
from analysis_lib.world.draws import chosen, literal, text
from analysis_lib.world.levers import Push, among, product
from analysis_lib.world.plants import Campaign

#: Coupon of an experiment with a shared budget; it belongs to no campaign.
BUDGET_COUPON = "daily-{name}"


#: Lines of an order, at most.
MOST_LINES = 3


def lines(block: Block) -> str:
    """Table ``w_lines``: one row per order line with its money, in local currency."""
    funnel = block.recipe.settings.funnel
    shipping = f"round({funnel.shipping_usd!r} * level * fx_start, digits)"
    return f"""CREATE OR REPLACE TEMP TABLE w_lines AS
    WITH sold AS ({_sold(block)}),
    priced AS (
        SELECT sold.*, {_price(block)} AS price_local, 1 + (u_units < {funnel.two_units!r})::INTEGER AS quantity,
            {_discount(block)} AS off, {_coupon(block)} AS coupon_id
        FROM sold),
    discounted AS (SELECT *, round(quantity * price_local * off, digits) AS discount_local FROM priced),
    valued AS (SELECT *, quantity * price_local - discount_local AS gmv_local FROM discounted),
    totalled AS (
        SELECT *, sum((gmv_local * usd)::DECIMAL(18, 4)) OVER (PARTITION BY order_id)::DOUBLE AS order_usd FROM valued),
    shipped AS (
        SELECT *, CASE WHEN line = 1 AND order_usd < {funnel.free_shipping_usd!r} THEN {shipping} ELSE 0.0 END
            AS shipping_local
        FROM totalled)
    SELECT * REPLACE ({_used(block)} AS coupon_id), {_subsidy(block)} AS platform_subsidy_local FROM shipped"""


def _sold(block: Block) -> str:
    """Products of every order: the one the visit was about, and now and then one or two more."""
    first = f"SELECT {_line_columns(block)}, c, pool, r, n, 1 AS line FROM w_orders WHERE ordered"
    later = " UNION ALL ".join(_later(block, line) for line in range(2, MOST_LINES + 1))
    return f"""
        SELECT wanted.*, p.product_id, p.merchant_id, p.list_price_usd, p.category, {_line_draws(block)}
        FROM ({first} UNION ALL BY NAME
            SELECT l.* EXCLUDE (u_rank), w.n, floor(w.n * u_rank * u_rank)::BIGINT AS r
            FROM ({later}) AS l JOIN w_pools AS w USING (c, pool)) AS wanted
        JOIN w_products AS p ON p.pool = wanted.pool AND p.c = wanted.c AND p.r = wanted.r
        -- The same product twice in an order is one line.
        QUALIFY row_number() OVER (PARTITION BY order_id, p.number ORDER BY line) = 1"""


def _later(block: Block, line: int) -> str:
    settings, draws = block.recipe.settings, block.draws
    numbers = {str(i): item.popularity for i, item in enumerate(settings.supply.categories.values(), start=1)}
    cross = literal([market.cross_border for market in settings.markets])
    return f"""SELECT * EXCLUDE (u_c), {chosen("u_c", numbers)}::INTEGER AS c
        FROM (SELECT {_line_columns(block)}, {line} AS line, {draws.uniform(f"category {line}")} AS u_c,
                CASE WHEN {draws.uniform(f"cross {line}")} < {cross}[m + 1] THEN -1 ELSE m END AS pool,
                {draws.uniform(f"product {line}")} AS u_rank
            FROM w_orders WHERE ordered AND n_lines >= {line})"""


def _line_columns(block: Block) -> str:
    """What a line needs of its order."""
    flags = [f"on_{name}" for name in block.campaigns()]
    flags += [f"got_{name}" for name, trial in block.experiments("cart").items() if trial.budget]
    return ", ".join(["order_id", "v1", "v2", "m", "d", "begins", "price", "usd", "fx_month", "claims_coupon", *flags])


def _line_draws(block: Block) -> str:
    """Draws of a line; a line's number is part of their purpose."""
    drawn = []
    for name, purpose in {"u_units": "units", "u_off": "off", "u_share": "off share"}.items():
        cases = [f"WHEN {line} THEN {block.draws.uniform(f'{purpose} {line}')}" for line in (1, 2, 3)]
        drawn.append(f"CASE line {' '.join(cases)} END AS {name}")
    markets = block.recipe.settings.markets
    columns = {
        "level": [market.price_level for market in markets],
        "fx_start": [round(1 / market.usd_per_unit, 8) for market in markets],
    }
    # Prices of currencies without decimals end in hundreds.
    digits = [-2 if market.digits == 0 else market.digits for market in markets]
    per_market = [f"{literal(values)}[m + 1] AS {name}" for name, values in columns.items()]
    return ", ".join([*drawn, *per_market, f"{digits}[m + 1]::INTEGER AS digits"])


def _price(block: Block) -> str:
    """A merchant of the market keeps its local price; one abroad sets it anew each month, at the rate of then."""
    pushes = [
        Push("price", f"{block.incident_day(plant)} AND {block.promoted(plant)}", repr(plant.size))
        for plant in block.incidents("price_error").values()
    ]
    rate = "CASE WHEN pool < 0 THEN fx_month ELSE fx_start END"
    shelf = f"list_price_usd * level * price * {rate} * {product(pushes, 'price')}"
    return f"greatest(round({shelf}, digits), CASE WHEN digits < 0 THEN 100.0 ELSE 0.01 END)"


def _discount(block: Block) -> str:
    """Share of the price taken off, by the merchant or by a flash sale, whichever is more."""
    own = f"CASE WHEN u_off < {block.recipe.settings.funnel.merchant_discount!r} THEN 0.05 + 0.2 * u_share ELSE 0.0 END"
    sales = [
        f"CASE WHEN on_{name} AND {block.promoted(plant)} THEN {plant.discount!r} ELSE 0.0 END"
        for name, plant in block.campaigns().items()
        if plant.mechanic == "flash_sale"
    ]
    return f"greatest({', '.join([own, *sales])})" if sales else own


def pays(block: Block, name: str, plant: Campaign) -> str:
    """SQL condition on a line: the campaign's coupon is used on it."""
    promoted = "true" if plant.mechanic == "free_shipping" else block.promoted(plant)
    return f"on_{name} AND claims_coupon AND {promoted}"


def coupon_campaigns(block: Block) -> dict[str, Campaign]:
    """Campaigns in the block whose coupons the platform pays for."""
    paid = ("platform_coupon", "free_shipping")
    return {name: plant for name, plant in block.campaigns().items() if plant.mechanic in paid}


def _coupon(block: Block) -> str:
    branches = [
        f"WHEN {pays(block, name, plant)} AND ({text(plant.mechanic)} <> 'free_shipping' OR line = 1) THEN {text(name)}"
        for name, plant in coupon_campaigns(block).items()
    ]
    for name, trial in block.experiments("cart").items():
        if trial.budget:
            branches.append(f"WHEN got_{name} THEN {text(BUDGET_COUPON.format(name=name))}")
    return f"CASE {' '.join(branches)} END" if branches else "NULL::VARCHAR"


def _used(block: Block) -> str:
    """The coupon, unless it gives free shipping to an order that ships for nothing anyway."""
    free = [text(name) for name, plant in coupon_campaigns(block).items() if plant.mechanic == "free_shipping"]
    return (
        f"CASE WHEN NOT ({among('coupon_id', free)} AND shipping_local = 0) THEN coupon_id END" if free else "coupon_id"
    )


def _subsidy(block: Block) -> str:
    branches = []
    for name, plant in coupon_campaigns(block).items():
        # What free shipping costs is known only once the order is: it stands in the column before this one.
        amount = (
            "shipping_local" if plant.mechanic == "free_shipping" else f"round(gmv_local * {plant.discount!r}, digits)"
        )
        branches.append(f"WHEN {text(name)} THEN {amount}")
    for name, trial in block.experiments("cart").items():
        if trial.budget:
            amount = f"round(gmv_local * {trial.budget.value_share!r}, digits)"
            branches.append(f"WHEN {text(BUDGET_COUPON.format(name=name))} THEN {amount}")
    return f"CASE coupon_id {' '.join(branches)} ELSE 0.0 END" if branches else "0.0"
