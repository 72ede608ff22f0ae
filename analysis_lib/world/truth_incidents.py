"""What an incident cost, and what it did to the record."""

from __future__ import annotations

from typing import Any

from analysis_lib.world.aftermath import LOST_SHARE
from analysis_lib.world.block import Block
from analysis_lib.world.paired import Scope, play_pair
from analysis_lib.world.plants import Incident
from analysis_lib.world.stage import Stage
from analysis_lib.world.traces import events

Row = dict[str, Any]


def incident_truth(stage: Stage, name: str) -> list[Row]:
    """Rows of the truth for one incident, per market: what is lost is the world without it minus the world with it."""
    recipe = stage.recipe
    incident, number = recipe.incidents[name], recipe.settings.number
    scope = Scope(tuple(recipe.numbers(incident.countries)), number(incident.first_day), number(incident.last_day))
    play_pair(stage, scope, (recipe, recipe.leave_out(f"incident:{name}")), _kept)
    rows = []
    for metric, (query, unit) in (_MONEY | _RECORD.get(incident.kind, {})).items():
        for m, value in stage.engine.rows(query):
            rows.append(_row(name, incident, recipe.settings.markets[m].country, metric, float(value), unit))
    if incident.kind == "currency_error":
        rows += _misstated(stage, name, incident)
    stage.renew(recipe)
    return rows


def _kept(block: Block) -> dict[str, str]:
    return {
        "incident": f"""SELECT l.m, l.d, l.order_id, (l.gmv_local * l.usd)::DECIMAL(20, 6) AS gmv,
                (l.gmv_local * l.usd * {LOST_SHARE})::DECIMAL(20, 6) AS lost, days
            FROM w_lines AS l JOIN (SELECT order_id, cancelled, refused, returned, refunded_share, days FROM w_fates)
                USING (order_id)""",
        # The log's rows with the day of the market they happened on.
        "log": f"""SELECT w.m, w.d, session_id, name, received_at - "at" > INTERVAL 1 DAY AS late
            FROM ({events(block)}) AS e JOIN w_creator_counts AS x USING (country)
            JOIN w_days AS w ON w.m = x.m AND "at" >= w.utc_start AND "at" < w.utc_start + to_seconds(w.seconds)""",
    }


_LOST = "CASE side WHEN 0 THEN 1 ELSE -1 END"
_MORE = "CASE side WHEN 1 THEN 1 ELSE -1 END"

_MONEY = {
    "lost_gmv": (f"SELECT m, sum(gmv * {_LOST}) FROM w_incident GROUP BY m ORDER BY m", "USD"),
    "lost_net_gmv": (
        f"SELECT m, sum((gmv - lost) * {_LOST}) FROM w_incident GROUP BY m ORDER BY m",
        "USD, after cancellations and refunds",
    ),
    "lost_orders": (
        "SELECT m, count(DISTINCT order_id) FILTER (side = 0) - count(DISTINCT order_id) FILTER (side = 1)"
        " FROM w_incident GROUP BY m ORDER BY m",
        "orders",
    ),
}  # fmt: skip

#: What else a kind of incident is known by.
_RECORD = {
    "logistics_strike": {
        "delivery_days": (
            "SELECT m, round(avg(days) FILTER (side = 1) - avg(days) FILTER (side = 0), 6)"
            " FROM w_incident GROUP BY m ORDER BY m",
            "days from order to door, mean",
        )
    },
    "tracking_loss": {
        "lost_events": (f"SELECT m, sum({_LOST}) FROM w_log GROUP BY m ORDER BY m", "events missing in the log")
    },
    "bot_traffic": {
        "extra_sessions": (
            "SELECT m, count(DISTINCT session_id) FILTER (side = 1) - count(DISTINCT session_id) FILTER (side = 0)"
            " FROM w_log GROUP BY m ORDER BY m",
            "sessions in the log",
        )
    },
    "late_data": {
        "late_events": (
            f"SELECT m, coalesce(sum({_MORE}) FILTER (late), 0) FROM w_log GROUP BY m ORDER BY m",
            "events received a day late or more",
        )
    },
}


def _misstated(stage: Stage, name: str, incident: Incident) -> list[Row]:
    """By how much GMV in dollars is overstated where the recorded rate is taken for true."""
    factor = incident.size - 1
    found = stage.engine.rows(f"SELECT m, sum(gmv) * {factor!r} FROM w_incident WHERE side = 1 GROUP BY m ORDER BY m")
    markets = stage.recipe.settings.markets
    return [
        _row(name, incident, markets[m].country, "misstated_gmv", float(value), "USD too much at the recorded rate")
        for m, value in found
    ]


def _row(name: str, incident: Incident, country: str, metric: str, value: float, unit: str) -> Row:
    return {
        "effect": "incident", "entity": name, "country": country, "metric": metric, "starts_on": incident.first_day,
        "ends_on": incident.last_day, "value": round(value, 6), "unit": unit, "segment": segment_of(incident),
    }  # fmt: skip


def segment_of(incident: Incident) -> str | None:
    """The part of the market that is hit, in words; None where it is all of it."""
    hit = {"payment_method": incident.method, "platform": incident.platform, "surface": incident.surface}
    parts = [f"{name} = {value}" for name, value in hit.items() if value]
    if incident.categories:
        parts.append(f"category = {', '.join(incident.categories)}")
    if incident.hours != (0, 24):
        parts.append(f"local hours {incident.hours[0]} to {incident.hours[1]}")
    return "; ".join(parts) or None
