"""Metrics on ten million rows against queries written by hand, in one run. Printed, never asserted."""

from __future__ import annotations

import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from analysis_lib import config, metrics
from analysis_lib.pipelines import MARTS
from analysis_lib.pipelines.duckdb_store import DuckDBStore
from analysis_lib.pipelines.store import source_stamp
from analysis_lib.warehouse import connect

ROWS = 10_000_000
USERS = 1_000_000
COUNTRIES = 20
REPEATS = 7
FIVE = ["gmv_per_user", "net_gmv_per_user", "orders_per_user", "views_per_user", "carts_per_user"]

#: Ten days of each user: five before the test and five in it. Numbers are arbitrary; their kinds are not.
USER_DAYS = f"""
    SELECT 'u' || lpad(u::VARCHAR, 8, '0') AS user_id, 'C' || lpad((u % {COUNTRIES})::VARCHAR, 2, '0') AS country,
        DATE '2026-01-01' + (k * 2)::INTEGER AS day, 1 AS n_sessions, 60 AS duration_s, 5 AS n_impressions,
        (hash(u, k) % 7)::BIGINT AS n_views, (hash(u, k, 1) % 3)::BIGINT AS n_carts,
        0 AS n_checkouts, 0 AS n_payment_attempts, 0 AS n_payments_ok, 0 AS n_crashes, false AS has_crash,
        (hash(u, k, 2) % 10 = 0)::BIGINT AS n_orders, 1 AS n_lines, 1 AS n_units, 0 AS n_lines_without_usd,
        CASE WHEN hash(u, k, 2) % 10 = 0 THEN (hash(u, k, 3) % 10000) / 100.0 ELSE 0 END AS gmv_usd,
        gmv_usd * 0.9 AS net_usd, gmv_usd * 0.05 AS subsidy_usd, gmv_usd AS gmv_constant_usd,
        net_usd AS net_constant_usd, 'USD' AS currency, gmv_usd AS gmv_local, net_usd AS net_local
    FROM range({USERS}) AS u(u), range({ROWS // USERS}) AS k(k)
"""
UNITS = f"""
    SELECT 'x' AS experiment_id, 'u' || lpad(u::VARCHAR, 8, '0') AS unit_id, DATE '2026-01-11' AS day, 'user' AS unit,
        CASE WHEN hash(u, 9) % 2 = 0 THEN 'control' ELSE 'treatment' END AS variant, 'full' AS phase,
        DATE '2026-01-11' + (hash(u, 5) % 5)::INTEGER AS exposed_day,
        exposed_day::TIMESTAMP AS exposed_at, 0.5 AS planned_share,
        1 AS n_variants, 1 AS n_exposures, 'C' || lpad((u % {COUNTRIES})::VARCHAR, 2, '0') AS country,
        'ios' AS platform, false AS is_in_two_variants, false AS is_unknown_variant, false AS is_before_start,
        false AS is_after_end, false AS is_unknown_user
    FROM range({USERS}) AS u(u)
"""

#: What somebody would write who needs just this: rows with the day from which their user counts, users, moments.
MOMENTS_BY_HAND = """
    WITH exposed AS (
        SELECT unit_id, variant, country AS home, exposed_day FROM marts.main.experiment_units WHERE experiment_id = 'x'
    ), placed AS (
        SELECT user_days.*, variant, home, day >= exposed_day AS now,
            day < exposed_day AND day >= exposed_day - INTERVAL 10 DAY AS before
        FROM marts.main.user_days JOIN exposed ON user_id = unit_id
        WHERE day BETWEEN DATE '2026-01-01' AND DATE '2026-01-19'
    ), users AS (SELECT user_id, variant, home, {sums} FROM placed GROUP BY ALL)
    SELECT variant, home, count(*), {moments} FROM users GROUP BY variant, home
"""
QUERY_BY_HAND = """
    SELECT country, sum(gmv_usd) / nullif(count(DISTINCT user_id), 0),
        sum(net_usd) / nullif(count(DISTINCT user_id), 0), sum(n_orders) / nullif(count(DISTINCT user_id), 0),
        sum(n_views) / nullif(count(DISTINCT user_id), 0),
        sum(n_carts) / nullif(count(DISTINCT user_id), 0)
    FROM marts.main.user_days GROUP BY country
"""
COLUMNS = {"gmv": "gmv_usd", "net": "net_usd", "orders": "n_orders", "views": "n_views", "carts": "n_carts"}


