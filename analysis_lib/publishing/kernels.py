"""Kernels for runs: forked from a warm forge where the system can, ordinary ones elsewhere."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.utils import run_sync

from analysis_lib.errors import BuildFailed
from analysis_lib.publishing.cells import cell_source, load_notebook
from analysis_lib.publishing.forked import ENVIRONMENT, Forge, ForgeUnavailable

#: What nearly every notebook ends up importing; what is not installed is skipped.
BASE_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "ibis",
    "ibis.backends.duckdb",
    "matplotlib.pyplot",
    "seaborn",
    "scipy.stats",
    "statsmodels.api",
    "statsmodels.formula.api",
    "pyfixest.estimation",
    "analysis_lib",
)


def imported_modules(paths: Iterable[Path]) -> list[str]:
    """Modules that notebooks import at the top of a cell, in order of appearance."""
    found: dict[str, None] = {}
    for path in paths:
        for cell in load_notebook(path)["cells"]:
            if cell.get("cell_type") == "code":
                found.update(dict.fromkeys(_imports(cell_source(cell))))
    return list(found)


def _imports(source: str) -> list[str]:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        # Magics are not Python; the cells that hold them import nothing heavy.
        return []
    found: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.Import):
            found += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            found += [statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)]
    return found


class _ForgeProvisioner(LocalProvisioner):
    """Launches by asking the forge; all the rest is the local provisioner's."""

    forge: Forge
    log_path: Path

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork instead of starting a new interpreter."""
        arguments = cmd[cmd.index("-f") :]
        self.process = self.forge.fork(arguments, Path(kwargs["cwd"]), self.log_path)
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs["cwd"]
        return self.connection_info


class _ThisPython(KernelSpecManager):
    """One kernel: the interpreter that runs this command, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel of this environment."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python", language="python", resource_dir="")


class Kernels:
    """Starts kernels for the runs of one command, and ends all of them when it ends.

    Parameters
    ----------
    cwd : Path
        Working directory of every kernel.
    log : Path
        Where the forge writes.
    modules : list[str]
        What to import before forking.
    plain : bool
        Start ordinary kernels, one interpreter each.
    notice : Callable
        Told, once, why warm kernels are not used.
    """

    def __init__(
        self, cwd: Path, log: Path, modules: list[str], *, plain: bool, notice: Callable[[str], None] = lambda _: None
    ) -> None:
        self._cwd, self._notice = cwd, notice
        self._lock = threading.Lock()
        self._live: set[AsyncKernelManager] = set()
        self._stopped = False
        self._folder = Path(tempfile.mkdtemp(prefix="shopbook-"))
        self.forge: Forge | None = None
        if not plain:
            try:
                self.forge = Forge([*BASE_MODULES, *modules], cwd, log)
            except (ForgeUnavailable, OSError) as error:
                self._fall_back(error)

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self.forge is not None:
            self.forge.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, log: Path) -> AsyncKernelManager:
        """A running kernel; what it writes past Jupyter goes to ``log``."""
        forge = self.forge
        if forge is not None:
            try:
                return self._start(forge, log)
            except ForgeUnavailable as error:
                self._fall_back(error)
        return self._start(None, log)

    def _fall_back(self, reason: Exception) -> None:
        with self._lock:
            first, self.forge = self.forge, None
        if first is not None:
            first.close()
        self._notice(f"Warm kernels are not available ({reason}); starting ordinary ones, which takes longer.")

    def _start(self, forge: Forge | None, log: Path) -> AsyncKernelManager:
        if self._stopped:
            raise BuildFailed("the command was stopped")
        manager = self._manager()
        if forge is not None:
            provisioner = _ForgeProvisioner(parent=manager, kernel_spec=manager.kernel_spec)
            provisioner.forge, provisioner.log_path = forge, log
            manager.provisioner = provisioner
        environment = {**os.environ, **ENVIRONMENT}
        arguments = ["--HistoryManager.hist_file=:memory:"]
        with log.open("ab") as stream:
            run_sync(manager.start_kernel)(
                cwd=str(self._cwd), env=environment, extra_arguments=arguments, stdout=stream, stderr=stream
            )
        with self._lock:
            self._live.add(manager)
        if self._stopped:
            self.stop()
        return manager

    def _manager(self) -> AsyncKernelManager:
        options: dict[str, Any] = {}
        if os.name == "posix":
            # Sockets in a private folder: no ports to collide, nothing another user can reach.
            folder = Path(tempfile.mkdtemp(dir=self._folder))
            options = {"transport": "ipc", "ip": str(folder / "k"), "connection_file": str(folder / "kernel.json")}
        return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython(), **options)

    def end(self, manager: AsyncKernelManager, *, polite: bool = True) -> None:
        """Shut a kernel down: politely, so that it closes what it holds open, or at once if it is busy."""
        with self._lock:
            self._live.discard(manager)
        if not manager.has_kernel:
            return
        if polite and not self._stopped:
            # The manager's own shutdown interrupts first, which now and then leaves an idle kernel hanging.
            run_sync(manager.request_shutdown)()
            run_sync(manager.finish_shutdown)(pollinterval=0.02)
            run_sync(manager.cleanup_resources)()
        else:
            run_sync(manager.shutdown_kernel)(now=True)

    @property
    def stopped(self) -> bool:
        """Whether the command is being stopped."""
        return self._stopped

    def stop(self) -> None:
        """Kill every kernel at once; no new one is started. Callable from any thread."""
        self._stopped = True
        with self._lock:
            live = list(self._live)
        for manager in live:
            process = getattr(manager.provisioner, "process", None)
            if process is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)


def open_kernels(settings: Any, notebooks: Iterable[Path], notice: Callable[[str], None]) -> Kernels:
    """Kernels for runs of these notebooks, with their imports already made.

    Parameters
    ----------
    settings : Settings
        Names the checkout, and whether kernels are to be ordinary ones.
    notebooks : Iterable[Path]
        What will be run.
    notice : Callable
        Told why warm kernels are not used.
    """
    root = settings.project.root
    log = settings.project.state / "forge.log"
    return Kernels(root, log, imported_modules(notebooks), plain=settings.plain_kernel, notice=notice)
