"""How an app version spread, started, crashed and converted, by market and day."""

from __future__ import annotations

from typing import Any

import ibis

from analysis_lib.pipelines.declaration import Days, Mart, column, day_column
from analysis_lib.pipelines.expressions import count_where, exact_sum, where
from analysis_lib.pipelines.inputs import Inputs

#: Upper bounds of the start-time buckets, in ms. Quantiles of engines differ; counts in buckets do not, and add up.
START_EDGES_MS = (250, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 10_000)

#: What a session without platform or version is filed under.
UNKNOWN = "unknown"


def bucket_names() -> list[str]:
    """Names of the bucket counts, ascending: below each edge, then the rest."""
    return [*(f"n_starts_below_{edge}_ms" for edge in START_EDGES_MS), f"n_starts_from_{START_EDGES_MS[-1]}_ms"]


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Versions by market, of these days."""
    table = inputs.marts["sessions"]
    table = table if days is None else days.keep(table)
    table = table.mutate(platform=table.platform.fill_null(UNKNOWN), app_version=table.app_version.fill_null(UNKNOWN))
    started = (table.start_ms >= 0) & ~table.start_ms.isnan()
    table = table.mutate(start_ms=where(started.fill_null(False), table.start_ms))
    return table.group_by("platform", "app_version", "country", "day").agg(
        n_sessions=table.count(),
        n_users=table.user_id.nunique(),
        n_sessions_crashed=count_where(table.has_crash),
        n_crashes=table.n_crashes.sum(),
        n_sessions_paid=count_where(table.has_payment),
        n_starts=table.start_ms.count(),
        start_ms_sum=exact_sum(table.start_ms),
        **_buckets(table.start_ms),
    )


def _buckets(start_ms: Any) -> dict[str, Any]:
    lower = (0, *START_EDGES_MS)
    conditions = [(start_ms >= low) & (start_ms < high) for low, high in zip(lower, START_EDGES_MS, strict=False)] + [
        start_ms >= START_EDGES_MS[-1]
    ]
    return {name: count_where(condition) for name, condition in zip(bucket_names(), conditions, strict=True)}


RELEASE_ADOPTION = Mart(
    name="release_adoption",
    meaning=(
        "Sessions by client version. Start times are counted in fixed buckets: a percentile is interpolated within its "
        "bucket, over any market and period."
    ),
    grain="One row per platform, app version, market and market-local day with a session.",
    keys=("platform", "app_version", "country", "day"),
    columns=(
        column("platform", "string", "Client platform.", required=True),
        column("app_version", "string", "Client version.", required=True),
        column("country", "string", "Market.", required=True),
        day_column(),
        column("n_sessions", "integer", "Sessions.", "sessions"),
        column("n_users", "integer", "Different users; those signed out are not counted.", "users"),
        column("n_sessions_crashed", "integer", "Sessions with a crash.", "sessions"),
        column("n_crashes", "integer", "Crashes.", "crashes"),
        column("n_sessions_paid", "integer", "Sessions with a payment that succeeded.", "sessions"),
        column("n_starts", "integer", "Sessions with a start time.", "sessions"),
        column("start_ms_sum", "number", "Their start times, added up.", "ms"),
        *(column(name, "integer", "Sessions with a start time in this bucket.", "sessions") for name in bucket_names()),
    ),
    inputs=(),
    upstream=("sessions",),
    expression=expression,
)  # fmt: skip
