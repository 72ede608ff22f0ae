"""What is kept of every run: the last good page, what happened last, and the remains of a failure."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import analysis_lib
from analysis_lib.config import Project
from analysis_lib.publishing.files import file_digest, read_json, write_whole


@dataclass(frozen=True, slots=True)
class RunError:
    """Where and why a run failed.

    Attributes
    ----------
    cell : int
        Number of the cell in the notebook, from 1; 0 if no cell had started.
    first_line : str
        First line of that cell.
    ename, evalue : str
        Name and message of the error.
    """

    cell: int
    first_line: str
    ename: str
    evalue: str

    @property
    def text(self) -> str:
        """One line for the terminal."""
        place = f"cell {self.cell} ({self.first_line})" if self.cell else "before the first cell"
        return f"{place}: {self.ename}: {self.evalue}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The last run of a page.

    Attributes
    ----------
    slug, notebook, title : str
        The page.
    key : str
        Cache key of the run.
    status : str
        ``ok`` or ``failed``.
    parameters : dict[str, object]
        The resolved value of every parameter.
    given : dict[str, object]
        The parameters that were given.
    source : str | None
        Data source, if the notebook has one.
    command : str
        The command that runs it again.
    version : str
        Version of the code.
    started_at, finished_at : str
        ISO time, UTC.
    seconds, overhead_seconds : float
        Whole time, and the part outside the notebook's own work (kernel start, imports, writing).
    peak_mb : float | None
        Largest memory of the kernel.
    kernel : str
        ``warm`` or ``plain``.
    page_digest : str
        Digest of ``page.ipynb`` as it was written; empty if there is none.
    stale : bool
        Whether ``page.ipynb`` is older than the last, failed run.
    stale_since : str | None
        When the first run failed that should have replaced the page.
    good : dict[str, object] | None
        Of a failed run, the record of the run that ``page.ipynb`` is from.
    error : RunError | None
        Of a failed run, where and why.
    cached : bool
        Whether this command found the run already done; not stored.
    """

    slug: str
    notebook: str
    title: str
    key: str
    status: str
    parameters: dict[str, Any]
    given: dict[str, Any]
    source: str | None
    command: str
    version: str
    started_at: str
    finished_at: str
    seconds: float
    overhead_seconds: float
    peak_mb: float | None = None
    kernel: str = "plain"
    page_digest: str = ""
    stale: bool = False
    stale_since: str | None = None
    good: dict[str, Any] | None = None
    error: RunError | None = None
    cached: bool = field(default=False)

    @property
    def ok(self) -> bool:
        """Whether the run succeeded."""
        return self.status == "ok"

    def to_dict(self) -> dict[str, Any]:
        """Plain values as stored in ``run.json``."""
        content = dataclasses.asdict(self)
        del content["cached"]
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> RunRecord:
        """A record from stored values; unknown ones of other versions are passed over."""
        known = {f.name for f in dataclasses.fields(cls)}
        values = {name: value for name, value in content.items() if name in known}
        if values.get("error"):
            values["error"] = RunError(**values["error"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one page under ``.shopbook/runs``."""

    path: Path

    @property
    def page(self) -> Path:
        """The last good executed notebook."""
        return self.path / "page.ipynb"

    @property
    def state(self) -> Path:
        """The record of the last run."""
        return self.path / "run.json"

    @property
    def failed(self) -> Path:
        """The notebook as far as a failed run came."""
        return self.path / "failed.ipynb"

    @property
    def log(self) -> Path:
        """The story of a failed run, with its traceback."""
        return self.path / "failed.log"

    def read(self) -> RunRecord | None:
        """The record, or None if there is none that can be read."""
        content = read_json(self.state)
        if content is None:
            return None
        try:
            return RunRecord.from_dict(content)
        except TypeError:
            return None

    def write(self, record: RunRecord) -> None:
        """Store a record."""
        write_whole(self.state, json.dumps(record.to_dict(), indent=1, ensure_ascii=False) + "\n")

    def has_page_of(self, record: RunRecord | dict[str, Any] | None) -> bool:
        """Whether ``page.ipynb`` is, to the byte, what that run wrote."""
        content = record.to_dict() if isinstance(record, RunRecord) else record
        wanted = (content or {}).get("page_digest")
        return bool(wanted) and file_digest(self.page) == wanted


def run_folder(project: Project, slug: str) -> RunFolder:
    """Where the runs of a page are kept."""
    return RunFolder(project.state / "runs" / slug)


def read_records(project: Project, slugs: list[str]) -> dict[str, RunRecord]:
    """Stored records by file name of the page; pages that never ran are missing."""
    found = {slug: run_folder(project, slug).read() for slug in slugs}
    return {slug: record for slug, record in found.items() if record is not None}


def code_version(project: Project) -> str:
    """The commit in use, marked ``-dirty`` with uncommitted changes; the package's version outside git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=project.root,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return analysis_lib.__version__
    return done.stdout.strip() or analysis_lib.__version__
