"""The command line's side of the forge: starting it, asking it for kernels, ending both."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

#: Pages run side by side, one per core, so one maths thread each; and a figure is a figure whatever the shell says.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",
}

#: Only for the forge: this allocator thread would exist before the fork.
_FORGE_ENVIRONMENT = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}

#: Seconds for the forge to import everything on a slow disk.
_FORGE_TIMEOUT_S = 120


class ForgeUnavailable(Exception):
    """The warm forge cannot be used; the reason is told once and ordinary kernels take over."""


class ForkedProcess:
    """A forked kernel seen from the command line, with the face of ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, line: socket.socket, pid: int, rest: bytes = b"") -> None:
        self._line = line
        self.pid = pid
        self.returncode: int | None = None
        self._rest = rest

    def poll(self) -> int | None:
        """The exit code, or None while the kernel lives."""
        if self.returncode is None:
            self._line.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self._listen()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the exit code."""
        while self.returncode is None:
            self._line.settimeout(timeout)
            self._listen()
        return self.returncode

    def _listen(self) -> None:
        try:
            content = self._line.recv(4096)
        except ConnectionError:
            content = b""
        self._rest += content
        if b'"exit"' in self._rest:
            self.returncode = json.loads(self._rest.splitlines()[-1])["exit"]
        elif not content:
            # The forge itself is gone, and its kernels with it.
            self.returncode = -signal.SIGKILL
        if self.returncode is not None:
            self._line.close()

    def send_signal(self, number: int) -> None:
        """Signal the kernel; a dead one is not signalled."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the kernel."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


class Forge:
    """The warm process, started at once and usable while it still imports."""

    def __init__(self, modules: list[str], cwd: Path, log: Path) -> None:
        if sys.platform != "linux":
            raise ForgeUnavailable("warm kernels need Linux")
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-m", "analysis_lib.publishing.forge", str(theirs.fileno()), json.dumps(modules)]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=forge_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                # Ctrl-C in the terminal is for the command line, which then ends its kernels in order.
                start_new_session=True,
            )
        theirs.close()

    def fork(self, arguments: list[str], cwd: Path, log: Path) -> ForkedProcess:
        """A new kernel on the connection file among its arguments."""
        mine, theirs = socket.socketpair()
        request = json.dumps({"arguments": arguments, "cwd": str(cwd), "log": str(log)}).encode()
        try:
            with self._lock, theirs:
                socket.send_fds(self._control, [request], [theirs.fileno()])
            mine.settimeout(_FORGE_TIMEOUT_S)
            content = mine.recv(4096)
        except OSError as error:
            mine.close()
            raise ForgeUnavailable(f"the forge does not answer ({error})") from error
        first, _, rest = content.partition(b"\n")
        answer = json.loads(first) if first else {"error": "the forge has ended"}
        if "pid" not in answer:
            mine.close()
            raise ForgeUnavailable(answer["error"])
        return ForkedProcess(mine, answer["pid"], rest)

    def close(self) -> None:
        """End the forge and whatever kernels it still has."""
        self._control.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def forge_environment() -> dict[str, str]:
    """The environment of the forge: this shell's, with what kernels need."""
    inherited = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
    return inherited | ENVIRONMENT | _FORGE_ENVIRONMENT
