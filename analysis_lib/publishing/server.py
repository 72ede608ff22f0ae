"""The finished site on this machine only, for a look before it is published."""

from __future__ import annotations

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from analysis_lib.config import Project
from analysis_lib.errors import BuildFailed, InvalidValue

#: How many ports above the wanted one are tried.
_TRIES = 50


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: the terminal shows the address."""

    def end_headers(self) -> None:
        """A rebuilt page is seen at the next reload."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def open_server(project: Project, port: int) -> ThreadingHTTPServer:
    """A server of the site on the loopback interface, on the port or the next free one.

    Parameters
    ----------
    project : Project
        The checkout.
    port : int
        Wanted port; 0 takes any.

    Raises
    ------
    BuildFailed
        The site is not built, or no port is free.
    """
    if not 0 <= port <= 65535:
        raise InvalidValue(f"port {port} does not exist. Allowed: 0 to 65535")
    if not (project.site / "index.html").is_file():
        raise BuildFailed(f"there is no site in {project.site}. Build it first: shopbook build")
    handler = partial(_Quiet, directory=str(project.site))
    for candidate in range(port, min(port + _TRIES, 65536)):
        try:
            return ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise BuildFailed(f"no port from {port} to {port + _TRIES - 1} is free. Choose another: shopbook serve --port N")
