"""What a launch did in each market, from the day it was announced on, and how that grew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from analysis_lib.world.aftermath import LOST_SHARE
from analysis_lib.world.block import Block
from analysis_lib.world.paired import Scope, play_pair
from analysis_lib.world.plants import Launch
from analysis_lib.world.stage import Stage

#: Weeks since a launch that are told apart: first week, last week (None: to the end of the data).
WEEKS = ((1, 2), (3, 4), (5, 6), (7, None))

#: Sums of a market and day.
_SUMS = ("views", "carts", "checkouts", "orders", "refunds", "gmv", "lost")

#: Differences with it and without it: sums, and unit in words.
_TOTALS = {
    "gmv": (("gmv",), "USD"),
    "net_gmv": (("gmv", "lost"), "USD, after cancellations and refunds"),
    "orders": (("orders",), "orders"),
}

#: Relative changes of a ratio: numerator, denominator, unit in words.
_RATIOS = {
    "cart_rate": ("carts", "views", "relative change of carts per visit with a product page"),
    "checkout_rate": ("checkouts", "carts", "relative change of checkouts per cart"),
    "payment_rate": ("orders", "checkouts", "relative change of orders per checkout"),
    "refund_rate": ("refunds", "orders", "relative change of returned orders per order"),
}

Row = dict[str, Any]


def launch_truth(stage: Stage, name: str) -> list[Row]:
    """Rows of the truth for one launch, per market and stretch of weeks since it went live there.

    Segments: ``announced`` (days between announcement and launch), ``weeks 1-2`` and so on, ``weeks 7-``, and none: all
    days live. Only whole weeks are told apart, and a stretch that the data do not hold in full is left out.
    """
    recipe = stage.recipe
    launch, number = recipe.launches[name], recipe.settings.number
    first = min(number(day) for day in launch.live_on.values()) - launch.announced
    scope = Scope(tuple(recipe.numbers(launch.countries)), first, recipe.settings.days - 1)
    play_pair(stage, scope, (recipe, recipe.leave_out(f"launch:{name}")), _kept)
    rows: list[Row] = []
    for country, live_on in sorted(launch.live_on.items(), key=lambda item: (item[1], item[0])):
        m = recipe.numbers((country,))[0]
        for segment, starts_on, ends_on in _stretches(launch, live_on, recipe.settings.last_day):
            sides = _sums(stage, m, number(starts_on), number(ends_on))
            rows += [
                {
                    "effect": "launch", "entity": name, "country": country, "metric": metric, "starts_on": starts_on,
                    "ends_on": ends_on, "value": value, "unit": unit, "segment": segment,
                }
                for metric, value, unit in _differences(*sides)
            ]  # fmt: skip
    stage.renew(recipe)
    return rows


def _stretches(launch: Launch, live_on: date, end: date) -> Iterator[tuple[str | None, date, date]]:
    """Segment, first and last day."""
    yield None, live_on, end
    if launch.announced:
        yield "announced", live_on - timedelta(days=launch.announced), live_on - timedelta(days=1)
    for first, last in WEEKS:
        starts_on = live_on + timedelta(weeks=first - 1)
        ends_on = end if last is None else live_on + timedelta(weeks=last, days=-1)
        if ends_on <= end and starts_on + timedelta(weeks=1, days=-1) <= end:
            yield f"weeks {first}-{last or ''}", starts_on, ends_on


def _kept(_: Block) -> dict[str, str]:
    return {
        "launch": f"""SELECT v.m, v.d, count(*) FILTER (v.viewed) AS views, count(*) FILTER (v.carted) AS carts,
                count(*) FILTER (checked_out) AS checkouts, count(*) FILTER (ordered) AS orders,
                count(*) FILTER (returned) AS refunds, coalesce(sum(gmv), 0) AS gmv,
                coalesce(sum(gmv * ({LOST_SHARE})::DECIMAL(4, 3)), 0) AS lost
            FROM w_visits AS v
            LEFT JOIN (SELECT visit_id, order_id, checked_out, ordered FROM w_orders) USING (visit_id)
            LEFT JOIN (SELECT order_id, sum((gmv_local * usd)::DECIMAL(16, 6)) AS gmv FROM w_lines GROUP BY order_id)
                USING (order_id)
            LEFT JOIN (SELECT order_id, cancelled, refused, returned, refunded_share FROM w_fates) USING (order_id)
            GROUP BY v.m, v.d"""
    }


def _sums(stage: Stage, m: int, first: int, last: int) -> tuple[dict[str, float], dict[str, float]]:
    """Sums of a market over days, with the launch and without it."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::DOUBLE" for name in _SUMS)
    found = dict.fromkeys((1, 0), dict.fromkeys(_SUMS, 0.0))
    query = f"SELECT side, {sums} FROM w_launch WHERE m = {m} AND d BETWEEN {first} AND {last} GROUP BY side"
    for side, *values in stage.engine.rows(query):
        found[side] = dict(zip(_SUMS, values, strict=True))
    return found[1], found[0]


def _differences(with_it: dict[str, float], without: dict[str, float]) -> Iterator[tuple[str, float, str]]:
    for metric, ((plus, *minus), unit) in _TOTALS.items():
        after, before = (side[plus] - sum(side[name] for name in minus) for side in (with_it, without))
        yield metric, round(after - before, 6), unit
    for metric, (above, below, unit) in _RATIOS.items():
        if all(side[name] for side in (with_it, without) for name in (above, below)):
            ratio = with_it[above] / with_it[below] * without[below] / without[above]
            yield metric, round(ratio - 1, 10), unit
