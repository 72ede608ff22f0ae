"""Speed and memory of the spine, measured in one run on this machine. Printed, never asserted."""

from __future__ import annotations

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from analysis_lib import config
from analysis_lib.publishing.records import read_records
from analysis_lib.publishing.reports import load_reports

ROOT = config.project().root
SHOPBOOK = [sys.executable, "-m", "analysis_lib"]
REPEATS = 3

#: One review, its own work only: imports and connection are done before the clock starts.
OWN_WORK = """
import time
from analysis_lib import campaigns, warehouse
import analysis_lib.reporting, ibis, pyfixest, statsmodels.api, matplotlib.figure
wh = warehouse.connect("complete_journey")
wh.table("orders")
for _ in range({repeats}):
    start = time.perf_counter()
    review = campaigns.review(wh, "18", weeks_before=26, weeks_after=1)
    for name in ("weekly", "reach", "balance", "ledger", "placebos"):
        analysis_lib.reporting.show(review.exhibit(name))
    print(time.perf_counter() - start)
"""


def timed(command: list[str], **options: object) -> tuple[float, float, str]:
    """Seconds, peak memory in MB and output of a command."""
    program = shutil.which("time", path="/usr/bin:/bin")
    start = time.perf_counter()
    full = [program, "-f", "PEAK %M", *command] if program else command
    done = subprocess.run(full, capture_output=True, text=True, cwd=ROOT, check=True, **options)  # type: ignore[call-overload]
    seconds = time.perf_counter() - start
    peak = re.search(r"PEAK (\d+)", done.stderr)
    return seconds, int(peak.group(1)) / 1024 if peak else float("nan"), done.stdout


def bench_source(folder: Path) -> tuple[str, str, str]:
    """Build the source into a checkout of its own."""
    shutil.copytree(ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("built"))
    environment = os.environ | {config.ROOT_VARIABLE: str(folder)}
    seconds, peak, _ = timed([*SHOPBOOK, "data", "build", "complete_journey"], env=environment)
    return "data build complete_journey", f"{seconds:.1f} s, peak {peak:,.0f} MB", "60 s, 1,500 MB"


def bench_review() -> tuple[str, str, str]:
    """One review's own work, figures included."""
    _, _, output = timed([sys.executable, "-c", OWN_WORK.format(repeats=REPEATS)])
    times = [float(line) for line in output.split()]
    return "campaign 18, own work (first, median)", f"{times[0]:.1f} s, {statistics.median(times):.1f} s", "5 s"


def bench_runs(*, plain: bool) -> list[tuple[str, str, str]]:
    """All runs of the book, one at a time: overhead beyond the notebook's own work, memory."""
    project = config.project()
    pages = load_reports(project).pages
    command = [*SHOPBOOK, "build", "--no-site", "--force", "--jobs", "1", *(["--plain-kernel"] if plain else [])]
    seconds, _, _ = timed(command)
    records = read_records(project, [page.slug for page in pages]).values()
    overhead = statistics.median(record.overhead_seconds for record in records)
    peak = max(record.peak_mb or 0.0 for record in records)
    kind = "plain kernel" if plain else "warm kernel"
    return [
        (f"{len(pages)} runs, {kind}, one job", f"{seconds:.1f} s", ""),
        (f"overhead of a run, {kind} (median)", f"{overhead:.2f} s", "1.5 s"),
        (f"peak memory of a run, {kind} (largest)", f"{peak:,.0f} MB", "1,000 MB"),
    ]


def bench_papermill(folder: Path) -> tuple[str, str, str]:
    """The same notebook through papermill's own command line, for comparison."""
    command = [str(Path(sys.executable).parent / "papermill"), str(ROOT / "notebooks" / "campaign_review.ipynb")]
    seconds, _, _ = timed([*command, str(folder / "out.ipynb"), "--log-level", "ERROR", "--no-progress-bar"])
    return "one run through papermill's command line", f"{seconds:.1f} s", ""


def bench_unchanged() -> tuple[str, str, str]:
    """Building again with nothing changed."""
    timed([*SHOPBOOK, "build"])
    times = [timed([*SHOPBOOK, "build"])[0] for _ in range(REPEATS)]
    return "build, nothing changed (median)", f"{statistics.median(times):.1f} s", "10 s"


def main() -> None:
    """Run every benchmark and print the table."""
    table = Table(title=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for column in ("what", "measured", "wanted at most"):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [bench_source(folder), bench_review(), *bench_runs(plain=False), *bench_runs(plain=True)]
        rows += [bench_papermill(folder), bench_unchanged()]
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
