"""The warm process that kernels are forked from: it has imported what notebooks import, and waits.

Started by ``kernels.Forge`` as ``python -m analysis_lib.publishing.forge FD MODULES LOG``. Talks over sockets it
inherits, so there is nothing on disk or in the network to collide with:

- the control socket brings one request per kernel (JSON, with that kernel's own socket attached); when it closes, the
  command line is gone, and every kernel is killed;
- a kernel's socket answers ``{"pid": …}`` and later ``{"exit": …}``; when the other side closes it, the kernel is
  killed.

Forking a process with threads copies locks that nobody will ever release: the forge imports with one thread per maths
library and refuses to fork if any thread exists, Python's or not.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


def import_modules(names: list[str]) -> list[str]:
    """Import what can be imported; returns the modules after which threads appeared."""
    threaded = []
    before = count_threads()
    for name in names:
        # A module that fails here fails again in the notebook, where its error can be read.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
        if count_threads() > before:
            threaded.append(name)
            before = count_threads()
    return threaded


def count_threads() -> int:
    """Threads of this process, those of C libraries included."""
    tasks = Path("/proc/self/task")
    native = len(list(tasks.iterdir())) if tasks.exists() else 1
    return max(native, threading.active_count())


class Server:
    """Forks kernels on request and watches over them until the command line is gone."""

    def __init__(self, control: socket.socket, threaded: list[str]) -> None:
        self._control = control
        self._threaded = threaded
        self._selector = selectors.DefaultSelector()
        self._kernels: dict[int, socket.socket] = {}
        self._wake_read, self._wake_write = socket.socketpair()

    def serve(self) -> dict[str, Any] | None:
        """Loop; returns a request in each forked child, and None in the forge when all is over."""
        self._wake_write.setblocking(False)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for watched in (self._control, self._wake_read):
            self._selector.register(watched, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    request = self._take_request()
                    if request is not None:
                        return request or None
                elif key.fileobj is self._wake_read:
                    self._wake_read.recv(4096)
                    self._reap()
                else:
                    self._hang_up(key.fileobj)

    def _take_request(self) -> dict[str, Any] | None:
        """None: go on; an empty request: all is over; a full one: this is the child."""
        content, handles, _, _ = socket.recv_fds(self._control, 65536, 1)
        if not content:
            for pid in self._kernels:
                kill_group(pid)
                os.waitpid(pid, 0)
            return {}
        line = socket.socket(fileno=handles[0])
        if count_threads() > 1:
            send(line, {"error": f"threads were started while importing {', '.join(self._threaded) or 'modules'}"})
            line.close()
            return None
        pid = os.fork()
        if pid == 0:
            line.close()
            self._leave()
            return json.loads(content)
        # Set on both sides of the fork, so that the group exists before anyone signals it.
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._kernels[pid] = line
        self._selector.register(line, selectors.EVENT_READ, pid)
        send(line, {"pid": pid})
        return None

    def _leave(self) -> None:
        """In the child: let go of everything that is the forge's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        for inherited in (self._control, self._wake_read, self._wake_write, *self._kernels.values()):
            inherited.close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # What the notebook itself started dies with its kernel.
            kill_group(pid)
            line = self._kernels.pop(pid, None)
            if line is not None:
                self._selector.unregister(line)
                send(line, {"exit": os.waitstatus_to_exitcode(status)})
                line.close()

    def _hang_up(self, line: Any) -> None:
        """The command line let go of a kernel (or talks out of turn): end it; reaping does the rest."""
        for pid, known in self._kernels.items():
            if known is line:
                kill_group(pid)


def send(line: socket.socket, message: dict[str, Any]) -> None:
    """One JSON line; the other side may be gone."""
    with contextlib.suppress(OSError):
        line.sendall(json.dumps(message).encode() + b"\n")


def kill_group(pid: int) -> None:
    """Kill a kernel and everything in its process group."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def become_kernel(request: dict[str, Any], forge: int) -> None:
    """Turn this forked process into an ordinary IPython kernel and serve until it is shut down."""
    os.setpgid(0, 0)
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != forge:
        os._exit(1)
    os.chdir(request["cwd"])
    _redirect(request["log"])
    _renew_random_state()
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    from ipykernel.iostream import OutStream
    from ipykernel.kernelapp import IPKernelApp

    # At shutdown a last flush can wait for a thread that has already ended: for ten seconds, if it is let.
    OutStream.flush_timeout = 0.2
    app = IPKernelApp.instance()
    app.initialize(request["arguments"])
    app.start()


def _redirect(log: str) -> None:
    """What the kernel writes past Jupyter (crashes of C libraries) goes into the run's log."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def _renew_random_state() -> None:
    """Kernels of one forge must not draw the same numbers by accident."""
    random, numpy = sys.modules.get("random"), sys.modules.get("numpy")
    if random is not None:
        random.seed()
    if numpy is not None:
        numpy.random.seed()


def main(arguments: list[str]) -> None:
    """Import, then serve."""
    control = socket.socket(fileno=int(arguments[0]))
    forge = os.getpid()
    threaded = import_modules(json.loads(arguments[1]))
    # Keeps the collector from touching, and thereby copying, the pages that all kernels share.
    gc.collect()
    gc.freeze()
    request = Server(control, threaded).serve()
    if request:
        become_kernel(request, forge)


if __name__ == "__main__":
    main(sys.argv[1:])
