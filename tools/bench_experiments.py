"""Five metrics of ten million units in 20 markets, tested in each: the library, SQL by hand, tea-tasting, pandas.

Printed, never asserted. ``python tools/bench_experiments.py 1000000`` takes fewer units.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import duckdb
import ibis
import numpy as np
import tea_tasting as tt
from rich.console import Console
from rich.table import Table

from analysis_lib import config, metrics
from analysis_lib.experiments.arms import arms_of
from analysis_lib.experiments.effects import effect_of
from analysis_lib.pipelines import MARTS
from analysis_lib.pipelines.duckdb_store import DuckDBStore
from analysis_lib.pipelines.store import source_stamp
from analysis_lib.warehouse import connect

UNITS = 10_000_000
MARKETS = 20
REPEATS = 3
SEED = 7
LEVEL = 0.95
EFFECTS = "(b) effects from these moments"

#: Column of the table of units, by metric of the library.
COLUMNS = {
    "gmv_per_user": "gmv", "orders_per_user": "orders", "views_per_user": "views", "carts_per_user": "carts",
    "buyer_share": "buys",
}  # fmt: skip

#: One row per unit: what it did in the test, and before. Eager units are so in both.
GENERATED = """
    WITH drawn AS (
        SELECT u AS unit, (u % {markets})::INTEGER AS cell, (hash(u, {seed}) % 2)::INTEGER AS variant,
            (hash(u, {seed}, 1) % 5)::INTEGER AS eager
        FROM range({units}) AS u(u)
    ), done AS (
        SELECT unit, cell, variant,
            ((hash(u2, 2) % 10 < eager + variant * (hash(u2, 3) % 20 = 0)::INTEGER))::DOUBLE AS orders,
            (hash(u2, 4) % 10 < eager)::DOUBLE AS orders_before,
            orders * (hash(u2, 5) % 10000) / 100.0 AS gmv, orders_before * (hash(u2, 6) % 10000) / 100.0 AS gmv_before,
            (hash(u2, 7) % 5 + eager)::DOUBLE AS views, (hash(u2, 8) % 5 + eager)::DOUBLE AS views_before,
            (hash(u2, 9) % 3 + orders)::DOUBLE AS carts, (hash(u2, 10) % 3 + orders_before)::DOUBLE AS carts_before,
            orders AS buys, orders_before AS buys_before
        FROM (SELECT *, hash(unit, {seed}, 0) AS u2 FROM drawn)
    )
    FROM done
"""

#: The same as marts: a day before the test and a day in it.
USER_DAYS = """
    SELECT 'u' || lpad(unit::VARCHAR, 8, '0') AS user_id, 'C' || lpad(cell::VARCHAR, 2, '0') AS country,
        IF(k = 0, DATE '2026-01-01', DATE '2026-01-13') AS day, 1 AS n_sessions, 60 AS duration_s, 5 AS n_impressions,
        IF(k = 0, views_before, views)::BIGINT AS n_views, IF(k = 0, carts_before, carts)::BIGINT AS n_carts,
        0 AS n_checkouts, 0 AS n_payment_attempts, 0 AS n_payments_ok, 0 AS n_crashes, false AS has_crash,
        IF(k = 0, orders_before, orders)::BIGINT AS n_orders, 1 AS n_lines, 1 AS n_units, 0 AS n_lines_without_usd,
        IF(k = 0, gmv_before, gmv) AS gmv_usd, gmv_usd * 0.9 AS net_usd, gmv_usd * 0.05 AS subsidy_usd,
        gmv_usd AS gmv_constant_usd, net_usd AS net_constant_usd, 'USD' AS currency, gmv_usd AS gmv_local,
        net_usd AS net_local
    FROM ({generated}) AS units, range(2) AS k(k)
"""
EXPOSED = """
    SELECT 'x' AS experiment_id, 'u' || lpad(unit::VARCHAR, 8, '0') AS unit_id, DATE '2026-01-11' AS day,
        'user' AS unit, IF(variant = 0, 'control', 'treatment') AS variant, 'full' AS phase,
        DATE '2026-01-11' AS exposed_day, TIMESTAMP '2026-01-11' AS exposed_at, 0.5 AS planned_share,
        1 AS n_variants, 1 AS n_exposures, 'C' || lpad(cell::VARCHAR, 2, '0') AS country,
        'ios' AS platform, false AS is_in_two_variants, false AS is_unknown_variant, false AS is_before_start,
        false AS is_after_end, false AS is_unknown_user
    FROM ({generated}) AS units
