"""The ``shopbook`` command line: thin, and quick to start because commands import what they need."""

from __future__ import annotations

import signal
import sys
from typing import Any

from analysis_lib.errors import InvalidValue, ShopbookError, UnknownName

__all__ = ["main"]

#: What shells expect of a program ended by Ctrl-C.
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list[str], optional
        Default: those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 something failed, 2 a name or value is wrong, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    _end_in_order()
    try:
        return _run(arguments)
    except ShopbookError as error:
        if debug:
            raise
        return _tell(f"Error: {error}", 2 if isinstance(error, InvalidValue | UnknownName) else 1)
    except KeyboardInterrupt:
        return _tell("Stopped. Finished pages are kept; the others are as they were.", _INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        sys.stderr.close()
        return 0


def _run(arguments: list[str]) -> int:
    import typer.main
    from typer import Abort

    from analysis_lib.cli.application import app

    command = typer.main.get_command(app)
    try:
        result = command.main(args=arguments, prog_name="shopbook", standalone_mode=False)
    except Abort:
        result = _INTERRUPTED
    except Exception as error:
        # Typer carries its own copy of click, whose error classes have no public name; what they share does.
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            return int(error.exit_code)
        raise
    if result == _INTERRUPTED:
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _tell(message: str, code: int) -> int:
    sys.stderr.write(message.rstrip() + "\n")
    return code


def _end_in_order() -> None:
    """Let a polite kill (of a scheduler, of a closing terminal) clean up as Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that was switched off (nohup) stays off; in a thread no handler can be set.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            try:
                signal.signal(number, interrupt)
            except ValueError:
                return
