"""Make the file of a source that has a builder: all of it, or nothing."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analysis_lib import config
from analysis_lib.errors import BuildFailed, InvalidValue, SourceError, nearest
from analysis_lib.warehouse.contract import load_contract
from analysis_lib.warehouse.opening import open_path
from analysis_lib.warehouse.rows import first_row
from analysis_lib.warehouse.sources import Source, find_source

if TYPE_CHECKING:
    import duckdb

#: Builders that ship; a source may also name a module of its own.
BUILDERS = {
    "cdnow": "analysis_lib.warehouse.cdnow",
    "complete_journey": "analysis_lib.warehouse.complete_journey",
    "world": "analysis_lib.world.builder",
}

#: Enough for the biggest table that ships; what does not fit is spilled beside the target.
MEMORY_LIMIT = "1GB"

#: Table of the built file that says how it was made.
BUILD_TABLE = "_shopbook_build"

_NO_SPACE = re.compile(r"no space left|max_temp_directory_size|disk (is )?full|file too large", re.IGNORECASE)


class Builder(Protocol):
    """What a builder module must have."""

    VERSION: str
    EXPECTED_BYTES: int

    def fill(self, connection: duckdb.DuckDBPyConnection, progress: Callable[[str], None]) -> dict[str, Any]:
        """Create the contract tables and return what is worth knowing about them."""


def build(name: str, *, project: config.Project | None = None, progress: Callable[[str], None] | None = None) -> Path:
    """Build the file of a source and put it in place in one step.

    Parameters
    ----------
    name
        A source of ``data/sources.yml`` that names a builder.
    progress
        Called with the name of each table as it is made.

    Returns
    -------
    Path
        The built file. Until the very end a file that was there before stays untouched.

    Raises
    ------
    UnknownName
        No such source.
    InvalidValue
        The source has no builder, or its builder cannot be found.
    BuildFailed
        No space, no permission, or the builder did not succeed; nothing is left behind.
    """
    source = find_source(name, project)
    builder = find_builder(source)
    signature = (str(source.builder), builder.VERSION, _package_version(builder))
    return build_file(
        source.location(project), builder.fill, signature, builder.EXPECTED_BYTES, project=project, progress=progress
    )


def build_file(
    target: Path,
    fill: Callable[..., dict[str, Any]],
    signature: tuple[str, str, str | None],
    expected_bytes: int,
    *,
    project: config.Project | None = None,
    progress: Callable[[str], None] | None = None,
    settings: dict[str, Any] | None = None,
) -> Path:
    """Make a DuckDB file of contract tables and put it in place in one step.

    Parameters
    ----------
    target
        Where it goes. Until the very end a file that was there before stays untouched.
    fill
        Called with a connection to an empty database and with ``progress``; returns what is worth knowing.
    signature
        Builder, its version, and the version of the data it reads: kept in the file.
    expected_bytes
        Size of the finished file, about; less free space than that is an error before anything starts.
    settings
        Options of DuckDB that differ from this module's, for example ``threads``.

    Raises
    ------
    BuildFailed
        No space, no permission, or ``fill`` did not succeed; nothing is left behind.
    """
    required = [table.table for table in load_contract(project).values() if table.required]
    with _failures_explained(target, expected_bytes):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target)
        if shutil.disk_usage(target.parent).free < expected_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        draft = target.with_name(f".{target.stem}.{os.getpid()}.duckdb.tmp")
        try:
            with contextlib.closing(_open_draft(draft, settings or {})) as connection:
                stats = fill(connection, progress or (lambda _: None))
                _require_rows(connection, required)
                (progress or (lambda _: None))(BUILD_TABLE)
                _sign(connection, signature, stats)
                connection.execute("CHECKPOINT")
            if draft.stat().st_size < 4096:
                raise BuildFailed(f"building {target.name} wrote no data. Nothing was changed.")
            draft.replace(target)
        finally:
            _remove_draft(draft)
    return target


def is_current(name: str, *, project: config.Project | None = None) -> bool:
    """Whether the file of a source exists and was made by the builder and the data package of today.

    Raises
    ------
    UnknownName, InvalidValue
        As ``build``.
    """
    import duckdb

    source = find_source(name, project)
    builder = find_builder(source)
    try:
        with contextlib.closing(open_path(source.location(project), (), "")) as connection:
            made = first_row(connection.execute(f"SELECT builder, builder_version, package_version FROM {BUILD_TABLE}"))
    except (SourceError, duckdb.Error):
        return False
    return made == (source.builder, builder.VERSION, _package_version(builder))


def find_builder(source: Source) -> Builder:
    """The builder module of a source.

    Raises
    ------
    InvalidValue
        The source names none, or one that does not exist.
    """
    if source.kind != "duckdb" or source.builder is None:
        raise InvalidValue(f"source '{source.name}' has no builder: its data are made elsewhere and only read here.")
    module = BUILDERS.get(source.builder, source.builder)
    try:
        return importlib.import_module(module)  # type: ignore[return-value]
    except ModuleNotFoundError as error:
        guess = nearest(source.builder, BUILDERS)
        hint = f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(BUILDERS)}, or a module of yours."
        raise InvalidValue(f"source '{source.name}': builder '{source.builder}' cannot be found. {hint}") from error


def remove_leftovers(target: Path) -> list[Path]:
    """Remove what killed builds of ``target`` left beside it; a build still running keeps its draft."""
    pattern = re.compile(rf"\.{re.escape(target.stem)}\.(\d+)\.duckdb\.tmp")
    removed = []
    for path in target.parent.glob(f".{target.stem}.*.duckdb.tmp*"):
        found = pattern.match(path.name)
        # Our own number can only be a leftover: this build has not begun to write.
        if found and (int(found[1]) == os.getpid() or not _alive(int(found[1]))):
            _remove(path)
            removed.append(path)
    return removed


def _open_draft(draft: Path, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    import duckdb

    usual = {"memory_limit": MEMORY_LIMIT, "preserve_insertion_order": False, "temp_directory": f"{draft}.spill"}
    connection = duckdb.connect(str(draft), config=usual | settings)
    connection.execute("SET TimeZone = 'UTC'")
    # Progress is told by ``progress``; the engine's own bar would write over it.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _require_rows(connection: duckdb.DuckDBPyConnection, required: list[str]) -> None:
    present = _tables(connection)
    for table in required:
        if table not in present or not first_row(connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1')):
            raise BuildFailed(f"the builder made no {table}, which every source must have. Nothing was changed.")


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def _sign(connection: duckdb.DuckDBPyConnection, signature: tuple[str, str, str | None], stats: dict[str, Any]) -> None:
    """Write how the file was made, with a digest of what is in it."""
    connection.execute(
        f"CREATE TABLE {BUILD_TABLE} (builder VARCHAR, builder_version VARCHAR, package_version VARCHAR,"
        " built_at TIMESTAMP, content_digest VARCHAR, stats VARCHAR)"
    )
    digest = _content_digest(connection)
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        f"INSERT INTO {BUILD_TABLE} VALUES (?, ?, ?, ?, ?, ?)",
        [*signature, now, digest, json.dumps(stats, default=str)],
    )


def _package_version(builder: Builder) -> str | None:
    """Version of the package the data come from, where the builder has one."""
    return builder.package_version() if hasattr(builder, "package_version") else None


def _content_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """Digest of names and rows of all tables, whatever the order the rows lie in."""
    digest = hashlib.sha256()
    for table in _tables(connection):
        if table != BUILD_TABLE:
            columns = connection.execute(f'DESCRIBE "{table}"').fetchall()
            rows = first_row(connection.execute(f'SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM "{table}" AS t'))
            digest.update(repr((table, [column[:2] for column in columns], rows)).encode())
    return digest.hexdigest()


@contextlib.contextmanager
def _failures_explained(target: Path, expected: int) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (OSError, duckdb.Error) as error:
        kept = "The file that was there is as it was." if target.exists() else "Nothing was left behind."
        if getattr(error, "errno", None) == errno.ENOSPC or _NO_SPACE.search(str(error)):
            raise BuildFailed(
                f"no space left on the disk of {target.parent.name}/: building {target.name} needs about"
                f" {expected / 1e6:,.0f} MB. {kept} Free some space and build again."
            ) from error
        raise BuildFailed(f"{target.name} could not be built ({str(error).splitlines()[0]}). {kept}") from error


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove_draft(draft: Path) -> None:
    for path in draft.parent.glob(f"{draft.name}*"):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
