"""What the business knows of its own plans: tables of campaigns, coupons, experiments, releases and launches."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analysis_lib.world.baskets import BUDGET_COUPON
from analysis_lib.world.block import Block, blocks
from analysis_lib.world.draws import text
from analysis_lib.world.engine import Engine
from analysis_lib.world.recipe import Recipe
from analysis_lib.world.spending import budgets

_TERMS = {
    "platform_coupon": "{percent} off, paid by the platform",
    "free_shipping": "Free shipping",
}


def fill_plans(engine: Engine, recipe: Recipe) -> None:
    """Tables ``campaigns``, ``campaign_products``, ``campaign_targets``, ``coupons``, ``coupon_products``,
    ``experiments``, ``app_releases`` and ``launches``."""
    rows = {
        "campaigns": _campaigns(recipe),
        "coupons": _coupons(recipe),
        "experiments": _experiments(recipe),
        "app_releases": _releases(recipe),
        "launches": _launches(recipe),
    }
    for table, found in rows.items():
        if found:
            marks = ", ".join("?" for _ in found[0])
            engine.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
    for name in recipe.campaigns:
        _fill_campaign(engine, recipe, name)


def _campaigns(recipe: Recipe) -> list[tuple[Any, ...]]:
    money = {name: budgets(recipe, name) for name in recipe.campaigns}
    return [
        (
            name, plant.title, plant.mechanic, market.country, plant.first_day, plant.last_day, plant.mechanic,
            *money[name][market.country], plant.targeting,
            plant.holdout_share if plant.targeting == "holdout" else None,
        )
        for name, plant in recipe.campaigns.items()
        for _, market in recipe.markets()
        if market.country in plant.countries
    ]  # fmt: skip


def _coupons(recipe: Recipe) -> list[tuple[Any, ...]]:
    paid = [
        (name, name, _TERMS[plant.mechanic].format(percent=f"{plant.discount:.0%}"))
        for name, plant in recipe.campaigns.items()
        if plant.mechanic in _TERMS
    ]
    daily = [
        (BUDGET_COUPON.format(name=name), None, f"{trial.budget.value_share:.0%} off while the day's budget lasts")
        for name, trial in recipe.experiments.items()
        if trial.budget is not None
    ]
    return paid + daily


def _experiments(recipe: Recipe) -> list[tuple[Any, ...]]:
    rows = []
    for name, trial in recipe.experiments.items():
        zones = [market.timezone for market in recipe.settings.markets if market.country in trial.countries]
        starts = min(_utc(trial.first_day, zone) for zone in zones)
        ends = max(_utc(trial.last_day + timedelta(days=1), zone) for zone in zones)
        for variant, arm in trial.variants.items():
            rows.append(
                (name, trial.title, trial.unit, variant, arm.share, starts, ends, trial.hypothesis,
                 trial.primary_metric, json.dumps(list(trial.guardrails)))
            )  # fmt: skip
    return rows


def _utc(day: Any, timezone: str) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def _releases(recipe: Recipe) -> list[tuple[Any, ...]]:
    # A release goes out when its day begins in the first market.
    zones = [market.timezone for market in recipe.settings.markets]
    return [
        (
            plant.platform, plant.version, min(_utc(plant.first_day, zone) for zone in zones),
            json.dumps([{"day": day, "share": share} for day, share in plant.ramp]),
        )
        for plant in recipe.releases.values()
    ]  # fmt: skip


def _launches(recipe: Recipe) -> list[tuple[Any, ...]]:
    return [
        (
            name, plant.title, country, live_on - timedelta(days=plant.announced) if plant.announced else None,
            live_on, plant.metric,
        )
        for name, plant in recipe.launches.items()
        for country, live_on in sorted(plant.live_on.items(), key=lambda item: (item[1], item[0]))
    ]  # fmt: skip


def _fill_campaign(engine: Engine, recipe: Recipe, name: str) -> None:
    plant = recipe.campaigns[name]
    number = recipe.settings.number(plant.first_day)
    block = blocks(recipe, number, number)[0]
    engine.run(_products(block, name))
    if plant.mechanic in _TERMS:
        engine.run(
            f"INSERT INTO coupon_products SELECT DISTINCT {text(name)}, product_id FROM campaign_products"
            f" WHERE campaign_id = {text(name)} ORDER BY 2"
        )
    if plant.targeting != "all":
        engine.run(_targets(block, name))
    if plant.targeting != "all" and plant.mechanic in _TERMS:
        engine.run(_grants(block, name))


def _products(block: Block, name: str) -> str:
    """What the campaign promotes in each market: of its own merchants and of those abroad."""
    plant = block.recipe.campaigns[name]
    every = block.recipe.settings.markets
    markets = ", ".join(f"({m}, {text(every[m].country)})" for m in block.recipe.numbers(plant.countries))
    return f"""INSERT INTO campaign_products SELECT {text(name)}, country, product_id
        FROM w_products, (VALUES {markets}) AS markets(m, country)
        WHERE (pool = m OR pool = -1) AND {block.promoted(plant)} ORDER BY 2, 3"""


def _targets(block: Block, name: str) -> str:
    plant = block.recipe.campaigns[name]
    held = f"NOT ({block.reached(name, plant)})" if plant.targeting == "holdout" else "false"
    countries = ", ".join(text(country) for country in plant.countries)
    return f"""INSERT INTO campaign_targets SELECT {text(name)}, user_id, {held}
        FROM w_users WHERE country IN ({countries}) AND {block.chosen(name, plant)}
            ORDER BY user_id"""


def _grants(block: Block, name: str) -> str:
    """Targeted users are given their coupon at eight in the evening before the campaign starts, local time."""
    plant = block.recipe.campaigns[name]
    first, _ = block.window(plant)
    return f"""INSERT INTO coupon_events SELECT {text(name)}, user_id, utc_start - INTERVAL 4 HOUR, 'grant'
        FROM campaign_targets AS t JOIN w_users AS u USING (user_id) JOIN w_days AS w ON w.m = u.m AND w.d = {first}
        WHERE t.campaign_id = {text(name)} AND NOT is_holdout ORDER BY user_id"""
