"""Papermill's engine for this book: our kernels, a watch on where a run is, memory measured at the end."""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from analysis_lib.publishing.kernels import Kernels

#: Nbclient tells of every failure by itself; here they are told once, by the command line.
_silent = logging.getLogger("shopbook.runs")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False

#: The name under which papermill knows the engine.
ENGINE = "shopbook"


@dataclass
class Watch:
    """What can be said about a run from outside, also when it ends badly.

    Attributes
    ----------
    log : Path
        Where the kernel writes past Jupyter.
    notebook : NotebookNode | None
        The notebook as far as it was executed.
    cell : int | None
        Index of the cell last started.
    exit_code : int | None
        Exit code of a kernel that died by itself.
    peak_mb : float | None
        Largest memory of the kernel.
    kernel : str
        ``warm`` or ``plain``.
    """

    log: Path
    notebook: Any = None
    cell: int | None = None
    exit_code: int | None = None
    peak_mb: float | None = None
    kernel: str = "plain"
    notes: list[str] = field(default_factory=list)


class _WatchedClient(PapermillNotebookClient):
    """Remembers which cell runs: a dead kernel leaves no other trace of it."""

    watch: Watch

    def execute_cell(self, cell: Any, cell_index: int, *arguments: Any, **options: Any) -> Any:
        """Note the cell, then execute it."""
        if cell.cell_type == "code":
            self.watch.cell = cell_index
        return super().execute_cell(cell, cell_index, *arguments, **options)


class ShopbookEngine(NBClientEngine):
    """Executes on a kernel of ``Kernels`` and ends it afterwards, whatever happened."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, kernels: Kernels, watch: Watch, cell_timeout: float, **_: Any
    ) -> Any:
        """Run all cells; papermill calls this."""
        watch.notebook = nb_man.nb
        manager = kernels.start(watch.log)
        watch.kernel = "warm" if type(manager.provisioner).__name__ == "_ForgeProvisioner" else "plain"
        client = _WatchedClient(
            nb_man, km=manager, kernel_name=kernel_name, timeout=cell_timeout, startup_timeout=120, log=_silent
        )
        client.watch = watch
        polite = True
        try:
            return client.execute(cleanup_kc=False)
        except (CellTimeoutError, KeyboardInterrupt):
            polite = False
            raise
        finally:
            watch.notebook = nb_man.nb
            _measure(manager, watch)
            if client.kc is not None:
                client.kc.stop_channels()
            kernels.end(manager, polite=polite)


def _measure(manager: Any, watch: Watch) -> None:
    process = getattr(manager.provisioner, "process", None)
    if process is None:
        return
    watch.exit_code = process.poll()
    watch.peak_mb = peak_mb(process.pid)


def peak_mb(pid: int) -> float | None:
    """Largest resident memory a process has had, in MB, or None where the system does not tell."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
        if found:
            return round(int(found.group(1)) / 1024, 1)
    return None


papermill_engines.register(ENGINE, ShopbookEngine)
