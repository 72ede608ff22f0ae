"""What a campaign did in each market: cells of the difference between two worlds, which add up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from analysis_lib.world.aftermath import LOST_SHARE
from analysis_lib.world.block import Block
from analysis_lib.world.paired import Scope, play_pair
from analysis_lib.world.plants import Campaign
from analysis_lib.world.spending import budgets, commission
from analysis_lib.world.stage import Stage

#: Days after a campaign in which it is still looked for.
AFTER_DAYS = 28

#: Dollars of a line, exactly addable.
MONEY = "DECIMAL(20, 6)"

Row = dict[str, Any]


def campaign_truth(stage: Stage, name: str) -> list[Row]:
    """Rows of the truth for one campaign, per market, in US dollars, orders and users."""
    recipe = stage.recipe
    plant = recipe.campaigns[name]
    first, last = recipe.settings.number(plant.first_day), recipe.settings.number(plant.last_day)
    scope = Scope(tuple(recipe.numbers(plant.countries)), first, min(last + AFTER_DAYS, recipe.settings.days - 1))
    play_pair(stage, scope, (recipe, recipe.leave_out(f"campaign:{name}")), lambda block: _kept(block, name, plant))
    window = (plant.first_day, recipe.settings.first_day + timedelta(days=scope.last))
    found = stage.engine.rows(_cells(last))
    rows = []
    for m, *values in found:
        country = recipe.settings.markets[m].country
        media = budgets(recipe, name)[country][1] or 0.0
        rows += _rows(name, country, window, [*(float(value) for value in values), media])
    stage.renew(recipe)
    return rows


def _kept(block: Block, name: str, plant: Campaign) -> dict[str, str]:
    promoted, paid = block.promoted(plant), commission(block.recipe, "l", "tier")
    same = " OR ".join(f"l.c = {number}" for number in block.categories(plant))
    return {
        "campaign": f"""
            SELECT l.m, l.d, l.order_id, o.idx, coupon_id = '{name}' AS ours, ({promoted}) AS promoted,
                ({same}) AS same,
                (l.gmv_local * l.usd)::{MONEY} AS gmv, (l.gmv_local * l.usd * {LOST_SHARE})::{MONEY} AS lost,
                (platform_subsidy_local * l.usd)::{MONEY} AS subsidy,
                ({paid} * l.usd * (1 - {LOST_SHARE}))::{MONEY} AS commission
            FROM w_lines AS l JOIN (SELECT order_id, idx, credited FROM w_orders) AS o USING (order_id)
            LEFT JOIN (SELECT creator_id AS credited, tier FROM w_creators) AS k USING (credited)
            JOIN (SELECT order_id, cancelled, refused, returned, refunded_share FROM w_fates) USING (order_id)"""
    }


def _cells(last: int) -> str:
    """One row per market: every cell of the ledger, signed by the side it comes from."""
    sign = "CASE side WHEN 1 THEN 1 ELSE -1 END"
    during = f"d <= {last}"

    def total(value: str, condition: str) -> str:
        return f"coalesce(sum({value} * {sign}) FILTER ({condition}), 0)"

    def distinct(value: str) -> str:
        with_it = f"count(DISTINCT {value}) FILTER ({during} AND side = 1)"
        return f"{with_it} - count(DISTINCT {value}) FILTER ({during} AND side = 0)"

    anyway = f"SELECT DISTINCT m, idx FROM w_campaign WHERE side = 0 AND {during}"
    return f"""SELECT m, {total("gmv", f"{during} AND promoted")},
        {total("gmv", f"{during} AND NOT promoted AND same")},
            {total("gmv", f"{during} AND NOT promoted AND NOT same")}, {total("gmv", f"NOT ({during})")},
            -{total("lost", "true")}, coalesce(sum(subsidy) FILTER (side = 1 AND ours), 0),
            coalesce(sum(subsidy) FILTER (side = 1 AND ours AND a.idx IS NOT NULL), 0),
            {distinct("order_id")}, {distinct("w_campaign.idx")}, {total("commission", "true")}
        FROM w_campaign LEFT JOIN ({anyway}) AS a USING (m, idx) GROUP BY m ORDER BY m"""


def _rows(name: str, country: str, window: tuple[date, date], values: list[float]) -> list[Row]:
    promoted, same, other, after, returned, subsidy, always, orders, buyers, paid, media = values
    cells = {
        "incremental_gmv": (promoted, "USD"),
        "halo_gmv": (max(same, 0.0) + max(other, 0.0), "USD"),
        "cannibalised_gmv": (min(same, 0.0) + min(other, 0.0), "USD"),
        "pulled_forward_gmv": (min(after, 0.0), "USD"),
        "carried_over_gmv": (max(after, 0.0), "USD"),
        "returned_gmv": (returned, "USD"),
        "net_incremental_gmv": (promoted + same + other + after + returned, "USD"),
        "subsidy_total": (subsidy, "USD"),
        "subsidy_always_buyers": (always, "USD"),
        "creator_commission": (paid, "USD"),
        "media_cost": (media, "USD"),
        "incremental_orders": (orders, "orders"),
        "incremental_buyers": (buyers, "users"),
    }
    return [
        {
            "effect": "campaign", "entity": name, "country": country, "metric": metric, "starts_on": window[0],
            "ends_on": window[1], "value": round(value, 6), "unit": unit, "segment": None,
        }
        for metric, (value, unit) in cells.items()
    ]  # fmt: skip
