"""Time of campaign reviews against one plain scan of what they read, in one run. Printed, never asserted.

python tools/bench_campaigns.py [SCALE [PATH]]    a world of that scale (default 10) is built at PATH if it is not there
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from analysis_lib import campaigns, pipelines, warehouse, world

#: A campaign for each way of comparing.
REVIEWED = {
    "by lot": ("ramadan_2026", "ID"), "by picking": ("black_friday_2025", "US"),
    "by markets": ("thailand_may_2026", "TH"),
}  # fmt: skip

#: Fact tables that a review reads.
FACTS = ("orders", "order_updates", "coupon_events", "campaign_targets")

console = Console()


def seconds_of(work: Callable[[], object], repeats: int = 3) -> float:
    """Best of several, so that a busy machine counts least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def scan(wh: warehouse.Warehouse) -> None:
    """Every column of the fact tables once: what reading alone costs."""
    for name in FACTS:
        table = wh.table(name)
        wh.query(table.aggregate(**{column: table[column].max() for column in table.columns}))


def main() -> None:
    """Build, measure, print."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp()) / "world.duckdb"
    if not path.exists():
        start = time.perf_counter()
        world.build(path, seed=1, scale=scale)
        console.print(f"world at scale {scale:g}: {time.perf_counter() - start:.0f} s")
    pipelines.build(warehouse.connect(str(path)))  # what is built already is kept
    wh = warehouse.connect(str(path))
    rows = {name: int(wh.query(wh.table(name).count())) for name in (*FACTS, "events")}
    console.print(", ".join(f"{name} {number:,}" for name, number in rows.items()))
    scan(wh)
    plain = seconds_of(lambda: scan(wh))
    table = Table("what", "seconds", "times one plain scan", "without details")
    table.add_row("plain scan of the fact tables", f"{plain:.2f}", "1.0", "")
    single = []
    for way, (name, country) in REVIEWED.items():
        whole = seconds_of(lambda name=name, country=country: campaigns.review(wh, name, country=country))
        brief = seconds_of(
            lambda name=name, country=country: campaigns.review(wh, name, country=country, details=False)
        )
        single.append(whole)
        table.add_row(f"review {way}", f"{whole:.2f}", f"{whole / plain:.1f}", f"{brief / plain:.1f}")
    league = seconds_of(lambda: campaigns.league(wh), repeats=1)
    table.add_row("league of all campaigns", f"{league:.1f}", f"{league / plain:.1f}", "")
    console.print(table)
    console.print(
        f"league: {league / max(single):.1f} times the slowest review, {league / min(single):.1f} the quickest"
    )
    console.print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
