"""What launching each variant to everyone would do, per exposed unit, against launching control to everyone."""

from __future__ import annotations

from typing import Any

from analysis_lib.world.aftermath import LOST_SHARE
from analysis_lib.world.block import Block
from analysis_lib.world.draws import text
from analysis_lib.world.paired import Scope, play_pair
from analysis_lib.world.plants import Experiment
from analysis_lib.world.stage import Stage

#: Metrics by name: SQL over the units of a side (sums by unit), unit in words. ``n`` is the number of units.
USER_METRICS = {
    "views_per_user": ("sum(views) / nullif(count(*), 0)", "product pages per exposed user"),
    "carts_per_user": ("sum(carts) / nullif(count(*), 0)", "carts per exposed user"),
    "orders_per_user": ("sum(orders) / nullif(count(*), 0)", "orders per exposed user"),
    "conversion": ("count(*) FILTER (orders > 0) / nullif(count(*), 0)", "share of exposed users who order"),
    "gmv_per_user": ("sum(gmv) / nullif(count(*), 0)", "USD per exposed user"),
    "net_gmv_per_user": ("sum(gmv - lost) / nullif(count(*), 0)", "USD per exposed user after cancellations, refunds"),
    "aov": ("sum(gmv) / nullif(sum(orders), 0)", "USD per order"),
    "checkout_rate": ("sum(checkouts) / nullif(sum(carts), 0)", "checkouts per cart"),
    "refund_rate": ("sum(refunds) / nullif(sum(orders), 0)", "refunded orders per order"),
    "subsidy_per_order": ("sum(subsidy) / nullif(sum(orders), 0)", "USD per order"),
    "crash_free_rate": ("1 - sum(crashes) / nullif(sum(visits), 0)", "share of visits without a crash"),
}  # fmt: skip
CREATOR_METRICS = {
    "orders_per_creator": ("sum(orders) / nullif(count(*), 0)", "orders per exposed creator"),
    "gmv_per_creator": ("sum(gmv) / nullif(count(*), 0)", "USD per exposed creator"),
}

Row = dict[str, Any]


def experiment_truth(stage: Stage, name: str) -> list[Row]:
    """Rows of the truth for one experiment: per treatment, in all its markets together and in each."""
    recipe = stage.recipe
    trial, number = recipe.experiments[name], recipe.settings.number
    scope = Scope(tuple(recipe.numbers(trial.countries)), number(trial.first_day), number(trial.last_day))
    rows: list[Row] = []
    for treatment in trial.treatments:
        worlds = recipe.launch(name, treatment), recipe.launch(name, "control")
        play_pair(stage, scope, worlds, lambda block: _kept(block, name, trial))
        rows += _rows(stage, name, trial, treatment)
    stage.renew(recipe)
    return rows


def _kept(block: Block, name: str, trial: Experiment) -> dict[str, str]:
    """Sums by unit and day, from the unit's first exposure on."""
    unit = unit_of(trial)
    since = f"JOIN w_exposures AS e ON e.experiment = {text(name)} AND e.unit = v.{unit} AND e.d <= v.d"
    return {"trial": done_by_unit(unit, since)}


def unit_of(trial: Experiment) -> str:
    """Column of a visit that holds what an experiment randomises."""
    return "idx" if trial.unit == "user" else "maker"


def done_by_unit(unit: str, among: str = "") -> str:
    """SQL of what units did, by market and day: ``SUMS``.

    Parameters
    ----------
    unit : str
        As ``unit_of``.
    among : str
        A join that keeps some of the visits ``v``.
    """
    return f"""
            SELECT v.m, v.d, v.{unit} AS unit, count(*) AS visits, sum(CASE WHEN viewed THEN v.n_views ELSE 0
                END) AS views,
                count(*) FILTER (v.carted) AS carts, count(*) FILTER (v.crashed) AS crashes,
                count(*) FILTER (checked_out) AS checkouts, count(*) FILTER (ordered) AS orders,
                coalesce(sum(gmv), 0) AS gmv, coalesce(sum(subsidy), 0) AS subsidy,
                count(*) FILTER (returned) AS refunds, coalesce(sum(gmv * ({LOST_SHARE})::DECIMAL(4, 3)), 0) AS lost
            FROM w_visits AS v
            {among}
            LEFT JOIN (SELECT visit_id, order_id, checked_out, ordered FROM w_orders) USING (visit_id)
            LEFT JOIN (SELECT order_id, sum((gmv_local * usd)::DECIMAL(16, 6)) AS gmv,
                    sum((platform_subsidy_local * usd)::DECIMAL(16, 6)) AS subsidy FROM w_lines GROUP BY order_id)
                        USING (order_id)
            LEFT JOIN (SELECT order_id, cancelled, refused, returned, refunded_share FROM w_fates) USING (order_id)
            WHERE v.{unit} IS NOT NULL
            GROUP BY v.m, v.d, v.{unit}"""


#: What is summed by unit.
SUMS = ("visits", "views", "carts", "crashes", "checkouts", "orders", "gmv", "subsidy", "refunds", "lost")


def _rows(stage: Stage, name: str, trial: Experiment, treatment: str) -> list[Row]:
    """Metrics that differ between the two launches, and the ones that the experiment is decided by."""
    metrics = USER_METRICS if trial.unit == "user" else CREATOR_METRICS
    always, rows = {trial.primary_metric, *trial.guardrails}, []
    for m, sides in _by_scope(stage, metrics).items():
        if len(sides) < 2:
            continue
        for metric, launched, control in zip(metrics, sides[1], sides[0], strict=True):
            if launched is not None and control is not None and (launched != control or metric in always):
                country = None if m is None else stage.recipe.settings.markets[m].country
                rows.append(_row(name, trial, treatment, country, metric, launched - control, metrics[metric][1]))
    return rows


def _by_scope(stage: Stage, metrics: dict[str, tuple[str, str]]) -> dict[Any, dict[int, list[float | None]]]:
    """Values of the metrics by market (None: all together) and side."""
    sums = ", ".join(f"sum({column}) AS {column}" for column in SUMS)
    values = ", ".join(f"({sql})::DOUBLE" for sql, _ in metrics.values())
    found = stage.engine.rows(
        f"SELECT m, side, {values} FROM (SELECT side, m, unit, {sums} FROM w_trial GROUP BY side, m, unit)"
        " GROUP BY GROUPING SETS ((m, side), (side)) ORDER BY m NULLS FIRST, side"
    )
    by_scope: dict[Any, dict[int, list[float | None]]] = {}
    for m, side, *numbers in found:
        by_scope.setdefault(m, {})[side] = numbers
    return by_scope


def _row(
    name: str, trial: Experiment, treatment: str, country: str | None, metric: str, value: float, unit: str
) -> Row:
    return {
        "effect": "experiment", "entity": name, "country": country, "metric": metric, "starts_on": trial.first_day,
        "ends_on": trial.last_day, "value": round(value, 10), "unit": unit, "segment": treatment,
    }  # fmt: skip