"""

#: What the marts hold, by hand: units with what they did before and in the test.
UNITS_BY_HAND = """
    SELECT unit_id, variant, home AS cell, {sums}
    FROM (
        SELECT user_days.*, unit_id, variant, home, user_days.day >= exposed_day AS now
        FROM marts.main.user_days
        JOIN (
            SELECT unit_id, variant, country AS home, exposed_day
            FROM marts.main.experiment_units WHERE experiment_id = 'x'
        ) AS exposed ON user_id = unit_id
        WHERE day BETWEEN exposed_day - 10 AND DATE '2026-01-13'
    ) GROUP BY ALL
"""
IN_MART = {"gmv": "gmv_usd", "orders": "n_orders", "views": "n_views", "carts": "n_carts"}


def sums_by_hand(table: str) -> str:
    """Counts, sums and products by cell and arm, in one scan."""
    terms = []
    for name in COLUMNS.values():
        now, before = name, f"{name}_before"
        terms += [f"sum({a})" for a in (now, before, f"{now} * {now}", f"{before} * {before}", f"{now} * {before}")]
    return f"SELECT cell, variant, count(*), {', '.join(terms)} FROM {table} GROUP BY cell, variant"


def marts_by_hand() -> str:
    """The same from marts, where units have to be put together first."""
    sums = [f"coalesce(sum({column}) FILTER (now), 0) AS {name}, coalesce(sum({column}) FILTER (NOT now), 0) AS"
            f" {name}_before" for name, column in IN_MART.items()]  # fmt: skip
    sums.append("coalesce(max(n_orders > 0) FILTER (now), false)::INTEGER AS buys")
    sums.append("coalesce(max(n_orders > 0) FILTER (NOT now), false)::INTEGER AS buys_before")
    return sums_by_hand(f"({UNITS_BY_HAND.format(sums=', '.join(sums))})")


def build(folder: Path, units: int) -> None:
    """The table of units, and a checkout whose source has the same as marts."""
    own, flat, path = config.project().data, folder / "flat.duckdb", folder / "bench.duckdb"
    shutil.copytree(own, folder / "data", ignore=shutil.ignore_patterns("built", "grades"))
    generated = GENERATED.format(units=units, markets=MARKETS, seed=SEED)
    with duckdb.connect(str(flat)) as connection:
        connection.execute(f"CREATE TABLE units AS {generated}")
    with connect("world") as world, duckdb.connect(str(path)) as connection:
        connection.execute(f"ATTACH '{world.path}' AS whole (READ_ONLY)")
        for table in world.tables():
            connection.execute(f'CREATE TABLE "{table}" AS FROM whole.main."{table}" LIMIT 0')
        connection.execute("INSERT INTO experiments BY NAME SELECT 'x' AS experiment_id, 'control' AS variant")
    with connect(path, project=config.Project(folder)) as warehouse:
        store = DuckDBStore(warehouse)
        try:
            days = [date(2026, 1, 1), date(2026, 1, 13)]
            for name, (rows, at) in {
                "user_days": (USER_DAYS, days), "experiment_units": (EXPOSED, [date(2026, 1, 11)])
            }.items():  # fmt: skip
                store.create(MARTS[name])
                store.replace(MARTS[name], dict.fromkeys(at, "bench"), rows.format(generated=generated), lambda _: None)
                store.finish(MARTS[name], source_stamp(warehouse))
        finally:
            store.close()


def moments_of(warehouse: object) -> metrics.Moments:
    """The library's moments by arm and market."""
    return metrics.moments(
        warehouse, list(COLUMNS), by=["variant", "country"], experiment="x", covariates="own", pre_days=10,
        start="2026-01-11", end="2026-01-13",
    )  # fmt: skip


def effects_of(found: metrics.Moments) -> dict[tuple[str, str], tuple[float, float]]:
    """Effect and standard error of every metric in every market."""
    effects = {}
    for name in COLUMNS:
        arms = arms_of(found, name, cut=("variant", "country"))
        for market in sorted({key[1] for key in arms}):
            one = effect_of(arms["control", market], arms["treatment", market], level=LEVEL, unit="").effect
            effects[name, market] = one.value, one.se
    return effects


