"""``shopbook serve``: look at the site on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

_EXAMPLES = "\b\nExamples:\n  shopbook serve\n  shopbook serve --port 9000"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve", epilog=_EXAMPLES)(serve)


def serve(port: Annotated[int, typer.Option("--port", help="Port; the next free one if it is taken.")] = 8000) -> None:
    """Show the built site in the browser, from this machine only."""
    from analysis_lib import config
    from analysis_lib.publishing.server import open_server

    with open_server(config.project(), port) as server:
        chosen = server.server_address[1]
        if port not in (0, chosen):
            typer.echo(f"Port {port} is taken; using {chosen}.")
        typer.echo(f"The site is at http://127.0.0.1:{chosen}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("Ended.")
