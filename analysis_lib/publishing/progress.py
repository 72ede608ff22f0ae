"""How a build shows where it is: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from analysis_lib.publishing.reports import Page

if TYPE_CHECKING:
    from analysis_lib.publishing.records import RunRecord


class Progress:
    """Hears what happens to the pages of a build; this one says nothing."""

    def start(self, total: int) -> None:
        """A build of that many pages begins."""

    def begin(self, page: Page) -> None:
        """A page begins to run; may be called from any thread."""

    def end(self, page: Page, record: RunRecord) -> None:
        """A page is done: run, failed or unchanged."""

    def notice(self, text: str) -> None:
        """Something worth a line."""

    def close(self) -> None:
        """No more will come."""


def outcome(record: RunRecord) -> str:
    """What became of a page, in a few words."""
    if record.cached:
        return "unchanged"
    if record.ok:
        return f"ok {record.seconds:.1f} s"
    where = f" in cell {record.error.cell}" if record.error and record.error.cell else ""
    return f"FAILED{where} after {record.seconds:.1f} s"


class PlainProgress(Progress):
    """One line per finished page, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._done = self._total = 0

    def start(self, total: int) -> None:
        """Remember how many there are."""
        self._total = total

    def end(self, page: Page, record: RunRecord) -> None:
        """``[3/10] campaign 18 … ok 4.2 s``."""
        self._done += 1
        self._line(f"[{self._done}/{self._total}] {page.title} … {outcome(record)}")

    def notice(self, text: str) -> None:
        """The text as a line."""
        self._line(text)

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class RichProgress(Progress):
    """A bar with the pages that run at the moment, for people."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
        self._running: dict[str, None] = {}
        self._task: Any = None

    def start(self, total: int) -> None:
        """Show the bar."""
        self._task = self._bars.add_task("", total=total)
        self._bars.start()

    def begin(self, page: Page) -> None:
        """Name the page beside the bar."""
        self._running[page.slug] = None
        self._describe()

    def end(self, page: Page, record: RunRecord) -> None:
        """Print the outcome above the bar."""
        self._running.pop(page.slug, None)
        self.notice(f"{page.title} … {outcome(record)}")
        self._bars.advance(self._task)
        self._describe()

    def notice(self, text: str) -> None:
        """A line above the bar; brackets in titles are not markup."""
        self._bars.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Take the bar away."""
        self._bars.stop()

    def _describe(self) -> None:
        from rich.markup import escape

        self._bars.update(self._task, description=escape(", ".join(self._running)[:60]))


def choose_progress() -> Progress:
    """Bars if a person watches, else lines."""
    return RichProgress() if sys.stderr.isatty() else PlainProgress()
