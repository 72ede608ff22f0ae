"""Regressions whose rows stay in the engine, against pyfixest on the same rows, and against the aggregates by hand.

Printed, never asserted. ``python tools/bench_regression.py 1000000`` takes fewer rows. ``python
tools/bench_regression.py large`` takes 100 million, of a million users, without pyfixest, which brings them all into
memory; ``large 1000000`` fewer.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import numpy as np
from rich.console import Console
from rich.table import Table

ROWS = 10_000_000
ROWS_PER_USER = 10
DAYS = 60

#: Of the large measurement: it is of memory, which must not go with the number of rows.
LARGE_ROWS, LARGE_ROWS_PER_USER = 100_000_000, 100

REPEATS = 3

#: Rows of a first run that is not counted: it imports and compiles.
WARM = 5_000
TERMS = ("x", "z")
FORMULA = "y ~ x + z"

#: Users and days have levels of their own, which go together with both regressors.
GENERATED = """
    WITH drawn AS (
        SELECT r, (hash(r * 64) % {users})::INTEGER AS user_id, (hash(r * 64 + 1) % {days})::INTEGER AS day
        FROM range({rows}) AS r(r)
    ), levels AS (
        SELECT *, hash(user_id * 64 + 2) % 1000 / 500.0 - 1 AS a, hash(day * 64 + 3) % 1000 / 500.0 - 1 AS b, {noise}
        FROM drawn
    )
    SELECT user_id, day, a + b + noise4 AS x, a * b + noise5 AS z, 0.3 * x - 0.2 * z + a - b + noise6 AS y FROM levels
"""

#: The moments of a linear regression, written by hand.
BY_HAND = """
    SELECT count(*), sum(x), sum(z), sum(y), sum(x * x), sum(x * z), sum(x * y), sum(z * z), sum(z * y), sum(y * y)
    FROM observed
"""


@dataclass(frozen=True)
class Run:
    """What one way took, and found: coefficients and standard errors of the terms."""

    seconds: tuple[float, ...]
    peak_mb: float
    value: tuple[float, ...] = ()
    se: tuple[float, ...] = ()


def build(path: Path, rows: int, rows_per_user: int = ROWS_PER_USER) -> None:
    """A file with the table of rows."""
    noise = ", ".join(
        f"(hash(r * 64 + {n}) % 100000 + hash(r * 64 + {n + 10}) % 100000) / 50000.0 - 2 AS noise{n}" for n in (4, 5, 6)
    )
    generated = GENERATED.format(rows=rows, users=max(rows // rows_per_user, 1), days=DAYS, noise=noise)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE observed AS {generated}")


def peak() -> float:
    """Most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Callable[[], object], repeats: int) -> tuple[tuple[float, ...], object]:
    """Seconds of each run, and what the last found."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - start)
    return tuple(seconds), found


def in_engine(path: Path, repeats: int, **asked: object) -> Run:
    """By the library, to be asked in a process of its own."""
    from analysis_lib import relations

    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET enable_progress_bar = false")
        backend = ibis.duckdb.from_connection(connection)
        warehouse, table = SimpleNamespace(query=backend.execute), backend.table("observed")
        relations.fit_cells(warehouse, table.limit(WARM), FORMULA, variance="iid")
        seconds, fit = timed(lambda: relations.fit_cells(warehouse, table, FORMULA, **asked), repeats)
    found = fit.coefficients.set_index("term").loc[list(TERMS)]
    return Run(seconds, peak(), tuple(found["value"]), tuple(found["se"]))


def by_hand(path: Path, repeats: int) -> Run:
    """The aggregate query alone."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET enable_progress_bar = false")
        return Run(timed(lambda: connection.execute(BY_HAND).fetchall(), repeats)[0], peak())


