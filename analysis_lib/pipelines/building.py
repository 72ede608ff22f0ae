"""Build the marts of a source: only what has changed, as if everything had been built."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from pathlib import Path

from analysis_lib import config
from analysis_lib.errors import unknown
from analysis_lib.pipelines.compiling import Compiler
from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.inputs import Inputs
from analysis_lib.pipelines.planning import Plan, Planner
from analysis_lib.pipelines.registry import MARTS
from analysis_lib.pipelines.report import BuildReport, Built
from analysis_lib.pipelines.store import Store, source_stamp
from analysis_lib.pipelines.stores import open_store
from analysis_lib.warehouse import Warehouse, connect

Progress = Callable[[str], None]


def build(
    source: Warehouse | str | Path,
    *,
    marts: Iterable[str] | None = None,
    full: bool = False,
    progress: Progress | None = None,
    project: config.Project | None = None,
) -> BuildReport:
    """Bring the marts of a source up to date.

    A day of a mart is built when the rows it is made from differ from those it was made from last time, or when the
    mart itself has changed. Days are written in portions, each as a whole or not at all: a build that is killed
    leaves finished days, and the next one goes on from there.

    Parameters
    ----------
    source
        An open warehouse, or what ``warehouse.connect`` takes.
    marts
        Names of marts to build, with those they are made from; default: all.
    full
        Build every day anew.
    progress
        Called with a line of text at every step.

    Raises
    ------
    UnknownName
        No such source or mart.
    SourceError
        The source cannot be read, or its marts are in use.
    BuildFailed
        The engine gave up (memory, disk); finished days are kept.
    """
    wanted = _chosen(marts)
    opened = nullcontext(source) if isinstance(source, Warehouse) else connect(source, project=project)
    with opened as warehouse, closing(open_store(warehouse)) as store:
        return _Build(warehouse, store, full, progress or (lambda _: None)).run(wanted)


def _chosen(names: Iterable[str] | None) -> list[Mart]:
    if names is None:
        return list(MARTS.values())
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in MARTS:
            raise unknown("mart", name, MARTS, "the marts of analysis_lib.pipelines")
        if name not in wanted:
            wanted.add(name)
            queue += [*MARTS[name].upstream, *MARTS[name].optional_upstream]
    return [mart for mart in MARTS.values() if mart.name in wanted]


class _Build:
    """One build: the marts in order, each planned when those it reads are done."""

    def __init__(self, warehouse: Warehouse, store: Store, full: bool, progress: Progress) -> None:
        self.warehouse = warehouse
        self.store = store
        self.full = full
        self.progress = progress
        self.stamp = source_stamp(warehouse)
        self.inputs = Inputs(store)
        self.compiler = Compiler(self.inputs, store.compile, store.schema())
        self.planner = Planner(store, self.inputs, self.compiler)
        self.skipped: dict[str, str] = {}

    def run(self, wanted: list[Mart]) -> BuildReport:
        started = time.monotonic()
        finished = {} if self.full else self.store.finished()
        found = []
        for mart in wanted:
            reason = self._reason_to_skip(mart)
            if reason:
                self.skipped[mart.name] = reason
                self.store.drop(mart.name)
                found.append(Built(mart.name, skipped=reason))
                continue
            if finished.get(mart.name) == (mart.version, self.stamp):
                found.append(self._untouched(mart))
            else:
                found.append(self._bring_up_to_date(mart))
            self.inputs.marts[mart.name] = self.store.mart_table(mart.name)
        return BuildReport(self.warehouse.name, tuple(found), time.monotonic() - started)

    def _reason_to_skip(self, mart: Mart) -> str:
        missing = mart.missing(self.store.has)
        if missing:
            return f"the source has no {', '.join(missing)}"
        absent = [name for name in mart.upstream if name in self.skipped]
        return f"{', '.join(absent)} cannot be built" if absent else ""

    def _untouched(self, mart: Mart) -> Built:
        days = self.store.partitions(mart.name)
        return Built(mart.name, sum(day.content.n_rows for day in days.values()), n_kept=len(days))

    def _bring_up_to_date(self, mart: Mart) -> Built:
        started = time.monotonic()
        self.progress(f"{mart.name}: looking for changes")
        plan = self.planner.plan(mart, full=self.full)
        self._write(mart, plan)
        self.store.finish(mart, self.stamp)
        days = self.store.partitions(mart.name)
        n_rows = sum(day.content.n_rows for day in days.values())
        seconds = time.monotonic() - started
        return Built(mart.name, n_rows, len(plan.stale), plan.n_kept, len(plan.gone), seconds)

    def _write(self, mart: Mart, plan: Plan) -> None:
        if plan.fresh:
            self.store.create(mart)
        elif plan.stale or plan.gone:
            self.store.reopen(mart.name)
        if plan.gone:
            self.progress(f"{mart.name}: removing {len(plan.gone)} days")
            self.store.remove(mart.name, plan.gone)
        done = 0
        for days in plan.batches():
            told = f"{mart.name}: {done:,} of {len(plan.stale):,} days"
            self.progress(told)
            rows = self.compiler.mart(mart, days)
            steps = _steps(self.progress, told)
            self.store.replace(mart, {day: plan.inputs[day] for day in days.days}, rows, steps)
            done += len(days.days)


def _steps(progress: Progress, told: str) -> Progress:
    return lambda step: progress(f"{told}, {step}")
