"""Running pages: what has changed, in parallel, each one whole or not at all."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from analysis_lib import config
from analysis_lib.config import Project
from analysis_lib.publishing.cache import Fingerprints
from analysis_lib.publishing.cards import find_notebook
from analysis_lib.publishing.files import build_lock, disk_errors, sweep
from analysis_lib.publishing.parameters import read_parameters, source_of
from analysis_lib.publishing.progress import Progress
from analysis_lib.publishing.records import RunRecord, code_version, run_folder
from analysis_lib.publishing.reports import Page
from analysis_lib.publishing.resolution import Connect, check_data, coerce_given, connect_source, raise_all


@dataclass(frozen=True, slots=True)
class Plan:
    """A page about to be run.

    Attributes
    ----------
    page : Page
        What was asked for.
    path : Path
        The notebook.
    values : dict[str, object]
        The resolved value of every parameter.
    source : str | None
        The data source.
    key : str
        Cache key.
    version : str
        Version of the code.
    """

    page: Page
    path: Path
    values: dict[str, Any]
    source: str | None
    key: str
    version: str


def run_pages(
    project: Project,
    pages: Sequence[Page],
    *,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    plain_kernel: bool = False,
    cell_timeout: float = config.CELL_TIMEOUT_S,
    connect: Connect | None = None,
) -> list[RunRecord]:
    """Run the pages that have changed; a page that fails does not stop the others.

    Parameters
    ----------
    project : Project
        The checkout.
    pages : Sequence[Page]
        Pages of the book.
    jobs : int, optional
        How many run side by side; default one per core.
    force : bool
        Run also what has not changed.
    progress : Progress, optional
        Hears what happens.
    plain_kernel : bool
        Ordinary kernels instead of warm ones.
    cell_timeout : float
        Seconds a cell may take.
    connect : Callable, optional
        Opens a source by name.

    Returns
    -------
    list[RunRecord]
        One per page, in order; failed ones have ``status`` ``failed``.

    Raises
    ------
    InvalidValue, UnknownName
        Parameters are wrong; nothing was run.
    BuildFailed
        Another build runs, or the disk is full.
    """
    progress = progress or Progress()
    with disk_errors(project.state), build_lock(project.state):
        sweep(project.state / "runs")
        with opened_once(connect or partial(connect_source, project=project)) as open_once:
            plans = make_plans(project, pages, open_once)
        records = {} if force else dict(_found(project, plans))
        todo = [plan for plan in plans if plan.page.slug not in records]
        progress.start(len(plans))
        try:
            for plan in plans:
                if plan.page.slug in records:
                    progress.end(plan.page, records[plan.page.slug])
            if todo:
                from analysis_lib.publishing.execution import Settings

                settings = Settings(project, cell_timeout, plain_kernel)
                records |= _run_all(todo, settings, jobs or os.cpu_count() or 1, progress)
        finally:
            progress.close()
    return [records[page.slug] for page in pages]


@contextmanager
def opened_once(connect: Connect) -> Iterator[Connect]:
    """Each source opened once, and closed again before kernels open it themselves."""
    opened: dict[str, Any] = {}

    def open_once(source: str) -> Any:
        if source not in opened:
            opened[source] = connect(source)
        return opened[source]

    try:
        yield open_once
    finally:
        for warehouse in opened.values():
            if hasattr(warehouse, "close"):
                warehouse.close()


def make_plans(project: Project, pages: Iterable[Page], connect: Connect) -> list[Plan]:
    """Resolve every page and compute its key; all wrong parameters of all pages are told at once."""
    resolved, problems = [], []
    for page in pages:
        path = find_notebook(project, page.notebook)
        declared = read_parameters(path)
        values, wrong = coerce_given(declared, page.parameters, notebook=page.notebook)
        wrong += check_data(declared, values, connect)
        problems += [type(error)(f"{page.title}: {error}") for error in wrong]
        resolved.append((page, path, values, source_of(declared, values)))
    raise_all(problems)
    fingerprints = Fingerprints(project, connect)
    version = code_version(project)
    return [
        Plan(page, path, values, source, fingerprints.key(path, values), version)
        for page, path, values, source in resolved
    ]


def _found(project: Project, plans: Iterable[Plan]) -> Iterator[tuple[str, RunRecord]]:
    """Runs that need not be done again."""
    for plan in plans:
        folder = run_folder(project, plan.page.slug)
        record = folder.read()
        if record is None:
            continue
        if not record.ok and record.good and record.good.get("key") == plan.key and folder.has_page_of(record.good):
            # What made the last run fail was taken back: the page is what it should be again.
            record = RunRecord.from_dict(record.good)
            folder.write(record)
        if record.ok and record.key == plan.key and folder.has_page_of(record):
            # The title is no part of the run; a new one holds at once.
            yield plan.page.slug, dataclasses.replace(record, cached=True, title=plan.page.title)


def _run_all(plans: list[Plan], settings: Any, jobs: int, progress: Progress) -> dict[str, RunRecord]:
    from analysis_lib.publishing.execution import execute
    from analysis_lib.publishing.kernels import open_kernels

    paths = list(dict.fromkeys(plan.path for plan in plans))
    records = {}
    with open_kernels(settings, paths, progress.notice) as kernels, _pool(min(jobs, len(plans)), kernels) as pool:
        futures: dict[Future, Plan] = {
            pool.submit(execute, plan, settings, kernels, progress.begin): plan for plan in plans
        }
        for future in as_completed(futures):
            record = future.result()
            records[record.slug] = record
            progress.end(futures[future].page, record)
    return records


@contextmanager
def _pool(size: int, kernels: Any) -> Iterator[ThreadPoolExecutor]:
    """Threads, one kernel each; on Ctrl-C or a full disk, kernels are killed and waiting pages dropped."""
    pool = ThreadPoolExecutor(size, thread_name_prefix="shopbook-run")
    try:
        yield pool
    except BaseException:
        kernels.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def failures(records: Iterable[RunRecord]) -> list[str]:
    """A line per failed run: which cell, with which parameters, where to look."""
    return [
        f"{record.title} failed in {record.error.text}\n  run again: {record.command}"
        for record in records
        if not record.ok and record.error is not None
    ]