def moments_by_hand() -> str:
    """The SQL of five means with the covariates of those that are final at once."""
    sums, moments = [], []
    for name, column in COLUMNS.items():
        sums.append(f"sum({column}) FILTER (now) AS {name}")
        moments += [f"avg(coalesce({name}, 0))", f"var_samp(coalesce({name}, 0))"]
        if name != "net":
            sums.append(f"sum({column}) FILTER (before) AS {name}_before")
            pair = f"coalesce({name}, 0), coalesce({name}_before, 0)"
            moments += [f"avg(coalesce({name}_before, 0))", f"var_samp(coalesce({name}_before, 0))"]
            moments.append(f"covar_samp({pair})")
    return MOMENTS_BY_HAND.format(sums=", ".join(sums), moments=", ".join(moments))


def checkout(folder: Path) -> config.Project:
    """A checkout whose source has the marts of ten million rows."""
    project, own = config.Project(folder), config.project().data
    shutil.copytree(own, folder / "data", ignore=shutil.ignore_patterns("built", "grades"))
    path = folder / "bench.duckdb"
    with connect("world") as world, duckdb.connect(str(path)) as connection:
        connection.execute(f"ATTACH '{world.path}' AS whole (READ_ONLY)")
        for table in world.tables():
            connection.execute(f'CREATE TABLE "{table}" AS FROM whole.main."{table}" LIMIT 0')
        connection.execute("INSERT INTO experiments BY NAME SELECT 'x' AS experiment_id, 'control' AS variant")
    with connect(path, project=project) as warehouse:
        store = DuckDBStore(warehouse)
        try:
            first = date(2026, 1, 1)
            every_other = [first + timedelta(days=2 * k) for k in range(ROWS // USERS)]
            marts = {"user_days": (USER_DAYS, every_other), "experiment_units": (UNITS, [date(2026, 1, 11)])}
            for name, (rows, days) in marts.items():
                store.create(MARTS[name])
                store.replace(MARTS[name], dict.fromkeys(days, "bench"), rows, lambda _: None)
                store.finish(MARTS[name], source_stamp(warehouse))
        finally:
            store.close()
    return project


def timed(works: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each, in turn: what slows the machine down for a while slows all of them."""
    found: dict[str, list[float]] = {what: [] for what in works}
    for repeat in range(REPEATS + 1):
        for what, work in works.items():
            start = time.perf_counter()
            work()
            if repeat:
                found[what].append(time.perf_counter() - start)
    return found


def ratio(one: list[float], other: list[float]) -> str:
    """The median of the ratios of runs that stood next to each other."""
    return f"{statistics.median(a / b for a, b in zip(one, other, strict=True)):.2f} ×"


def main() -> None:
    """Print the table."""
    table = Table(title=f"{ROWS:,} rows, {USERS:,} users, {COUNTRIES} markets, median of {REPEATS} runs in turn")
    for column in ("what", "seconds", "against by hand"):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as name:
        project = checkout(Path(name))
        with connect(project.root / "bench.duckdb", project=project) as warehouse:
            metrics.query(warehouse, FIVE, by="country")
            run = warehouse.connection.execute
            moments = {"by": ["variant", "country"], "experiment": "x", "covariates": "own", "pre_days": 10}
            works = {
                "one plain scan of the columns": lambda: run(
                    f"SELECT {', '.join(f'sum({c})' for c in COLUMNS.values())}, max(user_id) FROM marts.main.user_days"
                ).fetchall(),
                "query, by hand": lambda: run(QUERY_BY_HAND).fetchall(),
                "metrics.query": lambda: metrics.query(warehouse, FIVE, by="country"),
                "moments, by hand": lambda: run(moments_by_hand()).fetchall(),
                "metrics.moments": lambda: metrics.moments(
                    warehouse, FIVE, start="2026-01-11", end="2026-01-19", **moments
                ),
                "metrics.explain": lambda: metrics.explain(
                    warehouse,
                    "gmv_per_user",
                    before=("2026-01-01", "2026-01-09"),
                    after=("2026-01-11", "2026-01-19"),
                ),
            }
            seconds = timed(works)
    by_hand = {"metrics.query": "query, by hand", "metrics.moments": "moments, by hand"}
    for what, found in seconds.items():
        against = ratio(found, seconds[by_hand[what]]) if what in by_hand else ""
        table.add_row(what, f"{statistics.median(found):.2f}", against)
    Console().print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console().print(f"Peak memory of this process: {peak:,.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
