"""Writing files whole or not at all, the build lock, and a message for a full disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis_lib.errors import BuildFailed

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_DISK_REASONS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
}

#: Temporary files start so; leftovers of a killed run are swept by the next.
TEMPORARY_PREFIX = ".tmp-"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new text, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = write_temporary(path, text)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_temporary(path: Path, text: str) -> Path:
    """A complete temporary file beside ``path``; removed again if it cannot be written."""
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; a published page is readable like any other file.
        temporary.chmod(0o644)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def sweep(folder: Path) -> None:
    """Remove temporary files that a killed run left behind."""
    for leftover in folder.glob(f"*/{TEMPORARY_PREFIX}*"):
        leftover.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None if the file is absent or damaged: then the run is simply done again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def file_digest(path: Path) -> str:
    """Digest of a file's bytes; of an absent file, the empty text."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        number = error.errno or named_errno(str(error))
        if number not in _DISK_REASONS:
            raise
        raise BuildFailed(
            f"{_DISK_REASONS[number]} while writing {error.filename or place}. The last good pages are untouched; "
            "make room and run the command again"
        ) from error


def named_errno(text: str) -> int | None:
    """The disk's error that a text tells of: copies of folders and other programs report in words.

    Examples
    --------
    >>> named_errno("[Errno 28] No space left on device: 'x'") == errno.ENOSPC
    True
    """
    return next((number for number in _DISK_REASONS if os.strerror(number) in text), None)


@contextlib.contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of one checkout; it falls with the process, however that ends.

    Raises
    ------
    BuildFailed
        Another process holds it; names its process id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    with path.open("a+", encoding="utf-8") as stream:
        if fcntl is not None:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                stream.seek(0)
                holder = stream.read().strip() or "unknown"
                raise BuildFailed(
                    f"another shopbook command (process {holder}) is running in {folder.parent}. "
                    "Wait until it has finished, or stop it"
                ) from error
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


@contextlib.contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold a lock for a moment's work on one file, after whoever holds it now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a", encoding="utf-8") as stream:
        if fcntl is not None:
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
