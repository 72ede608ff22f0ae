"""What a version of the app did to the visits made with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from analysis_lib.world.draws import text
from analysis_lib.world.paired import Scope, play_pair
from analysis_lib.world.plants import Release
from analysis_lib.world.stage import Stage

#: Days from a release over which its effect is taken, unless the next one of the platform comes first.
DAYS = 28

_METRICS = {
    "crash_free_rate": ("1 - avg(crashed::INTEGER)", "share of visits without a crash"),
    "start_ms_p50": ("quantile_cont(start_ms, 0.5)", "ms until the app can be used, median"),
    "start_ms_p95": ("quantile_cont(start_ms, 0.95)", "ms until the app can be used, 95th percentile"),
    "conversion": ("avg(ordered::INTEGER)", "orders per visit"),
}


def release_truth(stage: Stage, name: str) -> list[dict[str, Any]]:
    """Rows of the truth for one release: the same visits with it and with the version before."""
    recipe = stage.recipe
    release, number = recipe.releases[name], recipe.settings.number
    later = [
        number(other.first_day)
        for other in recipe.releases.values()
        if other.platform == release.platform and other.first_day > release.first_day
    ]
    first = number(release.first_day)
    last = min([first + DAYS - 1, recipe.settings.days - 1, *(day - 1 for day in later)])
    scope = Scope(tuple(m for m, _ in recipe.markets()), first, last)
    play_pair(stage, scope, (recipe, recipe.leave_out(f"release:{name}")), lambda _: _kept(release))
    ends_on = recipe.settings.first_day + timedelta(days=last)
    rows = []
    for segment, condition in _segments(release):
        rows += [
            {
                "effect": "release", "entity": name, "country": None, "metric": metric, "starts_on": release.first_day,
                "ends_on": ends_on, "value": value, "unit": unit, "segment": segment,
            }
            for metric, value, unit in _differences(stage, release, condition)
        ]  # fmt: skip
    stage.renew(recipe)
    return rows


def _segments(release: Release) -> list[tuple[str | None, str]]:
    """All visits on the version, and those on the systems it singles out."""
    found: list[tuple[str | None, str]] = [(None, "true")]
    if release.only:
        listed = ", ".join(text(name) for name in release.only)
        found.append((f"os_version in {', '.join(release.only)}", f"os_version IN ({listed})"))
    return found


def _kept(release: Release) -> dict[str, str]:
    return {
        "release": f"""SELECT v.m, v.d, v.visit_id, v.app_version, v.os_version, v.crashed, v.start_ms,
                coalesce(ordered, false) AS ordered
            FROM w_visits AS v LEFT JOIN (SELECT visit_id, ordered FROM w_orders) USING (visit_id)
            WHERE v.platform = {text(release.platform)}"""
    }


def _differences(stage: Stage, release: Release, condition: str) -> list[tuple[str, float, str]]:
    mine = f"SELECT visit_id FROM w_release WHERE side = 1 AND app_version = {text(release.version)}"
    values = ", ".join(sql for sql, _ in _METRICS.values())
    found = stage.engine.rows(
        f"SELECT side, {values} FROM w_release WHERE {condition} AND visit_id IN ({mine}) GROUP BY side ORDER BY side"
    )
    if len(found) < 2:
        return []
    (_, *without), (_, *with_it) = found
    return [
        (metric, round(after - before, 10), unit)
        for (metric, (_, unit)), after, before in zip(_METRICS.items(), with_it, without, strict=True)
    ]