def with_pyfixest(path: Path, repeats: int, effects: str, vcov: object) -> Run:
    """By pyfixest, the reading of the rows included."""
    import pyfixest

    def work() -> object:
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("SET enable_progress_bar = false")
            frame = connection.execute("FROM observed").df()
        return pyfixest.feols(f"{FORMULA}{effects}", frame, vcov=vcov, copy_data=False, store_data=False)

    with duckdb.connect(str(path), read_only=True) as connection:
        few = connection.execute(f"FROM observed LIMIT {WARM}").df()
    pyfixest.feols(f"{FORMULA}{effects.replace('user_id + ', '')}", few, vcov="iid")
    seconds, fit = timed(work, repeats)
    return Run(seconds, peak(), tuple(fit.coef()[list(TERMS)]), tuple(fit.se()[list(TERMS)]))


def apart(work: Callable[..., Any], *given: object, **named: object) -> Any:
    """What a call gives in a process of its own, so that memory is that of the call.

    A process starts with the peak of the one that started it: the file is built apart too.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given, **named).result()


def two_ways(path: Path) -> dict[str, Run]:
    """Users and days taken out, errors clustered by user."""
    both = ["user_id", "day"]
    return {
        "fit_cells": apart(in_engine, path, 1, fixed_effects=both, cluster="user_id"),
        "pyfixest": apart(with_pyfixest, path, 1, " | user_id + day", {"CRV1": "user_id"}),
    }


def linear(path: Path) -> dict[str, Run]:
    """No fixed effects; the query by hand has no errors."""
    return {
        "the aggregates by hand": apart(by_hand, path, REPEATS),
        "fit_cells, equal variances": apart(in_engine, path, REPEATS, variance="iid"),
        "fit_cells, HC1": apart(in_engine, path, REPEATS),
        "fit_cells, clustered by user": apart(in_engine, path, REPEATS, cluster="user_id"),
        "pyfixest, HC1": apart(with_pyfixest, path, 1, "", "HC1"),
    }


def large(path: Path) -> dict[str, Run]:
    """Each in a process of its own, once."""
    both = ["user_id", "day"]
    return {
        "the aggregates by hand": apart(by_hand, path, 1),
        "fit_cells, HC1": apart(in_engine, path, 1),
        "fit_cells, clustered by user": apart(in_engine, path, 1, cluster="user_id"),
        "fit_cells, users and days, clustered by user": apart(
            in_engine, path, 1, fixed_effects=both, cluster="user_id"
        ),
    }


def main_large(rows: int) -> None:
    """Print the table of many rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.duckdb"
        apart(build, path, rows, LARGE_ROWS_PER_USER)
        runs = large(path)
    users = rows // LARGE_ROWS_PER_USER
    shown(f"{rows:,} rows of {users:,} users and {DAYS} days", runs, "the aggregates by hand")


def shown(title: str, runs: dict[str, Run], base: str) -> None:
    """One table."""
    table = Table(title=title)
    for column in ("what", "seconds", f"against {base}", "peak memory, MB"):
        table.add_column(column)
    least = statistics.median(runs[base].seconds)
    for what, run in runs.items():
        seconds = statistics.median(run.seconds)
        table.add_row(what, f"{seconds:.2f}", f"{seconds / least:.2f} ×", f"{run.peak_mb:,.0f}")
    Console().print(table)


def main(rows: int) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.duckdb"
        apart(build, path, rows)
        both, plain = two_ways(path), linear(path)
    shown(f"{rows:,} rows, users and {DAYS} days taken out, clustered by user", both, "pyfixest")
    shown(f"{rows:,} rows, linear, median of {REPEATS} runs", plain, "the aggregates by hand")
    for name, one, other in (
        ("fixed effects", both["fit_cells"], both["pyfixest"]),
        ("linear, HC1", plain["fit_cells, HC1"], plain["pyfixest, HC1"]),
    ):
        value, se = (np.max(np.abs(np.divide(a, b) - 1)) for a, b in ((one.value, other.value), (one.se, other.se)))
        Console().print(f"Apart from pyfixest at most, {name}: coefficients {value:.1e}, errors {se:.1e} (relative)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["large"]:
        sys.exit(main_large(int(sys.argv[2]) if len(sys.argv) > 2 else LARGE_ROWS))
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