def with_tea_tasting(units: ibis.Table) -> dict[tuple[str, str], tuple[float, float]]:
    """The same by tea-tasting, asked once for each market."""
    experiment = tt.Experiment({name: tt.Mean(c, covariate=f"{c}_before") for name, c in COLUMNS.items()})
    effects = {}
    for market in range(MARKETS):
        found = experiment.analyze(units.filter(units.cell == market), control=0)
        for name in COLUMNS:
            one = found[name]
            effects[name, f"C{market:02d}"] = one.effect_size, abs(one.effect_size / one.statistic)
    return effects


def with_pandas(connection: duckdb.DuckDBPyConnection) -> object:
    """The moments by pandas, the reading of the table included."""
    frame = connection.execute("FROM units").df().drop(columns="unit")
    for name in COLUMNS.values():
        before = f"{name}_before"
        frame[f"{name}_2"], frame[f"{before}_2"] = frame[name] ** 2, frame[before] ** 2
        frame[f"{name}_x"] = frame[name] * frame[before]
    by = frame.groupby(["cell", "variant"])
    return by.sum().join(by.size().rename("n"))


def peak() -> float:
    """Most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def library_alone(folder: Path) -> float:
    """Peak memory of the library's part, to be asked in a process of its own."""
    with connect(folder / "bench.duckdb", project=config.Project(folder)) as warehouse:
        effects_of(moments_of(warehouse))
    return peak()


def apart(work: Callable[..., object], *given: object) -> object:
    """What a call gives in a process of its own, so that memory is that of the call."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def timed(works: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each, in turn: what slows the machine down for a while slows all of them."""
    found: dict[str, list[float]] = {what: [] for what in works}
    for _ in range(REPEATS):
        for what, work in works.items():
            start = time.perf_counter()
            work()
            found[what].append(time.perf_counter() - start)
    return found


def measured(folder: Path) -> tuple[dict[str, list[float]], float]:
    """Seconds of each, and the largest difference between the library and tea-tasting, in standard errors."""
    flat = ibis.duckdb.connect(folder / "flat.duckdb", read_only=True)
    with connect(folder / "bench.duckdb", project=config.Project(folder)) as warehouse:
        for connection in (flat.con, warehouse.connection):
            connection.execute("SET enable_progress_bar = false")
        got, units = moments_of(warehouse), flat.table("units")
        one, other = effects_of(got), with_tea_tasting(units)
        apart_by = max(float(np.max(np.abs(np.subtract(one[key], other[key])))) / other[key][1] for key in one)
        works = {
            "(a) table of units, by hand": lambda: flat.con.execute(sums_by_hand("units")).fetchall(),
            "(a) marts, by hand": lambda: warehouse.connection.execute(marts_by_hand()).fetchall(),
            "(b) marts, metrics.moments": lambda: moments_of(warehouse),
            EFFECTS: lambda: effects_of(got),
            "(c) table of units, tea-tasting": lambda: with_tea_tasting(units),
            "(d) table of units, pandas": lambda: with_pandas(flat.con),
        }
        return timed(works), apart_by


def main(units: int) -> None:
    """Print the table."""
    table = Table(title=f"{units:,} units, {len(COLUMNS)} metrics, {MARKETS} markets, median of {REPEATS} runs in turn")
    for column in ("what", "seconds", "against (a) on the same"):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as name:
        apart(build, Path(name), units)
        memory = apart(library_alone, Path(name))
        seconds, apart_by = measured(Path(name))
    moments, effects = (seconds[what] for what in ("(b) marts, metrics.moments", EFFECTS))
    seconds["(b) marts, moments and effects"] = [a + b for a, b in zip(moments, effects, strict=True)]
    for what, found in sorted(seconds.items()):
        base = seconds["(a) marts, by hand" if "marts" in what else "(a) table of units, by hand"]
        ratio = f"{statistics.median(a / b for a, b in zip(found, base, strict=True)):.2f} ×"
        table.add_row(what, f"{statistics.median(found):.2f}", "" if found is base or what == EFFECTS else ratio)
    Console().print(table)
    Console().print(f"Peak memory of the library's part, in a process of its own: {memory:,.0f} MB")
    Console().print(f"Effects and standard errors against tea-tasting: {apart_by:.1e} standard errors apart at most")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else UNITS))
