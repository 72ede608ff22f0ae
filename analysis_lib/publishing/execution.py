"""One run: execute a notebook on a kernel, keep the page if it is good, keep the remains if it is not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import ERROR_MARKER_TAG

from analysis_lib.config import Project
from analysis_lib.errors import BuildFailed, InvalidValue
from analysis_lib.publishing.cells import is_imports
from analysis_lib.publishing.engine import ENGINE, Watch
from analysis_lib.publishing.files import TEMPORARY_PREFIX, file_digest, write_temporary, write_whole
from analysis_lib.publishing.findings import read_finding
from analysis_lib.publishing.kernels import Kernels
from analysis_lib.publishing.records import RunError, RunFolder, RunRecord, run_folder
from analysis_lib.publishing.slugs import command

if TYPE_CHECKING:
    from analysis_lib.publishing.reports import Page
    from analysis_lib.publishing.runner import Plan

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every run of a command.

    Attributes
    ----------
    project : Project
        The checkout.
    cell_timeout : float
        Seconds a cell may take.
    plain_kernel : bool
        Ordinary kernels instead of warm ones.
    """

    project: Project
    cell_timeout: float
    plain_kernel: bool


def execute(plan: Plan, settings: Settings, kernels: Kernels, begin: Callable[[Page], None]) -> RunRecord:
    """Run one page and keep what came of it; a failing notebook is a record, not an exception.

    Raises
    ------
    BuildFailed
        The command was stopped.
    OSError
        The disk is full; the last good page is untouched.
    """
    if kernels.stopped:
        raise BuildFailed("the command was stopped")
    folder = run_folder(settings.project, plan.page.slug)
    folder.path.mkdir(parents=True, exist_ok=True)
    watch = Watch(folder.path / f"{TEMPORARY_PREFIX}kernel.log")
    begin(plan.page)
    try:
        return _attempt(plan, settings, kernels, folder, watch)
    finally:
        watch.log.unlink(missing_ok=True)


def _attempt(plan: Plan, settings: Settings, kernels: Kernels, folder: RunFolder, watch: Watch) -> RunRecord:
    started, clock = _now(), time.perf_counter()
    try:
        notebook = _papermill(plan, settings, kernels, watch)
        # A finding that cannot be read would only fail later, in the middle of the site.
        read_finding(notebook)
    except (PapermillExecutionError, DeadKernelError, CellTimeoutError, RuntimeError, InvalidValue) as problem:
        if kernels.stopped:
            raise BuildFailed("the command was stopped") from problem
        notebook = _without_markers(watch.notebook)
        error, trace = _describe(problem, watch, settings)
        return _keep_failure(folder, _record(plan, watch, started, error), notebook, trace, watch, clock)
    return _keep_page(folder, _record(plan, watch, started, None), notebook, clock)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _papermill(plan: Plan, settings: Settings, kernels: Kernels, watch: Watch) -> Any:
    return papermill.execute_notebook(
        nbformat.read(plan.path, as_version=4),
        None,
        parameters=plan.values,
        engine_name=ENGINE,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        kernels=kernels,
        watch=watch,
        cell_timeout=settings.cell_timeout,
    )


def _without_markers(notebook: Any) -> Any:
    """The notebook without the cells papermill adds around an error: they shift the numbers of the others."""
    if notebook is not None:
        notebook.cells = [cell for cell in notebook.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])]
    return notebook


def _describe(problem: Exception, watch: Watch, settings: Settings) -> tuple[RunError, str]:
    """The error for the record, and the traceback for the log."""
    index = watch.cell
    trace = ""
    if isinstance(problem, PapermillExecutionError):
        index = problem.cell_index
        ename, evalue = problem.ename, str(problem.evalue)
        trace = _ANSI.sub("", "\n".join(problem.traceback or []))
    elif isinstance(problem, CellTimeoutError):
        ename, evalue = "CellTimeoutError", f"the cell took longer than {settings.cell_timeout:g} s"
    elif isinstance(problem, DeadKernelError):
        ename, evalue = "DeadKernelError", _death(watch.exit_code)
    else:
        ename, evalue = type(problem).__name__, str(problem)
    cells = watch.notebook.cells if watch.notebook is not None else []
    first = _first_line(cells[index].source) if index is not None and index < len(cells) else ""
    return RunError(_number(cells, index), first, ename, evalue), trace


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the kernel was killed by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    return "the kernel died" + (f" with exit code {code}" if code is not None else "")


def _number(cells: list[Any], index: int | None) -> int:
    """The cell's number in the notebook as it is on disk: the injected cell is not counted."""
    if index is None:
        return 0
    injected = [at for at, cell in enumerate(cells) if "injected-parameters" in cell.metadata.get("tags", [])]
    return index + 1 - sum(at < index for at in injected)


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return lines[0][:120] if lines else ""


def _record(plan: Plan, watch: Watch, started: str, error: RunError | None) -> RunRecord:
    page = plan.page
    return RunRecord(
        slug=page.slug,
        notebook=page.notebook,
        title=page.title,
        key=plan.key,
        status="failed" if error else "ok",
        parameters=plan.values,
        given=page.parameters,
        source=plan.source,
        command=command(page.notebook, page.parameters),
        version=plan.version,
        started_at=started,
        finished_at=started,
        seconds=0.0,
        overhead_seconds=0.0,
        peak_mb=watch.peak_mb,
        kernel=watch.kernel,
        error=error,
    )


def _timed(record: RunRecord, notebook: Any, clock: float) -> RunRecord:
    seconds = time.perf_counter() - clock
    overhead = max(0.0, seconds - own_seconds(notebook)) if notebook is not None else seconds
    return dataclasses.replace(
        record, finished_at=_now(), seconds=round(seconds, 3), overhead_seconds=round(overhead, 3)
    )


def own_seconds(notebook: Any) -> float:
    """Time that cells took, imports aside: those are the runner's to make cheap."""
    own = (cell for cell in notebook.cells if cell.cell_type == "code" and not is_imports(cell.source))
    return sum(cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in own)


def _keep_page(folder: RunFolder, record: RunRecord, notebook: Any, clock: float) -> RunRecord:
    temporary = write_temporary(folder.page, nbformat.writes(notebook))
    try:
        record = dataclasses.replace(_timed(record, notebook, clock), page_digest=file_digest(temporary))
        temporary.replace(folder.page)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder.write(record)
    for remains in (folder.failed, folder.log):
        remains.unlink(missing_ok=True)
    return record


def _keep_failure(
    folder: RunFolder, record: RunRecord, notebook: Any, trace: str, watch: Watch, clock: float
) -> RunRecord:
    before = folder.read()
    good = before.good if before is not None and not before.ok else before.to_dict() if before else None
    stale = folder.page.exists() and good is not None
    since = before.stale_since if before is not None and before.stale else record.started_at
    record = dataclasses.replace(
        _timed(record, notebook, clock), good=good if stale else None, stale=stale, stale_since=since if stale else None
    )
    if notebook is not None:
        write_whole(folder.failed, nbformat.writes(notebook))
    write_whole(folder.log, _story(record, trace, watch.log))
    folder.write(record)
    return record


def _story(record: RunRecord, trace: str, log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace")[-20_000:] if log.exists() else ""
    lines = [
        f"{record.title}: failed at {record.finished_at}, code {record.version}",
        f"parameters: {record.parameters}",
        f"run again: {record.command}",
        record.error.text if record.error else "",
        trace,
        f"The kernel's own output:\n{said}" if said else "",
    ]
    return "\n".join(line for line in lines if line) + "\n"
